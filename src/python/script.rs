//! The code cache: source files of the doc root, compiled once per path, modification time and size.
//!
//! A code object is immutable and shared by all VM threads. Handlers are executed in fresh globals ([`execute`]); what a helper is
//! executed in (its module's dictionary) is the importer's business.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use parking_lot::Mutex;
use rustpython_vm::{
    AsObject as _, PyRef, PyResult, VirtualMachine,
    builtins::{PyCode, PyDictRef, PyFunction},
    scope::Scope,
};

/// What a file looked like when it was read; a different stamp means that it has to be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
}

impl Stamp {
    /// # Errors
    /// The file is gone or may not be looked at.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() && !metadata.is_dir() {
            // Opening a pipe would wait for somebody to write into it.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(Self { modified: metadata.modified().ok(), size: metadata.len() })
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct Scripts {
    compiled: Mutex<HashMap<PathBuf, (Stamp, PyRef<PyCode>)>>,
}

impl Scripts {
    /// The code of a file that has not changed since it was compiled, and its stamp.
    pub(super) fn known(&self, path: &Path, vm: &VirtualMachine) -> Option<(PyRef<PyCode>, Stamp)> {
        let stamp = vm.allow_threads(|| Stamp::of(path)).ok()?;
        Some((self.compiled_from(path, stamp)?, stamp))
    }

    fn compiled_from(&self, path: &Path, stamp: Stamp) -> Option<PyRef<PyCode>> {
        let compiled = self.compiled.lock();
        let (known, code) = compiled.get(path)?;
        (*known == stamp).then(|| code.clone())
    }

    /// The code of a file, and the stamp it had.
    ///
    /// # Errors
    /// `OSError` when it cannot be read, `SyntaxError` or `ValueError` when it does not compile.
    pub(super) fn load(&self, path: &Path, vm: &VirtualMachine) -> PyResult<(PyRef<PyCode>, Stamp)> {
        let os_error = |error: io::Error| {
            log::warn!("cannot read {}: {error}", path.display());
            os_error(&error, path, vm)
        };
        let stamp = vm.allow_threads(|| Stamp::of(path)).map_err(os_error)?;
        if let Some(code) = self.compiled_from(path, stamp) {
            return Ok((code, stamp));
        }
        let source = vm.allow_threads(|| fs::read(path)).map_err(os_error)?;
        let code = compile(source, path, vm)?;
        self.compiled.lock().insert(path.to_owned(), (stamp, code.clone()));
        Ok((code, stamp))
    }
}

/// Executes a script in fresh globals, which are returned. They know the path as `__file__`.
///
/// # Errors
/// Whatever the script raises.
pub(super) fn execute(code: PyRef<PyCode>, path: &Path, vm: &VirtualMachine) -> PyResult<PyDictRef> {
    let globals = vm.ctx.new_dict();
    globals.set_item("__file__", vm.ctx.new_str(path.to_string_lossy().into_owned()).into(), vm)?;
    vm.run_code_obj(code, Scope::with_builtins(None, globals.clone(), vm))?;
    Ok(globals)
}

/// Takes the globals of a script apart that has run, unless somebody else still refers to them: its functions refer to the
/// globals, and these to the functions. Otherwise only the collector could free them, and that stops all threads.
pub(super) fn release(globals: &PyDictRef, vm: &VirtualMachine) {
    let inner: usize = globals
        .clone()
        .into_iter()
        .filter(|(_, value)| {
            // One by the dictionary, one here.
            value.strong_count() == 2
                && value.downcastable::<PyFunction>()
                && value.get_attr("__globals__", vm).is_ok_and(|its_own| its_own.is(globals))
        })
        .count();
    if globals.as_object().strong_count() == inner + 1 {
        globals.clear();
    }
}

/// Compiles the bytes of a file as Python's own `compile` does: coding cookie, byte order mark, NUL bytes.
fn compile(source: Vec<u8>, path: &Path, vm: &VirtualMachine) -> PyResult<PyRef<PyCode>> {
    let compile = vm.builtins.get_attr("compile", vm)?;
    // The two numbers: no flags, and none taken over from whatever code is running.
    let code = compile.call((vm.ctx.new_bytes(source), path.to_string_lossy().into_owned(), "exec", 0, 1), vm)?;
    code.downcast().map_err(|_| vm.new_type_error("compile() did not return a code object"))
}

/// Python's `OSError` (or the subclass of its number) for a failed file operation.
fn os_error(error: &io::Error, path: &Path, vm: &VirtualMachine) -> rustpython_vm::builtins::PyBaseExceptionRef {
    let number = error.raw_os_error().unwrap_or(0);
    let arguments = (number, error.to_string(), path.to_string_lossy().into_owned());
    match vm.ctx.exceptions.os_error.as_object().call(arguments, vm) {
        Ok(exception) => exception.downcast().unwrap_or_else(|_| vm.new_os_error(error.to_string())),
        Err(exception) => exception,
    }
}
