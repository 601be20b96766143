//! `pwd.getpwall` and `grp.getgrall`, which end the process when it is a static binary.
//!
//! RustPython 0.6.0, `rustpython-vm/src/stdlib/pwd.rs` and `grp.rs`: both go through `getpwent` and `getgrent` of the C library. That of
//! glibc loads the machine's shared libraries for names, and in a static binary this ends in a segmentation fault. Looking a
//! single name up does not. So ours reads the names from the file and looks each of them up with the function beside it.

use std::fs;

use rustpython_vm::builtins::PyModule;
use rustpython_vm::{AsObject as _, Py, PyObjectRef, PyResult, VirtualMachine};

use crate::python::mends::replace_function;

pub(in crate::python::mends) fn install_users(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
    install(vm, module, "getpwall", "getpwnam", "/etc/passwd")
}

pub(in crate::python::mends) fn install_groups(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
    install(vm, module, "getgrall", "getgrnam", "/etc/group")
}

fn install(
    vm: &VirtualMachine,
    module: &Py<PyModule>,
    all: &'static str,
    one: &'static str,
    file: &'static str,
) -> PyResult<()> {
    let look_up = module.get_attr(one, vm)?;
    let function = move |vm: &VirtualMachine| -> PyResult<Vec<PyObjectRef>> {
        // Without the file there are no names, as CPython has it.
        let text = vm.allow_threads(|| fs::read(file)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let names = text.lines().filter_map(|line| line.split(':').next());
        let mut found = Vec::new();
        for name in names.filter(|name| !name.is_empty() && !name.starts_with(['#', '+', '-'])) {
            match look_up.call((name,), vm) {
                Ok(entry) => found.push(entry),
                // A line that the C library does not take for an entry.
                Err(error) if error.fast_isinstance(vm.ctx.exceptions.key_error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    };
    replace_function(module, all, function, vm)
}
