//! Powers of `-0.0`, `-inf` and NaN, powers with the exponent `-0.0` or one that is almost an integer.
//!
//! RustPython 0.6.0, `rustpython-vm/src/builtins/float.rs`, `float_pow`: whatever has a sign bit counts as negative, so that
//! `(-0.0) ** 0.5` is complex and `0.0 ** -0.0` a division by zero (as is `0.0 ** -inf`), and an exponent counts as an integer when it is within
//! `f64::EPSILON` of one, so that `(-8.0) ** 1e-17` is NaN. CPython: only a finite negative base with an
//! exponent that is not an integer gives a complex number; the rest is C's `pow`.

use std::sync::OnceLock;

use rustpython_vm::{
    AsObject as _, PyObject, PyResult, VirtualMachine,
    builtins::{PyFloat, PyInt, try_bigint_to_f64},
    protocol::PyNumberTernaryFunc,
};

use crate::python::mends::exchange::renew_slot_methods;

static ORIGINAL: OnceLock<PyNumberTernaryFunc> = OnceLock::new();

pub(in crate::python::mends) fn install(vm: &VirtualMachine) {
    let slots = &vm.ctx.types.float_type.slots().as_number;
    if let Some(original) = slots.power.load() {
        let _ = ORIGINAL.set(original);
        slots.power.store(Some(power));
        slots.right_power.store(Some(power));
        renew_slot_methods(vm.ctx.types.float_type, &["__pow__", "__rpow__"], vm);
    }
}

fn power(base: &PyObject, exponent: &PyObject, modulus: &PyObject, vm: &VirtualMachine) -> PyResult {
    if vm.is_none(modulus)
        && let (Some(left), Some(right)) = (number(base, vm), number(exponent, vm))
    {
        let zero_below = left == 0.0 && right < 0.0 && right.is_finite();
        let negative = left < 0.0 && left.is_finite() && right.is_finite();
        let infinite = left == 0.0 && right.is_infinite();
        if right == 0.0 || infinite || (left.is_sign_negative() && !negative && !zero_below) {
            return Ok(vm.ctx.new_float(left.powf(right)).into());
        }
        if negative && right.fract() != 0.0 && right.fract().abs() <= f64::EPSILON {
            return vm._pow(vm.ctx.new_complex(left.into()).as_object(), exponent, modulus);
        }
    }
    match ORIGINAL.get() {
        Some(original) => original(base, exponent, modulus, vm),
        None => Ok(vm.ctx.not_implemented()),
    }
}

/// The value, if it is a float or an integer that fits one.
fn number(object: &PyObject, vm: &VirtualMachine) -> Option<f64> {
    match object.downcast_ref::<PyFloat>() {
        Some(float) => Some(float.to_f64()),
        None => try_bigint_to_f64(object.downcast_ref::<PyInt>()?.as_bigint(), vm).ok(),
    }
}
