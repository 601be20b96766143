//! The native half of what handlers see: one file per Python class, gathered in the module `_wptserve`.

pub(super) use module::module_def;

#[rustpython_vm::pymodule(name = "_wptserve")]
mod module {
    use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine};

    /// `wptserve.utils.isomorphic_encode`
    #[pyfunction]
    fn isomorphic_encode(value: PyObjectRef, vm: &VirtualMachine) -> PyResult {
        let _ = (&value, vm);
        Ok(value)
    }
}
