//! `__file__` in the modules of the standard library.
//!
//! RustPython 0.6.0, `rustpython-vm/src/stdlib/sys.rs`: `sys._stdlib_dir` is None, so importlib's `FrozenImporter` gives frozen
//! modules no `__file__` and packages an empty `__path__`. Their code reads both: `_strptime` when a format has a day without a
//! year or does not fit, `functools`, `zipfile` and `encodings` for their warnings, `logging` to find its caller when the
//! arguments of a message do not fit, `xmlrpc.server`, `doctest`. CPython's modules have them.

use rustpython_vm::{
    AsObject as _, PyResult, VirtualMachine,
    builtins::{PyDict, PyStr},
};

/// A directory that does not exist on any machine, so no file can be read there.
const DIRECTORY: &str = "<frozen>";

pub(in crate::python::mends) fn install(vm: &VirtualMachine) -> PyResult<()> {
    vm.sys_module.set_attr("_stdlib_dir", vm.ctx.new_str(DIRECTORY), vm)?;
    // The modules that the interpreter has imported while it was built.
    let modules = vm.sys_module.get_attr("modules", vm)?;
    let importer = vm.import("_frozen_importlib", 0)?.get_attr("FrozenImporter", vm)?;
    for (name, module) in modules.downcast_ref::<PyDict>().map(|modules| modules.items_vec()).unwrap_or_default() {
        let of_importer = module.get_attr("__loader__", vm).is_ok_and(|loader| loader.is(&importer));
        let Some(name) = name.downcast_ref::<PyStr>().filter(|_| of_importer) else { continue };
        if module.as_object().get_attr("__file__", vm).is_ok() {
            continue;
        }
        let place = format!("{DIRECTORY}/{}", name.to_string_lossy().replace('.', "/"));
        let file = match module.get_attr("__path__", vm) {
            Ok(path) => {
                vm.call_method(&path, "append", (place.clone(),))?;
                format!("{place}/__init__.py")
            }
            Err(_) => format!("{place}.py"),
        };
        module.set_attr("__file__", vm.ctx.new_str(file), vm)?;
    }
    Ok(())
}
