//! `b"ab" % "x"`: a text as the only argument of the formatting of bytes, and that of a bytearray.
//!
//! RustPython 0.6.0, `rustpython-vm/src/cformat.rs`, `cformat_bytes`: a text counts as a mapping, which
//! may stay unused. CPython: a text is an argument like any other, and a format without a place for it is a `TypeError`.

use std::sync::OnceLock;

use rustpython_vm::{
    AsObject as _, Py, PyObject, PyResult, VirtualMachine,
    builtins::{PyStr, PyType},
    protocol::PyNumberBinaryFunc,
};

use crate::python::mends::exchange::renew_slot_methods;

static BYTES: OnceLock<PyNumberBinaryFunc> = OnceLock::new();
static BYTEARRAY: OnceLock<PyNumberBinaryFunc> = OnceLock::new();

pub(in crate::python::mends) fn install(vm: &VirtualMachine) {
    exchange(vm.ctx.types.bytes_type, &BYTES, format_bytes, vm);
    exchange(vm.ctx.types.bytearray_type, &BYTEARRAY, format_bytearray, vm);
}

fn exchange(
    class: &'static Py<PyType>,
    original: &OnceLock<PyNumberBinaryFunc>,
    format: PyNumberBinaryFunc,
    vm: &VirtualMachine,
) {
    let slots = &class.slots().as_number;
    if let Some(remainder) = slots.remainder.load() {
        let _ = original.set(remainder);
        slots.remainder.store(Some(format));
    }
    renew_slot_methods(class, &["__mod__"], vm);
}

fn format_bytes(left: &PyObject, right: &PyObject, vm: &VirtualMachine) -> PyResult {
    format(&BYTES, left, right, vm)
}

fn format_bytearray(left: &PyObject, right: &PyObject, vm: &VirtualMachine) -> PyResult {
    format(&BYTEARRAY, left, right, vm)
}

/// A tuple of one is the same argument, and is not a mapping.
fn format(original: &OnceLock<PyNumberBinaryFunc>, left: &PyObject, right: &PyObject, vm: &VirtualMachine) -> PyResult {
    let Some(original) = original.get() else { return Ok(vm.ctx.not_implemented()) };
    if right.downcast_ref::<PyStr>().is_some() {
        return original(left, vm.ctx.new_tuple(vec![right.to_owned()]).as_object(), vm);
    }
    original(left, right, vm)
}
