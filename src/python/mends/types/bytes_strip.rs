//! `bytes.strip`, `lstrip` and `rstrip`, and those of `bytearray`.
//!
//! RustPython 0.6.0, `rustpython-vm/src/bytes_inner.rs`, `PyBytesInner::strip`, `lstrip` and `rstrip`: the bytes are decoded
//! from UTF-8 and characters are trimmed, either those whose low byte is in the set or all blanks of Unicode, so that
//! `b"\xff1".strip(b"\xff")` keeps the byte (it decodes to U+FFFD) and `b"a\xc2\xa0".strip()` loses two. CPython: bytes are
//! trimmed, without an argument the six blanks of ASCII. `urllib.parse.quote` depends on it.

use rustpython_vm::{
    AsObject as _, Py, VirtualMachine,
    builtins::{PyByteArray, PyBytesRef},
    function::{ArgBytesLike, OptionalOption},
};

use crate::python::mends::exchange::replace_method;

/// The bytes that `strip` removes without an argument.
const BLANKS: &[u8] = b" \t\n\r\x0b\x0c";

/// The ends that are trimmed.
#[derive(Clone, Copy)]
struct Ends {
    left: bool,
    right: bool,
}

pub(in crate::python::mends) fn install(vm: &VirtualMachine) {
    let types = &vm.ctx.types;
    for (name, ends) in [
        ("strip", Ends { left: true, right: true }),
        ("lstrip", Ends { left: true, right: false }),
        ("rstrip", Ends { left: false, right: true }),
    ] {
        let of_bytes = move |own: PyBytesRef, bytes: OptionalOption<ArgBytesLike>, vm: &VirtualMachine| {
            let trimmed = trim(own.as_bytes(), bytes, ends);
            // CPython returns the object itself when no byte is removed, unless it is of a subclass.
            if trimmed.len() == own.as_bytes().len() && own.class().is(vm.ctx.types.bytes_type) {
                return own;
            }
            vm.ctx.new_bytes(trimmed.to_vec())
        };
        replace_method(types.bytes_type, name, of_bytes, vm);
        let of_bytearray = move |own: &Py<PyByteArray>, bytes: OptionalOption<ArgBytesLike>| -> PyByteArray {
            // A copy, because the argument may be the object itself, and a lock must not be taken twice.
            let all = own.borrow_buf().to_vec();
            trim(&all, bytes, ends).to_vec().into()
        };
        replace_method(types.bytearray_type, name, of_bytearray, vm);
    }
}

fn trim(mut bytes: &[u8], unwanted: OptionalOption<ArgBytesLike>, ends: Ends) -> &[u8] {
    let unwanted = unwanted.flatten().map_or_else(|| BLANKS.to_vec(), |unwanted| unwanted.borrow_buf().to_vec());
    while let (true, [first, rest @ ..]) = (ends.left, bytes)
        && unwanted.contains(first)
    {
        bytes = rest;
    }
    while let (true, [rest @ .., last]) = (ends.right, bytes)
        && unwanted.contains(last)
    {
        bytes = rest;
    }
    bytes
}
