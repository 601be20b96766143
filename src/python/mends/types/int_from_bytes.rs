//! `from_bytes` of a subclass of `int`, such as an `enum.IntEnum`.
//!
//! RustPython 0.6.0, `rustpython-vm/src/builtins/int.rs`, `PyInt::from_bytes`: the object is put together without a call of its
//! class, so that neither `__new__` nor `__init__` run and the result is not a member of an enumeration. CPython calls the class with
//! the number.

use std::sync::OnceLock;

use rustpython_vm::{
    AsObject as _, PyObjectRef, PyResult, VirtualMachine,
    builtins::PyTypeRef,
    function::{FuncArgs, ItemDoc, PyMethodDef, PyMethodFlags},
};

static DEFINITION: PyMethodDef = PyMethodDef::new_const("from_bytes", from_bytes, PyMethodFlags::CLASS, SIGNATURE);
/// What `inspect.signature` reads.
const SIGNATURE: ItemDoc = ItemDoc {
    text: Some(
        "from_bytes($type, /, bytes, byteorder='big', *, signed=False)
--

",
    ),
    offset: 0,
    len: 0,
};
/// RustPython's own, bound to `int`.
static ORIGINAL: OnceLock<PyObjectRef> = OnceLock::new();

pub(in crate::python::mends) fn install(vm: &VirtualMachine) {
    let class = vm.ctx.types.int_type;
    if let Ok(original) = class.as_object().get_attr("from_bytes", vm) {
        let _ = ORIGINAL.set(original);
        class.set_attr(vm.ctx.intern_str("from_bytes"), DEFINITION.build_classmethod(&vm.ctx, class).into());
    }
}

fn from_bytes(class: PyTypeRef, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
    let Some(original) = ORIGINAL.get() else { return Ok(vm.ctx.none()) };
    let number = original.call(args, vm)?;
    if class.is(vm.ctx.types.int_type) {
        return Ok(number);
    }
    class.as_object().call((number,), vm)
}
