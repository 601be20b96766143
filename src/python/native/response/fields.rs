//! The attributes of a `response`, for both versions of HTTP.
//!
//! They are kept apart from the Python objects `response` and `response.writer`, so that neither holds the other and a request makes
//! no reference cycle. The lock is never held while Python code runs.

use std::{borrow::Cow, fmt};

use parking_lot::Mutex;
use rustpython_vm::{
    AsObject, PyObject, PyObjectRef, PyResult, VirtualMachine,
    builtins::{PyBytes, PyStr},
};

/// wptserve 4.0.3, response.py, `ResponseWriter.default_status`.
const DEFAULT_STATUS: i64 = 200;

/// The attributes of `response`. Handlers may set them to any value, so they are Python objects.
pub(crate) struct Values {
    /// The two halves of `response.status`.
    pub(crate) status: (PyObjectRef, PyObjectRef),
    pub(crate) headers: PyObjectRef,
    pub(crate) content: PyObjectRef,
    pub(crate) encoding: PyObjectRef,
    pub(crate) add_required_headers: PyObjectRef,
    pub(crate) send_body_for_head_request: PyObjectRef,
    pub(crate) close_connection: PyObjectRef,
    /// `response.writer.default_status`.
    pub(crate) default_status: PyObjectRef,
    /// `response.writer._response`, while the request lasts.
    pub(crate) response: PyObjectRef,
}

/// The attributes, shared.
pub(crate) struct Fields(Mutex<Values>);

impl fmt::Debug for Fields {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Fields").finish_non_exhaustive()
    }
}

impl Fields {
    /// wptserve 4.0.3, response.py, `Response.__init__`.
    pub(crate) fn new(headers: PyObjectRef, vm: &VirtualMachine) -> Self {
        Self(Mutex::new(Values {
            status: (vm.ctx.new_int(DEFAULT_STATUS).into(), vm.ctx.none()),
            headers,
            content: vm.ctx.new_list(Vec::new()).into(),
            encoding: vm.ctx.intern_str("utf8").to_owned().into(),
            add_required_headers: vm.ctx.true_value.clone().into(),
            send_body_for_head_request: vm.ctx.false_value.clone().into(),
            close_connection: vm.ctx.false_value.clone().into(),
            default_status: vm.ctx.new_int(DEFAULT_STATUS).into(),
            response: vm.ctx.none(),
        }))
    }

    /// Reads one attribute.
    pub(crate) fn get<T: Clone>(&self, field: impl FnOnce(&mut Values) -> &mut T) -> T {
        field(&mut self.0.lock()).clone()
    }

    /// Sets one attribute. The old value is dropped outside the lock: its destructor may run Python code.
    pub(crate) fn set<T>(&self, field: impl FnOnce(&mut Values) -> &mut T, value: T) {
        let old = std::mem::replace(field(&mut self.0.lock()), value);
        drop(old);
    }

    /// Resets the attributes that a handler has set and that would change another answer.
    pub(crate) fn start_over(&self, vm: &VirtualMachine) {
        self.set(|fields| &mut fields.encoding, vm.ctx.intern_str("utf8").to_owned().into());
        self.set(|fields| &mut fields.add_required_headers, vm.ctx.true_value.clone().into());
        self.set(|fields| &mut fields.send_body_for_head_request, vm.ctx.false_value.clone().into());
        self.set(|fields| &mut fields.close_connection, vm.ctx.false_value.clone().into());
    }

    /// Drops the objects that a handler has set, so that none of them (for example a generator that refers to `response`) can keep the
    /// request alive.
    pub(crate) fn forget(&self, vm: &VirtualMachine) {
        self.set(|fields| &mut fields.content, vm.ctx.none());
        self.set(|fields| &mut fields.headers, vm.ctx.none());
        self.set(|fields| &mut fields.response, vm.ctx.none());
        self.set(|fields| &mut fields.default_status, vm.ctx.none());
        self.start_over(vm);
    }

    /// `response.send_body_for_head_request`
    pub(crate) fn sends_body_for_head(&self, vm: &VirtualMachine) -> PyResult<bool> {
        self.get(|fields| &mut fields.send_body_for_head_request).try_to_bool(vm)
    }

    /// Text or bytes for the wire (wptserve 4.0.3, response.py, `ResponseWriter.encode`).
    ///
    /// # Errors
    /// `ValueError` for any other type, `UnicodeEncodeError` for text that `response.encoding` cannot express.
    pub(crate) fn encode<'a>(&self, data: &'a PyObject, vm: &VirtualMachine) -> PyResult<Cow<'a, [u8]>> {
        if let Some(bytes) = data.downcast_ref::<PyBytes>() {
            return Ok(Cow::Borrowed(bytes.as_bytes()));
        }
        if let Some(text) = data.downcast_ref::<PyStr>() {
            let encoding = self.get(|fields| &mut fields.encoding);
            let is_utf8 =
                encoding.downcast_ref::<PyStr>().is_some_and(|name| matches!(name.as_bytes(), b"utf8" | b"utf-8"));
            return match text.to_str() {
                Some(text) if is_utf8 => Ok(Cow::Borrowed(text.as_bytes())),
                _ => encode_text(data, &encoding, vm).map(Cow::Owned),
            };
        }
        let repr = data.repr(vm)?;
        let kind = data.class().as_object().repr(vm)?;
        Err(vm.new_value_error(format!("data {repr} should be text or binary, but is {kind}")))
    }
}

/// `text.encode(encoding)`.
fn encode_text(text: &PyObject, encoding: &PyObject, vm: &VirtualMachine) -> PyResult<Vec<u8>> {
    let encoded = vm.call_method(text, "encode", (encoding.to_owned(),))?;
    let Some(bytes) = encoded.downcast_ref::<PyBytes>() else {
        return Err(vm.new_type_error("encode() did not return bytes"));
    };
    Ok(bytes.as_bytes().to_vec())
}
