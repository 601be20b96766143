//! The Python interface of the import provider: two `sys.meta_path` entries, the loader, and the hook that sees relative
//! imports. The decisions are in `python/import.rs`.

use std::sync::Arc;

use rustpython_vm::{AsObject as _, PyObjectRef, PyPayload, PyResult, VirtualMachine, builtins::PyDict};

use crate::python::import::Imports;
use classes::{DocRootFinder, ImportHook};

#[rustpython_vm::pymodule(sub)]
pub(super) mod classes {
    use std::{
        path::{Path, PathBuf},
        sync::Arc,
    };

    use rustpython_vm::{
        AsObject, FromArgs, Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine,
        builtins::{PyBaseExceptionRef, PyModule, PyStr, PyStrRef},
        function::{FuncArgs, OptionalArg},
        pyclass,
        scope::Scope,
        types::Callable,
    };

    use crate::{
        handover::ImportPolicy,
        python::{
            absent::absent_message,
            import::{Found, Imports},
        },
    };

    /// A `sys.meta_path` entry. The first one comes before the frozen standard library and finds packages and modules; the second
    /// one comes after it and handles names that no finder has found.
    #[pyattr]
    #[pyclass(module = "_wptserve", name = "DocRootFinder")]
    #[derive(PyPayload)]
    pub(crate) struct DocRootFinder {
        pub(super) imports: Arc<Imports>,
        pub(super) last: bool,
    }

    impl std::fmt::Debug for DocRootFinder {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.debug_struct("DocRootFinder").field("last", &self.last).finish_non_exhaustive()
        }
    }

    #[derive(FromArgs)]
    struct FindArgs {
        #[pyarg(any)]
        fullname: PyStrRef,
        #[pyarg(any, optional)]
        path: Option<PyObjectRef>,
        #[pyarg(any, optional)]
        #[expect(dead_code, reason = "part of the protocol, only reload() passes it")]
        target: Option<PyObjectRef>,
    }

    #[pyclass]
    impl DocRootFinder {
        /// The spec of a module, or None if the doc root does not have it.
        #[pymethod]
        fn find_spec(zelf: &Py<Self>, args: FindArgs, vm: &VirtualMachine) -> PyResult {
            let Some(fullname) = args.fullname.to_str() else { return Ok(vm.ctx.none()) };
            let parent = args.path.filter(|path| !vm.is_none(path));
            let (directories, top) = match parent {
                None => (zelf.top_directories(vm)?, true),
                // Below a package no other finder looks at the doc root, so the first entry decides everything.
                Some(_) if zelf.last => return absent(fullname, vm),
                Some(path) => (directories(&path, vm)?, false),
            };
            let name = fullname.rsplit('.').next().unwrap_or_default();
            match vm.allow_threads(|| zelf.imports.find_in(&directories, name)) {
                Some(Found::Source { file, package }) => zelf.source_spec(fullname, file, package, vm),
                Some(Found::Bare(places)) if !top || zelf.last => zelf.bare_spec(fullname, &places, vm),
                None if top && zelf.last => zelf.not_found(fullname, vm),
                _ => Ok(vm.ctx.none()),
            }
        }
    }

    impl DocRootFinder {
        /// The directories in which a module outside of packages is searched: the doc root, then those that handlers have put on
        /// `sys.path`. Directories in front of the doc root come before the standard library, those behind it come after it.
        fn top_directories(&self, vm: &VirtualMachine) -> PyResult<Vec<PathBuf>> {
            let root = self.imports.root().to_owned();
            let mut listed = directories(&vm.sys_module.get_attr("path", vm)?, vm)?;
            if !self.last {
                let place = listed.iter().position(|entry| *entry == root);
                listed.truncate(place.unwrap_or(listed.len()));
            }
            let mut all = vec![root];
            for entry in listed {
                // A handler may add its directory again at every request.
                if !all.contains(&entry) {
                    all.push(entry);
                }
            }
            Ok(all)
        }

        fn source_spec(
            &self,
            fullname: &str,
            file: PathBuf,
            package: Option<PathBuf>,
            vm: &VirtualMachine,
        ) -> PyResult {
            let origin = vm.ctx.new_str(file.to_string_lossy().into_owned());
            let loader = DocRootLoader { imports: Arc::clone(&self.imports), file, package: package.is_some() };
            let spec = self.spec(fullname, loader.into_pyobject(vm), package.as_slice(), vm)?;
            spec.set_attr("origin", origin, vm)?;
            // Gives the module its `__file__`.
            spec.set_attr("has_location", vm.ctx.new_bool(true), vm)?;
            Ok(spec)
        }

        fn bare_spec(&self, fullname: &str, places: &[PathBuf], vm: &VirtualMachine) -> PyResult {
            for directory in places {
                if self.imports.policy() == ImportPolicy::Strict {
                    let message = self.imports.bare_message(fullname, directory);
                    return Err(module_not_found(fullname, message, vm));
                }
                if self.imports.warn_once(directory) {
                    log::warn!(
                        "{} has no __init__.py: imported as a namespace package; the strict import policy refuses it",
                        directory.display()
                    );
                }
            }
            self.spec(fullname, vm.ctx.none(), places, vm)
        }

        /// `places`: the directories of a package.
        fn spec(&self, fullname: &str, loader: PyObjectRef, places: &[PathBuf], vm: &VirtualMachine) -> PyResult {
            let machinery = vm.import("_frozen_importlib", 0)?.get_attr("ModuleSpec", vm)?;
            let spec = machinery.call((fullname.to_owned(), loader), vm)?;
            if !places.is_empty() {
                let places = places.iter().map(|place| vm.ctx.new_str(place.to_string_lossy().into_owned()).into());
                spec.set_attr("submodule_search_locations", vm.ctx.new_list(places.collect()), vm)?;
            }
            Ok(spec)
        }

        /// No finder has the module. If it lies beside the importing file, the error says how to write the import.
        fn not_found(&self, fullname: &str, vm: &VirtualMachine) -> PyResult {
            let importer = importing_file(self.imports.root(), vm);
            match importer.and_then(|file| self.imports.sibling_message(fullname, &file)) {
                Some(message) => Err(module_not_found(fullname, message, vm)),
                None => absent(fullname, vm),
            }
        }
    }

    /// A module that no finder has: None, or the error that says what to use instead of a module that only CPython has.
    fn absent(fullname: &str, vm: &VirtualMachine) -> PyResult {
        absent_message(fullname)
            .map_or_else(|| Ok(vm.ctx.none()), |message| Err(module_not_found(fullname, message, vm)))
    }

    /// The strings of `sys.path` or of a package's `__path__`.
    fn directories(path: &PyObjectRef, vm: &VirtualMachine) -> PyResult<Vec<PathBuf>> {
        let mut directories = Vec::new();
        for entry in path.get_iter(vm)?.iter::<PyObjectRef>(vm)? {
            if let Some(text) = entry?.downcast_ref::<PyStr>().and_then(|text| text.to_str().map(PathBuf::from)) {
                directories.push(text);
            }
        }
        Ok(directories)
    }

    fn module_not_found(fullname: &str, message: String, vm: &VirtualMachine) -> PyBaseExceptionRef {
        let exception = vm.new_exception_msg(vm.ctx.exceptions.module_not_found_error.to_owned(), message.into());
        // `name` is the attribute `name` of the ImportError. If it cannot be set, the message is kept nevertheless.
        let _ = exception.as_object().set_attr("name", vm.ctx.new_str(fullname), vm);
        exception
    }

    /// The innermost running file of the doc root.
    fn importing_file(root: &Path, vm: &VirtualMachine) -> Option<PathBuf> {
        let mut frame = vm.current_frame();
        while let Some(current) = frame {
            let file = PathBuf::from(current.f_code().source_path().as_str());
            if file.starts_with(root) {
                return Some(file);
            }
            frame = current.f_back(vm);
        }
        None
    }

    /// Executes a source file of the doc root as a module.
    #[pyattr]
    #[pyclass(module = "_wptserve", name = "DocRootLoader")]
    #[derive(PyPayload)]
    pub(crate) struct DocRootLoader {
        imports: Arc<Imports>,
        file: PathBuf,
        package: bool,
    }

    impl std::fmt::Debug for DocRootLoader {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.debug_struct("DocRootLoader").field("file", &self.file).finish_non_exhaustive()
        }
    }

    #[pyclass]
    impl DocRootLoader {
        /// None: an ordinary module.
        #[pymethod]
        fn create_module(_zelf: &Py<Self>, _spec: PyObjectRef, vm: &VirtualMachine) -> PyObjectRef {
            vm.ctx.none()
        }

        /// Execute the file in the module's dictionary.
        #[pymethod]
        fn exec_module(zelf: &Py<Self>, module: PyRef<PyModule>, vm: &VirtualMachine) -> PyResult<()> {
            let script = zelf.imports.scripts.load(&zelf.file, vm)?;
            let name: PyStrRef = module.as_object().get_attr("__name__", vm)?.try_into_value(vm)?;
            zelf.imports.track(&name.to_string_lossy(), &zelf.file, script.stamp);
            let scope = Scope::with_builtins(None, module.dict(), vm);
            vm.run_code_obj(script.code.clone(), scope).map(drop)
        }

        /// Whether the module is a package.
        #[pymethod]
        fn is_package(zelf: &Py<Self>, _fullname: OptionalArg<PyObjectRef>) -> bool {
            zelf.package
        }

        /// The path of the file.
        #[pymethod]
        fn get_filename(zelf: &Py<Self>, _fullname: OptionalArg<PyObjectRef>) -> String {
            zelf.file.to_string_lossy().into_owned()
        }
    }

    /// Replaces `builtins.__import__`, because a relative import can be recognised only there.
    #[pyattr]
    #[pyclass(module = "_wptserve", name = "ImportHook")]
    #[derive(PyPayload)]
    pub(crate) struct ImportHook {
        pub(super) imports: Arc<Imports>,
        pub(super) original: PyObjectRef,
    }

    impl std::fmt::Debug for ImportHook {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.debug_struct("ImportHook").finish_non_exhaustive()
        }
    }

    #[pyclass(with(Callable))]
    impl ImportHook {}

    impl Callable for ImportHook {
        type Args = FuncArgs;

        fn call(zelf: &Py<Self>, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
            let level = args.args.get(4).cloned().or_else(|| args.kwargs.get("level").cloned());
            let level = level.map_or(Ok(0), |level| level.try_to_value::<usize>(vm)).unwrap_or_default();
            if level > 0
                && let Some(refusal) = zelf.refuse(level, &args, vm)?
            {
                return Err(refusal);
            }
            zelf.original.call_with_args(args, vm)
        }
    }

    impl ImportHook {
        /// The error for a relative import in a file of the doc root. In a handler, which is not a module, CPython refuses a
        /// relative import with a KeyError. In a helper CPython allows it, and so does the policy `warn`.
        fn refuse(&self, level: usize, args: &FuncArgs, vm: &VirtualMachine) -> PyResult<Option<PyBaseExceptionRef>> {
            let Some(globals) = args.args.get(1).filter(|globals| !vm.is_none(globals)) else { return Ok(None) };
            let Ok(file) = globals.get_item("__file__", vm) else { return Ok(None) };
            let Some(file) = file.downcast_ref::<PyStr>().and_then(|file| file.to_str().map(PathBuf::from)) else {
                return Ok(None);
            };
            if !file.starts_with(self.imports.root()) {
                return Ok(None);
            }
            let text =
                |object: &PyObjectRef| object.downcast_ref::<PyStr>().map(|text| text.to_string_lossy().into_owned());
            let name = args.args.first().and_then(text).unwrap_or_default();
            let mut names = Vec::new();
            if let Some(list) = args.args.get(3).filter(|list| !vm.is_none(list)) {
                for item in list.get_iter(vm)?.iter::<PyObjectRef>(vm)? {
                    names.extend(text(&item?));
                }
            }
            let message = self.imports.relative_message(level, &name, &names, &file);
            let is_helper = globals.get_item("__package__", vm).is_ok();
            if is_helper && self.imports.policy() == ImportPolicy::Warn {
                if self.imports.warn_once(&file) {
                    log::warn!("{message}; the strict import policy refuses it");
                }
                return Ok(None);
            }
            Ok(Some(vm.new_exception_msg(vm.ctx.exceptions.import_error.to_owned(), message.into())))
        }
    }
}

/// Removes the finders and paths of the machine's file system from `import`.
///
/// # Errors
/// The interpreter's `sys` module is not as expected.
pub(crate) fn forget_host(vm: &VirtualMachine) -> PyResult<()> {
    for name in ["path", "path_hooks"] {
        vm.sys_module.set_attr(name, vm.ctx.new_list(Vec::new()), vm)?;
    }
    vm.sys_module.set_attr("executable", vm.ctx.new_str(""), vm)
}

/// Makes the provider the only way from `import` to the file system.
///
/// # Errors
/// The interpreter's `sys` module is not as expected.
pub(crate) fn install(imports: &Arc<Imports>, vm: &VirtualMachine) -> PyResult<()> {
    // A native class exists only once its module has been imported.
    vm.import("_wptserve", 0)?;
    let entry = |last| -> PyObjectRef { DocRootFinder { imports: Arc::clone(imports), last }.into_pyobject(vm) };
    let importlib = vm.import("_frozen_importlib", 0)?;
    let finders = vec![
        importlib.get_attr("BuiltinImporter", vm)?,
        entry(false),
        importlib.get_attr("FrozenImporter", vm)?,
        entry(true),
    ];
    vm.sys_module.set_attr("meta_path", vm.ctx.new_list(finders), vm)?;
    // The finders above always look at the doc root. Its place in `sys.path` also marks that of the standard library: see
    // `top_directories`.
    let root = vm.ctx.new_str(imports.root().to_string_lossy().into_owned());
    vm.sys_module.set_attr("path", vm.ctx.new_list(vec![root.into()]), vm)?;
    let original = vm.builtins.get_attr("__import__", vm)?;
    vm.builtins.set_attr("__import__", ImportHook { imports: Arc::clone(imports), original }.into_pyobject(vm), vm)
}

/// Takes helpers whose files have changed out of `sys.modules`, together with the helpers that refer to their objects, so that the
/// next import executes them anew.
///
/// # Errors
/// `sys.modules` is not a dictionary any more.
pub(crate) fn forget_changed(imports: &Imports, vm: &VirtualMachine) -> PyResult<()> {
    let mut stale = vm.allow_threads(|| imports.take_changed());
    if stale.is_empty() {
        return Ok(());
    }
    let modules = vm.sys_module.get_attr("modules", vm)?;
    let mut index = 0;
    while let Some(name) = stale.get(index).cloned() {
        index += 1;
        for other in imports.tracked() {
            if !stale.contains(&other) && holds(&modules, &other, &name, vm) {
                imports.forget(&other);
                stale.push(other);
            }
        }
    }
    for name in stale {
        log::info!("{name} has changed: it is imported anew");
        // Another thread may have removed the module already.
        let _ = modules.del_item(name.as_str(), vm);
    }
    Ok(())
}

/// Whether a module's dictionary holds another module, or something defined in it.
fn holds(modules: &PyObjectRef, holder: &str, name: &str, vm: &VirtualMachine) -> bool {
    let values = || -> PyResult<bool> {
        let held = modules.get_item(name, vm).ok();
        let dictionary = modules.get_item(holder, vm)?.get_attr("__dict__", vm)?;
        let values = dictionary.downcast_ref::<PyDict>().map(|values| values.values_vec()).unwrap_or_default();
        Ok(values.iter().any(|value| {
            held.as_ref().is_some_and(|held| held.is(value))
                || value
                    .get_attr("__module__", vm)
                    .ok()
                    .and_then(|module| module.str(vm).ok())
                    .is_some_and(|module| module.as_bytes() == name.as_bytes())
        }))
    };
    values().unwrap_or(false)
}
