//! **wptserve-rs**: one binary that serves a web-platform-tests checkout and runs its Python handlers without Python.
#![doc = ""]

pub mod content;
pub mod docroot;
pub mod http;
mod python;
pub mod route;
pub mod stash;
