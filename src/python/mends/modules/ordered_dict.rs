//! `repr` of an `OrderedDict` and of its views.
//!
//! RustPython 0.6.0, `rustpython-vm/src/stdlib/_collections.rs`: `OrderedDict({'a': 1})`, as CPython has it since 3.12. In 3.11:
//! `OrderedDict([('a', 1)])`. A view is `<builtins.odict_keys object at 0x…>`; in CPython `odict_keys(['a'])`.

use rustpython_vm::{
    AsObject as _, Py, PyObject, PyObjectRef, PyRef, PyResult, VirtualMachine,
    builtins::{PyDict, PyListRef, PyModule, PyStr, PyType},
    common::wtf8::Wtf8Buf,
    recursion::ReprGuard,
};

use crate::python::mends::exchange::{native_class, renew_slot_methods};

pub(in crate::python::mends) fn install(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
    let class = native_class(module, "OrderedDict", vm)?;
    replace_repr(class, of_dict, vm);
    let empty = class.as_object().call((), vm)?;
    for name in ["keys", "values", "items"] {
        let view = vm.call_method(&empty, name, ())?;
        replace_repr(PyRef::leak(view.class().to_owned()), |shown, vm| listed(shown, shown.to_owned(), vm), vm);
    }
    Ok(())
}

fn of_dict(shown: &PyObject, vm: &VirtualMachine) -> PyResult<PyRef<PyStr>> {
    // `dict.clear` leaves the order of the keys behind.
    if shown.downcast_ref::<PyDict>().is_some_and(|own| own.is_empty()) {
        return Ok(vm.ctx.new_str(format!("{}()", shown.class().name())));
    }
    listed(shown, vm.call_method(shown, "items", ())?, vm)
}

type Repr = fn(&PyObject, &VirtualMachine) -> PyResult<PyRef<PyStr>>;

fn replace_repr(class: &'static Py<PyType>, repr: Repr, vm: &VirtualMachine) {
    class.slots().repr.store(Some(repr));
    renew_slot_methods(class, &["__repr__"], vm);
}

/// `Name([...])` with the items.
fn listed(shown: &PyObject, items: PyObjectRef, vm: &VirtualMachine) -> PyResult<PyRef<PyStr>> {
    let Some(_guard) = ReprGuard::enter(vm, shown) else { return Ok(vm.ctx.new_str("...")) };
    let mut text = Wtf8Buf::from(format!("{}(", shown.class().name()));
    let items: PyListRef = vm.ctx.types.list_type.as_object().call((items,), vm)?.try_into_value(vm)?;
    // Keys and values may show surrogates.
    text.push_wtf8(items.as_object().repr(vm)?.as_wtf8());
    text.push_str(")");
    Ok(vm.ctx.new_str(text))
}
