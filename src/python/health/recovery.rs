//! Freeing locks when a handler's thread panics. Its Python code does not run any more, not even `with` and `finally`, so its locks
//! would stay held, and other threads would wait for them for ever.
//!
//! The locks of imports are freed here. The lock of the stash is released with its request. A lock that a handler has made itself
//! stays held.

use rustpython_vm::{VirtualMachine, stdlib::_thread::get_ident};

use crate::python::{pool::Job, traceback};

/// Called by the thread that has panicked. A healthy thread has to run the returned job.
pub(in crate::python) fn begin() -> Job {
    let dead = get_ident();
    Job::own(move |vm| free_imports(dead, vm))
}

fn free_imports(dead: u64, vm: &VirtualMachine) {
    let freed = vm.import("_wptserve_recovery", 0).and_then(|module| vm.call_method(&module, "free_imports", (dead,)));
    if let Err(exception) = freed {
        log::error!("the imports of a handler that panicked stay locked: {}", traceback::for_log(&exception, vm));
    }
}
