//! What has to be freed when a handler's thread panics: nothing of its Python code runs any more, neither `with` nor `finally`, so
//! whatever it held stays held, and whoever waits for that would wait for ever.
//!
//! The lock of the stash and the locks of imports are freed. A lock that a handler has made itself is not known here.

use std::thread;

use rustpython_vm::{VirtualMachine, stdlib::_thread::get_ident};

use super::{pool::Job, traceback};
use crate::stash::Stash;

/// Called by the thread that has panicked; what is returned has to be done by a healthy one.
pub(super) fn begin(stash: &Stash) -> Job {
    stash.lock().release_held_by(thread::current().id());
    let dead = get_ident();
    Box::new(move |vm| free_imports(dead, vm))
}

fn free_imports(dead: u64, vm: &VirtualMachine) {
    let freed = vm.import("_wptserve_recovery", 0).and_then(|module| vm.call_method(&module, "free_imports", (dead,)));
    if let Err(exception) = freed {
        log::error!("the imports of a handler that panicked stay locked: {}", traceback::for_log(&exception, vm));
    }
}
