//! The pool of handler threads.

mod exceptions;
#[path = "../../../../src/python/pool/mod.rs"]
mod pool;
mod threads;

pub mod jobs;
