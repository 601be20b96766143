//! The code cache: source files of the doc root, compiled once per path, modification time and size.
//!
//! A code object is immutable and shared by all VM threads. Handlers are executed in fresh globals ([`execute`]). The importer executes
//! helpers in the dictionary of their module.

use std::{collections::HashMap, ffi::OsString, fs, io, path::Path, sync::Arc, time::SystemTime};

use parking_lot::Mutex;
use rustpython_vm::{
    AsObject as _, PyRef, PyResult, VirtualMachine,
    builtins::{PyCode, PyDictRef, PyFunction, PyStrRef},
    function::ArgMapping,
    identifier,
    scope::Scope,
};

/// The state of a file when it was read; a different stamp means that the file has to be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
}

impl Stamp {
    /// # Errors
    /// The file does not exist any more, or its state may not be read.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() && !metadata.is_dir() {
            // Opening a pipe would wait for a writer.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(Self { modified: metadata.modified().ok(), size: metadata.len() })
    }
}

/// A compiled file.
pub(super) struct Script {
    pub(super) code: PyRef<PyCode>,
    /// The state of the file.
    pub(super) stamp: Stamp,
    /// Its path, as text.
    pub(super) path: String,
    /// Its path, as a Python object.
    file: PyStrRef,
}

/// See the module.
#[derive(Default)]
pub(super) struct Scripts {
    compiled: Mutex<HashMap<OsString, Arc<Script>>>,
}

impl Scripts {
    /// The file, if it has not changed since it was compiled.
    pub(super) fn known(&self, path: &Path, vm: &VirtualMachine) -> Option<Arc<Script>> {
        let stamp = vm.allow_threads(|| Stamp::of(path)).ok()?;
        self.compiled_from(path, stamp)
    }

    fn compiled_from(&self, path: &Path, stamp: Stamp) -> Option<Arc<Script>> {
        self.compiled.lock().get(path.as_os_str()).filter(|known| known.stamp == stamp).cloned()
    }

    /// The compiled file. It is compiled again only if it has changed.
    ///
    /// # Errors
    /// `OSError` when it cannot be read, `SyntaxError` or `ValueError` when it does not compile.
    pub(super) fn load(&self, path: &Path, vm: &VirtualMachine) -> PyResult<Arc<Script>> {
        let os_error = |error: io::Error| {
            log::warn!("cannot read {}: {error}", path.display());
            os_error(&error, path, vm)
        };
        let stamp = vm.allow_threads(|| Stamp::of(path)).map_err(os_error)?;
        if let Some(script) = self.compiled_from(path, stamp) {
            return Ok(script);
        }
        let source = vm.allow_threads(|| fs::read(path)).map_err(os_error)?;
        let code = compile(source, path, vm)?;
        let text = path.to_string_lossy().into_owned();
        let script = Arc::new(Script { code, stamp, file: vm.ctx.new_str(text.as_str()), path: text });
        self.compiled.lock().insert(path.as_os_str().to_owned(), Arc::clone(&script));
        Ok(script)
    }
}

/// Executes a script in fresh globals, and returns them. They have the path as `__file__`.
///
/// # Errors
/// The script raises.
pub(super) fn execute(script: &Script, vm: &VirtualMachine) -> PyResult<PyDictRef> {
    let globals = vm.ctx.new_dict();
    globals.set_item(identifier!(vm, __file__), script.file.clone().into(), vm)?;
    // `Scope::with_builtins` would look this name up and hash it again.
    globals.set_item(identifier!(vm, __builtins__), vm.builtins.clone().into(), vm)?;
    let locals = ArgMapping::from_dict_exact(globals.clone());
    vm.run_code_obj(script.code.clone(), Scope::new(Some(locals), globals.clone()))?;
    Ok(globals)
}

/// Takes the globals of an ended script apart, unless other objects refer to them. The functions refer to the globals, and the globals
/// to the functions, so only the collector could free them otherwise, and collecting stops all threads.
pub(super) fn release(globals: &PyDictRef, vm: &VirtualMachine) {
    let inner: usize = globals
        .clone()
        .into_iter()
        .filter(|(_, value)| {
            // One reference by the dictionary, one here.
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
    // The two numbers: no flags, and none inherited from the running code.
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
