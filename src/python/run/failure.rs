//! Failures of a handler: the code that an exception means for the client, and the response that shows it.

use std::path::Path;

use rustpython_vm::{AsObject as _, Py, PyObjectRef, VirtualMachine, builtins::PyBaseExceptionRef};

use crate::{
    cancel,
    http::answer::shortage as exhaustion,
    python::{
        exceptions::{interrupt, shortage},
        native::Response,
        runtime::Runtime,
        traceback,
    },
};

/// How a handler failed: the code for the client, and the exception to show.
pub(super) struct Failure {
    pub(super) code: i64,
    pub(super) cause: PyBaseExceptionRef,
}

impl Failure {
    /// Puts the failure into the response.
    pub(super) fn show(&self, response: &Py<Response>, script: &Path, vm: &VirtualMachine) {
        if interrupt::is_cancelled(self.cause.as_object(), vm) {
            cancel::current().iter().for_each(|run| run.returned());
            // By name might be Python code of the handler.
            if response.fail(500, Some(&self.cause.clone().into()), vm).is_err() {
                let _ = response.fail(500, None, vm);
            }
            return;
        }
        if let Err(exception) = Response::fail_by_name(response, self.code, &self.cause.clone().into(), vm) {
            // The exception cannot even be printed.
            log::error!("{}: {}", script.display(), traceback::for_log(&exception, vm));
            let _ = response.fail(500, None, vm);
        }
    }
}

/// The failure for an exception before or after `main`. A file that cannot be opened, the script or another one, is a 404 (wptserve
/// 4.0.3, handlers.py, `PythonScriptHandler._load_file`).
pub(super) fn outside_main(
    exception: PyBaseExceptionRef,
    path: &str,
    runtime: &Runtime,
    vm: &VirtualMachine,
) -> Failure {
    if exception.fast_isinstance(vm.ctx.exceptions.os_error) && shortage::of(exception.as_object(), vm).is_none() {
        log::warn!("{path}: {}", traceback::for_log(&exception, vm));
        return http_exception(404, None, runtime, vm);
    }
    classify(exception, runtime, vm)
}

/// The failure for an exception of `main`. An `HTTPException` has its own code. Any other exception is a 500, `SystemExit` and
/// `KeyboardInterrupt` included, or a 503 if no descriptor or memory is left. A 500 shows the exception's cause (wptserve 4.0.3, utils.py,
/// `get_error_cause`).
pub(super) fn classify(exception: PyBaseExceptionRef, runtime: &Runtime, vm: &VirtualMachine) -> Failure {
    if let Some(error) = shortage::of(exception.as_object(), vm) {
        exhaustion::note("a handler cannot be run", &error);
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
pub(super) fn http_exception(code: i64, message: Option<String>, runtime: &Runtime, vm: &VirtualMachine) -> Failure {
    let mut args: Vec<PyObjectRef> = vec![vm.ctx.new_int(code).into()];
    args.extend(message.map(|message| vm.ctx.new_str(message).into()));
    let made = runtime.http_exception.call(args, vm).and_then(|made| made.try_into_value(vm));
    let (Ok(cause) | Err(cause)) = made;
    Failure { code, cause }
}
