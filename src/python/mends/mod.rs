//! Corrections of RustPython's mistakes from outside: one file per mistake.
//!
//! Each file names the wrong function of RustPython 0.6.0, CPython's behaviour and RustPython's. `docs/upstream.md` says the same for
//! people who would correct RustPython itself. This file lists the mends by the time at which they are applied; [`exchange`] has the
//! functions for that:
//!
//! - [`TYPES`]: methods and slots of the built-in types are replaced. All interpreters of a process share the types, so this
//!   happens once.
//! - [`NATIVE`]: a native module is changed each time it is imported. A module that is not imported costs no time.
//! - [`OWN`]: objects that each interpreter has of its own, such as the functions of `builtins`.
//! - `modules::library`: Python code in `pylib-stubs/_wptserve_mends` corrects Python modules of the standard library, each when it is
//!   imported.
//!
//! A mend has a table below `tables/` with CPython's values. If RustPython by itself gives another value, the line `<<<` has that one: a
//! test runs these rows in an interpreter without mends and fails when RustPython gives the right value, because then the mend can be
//! removed. A new mend is a file, a line in one of the lists, a table and its name under `tables!` below.

mod constant_folding;
pub(super) mod exchange;
mod modules;
mod types;
pub(super) mod wording;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Once, OnceLock},
};

use rustpython_vm::{
    Py, PyResult, VirtualMachine,
    builtins::{PyModule, PyModuleDef, PyModuleSlots},
};

/// The mends of the types that all interpreters of the process share.
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

/// A mend of a native module, applied at the end of its import.
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

/// The mends of each interpreter.
const OWN: &[fn(&VirtualMachine) -> PyResult<()>] = &[constant_folding::install, modules::frozen_files::install];

/// Mends the types, once per process, and the objects of this interpreter. For a new interpreter that has [`prepare`] as one of its
/// hooks.
///
/// # Errors
/// A module of the interpreter is not as expected.
pub(super) fn install(vm: &VirtualMachine) -> PyResult<()> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| TYPES.iter().for_each(|install| install(vm)));
    OWN.iter().try_for_each(|install| install(vm))
}

/// Puts [`NATIVE`] between the native modules and their import, and our Python code between Python modules and theirs. For a new virtual
/// machine that no other thread uses yet.
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

/// RustPython's own definitions, by name.
static ORIGINALS: OnceLock<parking_lot::Mutex<BTreeMap<&'static str, &'static PyModuleDef>>> = OnceLock::new();

/// The same module, with [`exec`] in front of its own.
fn mended(original: &'static PyModuleDef) -> &'static PyModuleDef {
    ORIGINALS.get_or_init(Default::default).lock().insert(original.name.as_str(), original);
    // A definition lives as long as the process; each interpreter has only as many as there are mended modules.
    Box::leak(Box::new(PyModuleDef {
        name: original.name,
        doc: original.doc,
        methods: original.methods,
        slots: PyModuleSlots { create: original.slots.create, exec: Some(exec) },
    }))
}

/// The end of a native module's import: RustPython's own step, then the mend.
fn exec(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
    let name = module.dict().get_item("__name__", vm)?.str_utf8(vm)?;
    let original = ORIGINALS.get().and_then(|originals| originals.lock().get(name.as_str()).copied());
    if let Some(exec) = original.and_then(|original| original.slots.exec) {
        exec(vm, module)?;
    }
    NATIVE.iter().filter(|(mended, _)| *mended == name.as_str()).try_for_each(|(_, mend)| mend(vm, module))
}

#[cfg(test)]
mod tests {
    use crate::python::{native::testing, pool, vm};

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
