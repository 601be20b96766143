//! Makes `dict(request.headers)` and `dict(request.GET)` give the lists of values, as CPython does.
//!
//! CPython's `dict(m)` copies the table of a dict subclass that keeps `dict`'s iteration, without asking its `[]`; two WPT
//! handlers rely on it. RustPython asks `keys()` and `[]` of every subclass. The initialiser of its `dict` type is a slot
//! that can be replaced while the interpreter is set up. Our initialiser replaces it, and handles our two classes itself. Not
//! covered: `{**m}` and `d.update(m)`, which reach the same code without the slot.

use std::sync::OnceLock;

use rustpython_vm::{Py, PyObject, PyResult, VirtualMachine, builtins::PyDict, function::FuncArgs};

use super::{MultiDict, RequestHeaders};

type Init = fn(&PyObject, FuncArgs, &VirtualMachine) -> PyResult<()>;

/// RustPython's own initialiser of `dict`. A static, because all interpreters of the process share the type.
static OF_DICT: OnceLock<Init> = OnceLock::new();

/// Puts our initialiser before that of `dict`, once per process; later calls have no effect.
pub(in crate::python::native) fn install(vm: &VirtualMachine) {
    let slots = vm.ctx.types.dict_type.slots();
    if let Some(own) = slots.init.load()
        && OF_DICT.set(own).is_ok()
    {
        slots.init.store(Some(init));
        // A direct constructor of `dict` would bypass the slot, so it is removed.
        slots.vectorcall.store(None);
    }
}

fn init(made: &PyObject, mut args: FuncArgs, vm: &VirtualMachine) -> PyResult<()> {
    if let ([source], Some(target)) = (args.args.as_slice(), made.downcast_ref::<PyDict>())
        && let Some(table) = table_of(source)
    {
        for (key, values) in table.items_vec() {
            target.inner_setitem(&*key, values, vm)?;
        }
        args.args.clear();
    }
    match OF_DICT.get() {
        Some(own) => own(made, args, vm),
        None => Ok(()),
    }
}

/// The table behind `source` when it is one of our classes, subclasses in Python included.
fn table_of(source: &PyObject) -> Option<&Py<PyDict>> {
    (source.downcastable::<MultiDict>() || source.downcastable::<RequestHeaders>())
        .then(|| source.downcast_ref::<PyDict>())
        .flatten()
}
