//! `wptserve.request.Authentication`, the class of `request.auth`: the user name and password of an `Authorization` header.
//!
//! Basic only, as in wptserve; any other scheme is a 400. Both are bytes, because their encoding is unknown, or None.

use rustpython_vm::{AsObject, PyObject, PyPayload, PyRef, PyResult, VirtualMachine, builtins::PyBytes};

pub(in crate::python) use classes::Authentication;

use crate::python::native::{RequestHeaders, text};

impl Authentication {
    /// wptserve 4.0.3, request.py, `Authentication.__init__`.
    pub(in crate::python) fn from_headers(headers: &RequestHeaders, vm: &VirtualMachine) -> PyResult<PyRef<Self>> {
        let made = Authentication {}.into_ref(&vm.ctx);
        fill(made.as_object(), headers.value("authorization", vm)?, vm)?;
        Ok(made)
    }
}

fn fill(object: &PyObject, header: Option<Vec<u8>>, vm: &VirtualMachine) -> PyResult<()> {
    let parts = match &header {
        Some(header) => Some(credentials(header, vm)?),
        None => None,
    };
    let (username, password) = match parts {
        Some((username, password)) => (text::bytes_object(username, vm), text::bytes_object(password, vm)),
        None => (vm.ctx.none(), vm.ctx.none()),
    };
    object.set_attr("username", username, vm)?;
    object.set_attr("password", password, vm)
}

fn credentials(header: &[u8], vm: &VirtualMachine) -> PyResult<(Vec<u8>, Vec<u8>)> {
    let (scheme, data) = halves(header, b' ', vm)?;
    if scheme != b"Basic" {
        let scheme = text::bytes_object(scheme, vm).repr(vm)?;
        let message = format!("Unsupported authentication scheme {}", scheme.to_string_lossy());
        return Err(text::http_exception(400, &message, vm));
    }
    halves(&decoded(&data, vm)?, b':', vm)
}

/// Python's own decoder, so that the accepted mistakes and the texts of errors are the same.
fn decoded(data: &[u8], vm: &VirtualMachine) -> PyResult<Vec<u8>> {
    let base64 = vm.import("base64", 0)?;
    let decoded = vm.call_method(&base64, "b64decode", (text::bytes_object(data, vm),))?;
    Ok(decoded.downcast_ref::<PyBytes>().map(|decoded| decoded.as_bytes().to_vec()).unwrap_or_default())
}

/// `a, b = data.split(separator, 1)`
fn halves(data: &[u8], separator: u8, vm: &VirtualMachine) -> PyResult<(Vec<u8>, Vec<u8>)> {
    let mut parts = data.splitn(2, |byte| *byte == separator);
    match (parts.next(), parts.next()) {
        (Some(first), Some(second)) => Ok((first.to_vec(), second.to_vec())),
        _ => Err(vm.new_value_error("not enough values to unpack (expected 2, got 1)")),
    }
}

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use rustpython_vm::{
        AsObject, Py, PyObjectRef, PyPayload, PyResult, VirtualMachine,
        builtins::{PyBytesRef, PyListRef},
        pyclass,
        types::{Constructor, DefaultConstructor, Initializer},
    };

    use super::text;

    #[pyattr]
    #[pyclass(module = "wptserve.request", name = "Authentication")]
    #[derive(Debug, Default, PyPayload)]
    pub(in crate::python) struct Authentication {}

    #[pyclass(with(Constructor, Initializer), flags(BASETYPE, HAS_DICT, HAS_WEAKREF))]
    impl Authentication {
        /// User name and password of the data of a Basic header.
        #[pymethod]
        fn decode_basic(_zelf: &Py<Self>, data: PyBytesRef, vm: &VirtualMachine) -> PyResult<PyListRef> {
            let decoded = super::decoded(data.as_bytes(), vm)?;
            let parts = decoded.splitn(2, |byte| *byte == b':').map(|part| text::bytes_object(part, vm));
            Ok(vm.ctx.new_list(parts.collect()))
        }
    }

    impl DefaultConstructor for Authentication {}

    impl Initializer for Authentication {
        type Args = (PyObjectRef,);

        fn init(zelf: &Py<Self>, (headers,): Self::Args, vm: &VirtualMachine) -> PyResult<()> {
            let header = vm.call_method(&headers, "get", ("authorization",))?;
            let header = if vm.is_none(&header) { None } else { Some(text::encoded(&header, vm)?) };
            super::fill(zelf.as_object(), header, vm)
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn as_in_wptserve() {
        crate::python::native::testing::check_table(include_str!("../tables/auth.txt"));
    }
}
