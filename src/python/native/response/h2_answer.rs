//! The state of one answer over HTTP/2, shared by the Python objects `response` and `response.writer`.
//!
//! The connection decides what may be sent in which state. Every step asks the connection and waits for its answer; a refusal becomes
//! an exception. The attributes are in [`Fields`].

use std::{fmt, sync::Arc, thread, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use rustpython_vm::{
    AsObject, PyObject, PyObjectRef, PyPayload as _, PyResult, VirtualMachine,
    builtins::{PyBaseExceptionRef, PyBytes, PyStr},
};

use super::{content::ContentIterator, fields::Fields, trickled::Trickled};
use crate::{
    handover::{Closing, H2Link},
    http::{
        H2_HEADERS,
        h2::{CommandResult, Field, SendError, StreamCommand},
    },
    python::native::text,
};

#[derive(Debug, Default)]
struct Progress {
    /// `response.writer.content_written`: the handler writes the answer itself.
    content_written: bool,
    /// `response.writer.stream_ended`
    stream_ended: bool,
    /// The time to wait before the next frame may be sent: pipes have read content with delays.
    wait: Duration,
}

pub(crate) struct H2Answer {
    link: H2Link,
    is_head: bool,
    fields: Arc<Fields>,
    progress: Mutex<Progress>,
}

impl fmt::Debug for H2Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("H2Answer").finish_non_exhaustive()
    }
}

impl H2Answer {
    pub(crate) fn new(link: H2Link, is_head: bool, fields: Arc<Fields>) -> Self {
        Self { link, is_head, fields, progress: Mutex::default() }
    }

    /// The attributes of `response`, which handlers read and write.
    pub(crate) fn fields(&self) -> &Fields {
        &self.fields
    }

    pub(crate) fn content_written(&self) -> bool {
        self.progress.lock().content_written
    }

    pub(crate) fn set_content_written(&self, value: bool) {
        self.progress.lock().content_written = value;
    }

    pub(crate) fn stream_ended(&self) -> bool {
        self.progress.lock().stream_ended
    }

    pub(crate) fn set_stream_ended(&self, value: bool) {
        self.progress.lock().stream_ended = value;
    }

    /// Delays all frames that have not been sent yet.
    pub(crate) fn wait(&self, time: Duration) {
        let mut progress = self.progress.lock();
        progress.wait = progress.wait.saturating_add(time);
    }

    /// Sends a request to the connection and waits for its result.
    pub(crate) fn ask(&self, ask: StreamCommand, vm: &VirtualMachine) -> PyResult<CommandResult> {
        let wait = std::mem::take(&mut self.progress.lock().wait);
        let result = vm.allow_threads(|| {
            thread::sleep(wait);
            self.link.ask(ask)
        });
        result.map_err(|error| raised(&error, vm))
    }

    /// Sends a request that counts as written content.
    pub(crate) fn send(&self, ask: StreamCommand, vm: &VirtualMachine) -> PyResult<CommandResult> {
        let sent = self.ask(ask, vm)?;
        self.set_content_written(true);
        Ok(sent)
    }

    /// The header fields of an answer as the wire has them (wptserve 4.0.3, response.py, `H2ResponseWriter.write_headers`).
    pub(crate) fn header_fields(
        &self,
        headers: &PyObject,
        status: &PyObject,
        vm: &VirtualMachine,
    ) -> PyResult<Vec<Field>> {
        let mut pseudo = Vec::new();
        let mut others = Vec::new();
        for item in headers.get_iter(vm)?.iter::<PyObjectRef>(vm)? {
            let pair: Vec<PyObjectRef> = item?.try_to_value(vm)?;
            let [name, value] = pair.as_slice() else {
                let text = if pair.len() < 2 {
                    format!("not enough values to unpack (expected 2, got {})", pair.len())
                } else {
                    "too many values to unpack (expected 2)".to_owned()
                };
                return Err(vm.new_value_error(text));
            };
            let name = match name.downcast_ref::<PyBytes>() {
                Some(_) => vm.call_method(name, "decode", ("ascii",))?,
                None => name.clone(),
            };
            let Some(name) = name.downcast_ref::<PyStr>() else {
                let kind = name.class().name().to_owned();
                return Err(vm.new_attribute_error(format!("'{kind}' object has no attribute 'lower'")));
            };
            let value = match value.downcast_ref::<PyBytes>() {
                Some(_) => {
                    let encoding = self.fields.get(|fields| &mut fields.encoding);
                    vm.call_method(value, "decode", (encoding,))?
                }
                None => value.clone(),
            };
            let (name, value) = (utf8(name.as_object(), vm)?, utf8(value.str(vm)?.as_object(), vm)?);
            if H2_HEADERS.contains(&&name[..]) {
                pseudo.push((Bytes::from([b":", &name[..]].concat()), value));
            } else {
                others.push((name, value));
            }
        }
        pseudo.push((Bytes::from_static(b":status"), utf8(status.str(vm)?.as_object(), vm)?));
        pseudo.append(&mut others);
        Ok(pseudo)
    }

    /// wptserve 4.0.3, response.py, `H2ResponseWriter.write_headers`.
    pub(crate) fn put_headers(
        &self,
        headers: &PyObject,
        status: &PyObject,
        stream: Option<u32>,
        last: bool,
        vm: &VirtualMachine,
    ) -> PyResult<()> {
        let fields = self.header_fields(headers, status, vm)?;
        self.send(StreamCommand::Headers { stream, fields, end: last || self.is_head }, vm).map(drop)
    }

    /// wptserve 4.0.3, response.py, `H2Response.write_status_headers`.
    pub(crate) fn put_head(&self, vm: &VirtualMachine) -> PyResult<()> {
        let (code, _) = self.fields.get(|fields| &mut fields.status);
        let headers = self.fields.get(|fields| &mut fields.headers);
        self.put_headers(&headers, &code, None, false, vm)
    }

    /// wptserve 4.0.3, response.py, `H2ResponseWriter.write_data`: text, bytes, or a file object from its beginning.
    pub(crate) fn put_data(
        &self,
        item: &PyObject,
        last: bool,
        stream: Option<u32>,
        vm: &VirtualMachine,
    ) -> PyResult<()> {
        let data = if text::is_text(item) {
            Bytes::from(self.fields.encode(item, vm)?.into_owned())
        } else {
            vm.call_method(item, "seek", (0, 2))?;
            vm.call_method(item, "tell", ())?;
            vm.call_method(item, "seek", (0,))?;
            bytes(&*vm.call_method(item, "read", ())?, vm)?
        };
        self.send(StreamCommand::Content { stream, data, end: last }, vm)?;
        self.set_stream_ended(last);
        Ok(())
    }

    pub(crate) fn sends_body(&self, vm: &VirtualMachine) -> PyResult<bool> {
        Ok(!self.is_head || self.fields.sends_body_for_head(vm)?)
    }

    /// wptserve 4.0.3, response.py, `H2Response.write_content`: every item goes out when the next one is there, because
    /// the last one ends the stream.
    pub(crate) fn put_body(&self, response: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
        if !self.sends_body(vm)? {
            return Ok(());
        }
        let items = ContentIterator::new(response.to_owned()).into_pyobject(vm);
        let mut held: Option<PyObjectRef> = None;
        for item in items.get_iter(vm)?.iter::<PyObjectRef>(vm)? {
            if let Some(before) = held.replace(item?) {
                self.put_data(&before, false, None, vm)?;
            }
        }
        match held {
            Some(last) if last.clone().try_to_bool(vm)? => self.put_data(&last, true, None, vm),
            _ => Ok(()),
        }
    }

    /// The rest of the answer when the handler has ended. The connection sends complete content, which needs no thread for waiting.
    pub(crate) fn put_last(&self, response: &PyObject, vm: &VirtualMachine) -> PyResult<Closing> {
        let mut closing = Closing { wait: std::mem::take(&mut self.progress.lock().wait), ..Closing::default() };
        if self.content_written() {
            return Ok(closing);
        }
        let (code, _) = self.fields.get(|fields| &mut fields.status);
        let headers = self.fields.get(|fields| &mut fields.headers);
        let head = self.header_fields(&headers, &code, vm)?;
        let content = self.fields.get(|fields| &mut fields.content);
        let sends_body = self.sends_body(vm)?;
        if !sends_body {
            closing.head = Some((head, self.is_head));
        } else if text::is_text(&content) {
            closing.body = Bytes::from(self.fields.encode(&content, vm)?.into_owned());
            closing.head = Some((head, self.is_head));
        } else if let Some(trickled) = content.downcast_ref::<Trickled>() {
            closing.trickle = Some(trickled.rest());
            closing.head = Some((head, self.is_head));
        } else {
            // Back for `put_headers`, which has to wait first.
            self.wait(std::mem::take(&mut closing.wait));
            self.send(StreamCommand::Headers { stream: None, fields: head, end: self.is_head }, vm)?;
            self.put_body(response, vm)?;
        }
        Ok(closing)
    }

    /// Hands the rest of the answer to the connection and drops the Python objects.
    pub(crate) fn finish(&self, closing: Closing, vm: &VirtualMachine) {
        self.link.finish(closing);
        self.fields.forget(vm);
    }
}

/// The bytes that hpack makes of text, bytes or anything else: UTF-8.
pub(in crate::python::native) fn utf8(value: &PyObject, vm: &VirtualMachine) -> PyResult<Bytes> {
    if let Some(bytes) = value.downcast_ref::<PyBytes>() {
        return Ok(Bytes::copy_from_slice(bytes.as_bytes()));
    }
    let text = value.str(vm)?;
    match text.to_str() {
        Some(text) => Ok(Bytes::copy_from_slice(text.as_bytes())),
        // Python's own codec words the error.
        None => bytes(&*vm.call_method(text.as_object(), "encode", ("utf-8",))?, vm),
    }
}

pub(in crate::python::native) fn bytes(value: &PyObject, vm: &VirtualMachine) -> PyResult<Bytes> {
    match value.downcast_ref::<PyBytes>() {
        Some(bytes) => Ok(Bytes::copy_from_slice(bytes.as_bytes())),
        None => {
            let kind = value.class().name().to_owned();
            Err(vm.new_type_error(format!("a bytes-like object is required, not '{kind}'")))
        }
    }
}

/// The exception that hyper-h2 raises for a refusal.
fn raised(error: &SendError, vm: &VirtualMachine) -> PyBaseExceptionRef {
    const MODULE: &str = "h2.exceptions";
    let message = error.to_string();
    match error {
        SendError::Closed(stream) => text::exception(MODULE, "StreamClosedError", (*stream,), vm),
        SendError::NoStream(stream) => text::exception(MODULE, "NoSuchStreamError", (*stream,), vm),
        SendError::TooLow(stream, highest) => text::exception(MODULE, "StreamIDTooLowError", (*stream, *highest), vm),
        SendError::FrameTooLarge(..) => text::exception(MODULE, "FrameTooLargeError", (message,), vm),
        SendError::Protocol(_) => text::exception(MODULE, "ProtocolError", (message,), vm),
        SendError::Gone => text::broken_pipe(vm),
    }
}
