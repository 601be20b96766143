//! `BytesIO.seek` to a place before the beginning, counted from where it is or from the end.
//!
//! RustPython 0.6.0, `rustpython-vm/src/stdlib/_io.rs`, `BytesIO::seek`: `OSError: [Errno 0]`. CPython goes to the beginning.

use std::sync::Once;

use rustpython_vm::{
    Py, PyObject, PyObjectRef, PyResult, VirtualMachine,
    builtins::{PyInt, PyModule},
    function::FuncArgs,
};

use crate::python::mends::exchange::{native_class, wrap_method};

pub(in crate::python::mends) fn install(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
    static ONCE: Once = Once::new();
    let class = native_class(module, "BytesIO", vm)?;
    ONCE.call_once(|| wrap_method(class, "seek", around, vm));
    Ok(())
}

fn around(original: &PyObject, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
    let number = |value: &PyObjectRef| value.downcast_ref::<PyInt>()?.try_to_primitive::<i64>(vm).ok();
    if let [file, offset, whence] = args.args.as_slice()
        && let (Some(offset), Some(whence @ (1 | 2))) = (number(offset), number(whence))
        && offset < 0
    {
        let from = match whence {
            1 => vm.call_method(file, "tell", ())?,
            _ => original.call((file.clone(), 0, 2), vm)?,
        };
        let place = from.try_to_value::<i64>(vm)?.saturating_add(offset).max(0);
        return original.call((file.clone(), place), vm);
    }
    original.call(args, vm)
}
