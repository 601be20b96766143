//! `response.writer._handler` and `response.writer._wfile`: the connection below the writer.
//!
//! Handlers use them to send interim responses (1xx); the names are private, but WPT uses them. In wptserve these are objects of
//! CPython's `http.server` and `socketserver`; this file has the part that writes. Bytes below the writer do not count as its content:
//! unless the handler also uses the writer, the usual answer follows, as in wptserve.

pub(super) use classes::StatusArgs;
pub(crate) use classes::{RequestHandler, SocketWriter};

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use std::{sync::Arc, time::SystemTime};

    use parking_lot::Mutex;
    use rustpython_vm::{
        AsObject, FromArgs, Py, PyObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, builtins::PyBytes,
        function::ArgBytesLike, pyclass,
    };

    use crate::{
        http::SERVER,
        python::native::{
            response::answer::{Answer, status_code},
            text,
        },
    };

    /// wptserve 4.0.3, server.py, `Http1WebTestRequestHandler.protocol_version`.
    const PROTOCOL: &str = "HTTP/1.1";

    /// The socket as a file (CPython 3.11, socketserver.py, `_SocketWriter`).
    #[pyattr]
    #[pyclass(module = "socketserver", name = "_SocketWriter")]
    #[derive(Debug, PyPayload)]
    pub(crate) struct SocketWriter {
        answer: Arc<Answer>,
    }

    impl SocketWriter {
        pub(crate) fn new(answer: Arc<Answer>) -> Self {
            Self { answer }
        }
    }

    #[pyclass]
    impl SocketWriter {
        /// Send bytes and return their number; `BrokenPipeError` if the client has disconnected.
        #[pymethod]
        fn write(zelf: &Py<Self>, data: ArgBytesLike, vm: &VirtualMachine) -> PyResult<usize> {
            let length = data.len();
            data.with_ref(|bytes| zelf.answer.put_below(bytes));
            send(&zelf.answer, vm).map(|()| length)
        }

        /// Does nothing: every write has reached the socket when it returns.
        #[pymethod]
        fn flush(_zelf: &Py<Self>) {}

        #[pymethod]
        fn writable(_zelf: &Py<Self>) -> bool {
            true
        }
    }

    fn send(answer: &Answer, vm: &VirtualMachine) -> PyResult<()> {
        if answer.flush(vm) {
            return Ok(());
        }
        Err(text::broken_pipe(vm))
    }

    /// The arguments of a status line.
    #[derive(FromArgs)]
    pub(in crate::python::native) struct StatusArgs {
        #[pyarg(any)]
        pub(in crate::python::native) code: PyObjectRef,
        #[pyarg(any, optional)]
        pub(in crate::python::native) message: Option<PyObjectRef>,
    }

    #[derive(FromArgs)]
    struct HeaderArgs {
        #[pyarg(any)]
        keyword: PyObjectRef,
        #[pyarg(any)]
        value: PyObjectRef,
    }

    /// The part of CPython 3.11, http/server.py, `BaseHTTPRequestHandler` that writes.
    #[pyattr]
    #[pyclass(module = "wptserve.server", name = "Http1WebTestRequestHandler")]
    #[derive(Debug, PyPayload)]
    pub(crate) struct RequestHandler {
        answer: Arc<Answer>,
        /// Status lines and headers wait here for the end of the headers.
        buffer: Mutex<Vec<u8>>,
        wfile: PyRef<SocketWriter>,
    }

    impl RequestHandler {
        pub(crate) fn new(answer: Arc<Answer>, wfile: PyRef<SocketWriter>) -> Self {
            Self { answer, buffer: Mutex::default(), wfile }
        }

        fn append(&self, line: &str, vm: &VirtualMachine) -> PyResult<()> {
            let encoded = vm.call_method(vm.ctx.new_str(line).as_ref(), "encode", ("latin-1", "strict"))?;
            if let Some(bytes) = encoded.downcast_ref::<PyBytes>() {
                self.buffer.lock().extend_from_slice(bytes.as_bytes());
            }
            Ok(())
        }

        fn append_header(&self, keyword: &str, value: &str, vm: &VirtualMachine) -> PyResult<()> {
            self.append(&format!("{keyword}: {value}\r\n"), vm)
        }

        fn append_status(&self, args: StatusArgs, vm: &VirtualMachine) -> PyResult<()> {
            let message = match args.message.filter(|message| !vm.is_none(message)) {
                Some(message) => text(&message, vm)?,
                None => phrase(&args.code, vm)?,
            };
            let code = status_code(&args.code, vm)?;
            self.append(&format!("{PROTOCOL} {code} {message}\r\n"), vm)
        }
    }

    fn text(value: &PyObject, vm: &VirtualMachine) -> PyResult<String> {
        Ok(value.str(vm)?.to_string_lossy().into_owned())
    }

    /// CPython's phrase for a code. Its table differs from wptserve's: it has 103.
    fn phrase(code: &PyObject, vm: &VirtualMachine) -> PyResult<String> {
        let statuses = vm.import("http", 0)?.get_attr("HTTPStatus", vm)?;
        match statuses.call((code.to_owned(),), vm) {
            Ok(status) => text(&*status.get_attr("phrase", vm)?, vm),
            Err(error) if error.fast_isinstance(vm.ctx.exceptions.value_error) => Ok(String::new()),
            Err(error) => Err(error),
        }
    }

    #[pyclass]
    impl RequestHandler {
        /// The socket as a file: written bytes are sent at once.
        #[pygetset]
        fn wfile(zelf: &Py<Self>) -> PyRef<SocketWriter> {
            zelf.wfile.clone()
        }

        #[pygetset]
        fn protocol_version(_zelf: &Py<Self>) -> &'static str {
            PROTOCOL
        }

        /// Whether the connection closes after this answer; the same as `response.close_connection`.
        #[pygetset]
        fn close_connection(zelf: &Py<Self>) -> PyObjectRef {
            zelf.answer.fields().get(|fields| &mut fields.close_connection)
        }

        #[pygetset(setter)]
        fn set_close_connection(zelf: &Py<Self>, value: PyObjectRef) {
            zelf.answer.fields().set(|fields| &mut fields.close_connection, value);
        }

        /// The value of the Server header.
        #[pymethod]
        fn version_string(_zelf: &Py<Self>) -> &'static str {
            SERVER
        }

        /// The current time, in the form of a Date header.
        #[pymethod]
        fn date_time_string(_zelf: &Py<Self>) -> String {
            httpdate::fmt_http_date(SystemTime::now())
        }

        /// Note a status line, with Server and Date after it.
        #[pymethod]
        fn send_response(zelf: &Py<Self>, args: StatusArgs, vm: &VirtualMachine) -> PyResult<()> {
            zelf.append_status(args, vm)?;
            zelf.append_header("Server", SERVER, vm)?;
            zelf.append_header("Date", &httpdate::fmt_http_date(SystemTime::now()), vm)
        }

        /// Note a status line.
        #[pymethod]
        fn send_response_only(zelf: &Py<Self>, args: StatusArgs, vm: &VirtualMachine) -> PyResult<()> {
            zelf.append_status(args, vm)
        }

        /// Note a header.
        #[pymethod]
        fn send_header(zelf: &Py<Self>, args: HeaderArgs, vm: &VirtualMachine) -> PyResult<()> {
            let (keyword, value) = (text(&args.keyword, vm)?, text(&args.value, vm)?);
            zelf.append_header(&keyword, &value, vm)?;
            if keyword.eq_ignore_ascii_case("connection") {
                let closes = value.eq_ignore_ascii_case("close");
                if closes || value.eq_ignore_ascii_case("keep-alive") {
                    Self::set_close_connection(zelf, vm.ctx.new_bool(closes).into());
                }
            }
            Ok(())
        }

        /// Send the noted lines, and the blank line.
        #[pymethod]
        fn end_headers(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            zelf.buffer.lock().extend_from_slice(b"\r\n");
            Self::flush_headers(zelf, vm)
        }

        /// Send the noted lines.
        #[pymethod]
        fn flush_headers(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            let noted = std::mem::take(&mut *zelf.buffer.lock());
            zelf.answer.put_below(&noted);
            send(&zelf.answer, vm)
        }
    }
}
