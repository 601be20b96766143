//! Advice for the author of a handler, in the log: the code to write instead. The client gets wptserve's words, which often name
//! neither place nor cause.

use rustpython_vm::{
    AsObject as _, PyObject, PyObjectRef, VirtualMachine,
    builtins::{PyBaseExceptionRef, PyBytes, PyDict, PyInt, PyStr, PyTuple},
};

use super::mends::wording::as_in_cpython;

/// The forms of a value that `main` may return.
const FORMS: &str = "return content, (headers, content) or (status, headers, content)";

/// Why the value that `main` returned is not an answer, and the right form.
pub(super) fn of_returned(returned: &PyObject, vm: &VirtualMachine) -> String {
    let Some(items) = returned.downcast_ref::<PyTuple>().map(|tuple| tuple.as_slice()) else { return FORMS.to_owned() };
    let kinds: Vec<String> = items.iter().map(|item| item.class().name().to_owned()).collect();
    let shape = format!("main() returned ({}{})", kinds.join(", "), if items.len() == 1 { "," } else { "" });
    let advice = match items {
        [status, headers] if is_number(status) && !is_number(headers) => {
            "with a status, return three values: `return 404, [], \"body\"`"
        }
        [headers, _] | [_, headers, _] if headers.downcastable::<PyDict>() => {
            "headers must be a list of pairs; make it from the dict with `list(headers.items())`"
        }
        [headers, _] | [_, headers, _] if vm.is_none(headers) => "write an empty list, `[]`, for no headers",
        [first, second, _] if is_number(second) && !is_number(first) => {
            "the status comes first: `return status, headers, content`"
        }
        [status, ..] if items.len() == 3 && (status.downcastable::<PyStr>() || status.downcastable::<PyBytes>()) => {
            "the status must be a number or a pair of number and text: `404` or `(404, \"Not Found\")`"
        }
        [_, _] | [_, _, _] => {
            "the status must be a number or a pair of number and text; headers must be a list of pairs of a name (text or bytes) \
             and a value (text, bytes or a number)"
        }
        _ => FORMS,
    };
    format!("{shape}; {advice}")
}

fn is_number(value: &PyObject) -> bool {
    value.downcastable::<PyInt>()
}

/// Why `main` could not be called at all: the exception has no Python frame.
pub(super) fn of_call(main: &PyObject, exception: &PyBaseExceptionRef, vm: &VirtualMachine) -> Option<String> {
    if exception.__traceback__().is_some() || !exception.fast_isinstance(vm.ctx.exceptions.type_error) {
        return None;
    }
    let line = main
        .get_attr("__code__", vm)
        .and_then(|code| code.get_attr("co_firstlineno", vm))
        .and_then(|line| line.str(vm));
    let place = line.map(|line| format!("line {}: ", line.to_string_lossy())).unwrap_or_default();
    let form = "define it as `def main(request, response):`";
    Some(format!("{place}main cannot be called with (request, response): {}; {form}", message(exception, vm)))
}

/// The text of an exception without its traceback.
pub(super) fn message(exception: &PyBaseExceptionRef, vm: &VirtualMachine) -> String {
    let object: PyObjectRef = exception.clone().into();
    match object.str(vm) {
        Ok(text) if !text.as_bytes().is_empty() => {
            format!("{}: {}", exception.class().name(), as_in_cpython(&text.to_string_lossy()))
        }
        _ => exception.class().name().to_owned(),
    }
}
