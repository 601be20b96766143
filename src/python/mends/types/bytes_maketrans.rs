//! `bytes.maketrans` with a byte that occurs twice, and that of `bytearray`.
//!
//! RustPython 0.6.0, `rustpython-vm/src/bytes_inner.rs`, `PyBytesInner::maketrans`: the first occurrence counts. CPython: the last.

use rustpython_vm::{
    PyResult, VirtualMachine,
    function::{ArgBytesLike, ItemDoc, PyMethodDef, PyMethodFlags},
};

static DEFINITION: PyMethodDef = PyMethodDef::new_const("maketrans", maketrans, PyMethodFlags::STATIC, SIGNATURE);
/// What `inspect.signature` reads.
const SIGNATURE: ItemDoc = ItemDoc { text: Some("maketrans(frm, to, /)\n--\n\n"), offset: 0, len: 0 };

pub(in crate::python::mends) fn install(vm: &VirtualMachine) {
    for class in [vm.ctx.types.bytes_type, vm.ctx.types.bytearray_type] {
        class.set_attr(vm.ctx.intern_str("maketrans"), DEFINITION.build_staticmethod(&vm.ctx, class).into());
    }
}

fn maketrans(from: ArgBytesLike, to: ArgBytesLike, vm: &VirtualMachine) -> PyResult<Vec<u8>> {
    let [from, to] = [from, to].map(|bytes| bytes.borrow_buf().to_vec());
    if from.len() != to.len() {
        return Err(vm.new_value_error("maketrans arguments must have same length"));
    }
    let becomes = |byte: u8| from.iter().zip(&to).rfind(|(old, _)| **old == byte).map_or(byte, |(_, new)| *new);
    Ok((0..=u8::MAX).map(becomes).collect())
}
