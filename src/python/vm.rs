//! Builds the one interpreter of the process: native modules, the frozen standard library, the frozen `pylib-stubs`,
//! the import provider. Nothing from the host: no PYTHONPATH, no site-packages, no signal handlers, no `.pyc` files.

use rustpython_vm::{Interpreter, InterpreterBuilder, PyResult, Settings, VirtualMachine, frozen::FrozenLib};

use super::{mends, native};

/// Modules that handlers or the native classes reach for; imported before the first request waits for them.
///
/// `urllib.parse` is among them on purpose: handlers use `urllib.parse.x` after a bare `import urllib`, which works on
/// wptserve because the server itself has imported the submodule. So is `typing`: `dataclasses` looks at it in
/// `sys.modules` without waiting for another thread that is still importing it.
const WARM: [&str; 10] =
    ["urllib.parse", "json", "re", "base64", "time", "datetime", "os.path", "importlib", "typing", "wptserve.utils"];

/// The standard library without the modules of [`absent`](super::absent), as `build.rs` has written it.
static STDLIB: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/stdlib.frozen"));

/// Builds the interpreter. It is not yet warm: see [`warm_up`].
pub(super) fn build() -> Interpreter {
    let stubs = rustpython_vm::py_freeze!(dir = "../../pylib-stubs", crate_name = "rustpython_vm");
    builder().add_frozen_modules(stubs).init_hook(mends::prepare).build()
}

/// RustPython as it is, to see what it does by itself.
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
    // Text is UTF-8 whatever the locale of the machine is, in files that handlers open as well as in what they print.
    settings.utf8_mode = 1;
    settings.argv = vec!["wptserve".to_owned()];

    let builder = Interpreter::builder(settings);
    let mut modules = rustpython_stdlib::stdlib_module_defs(&builder.ctx);
    modules.push(native::module_def(&builder.ctx));
    builder.add_native_modules(&modules).add_frozen_modules(FrozenLib::from_ref(STDLIB))
}

/// Puts right what is wrong in RustPython, imports what most handlers import, so that the first request does not pay for it,
/// and sends to the log what handlers print.
pub(super) fn warm_up(vm: &VirtualMachine) -> PyResult<()> {
    mends::install(vm)?;
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

    /// So no module that is left out is missed by one that is there.
    #[test]
    fn every_module_of_the_library_can_be_imported() {
        let library: Vec<&str> = FrozenLib::from_ref(STDLIB).decode().map(|(name, _)| name).collect();
        assert!(library.len() > 400, "only {} modules", library.len());
        assert!(!library.iter().any(|name| is_absent(name)), "{library:?}");
        // What `python -m` runs does its work at once.
        let modules: Vec<&str> = library.into_iter().filter(|name| !name.ends_with("__main__")).collect();
        // An interpreter of its own: what is imported here must not be there for other tests.
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
