//! Builds the one interpreter of the process: native modules, the frozen standard library, the frozen `pylib-stubs`,
//! the import provider. The interpreter uses nothing of the machine: no PYTHONPATH, no site-packages, no signal handlers, no `.pyc` files.

use rustpython_vm::{Interpreter, InterpreterBuilder, PyResult, Settings, VirtualMachine, frozen::FrozenLib};

use super::{exceptions::interrupt, mends, native};

/// Modules that handlers or the native classes use. They are imported at the start, so that the first request does not wait for them.
///
/// `urllib.parse` is among them on purpose: handlers use `urllib.parse.x` after a bare `import urllib`, which works on
/// wptserve because the server itself has imported the submodule. So is `typing`: `dataclasses` looks at it in
/// `sys.modules` without waiting for another thread that is still importing it.
const WARM: [&str; 10] =
    ["urllib.parse", "json", "re", "base64", "time", "datetime", "os.path", "importlib", "typing", "wptserve.utils"];

/// The standard library without the modules of [`absent`](super::absent), as `build.rs` has written it.
static STDLIB: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/stdlib.frozen"));

/// Builds the interpreter. It has not imported its modules yet: see [`warm_up`].
pub(super) fn build() -> Interpreter {
    let stubs = rustpython_vm::py_freeze!(dir = "../../pylib-stubs", crate_name = "rustpython_vm");
    builder().add_frozen_modules(stubs).init_hook(mends::prepare).build()
}

/// RustPython without mends, to check its own values.
#[cfg(test)]
pub(super) fn build_without_mends() -> Interpreter {
    builder().build()
}

fn builder() -> InterpreterBuilder {
    let mut settings = Settings::default();
    settings.isolated = true;
    settings.ignore_environment = true;
    settings.import_site = false;
    settings.user_site_directory = false;
    settings.install_signal_handlers = false;
    settings.write_bytecode = false;
    settings.safe_path = true;
    // Text is UTF-8 in every locale, in the files that handlers open and in their output.
    settings.utf8_mode = 1;
    settings.argv = vec!["wptserve".to_owned()];

    let builder = Interpreter::builder(settings);
    let mut modules = rustpython_stdlib::stdlib_module_defs(&builder.ctx);
    modules.push(native::module_def(&builder.ctx));
    builder.add_native_modules(&modules).add_frozen_modules(FrozenLib::from_ref(STDLIB))
}

/// Applies the mends, imports the modules that most handlers import, so that the first request does not wait for them, and sends the
/// output of handlers to the log.
pub(super) fn warm_up(vm: &VirtualMachine) -> PyResult<()> {
    mends::install(vm)?;
    interrupt::install(vm)?;
    for name in WARM {
        vm.import(vm.ctx.intern_str(name), 0)?;
    }
    let output = vm.import("_wptserve_output", 0)?;
    vm.call_method(&output, "install", ()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::{absent::is_absent, advice, pool};

    /// So no module of the binary needs one that is left out.
    #[test]
    fn every_module_of_the_library_can_be_imported() {
        let library: Vec<&str> = FrozenLib::from_ref(STDLIB).decode().map(|(name, _)| name).collect();
        assert!(library.len() > 400, "only {} modules", library.len());
        assert!(!library.iter().any(|name| is_absent(name)), "{library:?}");
        // Importing a module for `python -m` would run it.
        let modules: Vec<&str> = library.into_iter().filter(|name| !name.ends_with("__main__")).collect();
        // The test has an interpreter of its own, because other tests must not see the modules that it imports.
        let import_all = move |vm: &VirtualMachine| -> Vec<String> {
            let importlib = vm.import("importlib", 0).unwrap();
            let failure = |name: &'static str| {
                let error = vm.call_method(&importlib, "import_module", (name,)).err()?;
                Some(format!("{name}: {}", advice::message(&error, vm)))
            };
            modules.into_iter().filter_map(failure).collect()
        };
        let thread = std::thread::Builder::new().stack_size(pool::STACK);
        let failed = thread.spawn(|| build().enter(import_all)).unwrap().join().unwrap();
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }
}
