//! Runs one handler for one request: fresh globals, `main(request, response)`, the return value or the exception into
//! the response, the response onto the wire.
//!
//! The order of things is that of wptserve 4.0.3: handlers.py `PythonScriptHandler` and `FunctionHandler`, server.py
//! `BaseWebTestRequestHandler.finish_handling`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use rustpython_vm::{
    AsObject, Py, PyObject, PyObjectRef, PyPayload, PyRef, VirtualMachine,
    builtins::{PyBaseExceptionRef, PyDictRef, PyTuple},
};

use super::{inject, websocket::Modules};
use crate::{
    handover::{Link, Routed},
    http::{self, Outcome},
    python::{
        advice,
        import::Imports,
        native::{Answer, Fields, Request, Response, Surroundings, Wire, finder, output, pipes},
        script::{self, Script},
        shortage, traceback,
    },
};

/// What all calls share.
pub(in crate::python) struct Runtime {
    pub(in crate::python) imports: Arc<Imports>,
    /// `wptserve.utils.HTTPException`.
    pub(in crate::python) http_exception: PyObjectRef,
    /// What `request.server` is made of.
    pub(in crate::python) surroundings: Arc<Surroundings>,
    /// The modules of WebSocket handlers.
    pub(in crate::python) modules: Modules,
}

/// One request for one handler.
pub(in crate::python) struct Call {
    pub(in crate::python) script: PathBuf,
    pub(in crate::python) request: Box<http::Request>,
    pub(in crate::python) routed: Routed,
    /// The part of the body that has arrived with the head.
    pub(in crate::python) body: Bytes,
    pub(in crate::python) link: Link,
}

/// How a handler failed: the code for the client, and the exception to show.
pub(in crate::python) struct Failure {
    code: i64,
    cause: PyBaseExceptionRef,
}

impl Failure {
    /// Makes the response say it.
    pub(in crate::python) fn show(&self, response: &Py<Response>, script: &Path, vm: &VirtualMachine) {
        if let Err(exception) = Response::fail_by_name(response, self.code, &self.cause.clone().into(), vm) {
            // An exception that cannot even be printed.
            log::error!("{}: {}", script.display(), text(&exception, vm));
            let _ = response.fail(500, None, vm);
        }
    }
}

/// Runs the call to its end; the connection has its [`crate::handover::Event::Finish`] when this returns.
pub(in crate::python) fn run(call: Call, runtime: &Runtime, vm: &VirtualMachine) {
    let _unwinding = call.link.ends_with_panic();
    let is_head = call.request.is_head();
    let url = call.request.url.clone();
    let script = call.script;
    let fields = Arc::new(Fields::new(Response::new_headers(vm), vm));
    let answer = Arc::new(Answer::new(call.link.clone(), is_head, Arc::clone(&fields)));
    let request = Request::new(call.request, call.routed, call.body, call.link, Arc::clone(&runtime.surroundings), vm)
        .into_ref(&vm.ctx);
    let is_brief = runtime.surroundings.suppresses_tracebacks();
    let wire = Wire::Http1(Arc::clone(&answer));
    let response = Response::new(wire, fields, request.clone().into(), url, is_brief, vm).into_ref(&vm.ctx);
    Response::introduce(&response);

    let (globals, handled) = match load(&script, runtime, vm) {
        Ok((globals, loaded)) => {
            let handled = handle(&globals, &loaded.path, &request, &response, runtime, vm);
            (Some(globals), handled)
        }
        Err(failure) => (None, Err(failure)),
    };
    if let Err(failure) = handled.and_then(|()| inject_script(request.routed(), &response, vm)) {
        failure.show(&response, &script, vm);
    }
    let by_handler = send(&answer, &response, &script, vm);
    let mut close = response.closes(vm);
    if !close {
        close = match answer.outcome(by_handler) {
            Outcome::Whole => false,
            outcome => {
                log::warn!("{}: {}", script.display(), shortfall(outcome));
                true
            }
        };
    }
    output::end_lines();
    answer.finish(close, vm);
    if let Some(globals) = globals {
        script::release(&globals, vm);
    }
}

/// Writes the answer, unless the handler has done so itself, which is returned. What cannot be written is a 500, if nothing
/// has left yet.
fn send(answer: &Answer, response: &Py<Response>, script: &Path, vm: &VirtualMachine) -> bool {
    let by_handler = answer.content_written();
    let cause = if by_handler {
        // wptserve leaves the client waiting. A handler that wants no answer at all closes the connection.
        if !answer.is_untouched() || response.closes(vm) {
            return true;
        }
        vm.new_runtime_error("response.writer was used, but no answer has been written with it")
    } else {
        let written =
            if Response::is_changed(response) { Response::write_by_name(response, vm) } else { answer.put_last(vm) };
        match written {
            Ok(()) => return false,
            Err(exception) => exception,
        }
    };
    if !answer.is_untouched() || answer.is_whole() {
        log::error!("{}: the answer broke off: {}", script.display(), text(&cause, vm));
        return true;
    }
    log::error!("{}: the answer cannot be sent: {}", script.display(), response.what_to_send(vm));
    answer.start_over(vm);
    if response.fail(500, Some(&cause.clone().into()), vm).is_err() {
        // An exception that cannot be printed.
        let _ = response.fail(500, None, vm);
    }
    if let Err(exception) = answer.put_last(vm) {
        log::error!("{}: not even the error can be sent: {}", script.display(), text(&exception, vm));
    }
    false
}

/// Why the connection closes, although the handler has not asked for that.
fn shortfall(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::TooMuch => {
            "more was sent than Content-Length announced, so the connection closes: a client would take the rest for the next answer"
        }
        _ => {
            "the client still waits for a part of the answer, so the connection closes: send as much as Content-Length announces"
        }
    }
}

fn handle(
    globals: &PyDictRef,
    path: &str,
    request: &PyRef<Request>,
    response: &Py<Response>,
    runtime: &Runtime,
    vm: &VirtualMachine,
) -> Result<(), Failure> {
    let Some(main) = defined(globals, "main", path, runtime, vm)? else {
        log::error!("{path} does not define main(request, response)");
        return Err(http_exception(500, Some(format!("No main function in script {path}")), runtime, vm));
    };
    call_main(&main, request.as_object(), response, path, runtime, vm)?;
    // wptserve has two layers of handlers here and both apply the pipes of the query.
    pipe(true, path, request.as_object(), response, runtime, vm)
}

/// Puts the script of `--inject-script` into a page. Here an `OSError` is no 404 any more.
pub(in crate::python) fn inject_script(
    routed: &Routed,
    response: &Py<Response>,
    vm: &VirtualMachine,
) -> Result<(), Failure> {
    match &routed.inject_script {
        Some(content) => inject::into_response(response, content, vm).map_err(|cause| Failure { code: 500, cause }),
        None => Ok(()),
    }
}

/// Executes a script in fresh globals, which are returned with the script: a directory stands for one in it.
pub(in crate::python) fn load(
    script: &Path,
    runtime: &Runtime,
    vm: &VirtualMachine,
) -> Result<(PyDictRef, Arc<Script>), Failure> {
    if let Err(exception) = finder::forget_changed(&runtime.imports, vm) {
        log::error!("cannot renew changed helpers: {}", text(&exception, vm));
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

/// What a script calls by this name.
pub(in crate::python) fn defined(
    globals: &PyDictRef,
    name: &str,
    path: &str,
    runtime: &Runtime,
    vm: &VirtualMachine,
) -> Result<Option<PyObjectRef>, Failure> {
    globals.get_item_opt(name, vm).map_err(|exception| outside_main(exception, path, runtime, vm))
}

/// Calls `main`, and puts what it returns into the response (wptserve 4.0.3, handlers.py, `FunctionHandler.__call__`).
pub(in crate::python) fn call_main(
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

/// Applies the pipes of the query, and that of the file's name if it counts.
fn pipe(
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

/// What an exception means that is raised before or after `main`. A file that cannot be opened, be it the script or one that
/// it opens, is a 404 (wptserve 4.0.3, handlers.py, `PythonScriptHandler._load_file`).
fn outside_main(exception: PyBaseExceptionRef, path: &str, runtime: &Runtime, vm: &VirtualMachine) -> Failure {
    if exception.fast_isinstance(vm.ctx.exceptions.os_error) && shortage::of(exception.as_object(), vm).is_none() {
        log::warn!("{path}: {}", text(&exception, vm));
        return http_exception(404, None, runtime, vm);
    }
    classify(exception, runtime, vm)
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

/// The return value into the response.
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

/// What an exception of `main` means: an `HTTPException` says its code itself, everything else is a 500, `SystemExit`
/// and `KeyboardInterrupt` included. What has run out is a 503. For the 500s the exception's cause is what is shown (wptserve 4.0.3, utils.py,
/// `get_error_cause`).
pub(in crate::python) fn classify(exception: PyBaseExceptionRef, runtime: &Runtime, vm: &VirtualMachine) -> Failure {
    if let Some(error) = shortage::of(exception.as_object(), vm) {
        http::answer::shortage::note("a handler cannot be run", &error);
        return Failure { code: 503, cause: exception };
    }
    if !is_http_exception(&exception, runtime, vm) {
        return Failure { code: 500, cause: exception };
    }
    let code =
        exception.as_object().get_attr("code", vm).and_then(|code| code.try_into_value::<i64>(vm)).unwrap_or(500);
    if (500..600).contains(&code) {
        let cause = exception.__cause__().or_else(|| exception.__context__()).unwrap_or(exception);
        return Failure { code, cause };
    }
    Failure { code, cause: exception }
}

fn is_http_exception(exception: &PyBaseExceptionRef, runtime: &Runtime, vm: &VirtualMachine) -> bool {
    exception.as_object().is_instance(&runtime.http_exception, vm).unwrap_or(false)
}

/// `raise HTTPException(code, message)` by the server itself.
pub(in crate::python) fn http_exception(
    code: i64,
    message: Option<String>,
    runtime: &Runtime,
    vm: &VirtualMachine,
) -> Failure {
    let mut args: Vec<PyObjectRef> = vec![vm.ctx.new_int(code).into()];
    args.extend(message.map(|message| vm.ctx.new_str(message).into()));
    let made = runtime.http_exception.call(args, vm).and_then(|made| made.try_into_value(vm));
    let (Ok(cause) | Err(cause)) = made;
    Failure { code, cause }
}

/// An exception for the log.
pub(in crate::python) fn text(exception: &PyBaseExceptionRef, vm: &VirtualMachine) -> String {
    traceback::describe(Some(&exception.clone().into()), vm)
        .unwrap_or_else(|_| "an exception that cannot be printed".to_owned())
}
