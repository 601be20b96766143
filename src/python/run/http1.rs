//! Runs one handler for one request: fresh globals, `main(request, response)`, the return value or the exception into
//! the response, the response onto the wire.
//!
//! The order of the steps is that of wptserve 4.0.3: handlers.py `PythonScriptHandler` and `FunctionHandler`, server.py
//! `BaseWebTestRequestHandler.finish_handling`.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use rustpython_vm::{AsObject as _, Py, PyPayload as _, PyRef, VirtualMachine, builtins::PyDictRef};

use super::{
    failure::{Failure, http_exception},
    handler::{call_main, defined, inject_script, load, pipe},
};
use crate::{
    cancel::{self, Run},
    handover::{Http1Link, Routed},
    http::{self, Outcome},
    python::{
        native::{Answer, AnyAnswer, Fields, Request, Response, output},
        runtime::Runtime,
        script, traceback,
    },
};

/// One request for one handler.
pub(in crate::python) struct Call {
    pub(in crate::python) run: Arc<Run>,
    pub(in crate::python) request: Box<http::Request>,
    pub(in crate::python) routed: Routed,
    /// The part of the body that has arrived with the head.
    pub(in crate::python) body: Bytes,
    pub(in crate::python) link: Http1Link,
}

/// Runs the call to its end; the connection has its [`crate::handover::Http1Event::Finish`] when this returns.
pub(in crate::python) fn run(call: Call, runtime: &Runtime, vm: &VirtualMachine) {
    let tenure = runtime.begin();
    let _entered = runtime.enter(&tenure, call.run.script());
    let _unwinding = call.link.ends_with_panic();
    let is_head = call.request.is_head();
    let url = call.request.url.clone();
    let run = call.run;
    let script = run.script();
    let fields = Arc::new(Fields::new(Response::new_headers(vm), vm));
    let answer = Arc::new(Answer::new(call.link.clone(), is_head, Arc::clone(&fields)));
    let request = Request::new(call.request, call.routed, call.body, call.link, Arc::clone(&runtime.environment), vm)
        .into_ref(&vm.ctx);
    let is_brief = runtime.environment.suppresses_tracebacks();
    let any_answer = AnyAnswer::Http1(Arc::clone(&answer));
    let response = Response::new(any_answer, fields, request.clone().into(), url, is_brief, vm).into_ref(&vm.ctx);
    Response::introduce(&response);

    let (globals, handled) = match load(script, runtime, vm) {
        Ok((globals, loaded)) => {
            let handled = handle(&globals, &loaded.path, &request, &response, runtime, vm);
            (Some(globals), handled)
        }
        Err(failure) => (None, Err(failure)),
    };
    if let Err(failure) = handled.and_then(|()| inject_script(request.routed(), &response, vm)) {
        failure.show(&response, script, vm);
    }
    let by_handler = send(&answer, &response, script, vm);
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
    run.end();
}

/// Writes the answer, unless the handler has done so itself; returns whether it has. An answer that cannot be written becomes a 500 if no
/// byte has been sent yet.
fn send(answer: &Answer, response: &Py<Response>, script: &Path, vm: &VirtualMachine) -> bool {
    let by_handler = answer.content_written();
    let cause = if by_handler {
        // wptserve leaves the client waiting here. A handler that wants to send no answer closes the connection.
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
    cancel::current().iter().for_each(|run| run.returned());
    if !answer.is_untouched() || answer.is_whole() {
        log::error!("{}: the answer broke off: {}", script.display(), traceback::for_log(&cause, vm));
        return true;
    }
    log::error!("{}: the answer cannot be sent: {}", script.display(), response.what_to_send(vm));
    answer.start_over(vm);
    if response.fail(500, Some(&cause.clone().into()), vm).is_err() {
        // The exception cannot be printed.
        let _ = response.fail(500, None, vm);
    }
    if let Err(exception) = answer.put_last(vm) {
        log::error!("{}: not even the error can be sent: {}", script.display(), traceback::for_log(&exception, vm));
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
    // wptserve has two layers of handlers here, and both apply the pipes of the query.
    pipe(true, path, request.as_object(), response, runtime, vm)
}
