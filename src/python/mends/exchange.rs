//! The functions with which mends are applied: they replace methods, slots and functions of RustPython.

use rustpython_vm::{
    AsObject as _, Py, PyObject, PyRef, PyResult, VirtualMachine,
    builtins::{PyModule, PyStr, PyType, descriptor::PyMethodDescriptor},
    class::add_operators,
    function::{FuncArgs, IntoPyNativeFn, ItemDoc, PyMethodFlags},
};

/// The replacement of a method: gets RustPython's own method, and the object and the arguments of a call.
pub(in crate::python) type Around = fn(&PyObject, FuncArgs, &VirtualMachine) -> PyResult;

/// Puts a function around a method of a built-in type.
pub(in crate::python) fn wrap_method(
    class: &'static Py<PyType>,
    name: &'static str,
    around: Around,
    vm: &VirtualMachine,
) {
    if let Some(original) = class.get_attr(vm.ctx.intern_str(name)) {
        let function = move |args: FuncArgs, vm: &VirtualMachine| around(&original, args, vm);
        replace_method(class, name, function, vm);
    }
}

/// Replaces a method of a built-in type. The new one keeps the name and the documentation of the old one.
pub(super) fn replace_method<F, Kind>(class: &'static Py<PyType>, name: &'static str, function: F, vm: &VirtualMachine)
where
    F: IntoPyNativeFn<Kind>,
{
    let name_of = vm.ctx.intern_str(name);
    let doc = class
        .get_attr(name_of)
        .and_then(|method| Some(method.downcast_ref::<PyMethodDescriptor>()?.method.item_doc()))
        .unwrap_or(ItemDoc::NONE);
    let definition = vm.ctx.new_method_def(name, function, PyMethodFlags::METHOD, doc);
    class.set_attr(name_of, definition.build_method(class, vm).into());
}

/// A class of a native module. The types of native modules live as long as the process.
pub(in crate::python) fn native_class(
    module: &Py<PyModule>,
    name: &'static str,
    vm: &VirtualMachine,
) -> PyResult<&'static Py<PyType>> {
    Ok(PyRef::leak(module.get_attr(name, vm)?.try_into_value(vm)?))
}

/// Makes the methods for a type's slots anew after a slot was replaced, because subclasses look at them.
pub(super) fn renew_slot_methods(class: &'static Py<PyType>, names: &[&'static str], vm: &VirtualMachine) {
    class.modified();
    let known = class.attributes.entries();
    for name in names {
        class.attributes.remove(vm.ctx.intern_str(*name));
    }
    add_operators(class, &vm.ctx, &[]);
    // The call above has also made the methods that the type inherits.
    for (name, _) in class.attributes.entries() {
        if let Some(text) = name.downcast_ref::<PyStr>().filter(|_| !known.iter().any(|(old, _)| old.is(&name))) {
            class.attributes.remove(vm.ctx.intern_str(text.as_wtf8()));
        }
    }
}

/// Replaces a function of a native module, or adds one. The new one keeps the signature of the old one.
///
/// # Errors
/// The module cannot be written to.
pub(super) fn replace_function<F, Kind>(
    module: &Py<PyModule>,
    name: &'static str,
    function: F,
    vm: &VirtualMachine,
) -> PyResult<()>
where
    F: IntoPyNativeFn<Kind>,
{
    let signature = module.get_attr(name, vm).and_then(|old| old.get_attr("__text_signature__", vm));
    let doc = match signature.ok().as_ref().and_then(|signature| signature.downcast_ref::<PyStr>()?.to_str()) {
        // The name lives as long as the definition, and a function without `__self__` has no module in its signature.
        Some(signature) => {
            let signature = signature.replacen("$module, /, ", "", 1).replacen("$module, ", "", 1);
            ItemDoc { text: Some(format!("{name}{signature}\n--\n\n").leak()), ..ItemDoc::NONE }
        }
        None => ItemDoc::NONE,
    };
    let definition = vm.ctx.new_method_def(name, function, PyMethodFlags::empty(), doc);
    let function = definition.build_function(vm, None);
    function.as_object().set_attr("__module__", module.get_attr("__name__", vm)?, vm)?;
    module.set_attr(name, function, vm)
}
