//! The state of one answer, shared by the Python objects `response` and `response.writer`.
//!
//! It owns the state that both change (status, headers, content, flags, the bookkeeping of sent bytes) and the link to the
//! connection. Neither Python object holds the other, so a request makes no reference cycle. The lock is never held while Python
//! code runs or while the thread waits for the client.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use bytes::BytesMut;
use parking_lot::Mutex;
use rustpython_vm::{
    AsObject, PyObject, PyObjectRef, PyResult, VirtualMachine,
    builtins::{PyBytes, PyInt, PyList, PyStr, PyTuple},
};

use super::{fields::Fields, trickled::Trickled};
use crate::{
    cancel,
    handover::{Http1Link, Last},
    http::{Delivery, Encoder, Outcome, Trickle},
    python::native::text,
};

/// wptserve 4.0.3, response.py, `ResponseWriter.file_chunk_size`.
pub(crate) const FILE_CHUNK: usize = 32 * 1024;
/// Bytes that most answers fit in.
const TYPICAL: usize = 512;

#[derive(Default)]
struct Progress {
    encoder: Encoder,
    /// Bytes that wait to be sent; see [`Answer::flush`].
    pending: BytesMut,
    /// The time to wait before `pending` may be sent: pipes have read content with delays.
    wait: Duration,
    /// Content that the connection sends by itself when the handler has ended.
    trickle: Option<Box<Trickle>>,
    /// A write has failed: the client has disconnected.
    gone: bool,
    /// `response.writer.content_written`: the handler writes the answer itself.
    content_written: bool,
    /// The handler has set a length of the answer, or has written bytes itself.
    is_watched: bool,
    /// The client's view of the sent bytes; made when bytes are sent before the end.
    delivery: Option<Box<Delivery>>,
}

pub(crate) struct Answer {
    link: Http1Link,
    head_request: bool,
    progress: Mutex<Progress>,
    fields: Arc<Fields>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Answer").finish_non_exhaustive()
    }
}

impl Answer {
    /// An answer of which nothing has been progress.
    pub(crate) fn new(link: Http1Link, head_request: bool, fields: Arc<Fields>) -> Self {
        let progress = Progress { pending: BytesMut::with_capacity(TYPICAL), ..Progress::default() };
        Self { link, head_request, progress: Mutex::new(progress), fields }
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

    /// Takes bytes for the wire; they are sent with the next [`Answer::flush`].
    pub(crate) fn put(&self, bytes: &[u8]) {
        self.write(|_, pending| pending.extend_from_slice(bytes));
    }

    /// Writes with the bookkeeping of the head. After this the handler writes the answer itself.
    fn write<R>(&self, write: impl FnOnce(&mut Encoder, &mut BytesMut) -> R) -> R {
        let mut progress = self.progress.lock();
        let Progress { encoder, pending, content_written, .. } = &mut *progress;
        *content_written = true;
        write(encoder, pending)
    }

    /// Takes bytes that are written below `response.writer`: they do not count as its content.
    pub(crate) fn put_below(&self, bytes: &[u8]) {
        self.progress.lock().pending.extend_from_slice(bytes);
    }

    /// Delays all bytes that have not been sent yet.
    pub(crate) fn wait(&self, time: Duration) {
        let mut progress = self.progress.lock();
        progress.wait = progress.wait.saturating_add(time);
    }

    /// Sends the waiting bytes and waits until the socket has taken them. False once the client has disconnected.
    pub(crate) fn flush(&self, vm: &VirtualMachine) -> bool {
        let (bytes, wait) = {
            let mut progress = self.progress.lock();
            if progress.gone || progress.pending.is_empty() {
                return !progress.gone;
            }
            let bytes = progress.pending.split().freeze();
            progress.delivery.get_or_insert_with(|| Box::new(Delivery::new(self.head_request))).feed(&bytes);
            (bytes, std::mem::take(&mut progress.wait))
        };
        let taken = vm.allow_threads(|| cancel::sleep(wait).is_ok() && self.link.write(bytes));
        if !taken {
            self.progress.lock().gone = true;
        }
        taken
    }

    /// The client's view of this answer if no bytes follow; called once, before [`Answer::finish`]. An answer that the server has
    /// written alone is known to be complete, or closes its connection.
    pub(crate) fn outcome(&self, by_handler: bool) -> Outcome {
        let mut progress = self.progress.lock();
        if !(by_handler || progress.is_watched || progress.delivery.is_some()) {
            return Outcome::Whole;
        }
        let mut delivery = progress.delivery.take().unwrap_or_else(|| Box::new(Delivery::new(self.head_request)));
        delivery.feed(&progress.pending);
        match progress.trickle.as_ref().map(|trickle| trickle.as_ref().clone().drain().1) {
            Some(Ok(all)) => delivery.feed(&all),
            // The content breaks off, or never ends.
            Some(Err(_)) => return Outcome::Open,
            None => {}
        }
        delivery.outcome()
    }

    /// Whether the written bytes are a complete answer although the content could not be written: to a HEAD, or a 204.
    pub(crate) fn is_whole(&self) -> bool {
        let progress = self.progress.lock();
        let mut delivery = Delivery::new(self.head_request);
        delivery.feed(&progress.pending);
        progress.delivery.is_none() && delivery.outcome() == Outcome::Whole
    }

    /// Whether no byte of the answer has been sent, so that another answer can replace it.
    pub(crate) fn is_untouched(&self) -> bool {
        self.progress.lock().delivery.as_ref().is_none_or(|delivery| delivery.outcome() == Outcome::Nothing)
    }

    /// Drops the bytes of the answer that have not been sent.
    pub(crate) fn start_over(&self, vm: &VirtualMachine) {
        {
            let mut progress = self.progress.lock();
            *progress = Progress { delivery: progress.delivery.take(), gone: progress.gone, ..Progress::default() };
        }
        self.fields.start_over(vm);
    }

    /// Hands the rest of the answer to the connection and drops the Python objects, so that an object that a handler has put there (for
    /// example a generator that refers to `response`) cannot keep this request alive.
    pub(crate) fn finish(&self, close: bool, vm: &VirtualMachine) {
        let last = {
            let mut progress = self.progress.lock();
            Last {
                wait: std::mem::take(&mut progress.wait),
                bytes: progress.pending.split().freeze(),
                trickle: progress.trickle.take(),
                close,
            }
        };
        self.link.finish(last);
        self.fields.forget(vm);
    }

    /// The bytes of a status line, for [`super::by_name`], which writes them itself.
    pub(crate) fn status_line(&self, code: &PyObject, message: &PyObject, vm: &VirtualMachine) -> PyResult<BytesMut> {
        let message = if vm.is_none(message) { None } else { Some(text::encoded(message, vm)?) };
        let code = status_code(code, vm)?;
        let mut line = BytesMut::new();
        self.progress.lock().encoder.write_status(&mut line, code, message.as_deref());
        Ok(line)
    }

    /// Counts a header field as written.
    pub(crate) fn note_header(&self, name: &[u8]) {
        self.progress.lock().encoder.write_header(&mut BytesMut::new(), name, b"");
    }

    /// `ResponseWriter._seen_header`, for the headers that are added otherwise.
    pub(crate) fn has_seen(&self, name: &[u8]) -> bool {
        self.progress.lock().encoder.has_seen(name)
    }

    /// `ResponseWriter._status_written`
    pub(crate) fn status_written(&self) -> bool {
        self.progress.lock().encoder.status_written()
    }

    /// See [`Answer::status_written`].
    pub(crate) fn set_status_written(&self, value: bool) {
        self.progress.lock().encoder.set_status_written(value);
    }

    /// `ResponseWriter._headers_complete`
    pub(crate) fn headers_complete(&self) -> bool {
        self.progress.lock().encoder.headers_complete()
    }

    /// See [`Answer::headers_complete`].
    pub(crate) fn set_headers_complete(&self, value: bool) {
        self.progress.lock().encoder.set_headers_complete(value);
    }

    /// wptserve 4.0.3, response.py, `ResponseWriter.write_status`.
    pub(crate) fn put_status(&self, code: &PyObject, message: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
        let message = if vm.is_none(message) { None } else { Some(text::encoded(message, vm)?) };
        let code = status_code(code, vm)?;
        self.write(|encoder, pending| encoder.write_status(pending, code, message.as_deref()));
        if (100..200).contains(&code) {
            self.progress.lock().is_watched = true;
        }
        Ok(())
    }

    /// wptserve 4.0.3, response.py, `ResponseWriter.write_header`: an int is written as `str()` gives it.
    pub(crate) fn put_header(&self, name: &PyObject, value: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
        let name = self.fields.encode(name, vm)?;
        if name.eq_ignore_ascii_case(b"Content-Length") {
            self.progress.lock().is_watched = true;
        }
        if !self.progress.lock().encoder.status_written() {
            self.put_status(&self.fields.get(|fields| &mut fields.default_status), &vm.ctx.none(), vm)?;
        }
        let value = match value.downcast_ref::<PyInt>() {
            Some(_) => Ok(Cow::Owned(value.str(vm)?.as_bytes().to_vec())),
            None => self.fields.encode(value, vm),
        };
        self.write(|encoder, pending| match &value {
            Ok(value) => encoder.write_header(pending, &name, value),
            Err(_) => {
                // wptserve has sent this part before it looks at the value.
                pending.extend_from_slice(&name);
                pending.extend_from_slice(b": ");
            }
        });
        value.map(drop)
    }

    /// wptserve 4.0.3, response.py, `ResponseWriter.end_headers`: an answer whose length is not announced ends with the
    /// connection.
    pub(crate) fn end_headers(&self, vm: &VirtualMachine) -> PyResult<()> {
        let required = self.fields.get(|fields| &mut fields.add_required_headers).try_to_bool(vm)?;
        let length = if required { self.content_length(vm) } else { Ok(None) };
        let length = match length {
            Ok(length) => length,
            Err(exception) => {
                // wptserve looks at the length last, but at the names of headers with the same encoding before.
                if !exception.fast_isinstance(vm.ctx.exceptions.lookup_error) {
                    self.write(|encoder, pending| encoder.write_default_headers(pending, None));
                }
                return Err(exception);
            }
        };
        let must_close = self.write(|encoder, pending| {
            encoder.end_headers(pending, length, required);
            encoder.must_close()
        });
        if must_close {
            self.fields.set(|fields| &mut fields.close_connection, vm.ctx.true_value.clone().into());
        }
        Ok(())
    }

    /// The length that the answer can announce: that of text or bytes.
    fn content_length(&self, vm: &VirtualMachine) -> PyResult<Option<u64>> {
        let content = self.fields.get(|fields| &mut fields.content);
        if !text::is_text(&content) {
            return Ok(None);
        }
        Ok(Some(self.fields.encode(&content, vm)?.len() as u64))
    }

    /// wptserve 4.0.3, response.py, `ResponseWriter.write_default_headers`.
    pub(crate) fn put_default_headers(&self, vm: &VirtualMachine) -> PyResult<()> {
        let length = self.content_length(vm)?;
        self.write(|encoder, pending| encoder.write_default_headers(pending, length));
        Ok(())
    }

    /// wptserve 4.0.3, response.py, `ResponseWriter.write_content`.
    pub(crate) fn put_content(&self, data: PyObjectRef, vm: &VirtualMachine) -> PyResult<bool> {
        let (status_written, headers_complete) = {
            let progress = self.progress.lock();
            (progress.encoder.status_written(), progress.encoder.headers_complete())
        };
        if !status_written {
            self.put_status(&self.fields.get(|fields| &mut fields.default_status), &vm.ctx.none(), vm)?;
        }
        if !headers_complete {
            self.fields.set(|fields| &mut fields.content, data.clone());
            self.end_headers(vm)?;
        }
        self.put_raw_content(data, vm)
    }

    /// wptserve 4.0.3, response.py, `ResponseWriter.write_raw_content`. False when a file's chunk did not reach the
    /// client, and also at the file's end, as in wptserve.
    pub(crate) fn put_raw_content(&self, data: PyObjectRef, vm: &VirtualMachine) -> PyResult<bool> {
        if vm.is_none(&data) {
            return Err(vm.new_value_error("data cannot be None"));
        }
        if text::is_text(&data) {
            let bytes = self.fields.encode(&data, vm)?;
            self.put(&bytes);
            return Ok(true);
        }
        self.put_file(&data, vm)
    }

    /// wptserve 4.0.3, response.py, `ResponseWriter.write_content_file`: anything with `read` and `close`.
    pub(crate) fn put_file(&self, file: &PyObject, vm: &VirtualMachine) -> PyResult<bool> {
        self.set_content_written(true);
        loop {
            let chunk = vm.call_method(file, "read", (FILE_CHUNK,))?;
            if !chunk.clone().try_to_bool(vm)? {
                break;
            }
            let Some(bytes) = chunk.downcast_ref::<PyBytes>() else {
                let kind = chunk.class().name().to_owned();
                return Err(vm.new_type_error(format!("a bytes-like object is required, not '{kind}'")));
            };
            self.put(bytes.as_bytes());
            if !self.flush(vm) {
                break;
            }
        }
        vm.call_method(file, "close", ())?;
        Ok(false)
    }

    /// wptserve 4.0.3, response.py, `Response.write_status_headers`.
    pub(crate) fn put_head(&self, vm: &VirtualMachine) -> PyResult<()> {
        let (code, message) = self.fields.get(|fields| &mut fields.status);
        self.put_status(&code, &message, vm)?;
        let headers = self.fields.get(|fields| &mut fields.headers);
        for item in headers.get_iter(vm)?.iter::<PyObjectRef>(vm)? {
            let pair: Vec<PyObjectRef> = item?.try_to_value(vm)?;
            let [name, value] = pair.as_slice() else {
                return Err(vm.new_type_error(format!(
                    "ResponseWriter.write_header() takes 3 positional arguments but {} were given",
                    pair.len() + 1
                )));
            };
            self.put_header(name, value, vm)?;
        }
        self.end_headers(vm)
    }

    /// wptserve 4.0.3, response.py, `Response.write_content` over `Response.iter_content`: an iterable is pulled item by
    /// item, and each item has left before the next one is asked for.
    pub(crate) fn put_body(&self, vm: &VirtualMachine) -> PyResult<()> {
        if !self.sends_body(vm)? {
            return Ok(());
        }
        let content = self.fields.get(|fields| &mut fields.content);
        if text::is_text(&content) {
            return self.put_content(content, vm).map(drop);
        }
        if vm.is_none(&content) {
            // wptserve fails here after it has sent the head. A client that waits only for the head has its answer.
            return Ok(());
        }
        if content.has_attr("read", vm)? {
            loop {
                let chunk = vm.call_method(&content, "read", (FILE_CHUNK,))?;
                if chunk.length(vm)? == 0 {
                    break;
                }
                self.put_content(chunk, vm)?;
                if !self.flush(vm) {
                    break;
                }
            }
            return vm.call_method(&content, "close", ()).map(drop);
        }
        let iterator = content.get_iter(vm)?;
        // The items of these types exist already. Other items may take time to make, and the head does not wait for them.
        let is_there = content.downcastable::<PyList>() || content.downcastable::<PyTuple>();
        if !is_there {
            self.flush(vm);
        }
        for item in iterator.iter::<PyObjectRef>(vm)? {
            let item = item?;
            let item = if item.is_callable() {
                self.flush(vm);
                item.call((), vm)?
            } else {
                item
            };
            if item.clone().try_to_bool(vm)? {
                self.put_content(item, vm)?;
                if !self.flush(vm) {
                    // wptserve continues to iterate without a client; an endless generator would hold its thread for ever.
                    break;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn sends_body(&self, vm: &VirtualMachine) -> PyResult<bool> {
        Ok(!self.head_request || self.fields.sends_body_for_head(vm)?)
    }

    /// [`Answer::put_all`] at the end of a request: a trickle is left to the connection, which needs no thread to wait.
    pub(crate) fn put_last(&self, vm: &VirtualMachine) -> PyResult<()> {
        let content = self.fields.get(|fields| &mut fields.content);
        match content.downcast_ref::<Trickled>() {
            Some(trickled) => {
                self.put_head(vm)?;
                if self.sends_body(vm)? {
                    self.progress.lock().trickle = Some(Box::new(trickled.rest()));
                }
                Ok(())
            }
            None => self.put_all(vm),
        }
    }

    /// wptserve 4.0.3, response.py, `Response.write`: the whole answer.
    pub(crate) fn put_all(&self, vm: &VirtualMachine) -> PyResult<()> {
        self.put_head(vm)?;
        self.put_body(vm)
    }
}

/// The number that a status line has: `"%d" % code`.
pub(crate) fn status_code(code: &PyObject, vm: &VirtualMachine) -> PyResult<i64> {
    match code.downcast_ref::<PyInt>() {
        Some(int) => int.try_to_primitive(vm),
        None if vm.is_none(code) || code.downcastable::<PyStr>() || code.downcastable::<PyBytes>() => {
            let kind = code.class().name().to_owned();
            Err(vm.new_type_error(format!("%d format: a real number is required, not {kind}")))
        }
        None => code.try_int(vm)?.try_to_primitive(vm),
    }
}
