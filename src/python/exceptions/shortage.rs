//! Exceptions that mean that the process has no descriptor or memory left; see [`crate::http::answer::shortage`].

use std::io;

use rustpython_vm::{PyObject, VirtualMachine};

use crate::http::answer::shortage;

/// The error of the system, if the exception is such an `OSError`.
pub(in crate::python) fn of(exception: &PyObject, vm: &VirtualMachine) -> Option<io::Error> {
    if !exception.class().fast_issubclass(vm.ctx.exceptions.os_error) {
        return None;
    }
    let number: i32 = exception.get_attr("errno", vm).ok()?.try_into_value(vm).ok()?;
    Some(io::Error::from_raw_os_error(number)).filter(shortage::is_shortage)
}
