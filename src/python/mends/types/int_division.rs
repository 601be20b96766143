//! `0 / -2`, and an integer 0 divided by any negative integer.
//!
//! RustPython 0.6.0, `rustpython-vm/src/builtins/int.rs`, `inner_truediv`, over `rustpython-common/src/int.rs`, `true_div`:
//! the quotient is a fraction before it becomes a float, and a fraction has no negative zero. CPython gives `-0.0`.

use std::sync::OnceLock;

use rustpython_vm::{PyObject, PyResult, VirtualMachine, builtins::PyInt, protocol::PyNumberBinaryFunc};

use crate::python::mends::exchange::renew_slot_methods;

static ORIGINAL: OnceLock<PyNumberBinaryFunc> = OnceLock::new();

pub(in crate::python::mends) fn install(vm: &VirtualMachine) {
    // `bool` has copied the slots of `int`.
    for class in [vm.ctx.types.int_type, vm.ctx.types.bool_type] {
        let slots = &class.slots().as_number;
        if let Some(original) = slots.true_divide.load() {
            let _ = ORIGINAL.set(original);
            slots.true_divide.store(Some(divide));
            slots.right_true_divide.store(Some(divide));
        }
    }
    renew_slot_methods(vm.ctx.types.int_type, &["__truediv__", "__rtruediv__"], vm);
}

fn divide(left: &PyObject, right: &PyObject, vm: &VirtualMachine) -> PyResult {
    if let (Some(left), Some(right)) = (left.downcast_ref::<PyInt>(), right.downcast_ref::<PyInt>())
        && left.as_bigint().bits() == 0
        && right.as_bigint() < left.as_bigint()
    {
        return Ok(vm.ctx.new_float(-0.0).into());
    }
    match ORIGINAL.get() {
        Some(original) => original(left, right, vm),
        None => Ok(vm.ctx.not_implemented()),
    }
}
