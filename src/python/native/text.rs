//! Text and bytes: `isomorphic_encode` and `isomorphic_decode`, which nearly every WPT handler uses, and the small conversions that
//! the native classes share.
//!
//! Isomorphic means ISO-8859-1: each byte is the code point of the same number. No function here guesses an encoding.

use rustpython_vm::{
    AsObject, PyObject, PyObjectRef, PyResult, VirtualMachine,
    builtins::{PyBaseExceptionRef, PyBytes, PyStr},
    common::wtf8::Wtf8Buf,
    function::IntoFuncArgs,
};

use crate::http::text::latin1;

/// The bytes whose ISO-8859-1 reading is `text`; `None` when a character has no such byte.
pub(super) fn latin1_bytes(text: &PyStr) -> Option<Vec<u8>> {
    text.as_wtf8().code_points().map(|point| u8::try_from(point.to_u32()).ok()).collect()
}

/// Whether wptserve takes the value for text or bytes: `isinstance(value, (bytes, str))`.
pub(super) fn is_text(value: &PyObject) -> bool {
    value.downcastable::<PyBytes>() || value.downcastable::<PyStr>()
}

/// `wptserve.utils.isomorphic_encode` (wptserve 4.0.3, utils.py): bytes pass, text becomes its ISO-8859-1 bytes.
pub(super) fn encode(value: &PyObject, vm: &VirtualMachine) -> PyResult {
    if value.downcastable::<PyBytes>() {
        return Ok(value.to_owned());
    }
    let Some(text) = value.downcast_ref::<PyStr>() else {
        return Err(unexpected(value, vm));
    };
    match latin1_bytes(text) {
        Some(bytes) => Ok(vm.ctx.new_bytes(bytes).into()),
        // Python's own codec words the error: it knows the position and the character.
        None => vm.call_method(value, "encode", ("iso-8859-1",)),
    }
}

/// `wptserve.utils.isomorphic_decode` (wptserve 4.0.3, utils.py): text passes, bytes become text of the same numbers.
pub(super) fn decode(value: &PyObject, vm: &VirtualMachine) -> PyResult {
    if value.downcastable::<PyStr>() {
        return Ok(value.to_owned());
    }
    match value.downcast_ref::<PyBytes>() {
        Some(bytes) => Ok(vm.ctx.new_str(latin1(bytes.as_bytes())).into()),
        None => Err(unexpected(value, vm)),
    }
}

/// The bytes of a `bytes` or `str` argument, as [`encode`] reads them.
pub(super) fn encoded(value: &PyObject, vm: &VirtualMachine) -> PyResult<Vec<u8>> {
    let bytes = encode(value, vm)?;
    Ok(bytes.downcast_ref::<PyBytes>().map(|bytes| bytes.as_bytes().to_vec()).unwrap_or_default())
}

/// The text of a `bytes` or `str` argument, as [`decode`] reads them.
pub(super) fn decoded(value: &PyObject, vm: &VirtualMachine) -> PyResult<String> {
    Ok(decode(value, vm)?.str(vm)?.to_string_lossy().into_owned())
}

/// wptserve formats with `"… %r" % value`, so a tuple is taken apart as format arguments, here as well.
fn unexpected(value: &PyObject, vm: &VirtualMachine) -> PyBaseExceptionRef {
    match percent("Unexpected value (expecting string-like): %r", value, vm) {
        Ok(message) => vm.new_type_error(message),
        Err(error) => error,
    }
}

/// Python's `format % values`.
pub(super) fn percent(format: &str, values: &PyObject, vm: &VirtualMachine) -> PyResult<Wtf8Buf> {
    let message = vm._mod(vm.ctx.new_str(format).as_object(), values)?;
    Ok(message.str(vm)?.as_wtf8().to_owned())
}

/// An exception of a class that is written in Python. If importing the class or making the exception fails, that failure is raised.
pub(super) fn exception(
    module: &'static str,
    class: &'static str,
    args: impl IntoFuncArgs,
    vm: &VirtualMachine,
) -> PyBaseExceptionRef {
    let names = vm.ctx.new_tuple(vec![vm.ctx.new_str(class).into()]);
    let made = vm
        .import_from(module, names, 0)
        .and_then(|module| vm.call_method(&module, class, args))
        .and_then(|made| made.try_into_value(vm));
    made.unwrap_or_else(|error| error)
}

/// The exception of a write to a client that has disconnected, as CPython makes it from the system's error.
pub(super) fn broken_pipe(vm: &VirtualMachine) -> PyBaseExceptionRef {
    let class = vm.ctx.exceptions.broken_pipe_error.to_owned();
    vm.new_os_subtype_error(class, Some(libc::EPIPE), "Broken pipe").upcast()
}

/// `wptserve.utils.HTTPException(code, message)`.
pub(super) fn http_exception(code: u16, message: &str, vm: &VirtualMachine) -> PyBaseExceptionRef {
    exception("wptserve.utils", "HTTPException", (code, message), vm)
}

/// A Python `bytes`.
pub(super) fn bytes_object(bytes: impl Into<Vec<u8>>, vm: &VirtualMachine) -> PyObjectRef {
    vm.ctx.new_bytes(bytes.into()).into()
}

#[rustpython_vm::pymodule(sub)]
pub(super) mod functions {
    use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine};

    /// Text to bytes by ISO-8859-1; bytes are returned as they are, anything else is a TypeError.
    #[pyfunction]
    fn isomorphic_encode(s: PyObjectRef, vm: &VirtualMachine) -> PyResult {
        super::encode(&s, vm)
    }

    /// Bytes to text by ISO-8859-1; text is returned as it is, anything else is a TypeError.
    #[pyfunction]
    fn isomorphic_decode(s: PyObjectRef, vm: &VirtualMachine) -> PyResult {
        super::decode(&s, vm)
    }
}

#[cfg(test)]
mod tests {
    use crate::python::native::testing::check;

    /// Results of wptserve 4.0.3's utils.py under CPython 3.11.
    #[test]
    fn isomorphic_as_in_wptserve() {
        check(
            "from wptserve.utils import isomorphic_encode as enc, isomorphic_decode as dec",
            &[
                ("enc('a\\xff')", "b'a\\xff'"),
                ("enc(b'a\\xff')", "b'a\\xff'"),
                ("dec(b'a\\xff')", "'a\u{ff}'"),
                ("dec('\\u0100')", "'\u{100}'"),
                ("enc(1)", "TypeError: Unexpected value (expecting string-like): 1"),
                ("dec(None)", "TypeError: Unexpected value (expecting string-like): None"),
                ("dec(bytearray(b'a'))", "TypeError: Unexpected value (expecting string-like): bytearray(b'a')"),
                ("enc(())", "TypeError: not enough arguments for format string"),
                ("enc((1, 2))", "TypeError: not all arguments converted during string formatting"),
                ("enc((1,))", "TypeError: Unexpected value (expecting string-like): 1"),
                (
                    "enc('\\u0100')",
                    "UnicodeEncodeError: 'latin-1' codec can't encode character '\\u0100' in position 0: ordinal not in \
                 range(256)",
                ),
            ],
        );
    }
}
