//! WebSocket as plain values: frames, close codes, and the file that handles a resource.
//!
//! This room opens no socket and runs no Python. The rules are those of pywebsocket3 4.0.2, which `wpt serve` runs. Frames that a
//! handler builds wrong on purpose are built in Python (`pylib-stubs/pywebsocket3/stream.py`).

pub mod close;
pub mod frame;
pub mod handlers;

pub use handlers::{Handlers, resource};
