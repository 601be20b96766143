//! The text of a `RecursionError`.
//!
//! RustPython 0.6.0, `rustpython-vm/src/vm/mod.rs`, `check_recursive_call` and `with_recursion`: the message ends in a blank, where
//! a place would follow, or is empty (RustPython#8382). CPython: `maximum recursion depth exceeded`, in some operations
//! followed by their name, which is not given here.
//!
//! Such an exception is made without a call of its type, so its text is corrected when code reads its arguments.

use std::sync::OnceLock;

use rustpython_vm::{
    AsObject as _, Py, PyObject, PyObjectRef, PyResult, VirtualMachine,
    builtins::{PyBaseException, PyStr, PyStrRef, PyTupleRef},
    function::{FuncArgs, PySetterValue},
};

use crate::python::mends::exchange::wrap_method;

const TEXT: &str = "maximum recursion depth exceeded";

static REPR: OnceLock<fn(&PyObject, &VirtualMachine) -> PyResult<PyStrRef>> = OnceLock::new();
/// The attribute `args` of all exceptions.
static ARGS: OnceLock<PyObjectRef> = OnceLock::new();

pub(in crate::python::mends) fn install(vm: &VirtualMachine) {
    let class = vm.ctx.exceptions.recursion_error;
    let args = vm.ctx.intern_str("args");
    wrap_method(class, "__str__", around_str, vm);
    if let (Some(repr), Some(of_all)) = (class.slots().repr.load(), class.get_attr(args)) {
        let _ = (REPR.set(repr), ARGS.set(of_all));
        class.slots().repr.store(Some(repr_of));
        class.set_attr(args, vm.ctx.new_static_getset("args", class, get_args, set_args).into());
    }
}

fn around_str(original: &PyObject, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
    if let Some(exception) = args.args.first().and_then(|exception| exception.downcast_ref::<PyBaseException>()) {
        get_args(exception, vm)?;
    }
    original.call(args, vm)
}

fn repr_of(exception: &PyObject, vm: &VirtualMachine) -> PyResult<PyStrRef> {
    if let Some(exception) = exception.downcast_ref::<PyBaseException>() {
        get_args(exception, vm)?;
    }
    match REPR.get() {
        Some(repr) => repr(exception, vm),
        None => Ok(vm.ctx.new_str(TEXT)),
    }
}

fn get_args(exception: &Py<PyBaseException>, vm: &VirtualMachine) -> PyResult<PyTupleRef> {
    let args = exception.args();
    let [only] = args.as_slice() else { return Ok(args) };
    let text = only.downcast_ref::<PyStr>().and_then(|text| text.to_str());
    if text.is_some_and(|text| text.is_empty() || text.strip_suffix(' ') == Some(TEXT)) {
        let right = vm.ctx.new_tuple(vec![vm.ctx.new_str(TEXT).into()]);
        set_args(exception, PySetterValue::Assign(right.into()), vm)?;
    }
    Ok(exception.args())
}

fn set_args(exception: &Py<PyBaseException>, value: PySetterValue, vm: &VirtualMachine) -> PyResult<()> {
    let Some(args) = ARGS.get() else { return Ok(()) };
    let exception = exception.as_object().to_owned();
    match value {
        PySetterValue::Assign(value) => vm.call_method(args, "__set__", (exception, value)),
        PySetterValue::Delete => vm.call_method(args, "__delete__", (exception,)),
    }
    .map(drop)
}
