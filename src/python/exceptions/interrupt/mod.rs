//! The exception that ends a handler from outside, and how it gets into the thread.
//!
//! RustPython 0.6.0 has no `PyThreadState_SetAsyncExc`. But a virtual machine that has a Python function for a signal calls it
//! before its next bytecode, and when a system call was interrupted. So each handler thread sets one for the signal that
//! [`Run::cancel`](crate::cancel::Run::cancel) sends it. Which of the threads calls its function is a matter of chance: the
//! first one that gets to a bytecode. A thread whose run is not cancelled does nothing, and the signal is sent again.

mod blocking;

use std::sync::OnceLock;

use parking_lot::Mutex;
use rustpython_vm::{
    AsObject as _, PyObject, PyResult, VirtualMachine,
    builtins::{PyBaseExceptionRef, PyTypeRef},
    function::FuncArgs,
};

pub(in crate::python) use blocking::{in_slices, install};

use crate::cancel::{self, Reason};

/// The name of the exception.
const NAME: &str = "RequestCancelled";

/// The class of the exception. No `except Exception` catches it, as is the case with `asyncio.CancelledError`.
fn class(vm: &VirtualMachine) -> &'static PyTypeRef {
    // All interpreters of the process share the types.
    static CLASS: OnceLock<PyTypeRef> = OnceLock::new();
    CLASS.get_or_init(|| {
        let base = vm.ctx.exceptions.base_exception_type.to_owned();
        vm.ctx.new_exception_type("wptserve", NAME, Some(vec![base]))
    })
}

/// Lets the calling thread be cancelled from now on. For a thread that has just begun.
pub(in crate::python) fn prepare_thread(vm: &VirtualMachine) {
    if set_function(vm).is_err() {
        log::error!(
            "handlers in one of the threads cannot be ended from outside: the module _signal is not as expected"
        );
    }
}

fn set_function(vm: &VirtualMachine) -> PyResult<()> {
    // Only the main thread may set functions for signals, so the thread is that for a moment.
    static MAIN: Mutex<()> = Mutex::new(());
    let signals = vm.import("_signal", 0)?;
    let function = vm.new_function("cancel", |_: FuncArgs, vm: &VirtualMachine| check(vm));
    let _main = vm.allow_threads(|| MAIN.lock());
    let ident = vm.state.main_thread_ident.swap(rustpython_vm::stdlib::_thread::get_ident());
    let set = vm.call_method(&signals, "signal", (cancel::signal_number(), function));
    vm.state.main_thread_ident.store(ident);
    set.map(drop)
}

/// Raises if the run of the calling thread is cancelled.
pub(in crate::python) fn check(vm: &VirtualMachine) -> PyResult<()> {
    match cancel::current().and_then(|run| run.take()) {
        Some(reason) => Err(exception(reason, vm)),
        None => Ok(()),
    }
}

fn exception(reason: Reason, vm: &VirtualMachine) -> PyBaseExceptionRef {
    vm.new_exception_msg(class(vm).clone(), reason.to_string().into())
}

/// Whether this is the exception.
pub(in crate::python) fn is_cancelled(exception: &PyObject, vm: &VirtualMachine) -> bool {
    exception.fast_isinstance(class(vm))
}
