//! RustPython's mistakes, put right from outside: one file per mistake.
//!
//! Each file says which function of RustPython 0.6.0 is wrong, what CPython does and what RustPython does instead; the same
//! in words for those who would mend it there is `docs/upstream.md`. This file is the list, and the means by which a mend
//! gets in:
//!
//! - [`TYPES`]: methods and slots of the built-in types are exchanged ([`replace_method`]). All interpreters of a process
//!   share the types, so this happens once.
//! - [`NATIVE`]: a native module gets something of ours each time it is imported. What is not imported costs nothing.
//! - [`OWN`]: what each interpreter has to itself, such as the functions of `builtins`.
//! - `modules::library`: Python modules of the standard library are put right by Python code in `pylib-stubs/_wptserve_mends`, each
//!   when it is imported.
//!
//! A mend has a table in `tables/` with the values that CPython gives. Where RustPython by itself gives another one, the line
//! `<<<` names that: a test runs these rows in an interpreter without mends and fails when one has come right, because
//! then the mend can go. A new mend is a file, a line in one of the lists, a table and its name under `tables!` below.

mod constant_folding;
mod modules;
mod types;
pub(super) mod wording;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Once, OnceLock};

use rustpython_vm::builtins::descriptor::PyMethodDescriptor;
use rustpython_vm::builtins::{PyModule, PyModuleDef, PyModuleSlots, PyStr, PyType};
use rustpython_vm::class::add_operators;
use rustpython_vm::function::{FuncArgs, IntoPyNativeFn, ItemDoc, PyMethodFlags};
use rustpython_vm::{AsObject as _, Py, PyObject, PyRef, PyResult, VirtualMachine};

/// What is done to the types that all interpreters of the process share.
const TYPES: &[fn(&VirtualMachine)] = &[
    types::bytes_format::install,
    types::bytes_letters::install,
    types::bytes_maketrans::install,
    types::bytes_strip::install,
    types::complex_format::install,
    types::float_power::install,
    types::format_surrogates::install,
    types::int_division::install,
    types::int_from_bytes::install,
    types::recursion_text::install,
];

/// What is done to a native module at the end of its import.
type Mend = fn(&VirtualMachine, &Py<PyModule>) -> PyResult<()>;

/// Native modules by name, with their mends.
const NATIVE: &[(&str, Mend)] = &[
    ("_collections", modules::ordered_dict::install),
    ("_io", modules::bytesio_seek::install),
    ("_sre", modules::re_bounds::install),
    ("_sre", modules::re_sub::install),
    ("_struct", modules::struct_errors::install),
    ("array", modules::array_items::install),
    ("binascii", modules::base64_end::install),
    ("time", modules::time_zone::install),
    ("unicodedata", modules::hangul::install),
];

/// What is done to each interpreter.
const OWN: &[fn(&VirtualMachine) -> PyResult<()>] = &[constant_folding::install, modules::frozen_files::install];

/// Puts the types right, once per process, and what this interpreter has to itself. For an interpreter that has just been
/// built, with [`prepare`] as one of its hooks.
///
/// # Errors
/// A module of the interpreter is not as expected.
pub(super) fn install(vm: &VirtualMachine) -> PyResult<()> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| TYPES.iter().for_each(|install| install(vm)));
    OWN.iter().try_for_each(|install| install(vm))
}

/// Puts [`NATIVE`] between the native modules and their import, and our Python code between Python modules and theirs. For a
/// virtual machine that nobody else knows yet.
pub(super) fn prepare(vm: &mut VirtualMachine) {
    modules::library::prepare(vm);
    let Some(state) = Arc::get_mut(&mut vm.state) else { return };
    // A module may have several mends.
    for name in NATIVE.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>() {
        if let Some(definition) = state.module_defs.get_mut(name) {
            *definition = mended(definition);
        }
    }
}

/// The definitions as RustPython has them, by name.
static ORIGINALS: OnceLock<parking_lot::Mutex<BTreeMap<&'static str, &'static PyModuleDef>>> = OnceLock::new();

/// The same module, with [`exec`] in front of its own.
fn mended(original: &'static PyModuleDef) -> &'static PyModuleDef {
    ORIGINALS.get_or_init(Default::default).lock().insert(original.name.as_str(), original);
    // A definition lives as long as the process, and there are only as many as mended modules in each interpreter.
    Box::leak(Box::new(PyModuleDef {
        name: original.name,
        doc: original.doc,
        methods: original.methods,
        slots: PyModuleSlots { create: original.slots.create, exec: Some(exec) },
    }))
}

/// The end of a native module's import: what RustPython does there, then the mend.
fn exec(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
    let name = module.dict().get_item("__name__", vm)?.str_utf8(vm)?;
    let original = ORIGINALS.get().and_then(|originals| originals.lock().get(name.as_str()).copied());
    if let Some(exec) = original.and_then(|original| original.slots.exec) {
        exec(vm, module)?;
    }
    NATIVE.iter().filter(|(mended, _)| *mended == name.as_str()).try_for_each(|(_, mend)| mend(vm, module))
}

/// Stands in for a method: gets the method as RustPython has it, and the object and the arguments of a call.
type Around = fn(&PyObject, FuncArgs, &VirtualMachine) -> PyResult;

/// Puts a function around a method of a built-in type.
fn wrap_method(class: &'static Py<PyType>, name: &'static str, around: Around, vm: &VirtualMachine) {
    if let Some(original) = class.get_attr(vm.ctx.intern_str(name)) {
        let function = move |args: FuncArgs, vm: &VirtualMachine| around(&original, args, vm);
        replace_method(class, name, function, vm);
    }
}

/// Exchanges a method of a built-in type. The new one keeps the name and the documentation of the old one.
fn replace_method<F, Kind>(class: &'static Py<PyType>, name: &'static str, function: F, vm: &VirtualMachine)
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
fn native_class(module: &Py<PyModule>, name: &'static str, vm: &VirtualMachine) -> PyResult<&'static Py<PyType>> {
    Ok(PyRef::leak(module.get_attr(name, vm)?.try_into_value(vm)?))
}

/// Makes the methods of a type that stand for its slots anew, after a slot was exchanged: subclasses look at them.
fn renew_slot_methods(class: &'static Py<PyType>, names: &[&'static str], vm: &VirtualMachine) {
    class.modified();
    let known = class.attributes.entries();
    for name in names {
        class.attributes.remove(vm.ctx.intern_str(*name));
    }
    add_operators(class, &vm.ctx, &[]);
    // It has also made those that the type inherits.
    for (name, _) in class.attributes.entries() {
        if let Some(text) = name.downcast_ref::<PyStr>().filter(|_| !known.iter().any(|(old, _)| old.is(&name))) {
            class.attributes.remove(vm.ctx.intern_str(text.as_wtf8()));
        }
    }
}

/// Exchanges a function of a native module, or puts one there. The new one keeps the signature of the old one.
///
/// # Errors
/// The module cannot be written to.
fn replace_function<F, Kind>(
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
        // It lives as long as the definition, and a function without `__self__` has no module in its signature.
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

#[cfg(test)]
mod tests {
    use crate::python::native::testing;
    use crate::python::{pool, vm};

    /// Set for the process that has no mends.
    const WITHOUT: &str = "WPTSERVE_TEST_WITHOUT_MENDS";

    macro_rules! tables {
        ($($folder:literal: $($name:ident),*;)*) => {
            $($(
                #[test]
                fn $name() {
                    testing::check_table(include_str!(concat!("tables", $folder, "/", stringify!($name), ".txt")));
                }
            )*)*
            /// Name and text of every table.
            const TABLES: &[(&str, &str)] = &[$($(
                (stringify!($name), include_str!(concat!("tables", $folder, "/", stringify!($name), ".txt"))),
            )*)*];
        };
    }

    tables!(
        "": constant_folding;
        "/modules": array_items, base64_end, bytesio_seek, decimal, frozen_files, hangul, library, ordered_dict, re_bounds, re_sub,
            struct_errors, time_zone;
        "/types": bytes_format, bytes_letters, bytes_maketrans, bytes_strip, complex_format, float_power, format_surrogates,
            int_division, int_from_bytes, recursion_text;
    );

    #[test]
    fn every_mend_is_needed() {
        if std::env::var_os(WITHOUT).is_none() {
            // The types are shared by all tests of this process: only a process of its own can go without the mends.
            let itself = std::env::current_exe().unwrap();
            let child = std::process::Command::new(itself)
                .args(["--exact", concat!(module_path!(), "::every_mend_is_needed").split_once("::").unwrap().1])
                .arg("--nocapture")
                .env(WITHOUT, "1")
                .output()
                .unwrap();
            let [out, errors] = [child.stdout, child.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
            assert!(child.status.success(), "{out}\n{errors}");
            assert!(out.contains("1 passed"), "the child has run no test:\n{out}");
            return;
        }
        let wrong = std::thread::Builder::new()
            .stack_size(pool::STACK)
            .spawn(|| {
                vm::build_without_mends().enter(|vm| {
                    TABLES
                        .iter()
                        .flat_map(|(name, table)| testing::mended_upstream(name, table, vm))
                        .collect::<Vec<_>>()
                })
            })
            .unwrap()
            .join()
            .unwrap();
        assert!(wrong.is_empty(), "RustPython gives another value than its mend says:\n{}", wrong.join("\n"));
    }
}
