//! `array.array` from bytes that are not a whole number of items, and the `repr` of an array of floats.
//!
//! RustPython 0.6.0, `rustpython-stdlib/src/array.rs`. `PyArray::py_new` and `frombytes_move`: what is left over is dropped in
//! silence, and the bytes change hands with another size than they were allocated with, which an allocator may take
//! badly. CPython raises `ValueError`. `ArrayContentType::repr`: floats are written as Rust writes them (`37`, not `37.0`), those
//! of type code "f" with the digits of a short float; CPython writes what the list of the items shows.

use std::sync::OnceLock;

use rustpython_vm::{
    Py, PyObject, PyResult, VirtualMachine,
    builtins::{PyByteArray, PyBytes, PyModule, PyStr, PyStrRef, PyTypeRef},
    function::FuncArgs,
};

use crate::python::mends::exchange::{native_class, renew_slot_methods};

type New = fn(PyTypeRef, FuncArgs, &VirtualMachine) -> PyResult;
type Shown = fn(&PyObject, &VirtualMachine) -> PyResult<PyStrRef>;

static NEW: OnceLock<New> = OnceLock::new();
static REPR: OnceLock<Shown> = OnceLock::new();

pub(in crate::python::mends) fn install(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
    let class = native_class(module, "array", vm)?;
    // The type is shared: later interpreters find it done.
    if let (Some(make), Some(repr)) = (class.slots().new.load(), class.slots().repr.load())
        && NEW.set(make).is_ok()
        && REPR.set(repr).is_ok()
    {
        class.slots().new.store(Some(new));
        class.slots().repr.store(Some(shown));
        renew_slot_methods(class, &["__repr__"], vm);
    }
    Ok(())
}

fn new(class: PyTypeRef, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
    if let [code, bytes] = args.args.as_slice()
        && let Some(code) = code.downcast_ref::<PyStr>().and_then(|code| code.to_str())
        && let Some(length) = length(bytes)
        && !length.is_multiple_of(item_size(code))
    {
        return Err(vm.new_value_error("bytes length not a multiple of item size"));
    }
    match NEW.get() {
        Some(make) => make(class, args, vm),
        None => Ok(vm.ctx.none()),
    }
}

fn length(bytes: &PyObject) -> Option<usize> {
    match bytes.downcast_ref::<PyBytes>() {
        Some(bytes) => Some(bytes.as_bytes().len()),
        None => bytes.downcast_ref::<PyByteArray>().map(|bytes| bytes.borrow_buf().len()),
    }
}

/// The size of an item in bytes; 1 for an unknown code, which RustPython refuses itself.
fn item_size(code: &str) -> usize {
    match code {
        "h" | "H" => 2,
        "i" | "I" | "f" | "u" | "w" => 4,
        "l" | "L" | "q" | "Q" | "d" => 8,
        _ => 1,
    }
}

fn shown(array: &PyObject, vm: &VirtualMachine) -> PyResult<PyStrRef> {
    let code = array.get_attr("typecode", vm)?.str_utf8(vm)?;
    if matches!(code.as_str(), "f" | "d") && array.length(vm)? > 0 {
        let items = vm.call_method(array, "tolist", ())?.repr(vm)?;
        return Ok(vm.ctx.new_str(format!(
            "{}('{}', {})",
            array.class().name(),
            code.as_str(),
            items.to_string_lossy()
        )));
    }
    match REPR.get() {
        Some(repr) => repr(array, vm),
        None => array.str(vm),
    }
}
