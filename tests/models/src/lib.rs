//! The crossings between threads under schedules that [`shuttle`] chooses: the code of `../../src` itself, with the locks, channels and
//! sockets of this crate.
//!
//! The names `parking_lot`, `tokio` and `rustpython_vm` mean this crate here, so the rooms need not know of it. What a model says stands in the
//! documentation of its function; `tests/all.rs` runs them. A deadlock is a lost wake-up: shuttle reports it as well as a panic, with
//! the schedule that leads there.

#![allow(
    dead_code,
    unused_imports,
    unfulfilled_lint_expectations,
    missing_docs,
    reason = "the rooms are here as a whole, and the models use a part of each"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::drop_non_drop,
    clippy::forget_non_drop,
    reason = "a model says what is wrong by panicking"
)]

extern crate self as parking_lot;
extern crate self as rustpython_vm;
extern crate self as tokio;

#[path = "../../../src/handover/mod.rs"]
mod handover;
#[path = "../../../src/http/mod.rs"]
mod http;
#[path = "../../../src/stash/mod.rs"]
mod stash;
#[path = "../../../src/websocket/mod.rs"]
mod websocket;

mod cancel;
mod channels;
pub mod crossing;
mod lock;
pub mod net;
pub mod python;
pub mod sessions;
pub mod stashed;

/// `tokio::sync`, under shuttle.
pub mod sync {
    pub use crate::channels::{mpsc, oneshot};
}

pub use lock::{Condvar, Mutex, MutexGuard, WaitTimeoutResult};

/// `rustpython_vm::Interpreter`: nothing but threads.
#[derive(Debug)]
pub struct Interpreter;

/// `rustpython_vm::VirtualMachine`.
#[derive(Debug)]
pub struct VirtualMachine;

impl Interpreter {
    pub fn new_thread(&self) -> VirtualMachine {
        VirtualMachine
    }
}

impl VirtualMachine {
    pub fn run<R>(&self, action: impl FnOnce(&Self) -> R) -> R {
        action(self)
    }

    pub fn allow_threads<R>(&self, action: impl FnOnce() -> R) -> R {
        action()
    }
}
