//! The bounds of a search: `pos` and `endpos` of the methods of a pattern, and `Match.endpos`.
//!
//! RustPython 0.6.0, `rustpython-vm/src/stdlib/_sre.rs`: a negative bound raises a `ValueError`; a `pos` behind `endpos` can match;
//! `Match.endpos` is where the match was found, not where the search had to end. CPython: a negative bound is 0, nothing
//! matches behind `endpos`. Here the `endpos` of a match is the end of the text, because a match does not store the real one; this is
//! wrong only for a search that was given another end.

use rustpython_vm::{
    AsObject as _, Py, PyObjectRef, PyResult, VirtualMachine,
    builtins::{PyInt, PyModule},
    function::FuncArgs,
};

use crate::python::mends::exchange::{native_class, replace_method};

pub(in crate::python::mends) fn install(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
    let class = native_class(module, "Pattern", vm)?;
    for name in ["match", "fullmatch", "search", "findall", "finditer", "scanner"] {
        let Some(original) = class.get_attr(vm.ctx.intern_str(name)) else { continue };
        let method = move |mut args: FuncArgs, vm: &VirtualMachine| -> PyResult {
            if (args.args.len() > 2 || !args.kwargs.is_empty()) && leaves_nothing(&mut args, vm) {
                match name {
                    "fullmatch" | "search" => return Ok(vm.ctx.none()),
                    "findall" => return Ok(vm.ctx.new_list(Vec::new()).into()),
                    "finditer" => return Ok(vm.ctx.new_list(Vec::new()).as_object().get_iter(vm)?.into()),
                    _ => {}
                }
            }
            original.call_with_args(args, vm)
        };
        replace_method(class, name, method, vm);
    }
    let matched = native_class(module, "Match", vm)?;
    let end = |own: PyObjectRef, vm: &VirtualMachine| own.get_attr("string", vm)?.length(vm);
    matched.set_attr(vm.ctx.intern_str("endpos"), vm.ctx.new_readonly_getset("endpos", matched, end).into());
    Ok(())
}

/// Makes negative bounds zero, and says whether `pos` is behind `endpos`. Behind the end of the text both are at its end.
fn leaves_nothing(args: &mut FuncArgs, vm: &VirtualMachine) -> bool {
    let text = args.args.get(1).or_else(|| args.kwargs.get("string"));
    let length = text.and_then(|text| i64::try_from(text.length(vm).ok()?).ok()).unwrap_or(i64::MAX);
    let bounds = [(2, "pos"), (3, "endpos")].map(|(place, name)| {
        let value = args.args.get(place).or_else(|| args.kwargs.get(name))?;
        let value = value.downcast_ref::<PyInt>()?.try_to_primitive::<i64>(vm).ok()?;
        if value >= 0 {
            return Some(value.min(length));
        }
        let zero = vm.ctx.new_int(0).into();
        match args.args.get_mut(place) {
            Some(value) => *value = zero,
            None => drop(args.kwargs.insert(name.into(), zero)),
        }
        Some(0)
    });
    matches!(bounds, [Some(pos), Some(endpos)] if pos > endpos)
}
