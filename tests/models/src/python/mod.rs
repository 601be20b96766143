//! The pool of handler threads.

#[path = "../../../../src/python/pool/mod.rs"]
mod pool;
mod threads;

pub mod jobs;
