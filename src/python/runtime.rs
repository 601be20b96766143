//! The state that all runs share: the imports and compiled scripts of the doc root, the executed files of WebSocket handlers, and the
//! Python objects that are made once.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine, builtins::PyDictRef};

use super::{
    import::Imports,
    native::{SharedEnvironment, finder},
    script::{self, Stamp},
    vm,
};
use crate::{
    handover::Environment,
    stash::{Entered, Stash, Tenure},
    supervisor::{Link, Running},
};

/// See the module.
pub(super) struct Runtime {
    pub(super) imports: Arc<Imports>,
    /// `wptserve.utils.HTTPException`.
    pub(super) http_exception: PyObjectRef,
    /// The data of `request.server`.
    pub(super) environment: Arc<SharedEnvironment>,
    stash: Arc<dyn Stash>,
    /// The supervisor, if there is one.
    link: Option<Link>,
    modules: Modules,
}

/// The WebSocket handlers' files, by path.
type Modules = Mutex<HashMap<PathBuf, Arc<Module>>>;

/// The globals of a file that has been executed. Its lock is held while the file is executed, so that this happens once.
type Module = Mutex<Option<(Stamp, PyDictRef)>>;

impl Runtime {
    /// Prepares a new interpreter for handlers.
    ///
    /// # Errors
    /// A module of the interpreter is not as expected.
    pub(super) fn new(
        imports: Arc<Imports>,
        environment: Environment,
        link: Option<Link>,
        vm: &VirtualMachine,
    ) -> PyResult<Self> {
        // The server's own modules are imported before the doc root is searched, because a json.py there would hide the real one.
        finder::forget_host(vm)?;
        vm::warm_up(vm)?;
        finder::install(&imports, vm)?;
        let output = vm.import("_wptserve_output", 0)?;
        vm.call_method(&output, "expect_logging", ())?;
        let utils =
            vm.import_from("wptserve.utils", vm.ctx.new_tuple(vec![vm.ctx.new_str("HTTPException").into()]), 0)?;
        let http_exception = utils.get_attr("HTTPException", vm)?;
        let stash = Arc::clone(&environment.stash);
        let environment = Arc::new(SharedEnvironment::new(environment, vm)?);
        Ok(Self { imports, http_exception, environment, stash, link, modules: Modules::default() })
    }

    /// A request, as the stash knows it, until the result is dropped.
    pub(super) fn begin(&self) -> Tenure {
        Tenure::begin(Arc::clone(&self.stash))
    }

    /// The calling thread runs a handler of this request until the result is dropped.
    pub(super) fn enter(&self, request: &Tenure, script: &Path) -> (Entered, Option<Running>) {
        (request.enter(), self.link.as_ref().map(|link| link.running(script)))
    }

    /// The globals of a WebSocket handler's file. The file is executed at the first request for it and keeps its globals until it
    /// changes; pywebsocket3 executes all files at start, once per port.
    ///
    /// # Errors
    /// The file cannot be read, does not compile, or raises.
    pub(super) fn module(&self, file: &Path, vm: &VirtualMachine) -> PyResult<PyDictRef> {
        let module = Arc::clone(self.modules.lock().entry(file.to_owned()).or_default());
        let mut module = vm.allow_threads(|| module.lock());
        let script = self.imports.scripts.load(file, vm)?;
        if let Some((known, globals)) = &*module
            && *known == script.stamp
        {
            return Ok(globals.clone());
        }
        finder::forget_changed(&self.imports, vm)?;
        let globals = script::execute(&script, vm)?;
        *module = Some((script.stamp, globals.clone()));
        Ok(globals)
    }
}
