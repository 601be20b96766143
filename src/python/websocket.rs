//! Runs one WebSocket session: loads the handler's file, then gives connection and request to the Python half
//! (`pylib-stubs/pywebsocket3/_session.py`), which does the handshake and calls the handler.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use parking_lot::Mutex;
use rustpython_vm::{
    AsObject as _, PyPayload as _, PyResult, VirtualMachine,
    builtins::{PyBaseExceptionRef, PyDictRef},
    scope::Scope,
};

use super::{
    call,
    import::Imports,
    native::{RawHeaders, SocketConnection, finder},
    script::Stamp,
    socket::{Command, Socket},
};
use crate::http::Headers;

/// How a connection becomes a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// RFC 6455: an upgrade on HTTP/1.1. All bytes are written by the handler's thread.
    Http1,
    /// RFC 8441: an extended CONNECT on a stream of HTTP/2. The connection writes the answer's head.
    Http2,
}

/// A request for a resource that has a handler.
#[derive(Debug)]
pub struct Opening {
    /// The handler's file.
    pub handler: PathBuf,
    /// Which opening handshake it is.
    pub handshake: Handshake,
    /// As sent.
    pub method: String,
    /// `request.uri`: path and query as sent.
    pub uri: String,
    /// `request.protocol`: `HTTP/1.1`, `HTTP/2`.
    pub protocol: String,
    /// `request.headers_in`. For HTTP/2 the pseudo-headers as wptserve names them: `authority`, `:protocol`.
    pub headers: Headers,
    /// The lines of the head with their line ends, for `request.connection.get_memorized_lines()`.
    pub lines: Vec<Bytes>,
    /// Whether the connection is encrypted.
    pub secure: bool,
    /// Address and port of the client.
    pub client: (String, u16),
    /// Address and port of the server.
    pub server: (String, u16),
}

/// The handlers' modules: a file is executed once, when it is first asked for, and keeps its globals until it changes.
///
/// pywebsocket3 executes all files at start, once per port.
#[derive(Default)]
pub(super) struct Modules(Mutex<HashMap<PathBuf, Arc<Module>>>);

/// The globals of a file that has been executed. Its lock is held while it is, so that this happens once.
type Module = Mutex<Option<(Stamp, PyDictRef)>>;

impl Modules {
    /// The globals of a handler's file.
    ///
    /// # Errors
    /// The file cannot be read, does not compile, or raises.
    pub(super) fn load(&self, file: &Path, imports: &Imports, vm: &VirtualMachine) -> PyResult<PyDictRef> {
        let module = Arc::clone(self.0.lock().entry(file.to_owned()).or_default());
        let mut module = vm.allow_threads(|| module.lock());
        let (code, stamp) = imports.scripts.load(file, vm)?;
        if let Some((known, globals)) = &*module
            && *known == stamp
        {
            return Ok(globals.clone());
        }
        finder::forget_changed(imports, vm)?;
        let globals = vm.ctx.new_dict();
        globals.set_item("__file__", vm.ctx.new_str(file.to_string_lossy().into_owned()).into(), vm)?;
        vm.run_code_obj(code, Scope::with_builtins(None, globals.clone(), vm))?;
        *module = Some((stamp, globals.clone()));
        Ok(globals)
    }
}

/// Tells the connection that the handler is done, however that came about.
struct Finish(Arc<Socket>);

impl Drop for Finish {
    fn drop(&mut self) {
        self.0.tell(Command::Finish);
    }
}

/// Runs the session to its end.
pub(super) fn run(opening: Opening, socket: Socket, runtime: &Arc<call::Runtime>, vm: &VirtualMachine) {
    let finish = Finish(Arc::new(socket));
    let socket = &finish.0;
    let file = opening.handler.display().to_string();
    let headers = RawHeaders::new(opening.headers.clone()).into_pyobject(vm);
    let connection = SocketConnection::new(opening, Arc::clone(socket), Arc::clone(runtime)).into_pyobject(vm);
    let serve = || {
        let session = vm.import("pywebsocket3._session", 0)?.get_attr("_session", vm)?;
        vm.call_method(&session, "serve", (connection, headers))
    };
    if let Err(exception) = serve() {
        report(&file, &exception, socket, vm);
    }
}

/// Writes down why a session ended. A client that has gone is no news.
pub(super) fn report(file: &str, exception: &PyBaseExceptionRef, socket: &Socket, vm: &VirtualMachine) {
    let is_gone = socket.is_gone() && exception.as_object().fast_isinstance(vm.ctx.exceptions.os_error);
    let level = if is_gone { log::Level::Debug } else { log::Level::Error };
    log::log!(level, "{file}: {}", call::text(exception, vm));
}
