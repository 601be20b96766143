//! `bytes.isalpha` and `isalnum`, and those of `bytearray`.
//!
//! RustPython 0.6.0, `rustpython-vm/src/bytes_inner.rs`, `PyBytesInner::isalpha` and `isalnum`: a byte counts as the Latin-1
//! character of its number, so `b"\xe9".isalpha()` is true. CPython: only the letters and digits of ASCII count.

use rustpython_vm::{
    Py, VirtualMachine,
    builtins::{PyByteArray, PyBytes},
};

use crate::python::mends::exchange::replace_method;

pub(in crate::python::mends) fn install(vm: &VirtualMachine) {
    let types = &vm.ctx.types;
    replace_method(types.bytes_type, "isalpha", |own: &Py<PyBytes>| is_alpha(own.as_bytes()), vm);
    replace_method(types.bytes_type, "isalnum", |own: &Py<PyBytes>| is_alnum(own.as_bytes()), vm);
    replace_method(types.bytearray_type, "isalpha", |own: &Py<PyByteArray>| is_alpha(&own.borrow_buf()), vm);
    replace_method(types.bytearray_type, "isalnum", |own: &Py<PyByteArray>| is_alnum(&own.borrow_buf()), vm);
}

fn is_alpha(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_alphabetic)
}

fn is_alnum(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_alphanumeric)
}
