//! `re.sub` and `subn`: a function that returns None, and a negative count.
//!
//! RustPython 0.6.0, `rustpython-vm/src/stdlib/_sre.rs`, `Pattern::sub_impl`: None from the function raises a `TypeError`, a
//! negative count a `ValueError`. CPython leaves the match out, and replaces nothing.

use rustpython_vm::{
    Py, PyObjectRef, PyResult, VirtualMachine,
    builtins::{PyInt, PyModule, PyStr},
    function::FuncArgs,
};

use crate::python::mends::exchange::{native_class, replace_method};

pub(in crate::python::mends) fn install(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
    let class = native_class(module, "Pattern", vm)?;
    for name in ["sub", "subn"] {
        let Some(original) = class.get_attr(vm.ctx.intern_str(name)) else { continue };
        let method = move |mut args: FuncArgs, vm: &VirtualMachine| -> PyResult {
            let text = argument(&args, 2, "string").cloned();
            let is_negative = argument(&args, 3, "count")
                .and_then(|count| count.downcast_ref::<PyInt>())
                .is_some_and(|count| count.to_str_radix_10().starts_with('-'));
            if let (true, Some(text)) = (is_negative, &text) {
                return Ok(if name == "sub" { text.clone() } else { vm.new_tuple((text.clone(), 0)).into() });
            }
            if let (Some(function), Some(text)) = (argument(&args, 1, "repl").cloned(), text)
                && function.is_callable()
            {
                let empty = if text.downcastable::<PyStr>() {
                    vm.ctx.new_str("").into()
                } else {
                    vm.ctx.new_bytes(Vec::new()).into()
                };
                let total = or_else(function, empty, vm);
                match args.args.get_mut(1) {
                    Some(replacement) => *replacement = total,
                    None => drop(args.kwargs.insert("repl".into(), total)),
                }
            }
            original.call_with_args(args, vm)
        };
        replace_method(class, name, method, vm);
    }
    Ok(())
}

/// An argument of a method, wherever it stands; `place` counts the object itself.
fn argument<'a>(args: &'a FuncArgs, place: usize, name: &str) -> Option<&'a PyObjectRef> {
    args.args.get(place).or_else(|| args.kwargs.get(name))
}

/// The function, with `empty` where it returns None.
fn or_else(function: PyObjectRef, empty: PyObjectRef, vm: &VirtualMachine) -> PyObjectRef {
    let call = move |args: FuncArgs, vm: &VirtualMachine| -> PyResult {
        let returned = function.call_with_args(args, vm)?;
        Ok(if vm.is_none(&returned) { empty.clone() } else { returned })
    };
    vm.new_function("repl", call).into()
}
