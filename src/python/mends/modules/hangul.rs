//! `unicodedata.decomposition` of Hangul syllables.
//!
//! RustPython 0.6.0, `rustpython-stdlib/src/unicodedata.rs`, `decomposition`: it computes the parts of a syllable. CPython has no entry
//! for them: it looks at the table of Unicode's database, where the syllables are a range.

use rustpython_vm::{
    Py, PyResult, VirtualMachine,
    builtins::{PyModule, PyStr},
    function::FuncArgs,
};

use crate::python::mends::exchange::replace_function;

pub(in crate::python::mends) fn install(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
    let original = module.get_attr("decomposition", vm)?;
    let decomposition = move |args: FuncArgs, vm: &VirtualMachine| -> PyResult {
        let letter = args.args.first().and_then(|letter| letter.downcast_ref::<PyStr>()?.to_str()?.chars().next());
        let is_syllable = letter.is_some_and(|letter| ('\u{ac00}'..='\u{d7a3}').contains(&letter));
        let parts = original.call_with_args(args, vm)?;
        Ok(if is_syllable { vm.ctx.new_str("").into() } else { parts })
    };
    replace_function(module, "decomposition", decomposition, vm)
}
