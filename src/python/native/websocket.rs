//! `request.connection` of a WebSocket handler, and the part of the frame layer that has to be fast.
//!
//! The rest of the API is Python: `pylib-stubs/pywebsocket3`.

use std::path::Path;

use rustpython_vm::{AsObject as _, VirtualMachine, builtins::PyBaseExceptionRef};

pub(crate) use classes::SocketConnection;

use crate::{handover::Socket, python::traceback};

/// Logs why a session ended, unless the client has disconnected.
pub(in crate::python) fn report_end(
    handler: &Path,
    exception: &PyBaseExceptionRef,
    socket: &Socket,
    vm: &VirtualMachine,
) {
    let is_gone = socket.is_gone() && exception.as_object().fast_isinstance(vm.ctx.exceptions.os_error);
    let level = if is_gone { log::Level::Debug } else { log::Level::Error };
    log::log!(level, "{}: {}", handler.display(), traceback::for_log(exception, vm));
}

#[rustpython_vm::pymodule(sub)]
pub(super) mod classes {
    use std::{io, sync::Arc};

    use base64::Engine as _;
    use bytes::Bytes;
    use rustpython_vm::{
        Py, PyObjectRef, PyPayload, PyResult, VirtualMachine,
        builtins::{PyBaseExceptionRef, PyBytesRef, PyDictRef, PyTupleRef, PyUtf8StrRef},
        function::{ArgBytesLike, OptionalArg, OptionalOption},
        pyclass,
    };
    use sha1::{Digest as _, Sha1};

    use crate::{
        handover::{Command, FrameError, Handshake, Opening, Socket},
        http::{Body, Reply, error_page},
        python::native::text::{broken_pipe, encoded},
        websocket::{
            close::{self, BadClose},
            frame,
        },
    };

    /// The connection of a session (pywebsocket3 4.0.2, request_handler.py, `_StandaloneConnection`).
    #[pyattr]
    #[pyclass(module = "pywebsocket3.request_handler", name = "_StandaloneConnection")]
    #[derive(PyPayload)]
    pub(crate) struct SocketConnection {
        opening: Opening,
        socket: Arc<Socket>,
        load: Load,
    }

    /// Returns the globals of the handler's file, after executing it if necessary.
    pub(crate) type Load = Box<dyn Fn(&VirtualMachine) -> PyResult<PyDictRef> + Send + Sync>;

    impl std::fmt::Debug for SocketConnection {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.debug_struct("SocketConnection").field("handler", &self.opening.handler).finish_non_exhaustive()
        }
    }

    impl SocketConnection {
        pub(crate) fn new(opening: Opening, socket: Arc<Socket>, load: Load) -> Self {
            Self { opening, socket, load }
        }

        /// Waits for the client, while all other threads continue.
        fn wait<T>(&self, work: impl FnOnce(&Socket) -> T, vm: &VirtualMachine) -> T {
            vm.allow_threads(|| work(&self.socket))
        }
    }

    fn os_error(error: io::Error, vm: &VirtualMachine) -> PyBaseExceptionRef {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return broken_pipe(vm);
        }
        rustpython_vm::convert::ToPyException::to_pyexception(&error, vm)
    }

    fn address((host, port): &(Arc<str>, u16), vm: &VirtualMachine) -> PyTupleRef {
        vm.ctx.new_tuple(vec![vm.ctx.new_str(&**host).into(), vm.ctx.new_int(*port).into()])
    }

    #[pyclass(flags(HAS_DICT))]
    impl SocketConnection {
        /// Address and port of the client.
        #[pygetset]
        fn remote_addr(zelf: &Py<Self>, vm: &VirtualMachine) -> PyTupleRef {
            address(&zelf.opening.client, vm)
        }

        /// Address and port of the server.
        #[pygetset]
        fn local_addr(zelf: &Py<Self>, vm: &VirtualMachine) -> PyTupleRef {
            address(&zelf.opening.server, vm)
        }

        /// Send bytes as they are; returns their number when the socket has taken them.
        #[pymethod]
        fn write(zelf: &Py<Self>, data: ArgBytesLike, vm: &VirtualMachine) -> PyResult<usize> {
            let bytes = data.with_ref(Bytes::copy_from_slice);
            let length = bytes.len();
            zelf.wait(|socket| socket.write(bytes), vm).map_err(|error| os_error(error, vm))?;
            Ok(length)
        }

        /// Receive the bytes that have arrived, at most `length`; wait for at least one. Receive all bytes to the end if `length` is
        /// negative or not given.
        #[pymethod]
        fn read(zelf: &Py<Self>, length: OptionalOption<i64>, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
            let count = length.flatten().and_then(|length| usize::try_from(length).ok());
            let bytes = zelf.wait(|socket| socket.read(count), vm).map_err(|error| os_error(error, vm))?;
            Ok(vm.ctx.new_bytes(bytes))
        }

        /// Receive the bytes up to and with the next line feed.
        #[pymethod]
        fn readline(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
            let bytes = zelf.wait(Socket::read_line, vm).map_err(|error| os_error(error, vm))?;
            Ok(vm.ctx.new_bytes(bytes))
        }

        /// The lines of the request's head.
        #[pymethod]
        fn get_memorized_lines(zelf: &Py<Self>, vm: &VirtualMachine) -> Vec<PyObjectRef> {
            zelf.opening.lines.iter().map(|line| vm.ctx.new_bytes(line.to_vec()).into()).collect()
        }

        /// The next frame, as (opcode, payload, fin, rsv1, rsv2, rsv3). EOFError at the end of the stream, ValueError if the frame is
        /// malformed, MemoryError if its message is too long with the `kept` bytes before.
        #[pymethod]
        fn _read_frame(zelf: &Py<Self>, masked: bool, kept: u64, vm: &VirtualMachine) -> PyResult<PyTupleRef> {
            let frame = zelf.wait(|socket| socket.read_frame(masked, kept), vm).map_err(|error| match error {
                FrameError::Closed => vm.new_eof_error(error.to_string()),
                FrameError::Io(error) => os_error(error, vm),
                FrameError::Bad(error) => vm.new_value_error(error.to_string()),
                FrameError::TooLong(..) => vm.new_memory_error(error.to_string()),
            })?;
            let header = frame.header;
            let bit = |is_set: bool| vm.ctx.new_int(i32::from(is_set)).into();
            Ok(vm.ctx.new_tuple(vec![
                vm.ctx.new_int(header.opcode()).into(),
                vm.ctx.new_bytes(frame.payload).into(),
                bit(header.fin()),
                bit(header.rsv(1)),
                bit(header.rsv(2)),
                bit(header.rsv(3)),
            ]))
        }

        /// The most bytes that a message of the client may have.
        #[pygetset]
        fn _longest_message(zelf: &Py<Self>) -> u64 {
            zelf.socket.longest()
        }

        /// Say that so many bytes of messages are held.
        #[pymethod]
        fn _hold(zelf: &Py<Self>, bytes: u64) {
            zelf.socket.hold(bytes);
        }

        /// Method, URI, protocol and whether the connection is encrypted.
        #[pygetset]
        fn _request(zelf: &Py<Self>, vm: &VirtualMachine) -> PyTupleRef {
            let Opening { method, uri, protocol, secure, .. } = &zelf.opening;
            let mut items: Vec<PyObjectRef> =
                [method, uri, protocol].into_iter().map(|text| vm.ctx.new_str(text.as_str()).into()).collect();
            items.push(vm.ctx.new_bool(*secure).into());
            vm.ctx.new_tuple(items)
        }

        /// Whether the stream is one of HTTP/2.
        #[pygetset]
        fn _is_http2(zelf: &Py<Self>) -> bool {
            zelf.opening.handshake == Handshake::Http2
        }

        /// The globals of the handler's file.
        #[pymethod]
        fn _load(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<PyDictRef> {
            (zelf.load)(vm)
        }

        /// Log an error of the handler.
        #[pymethod]
        fn _report(zelf: &Py<Self>, exception: PyBaseExceptionRef, vm: &VirtualMachine) {
            super::report_end(&zelf.opening.handler, &exception, &zelf.socket, vm);
        }

        /// Continue as if the handler did not exist.
        #[pymethod]
        fn _decline(zelf: &Py<Self>) {
            zelf.socket.tell(Command::Decline);
        }

        /// HTTP/1: the page of an error that keeps the connection from becoming a WebSocket. HTTP/2: wptserve's, with the
        /// message.
        #[pymethod]
        fn _send_error(zelf: &Py<Self>, code: u16, message: PyUtf8StrRef, vm: &VirtualMachine) -> PyResult<()> {
            if Self::_is_http2(zelf) {
                zelf.socket.tell(Command::Refuse(Reply::error(code, message.as_str())));
                return Ok(());
            }
            let page = error_page::handshake_error(code, &zelf.opening.method, &zelf.opening.protocol);
            zelf.wait(|socket| socket.write(page), vm).map_err(|error| os_error(error, vm))
        }

        /// The answer to a version that the server does not support.
        #[pymethod]
        fn _send_versions(
            zelf: &Py<Self>,
            message: PyUtf8StrRef,
            versions: PyUtf8StrRef,
            vm: &VirtualMachine,
        ) -> PyResult<()> {
            if Self::_is_http2(zelf) {
                let mut reply = Reply::error(400, message.as_str());
                reply.push("sec-websocket-version", versions.as_str().to_owned());
                zelf.socket.tell(Command::Refuse(reply));
                return Ok(());
            }
            let head = error_page::unknown_version(versions.as_str());
            zelf.wait(|socket| socket.write(head), vm).map_err(|error| os_error(error, vm))
        }

        /// HTTP/2: the answer to the CONNECT. With a status other than 200, or with `end`, it is all of the answer.
        #[pymethod]
        fn _respond(
            zelf: &Py<Self>,
            status: i64,
            headers: Vec<PyTupleRef>,
            end: OptionalArg<bool>,
            vm: &VirtualMachine,
        ) -> PyResult<()> {
            let text = |value: &PyObjectRef| encoded(value, vm).map(Bytes::from);
            let pairs = headers.iter().map(|pair| match pair.as_slice() {
                [name, value] => Ok((text(name)?, text(value)?)),
                _ => Err(vm.new_value_error("a header is a pair of name and value")),
            });
            let headers = pairs.collect::<PyResult<Vec<_>>>()?;
            zelf.socket.tell(if end.unwrap_or(false) {
                Command::Refuse(Reply { status, headers, ..Reply::new(200, Body::None) })
            } else {
                Command::Accept(headers)
            });
            Ok(())
        }
    }

    /// The value of Sec-WebSocket-Accept for a key.
    #[pyfunction]
    fn websocket_accept(key: ArgBytesLike) -> Vec<u8> {
        let digest = key.with_ref(|key| Sha1::new().chain_update(key).chain_update(ACCEPT).finalize());
        base64::engine::general_purpose::STANDARD.encode(digest).into_bytes()
    }

    /// RFC 6455, section 1.3.
    const ACCEPT: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// A payload masked with a key of four bytes, or unmasked.
    #[pyfunction]
    fn websocket_mask(payload: ArgBytesLike, key: ArgBytesLike, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
        let key = key.with_ref(|key| <[u8; 4]>::try_from(key));
        let key = key.map_err(|_| vm.new_value_error("a masking key has four bytes"))?;
        let mut payload = payload.with_ref(<[u8]>::to_vec);
        frame::mask(&mut payload, key);
        Ok(vm.ctx.new_bytes(payload))
    }

    /// Code and reason of a Close frame's body, None for an empty one. UnicodeError or ValueError if it may not be sent.
    #[pyfunction]
    fn websocket_close(body: PyBytesRef, vm: &VirtualMachine) -> PyResult<Option<(u16, String)>> {
        match close::parse(body.as_bytes()) {
            Ok(parsed) => Ok(parsed.map(|(code, reason)| (code, reason.to_owned()))),
            Err(error @ BadClose::Reason) => {
                Err(vm.new_exception_msg(vm.ctx.exceptions.unicode_error.to_owned(), error.to_string().into()))
            }
            Err(error) => Err(vm.new_value_error(error.to_string())),
        }
    }
}
