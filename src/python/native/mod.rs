//! The native half of what handlers see: one file per Python class, gathered in the module `_wptserve`.
//!
//! This file is a list and a few words of glue. The Python half, `pylib-stubs/wptserve/`, re-exports the names under the
//! module paths that handlers import them from. Nothing here knows sockets or actix: a class gets plain Rust data.

mod dict_copies;
mod headers;
mod input;
mod multidict;
mod raw_headers;
mod spill;
#[cfg(test)]
mod testing;
mod text;

pub(super) use headers::RequestHeaders;
pub(super) use input::{BodySource, InputFile};
pub(super) use module::module_def;
pub(super) use multidict::MultiDict;
pub(super) use raw_headers::RawHeaders;

#[rustpython_vm::pymodule(
    name = "_wptserve",
    with(headers::classes, input::classes, multidict::classes, raw_headers::classes, text::functions)
)]
mod module {
    use rustpython_vm::builtins::PyModule;
    use rustpython_vm::{Py, PyResult, VirtualMachine};

    pub(crate) fn module_exec(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
        super::dict_copies::install(vm);
        __module_exec(vm, module);
        Ok(())
    }
}
