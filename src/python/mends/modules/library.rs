//! Python modules of the standard library that Python code in `pylib-stubs/_wptserve_mends` corrects.
//!
//! RustPython's standard library is that of CPython 3.14; most of these files restore a value of 3.11. See the files.

use std::sync::Arc;

use rustpython_vm::VirtualMachine;

/// The package that holds the files.
const OURS: &str = "_wptserve_mends.";

/// Exchanges the code of each of these modules with that of our file for it: ours runs first when the module is imported, and
/// runs the other, which it finds under its own name. For a new virtual machine that no other thread uses yet.
pub(in crate::python::mends) fn prepare(vm: &mut VirtualMachine) {
    let Some(state) = Arc::get_mut(&mut vm.state) else { return };
    let ours: Vec<&'static str> = state.frozen.keys().copied().filter(|name| name.starts_with(OURS)).collect();
    for name in ours {
        let Some(original) = name.strip_prefix(OURS).and_then(|module| state.frozen.get_mut(module)) else { continue };
        // A folder of ours is a package as the module is; a module that is a package stays one.
        let (own, package) = (original.code, original.package);
        let Some(mend) = state.frozen.get(name).copied() else { continue };
        if let Some(module) = name.strip_prefix(OURS) {
            state.frozen.insert(module, rustpython_vm::frozen::FrozenModule { code: mend.code, package });
            state.frozen.insert(name, rustpython_vm::frozen::FrozenModule { code: own, package });
        }
    }
}
