//! WebSocket as plain values: frames, close codes, and which file handles which resource.
//!
//! Nothing here opens a socket or runs Python. The rules are those of pywebsocket3 4.0.2, which is what `wpt serve` runs;
//! what a handler may build wrong on purpose is built in Python (`pylib-stubs/pywebsocket3/stream.py`).

pub mod close;
pub mod frame;
pub mod handlers;

pub use handlers::{Handlers, resource};
