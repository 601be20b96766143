//! The heartbeat: proof for the supervisor that handlers can run.
//!
//! A thread with a machine of its own executes a little bytecode now and then. It cannot while all machines are stopped, be it by a
//! collection that waits for a handler inside native code. A handler that only loops does not keep it from that.

use std::{io, thread};

use rustpython_vm::{Interpreter, PyResult, VirtualMachine, compiler::Mode};

use crate::{python::traceback, supervisor::Link};

/// Starts the thread, if the supervisor wants to know.
///
/// # Errors
/// The system gives no thread.
pub(in crate::python) fn begin(interpreter: &Interpreter, link: Link) -> io::Result<()> {
    let Some(interval) = link.beat_interval() else { return Ok(()) };
    let vm = interpreter.new_thread();
    let beat = move |vm: &VirtualMachine| -> PyResult<()> {
        let code =
            vm.compile("1 + 1", Mode::Exec, "<heartbeat>").map_err(|error| vm.new_runtime_error(error.to_string()))?;
        loop {
            vm.run_code_obj(code.clone(), vm.new_scope_with_builtins())?;
            link.beat();
            vm.allow_threads(|| thread::sleep(interval));
        }
    };
    let run = move || {
        vm.run(|vm| {
            if let Err(exception) = beat(vm) {
                log::error!("the heartbeat ends: {}", traceback::for_log(&exception, vm));
            }
        });
    };
    thread::Builder::new().name("heartbeat".to_owned()).spawn(run).map(drop)
}
