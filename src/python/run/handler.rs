//! The steps that the runs of HTTP/1 and HTTP/2 share: a script is executed in fresh globals, its `main` is called, and the returned value
//! is put into the response.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustpython_vm::{
    AsObject as _, Py, PyObject, PyObjectRef, VirtualMachine,
    builtins::{PyDictRef, PyTuple},
};

use super::{
    failure::{Failure, classify, http_exception, outside_main},
    inject,
};
use crate::{
    handover::Routed,
    python::{
        advice,
        native::{Response, finder, pipes},
        runtime::Runtime,
        script::{self, Script},
        traceback,
    },
};

/// Executes a script in fresh globals, and returns these with the script. A directory stands for a script in it.
pub(super) fn load(script: &Path, runtime: &Runtime, vm: &VirtualMachine) -> Result<(PyDictRef, Arc<Script>), Failure> {
    if let Err(exception) = finder::forget_changed(&runtime.imports, vm) {
        log::error!("cannot renew changed helpers: {}", traceback::for_log(&exception, vm));
    }
    let scripts = &runtime.imports.scripts;
    let loaded = match scripts.known(script, vm) {
        Some(known) => known,
        None => {
            let file = vm.allow_threads(|| default_script(script));
            let loaded = scripts.load(&file, vm);
            loaded.map_err(|exception| outside_main(exception, &file.to_string_lossy(), runtime, vm))?
        }
    };
    match script::execute(&loaded, vm) {
        Ok(globals) => Ok((globals, loaded)),
        Err(exception) => Err(outside_main(exception, &loaded.path, runtime, vm)),
    }
}

/// A directory stands for its first `default*.py` (wptserve 4.0.3, handlers.py, `PythonScriptHandler._load_file`).
fn default_script(path: &Path) -> PathBuf {
    if !path.is_dir() {
        return path.to_owned();
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_default = |file: &PathBuf| {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with("default") && name.ends_with(".py") && file.is_file()
    };
    entries.filter(is_default).min().unwrap_or_else(|| path.to_owned())
}

/// The object that a script has defined under this name.
pub(super) fn defined(
    globals: &PyDictRef,
    name: &str,
    path: &str,
    runtime: &Runtime,
    vm: &VirtualMachine,
) -> Result<Option<PyObjectRef>, Failure> {
    globals.get_item_opt(name, vm).map_err(|exception| outside_main(exception, path, runtime, vm))
}

/// Calls `main`, and puts the returned value into the response (wptserve 4.0.3, handlers.py, `FunctionHandler.__call__`).
pub(super) fn call_main(
    main: &PyObject,
    request: &PyObject,
    response: &Py<Response>,
    path: &str,
    runtime: &Runtime,
    vm: &VirtualMachine,
) -> Result<(), Failure> {
    let returned = main.call((request.to_owned(), response.as_object().to_owned()), vm).map_err(|exception| {
        if let Some(advice) = advice::of_call(main, &exception, vm) {
            log::error!("{path}: {advice}");
        }
        classify(exception, runtime, vm)
    })?;
    if vm.is_none(&returned) {
        return Ok(());
    }
    apply(returned, path, response, runtime, vm)?;
    pipe(false, path, request, response, runtime, vm)
}

/// Puts the returned value into the response.
fn apply(
    returned: PyObjectRef,
    path: &str,
    response: &Py<Response>,
    runtime: &Runtime,
    vm: &VirtualMachine,
) -> Result<(), Failure> {
    let internal = |exception| {
        log::error!("{path}: {}: {}", advice::message(&exception, vm), advice::of_returned(&returned, vm));
        outside_main(exception, path, runtime, vm)
    };
    let content = match returned.downcast_ref::<PyTuple>().map(|tuple| tuple.as_slice()) {
        Some([status, headers, content]) => {
            response.assign_status(status, vm).map_err(internal)?;
            Response::update_headers(response, headers.clone(), vm).map_err(internal)?;
            content.clone()
        }
        Some([headers, content]) => {
            Response::update_headers(response, headers.clone(), vm).map_err(internal)?;
            content.clone()
        }
        Some(_) => {
            log::error!("{path}: {}", advice::of_returned(&returned, vm));
            return Err(http_exception(500, None, runtime, vm));
        }
        None => returned.clone(),
    };
    response.assign_content(content);
    Ok(())
}

/// Applies the pipes of the query, and that of the file's name if it counts.
pub(super) fn pipe(
    does_name_count: bool,
    path: &str,
    request: &PyObject,
    response: &Py<Response>,
    runtime: &Runtime,
    vm: &VirtualMachine,
) -> Result<(), Failure> {
    let piped = pipes::wrap_pipeline(if does_name_count { path } else { "" }, request, response.as_object(), vm);
    piped.map_err(|exception| {
        log::error!("{path}: a pipe cannot be applied to this answer: {}", advice::message(&exception, vm));
        outside_main(exception, path, runtime, vm)
    })
}

/// Puts the script of `--inject-script` into a page. An `OSError` of this step is not a 404.
pub(super) fn inject_script(routed: &Routed, response: &Py<Response>, vm: &VirtualMachine) -> Result<(), Failure> {
    match &routed.inject_script {
        Some(content) => inject::into_response(response, content, vm).map_err(|cause| Failure { code: 500, cause }),
        None => Ok(()),
    }
}
