//! Runs one WebSocket session: loads the handler's file, then gives connection and request to the Python half
//! (`pylib-stubs/pywebsocket3/_session.py`), which does the handshake and calls the handler.

use std::sync::Arc;

use rustpython_vm::{PyPayload as _, VirtualMachine};

use crate::{
    cancel,
    handover::{Command, Opening, Socket},
    python::{
        native::{RawHeaders, SocketConnection, output, report_end},
        runtime::Runtime,
    },
};

/// Tells the connection that the handler has ended, even after a panic.
struct Finish(Arc<Socket>);

impl Drop for Finish {
    fn drop(&mut self) {
        // The connection goes for that, and not before its time.
        cancel::current().iter().for_each(|run| run.end());
        self.0.tell(Command::Finish);
    }
}

/// Runs the session to its end.
pub(in crate::python) fn run(opening: Opening, socket: Socket, runtime: &Arc<Runtime>, vm: &VirtualMachine) {
    let tenure = runtime.begin();
    let _entered = runtime.enter(&tenure, &opening.handler);
    let finish = Finish(Arc::new(socket));
    let socket = &finish.0;
    let handler = opening.handler.clone();
    let headers = RawHeaders::new(opening.headers.clone()).into_pyobject(vm);
    let load = {
        let (runtime, handler) = (Arc::clone(runtime), handler.clone());
        Box::new(move |vm: &VirtualMachine| runtime.module(&handler, vm))
    };
    let connection = SocketConnection::new(opening, Arc::clone(socket), load).into_pyobject(vm);
    let serve = || {
        let session = vm.import("pywebsocket3._session", 0)?.get_attr("_session", vm)?;
        vm.call_method(&session, "serve", (connection, headers))
    };
    let served = serve();
    output::end_lines();
    if let Err(exception) = served {
        report_end(&handler, &exception, socket, vm);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use bytes::Bytes;

    use super::*;
    use crate::{
        handover::{Environment, HandlerLimits, Handshake, ImportPolicy, Read, Session},
        http::{Body, Reply},
        python::Python,
    };

    /// An interpreter and a handler with this source.
    struct Site(tempfile::TempDir, Python);

    impl Site {
        fn new(source: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("a_wsh.py"), source).unwrap();
            let (python, started) = Python::start(
                folder.path(),
                ImportPolicy::Strict,
                Environment::default(),
                HandlerLimits::default(),
                Box::new(|_| ()),
                None,
            )
            .unwrap();
            started.blocking_recv().unwrap().unwrap();
            Self(folder, python)
        }

        /// Opens the session of an extended CONNECT with more header fields.
        fn connect(&self, more: &[(&'static str, &'static str)]) -> Session {
            let fields = [(":protocol", "websocket"), ("authority", "h2.test"), ("sec-websocket-version", "13")];
            let fields = fields.iter().chain(more).map(|(name, value)| (Bytes::from(*name), Bytes::from(*value)));
            let opening = Opening {
                handler: self.0.path().join("a_wsh.py"),
                handshake: Handshake::Http2,
                method: "CONNECT".to_owned(),
                uri: "/a?q".to_owned(),
                protocol: "HTTP/2".to_owned(),
                headers: fields.collect(),
                lines: Vec::new(),
                secure: true,
                client: ("127.0.0.1".into(), 1),
                server: ("127.0.0.1".into(), 2),
                longest_message: None,
            };
            self.1.open(opening).unwrap()
        }
    }

    fn refusal(mut session: Session) -> (i64, Vec<(Bytes, Bytes)>, Bytes) {
        let Some(Command::Refuse(Reply { status, headers, body, .. })) = session.commands.blocking_recv() else {
            panic!("no refusal");
        };
        assert!(matches!(session.commands.blocking_recv(), Some(Command::Finish)));
        let body = match body {
            Body::Bytes(body) => body,
            _ => Bytes::new(),
        };
        (status, headers, body)
    }

    const HANDLER: &str = r#"
from pywebsocket3.handshake import AbortedByUserException

def web_socket_do_extra_handshake(request):
    assert request.protocol == "HTTP/2" and request.is_https() and request.uri == "/a?q"
    if request.headers_in.get("authorization") is None:
        request.status = 401
        request.headers_out["www-authenticate"] = "Basic"
        raise AbortedByUserException("no")
    if request.ws_requested_protocols:
        request.ws_protocol = request.ws_requested_protocols[0]
    request.extra_headers.append(("x-more", "1"))

def web_socket_transfer_data(request):
    request.ws_stream.send_message(request.ws_stream.receive_message().upper())
"#;

    #[test]
    fn a_stream_of_http2_becomes_a_websocket() {
        let site = Site::new(HANDLER);
        let mut session = site.connect(&[("authorization", "x"), ("sec-websocket-protocol", "echo, other")]);
        let Some(Command::Accept(headers)) = session.commands.blocking_recv() else { panic!() };
        let pair = |name: &'static str, value: &'static str| (Bytes::from(name), Bytes::from(value));
        assert_eq!(headers, [pair("sec-websocket-protocol", "echo"), pair("x-more", "1")]);

        let Some(Read(_, answer)) = session.reads.blocking_recv() else { panic!() };
        answer.send(Ok(Bytes::from_static(b"\x81\x82\0\0\0\0hi"))).unwrap();
        for expected in [&b"\x81\x02HI"[..], b"\x88\x02\x03\xe8"] {
            let Some(Command::Write(bytes, answer)) = session.commands.blocking_recv() else { panic!() };
            assert_eq!(bytes, expected);
            answer.send(Ok(())).unwrap();
        }
        // The client disconnects without a Close.
        drop(session.reads);
        assert!(matches!(session.commands.blocking_recv(), Some(Command::Finish)));
    }

    #[test]
    fn a_stream_of_http2_is_refused() {
        let site = Site::new(HANDLER);
        let (status, headers, body) = refusal(site.connect(&[]));
        assert_eq!((status, body.len()), (401, 0));
        assert_eq!(headers, [(Bytes::from("www-authenticate"), Bytes::from("Basic"))]);
        let (status, _, body) = refusal(site.connect(&[("authorization", "x"), ("sec-websocket-protocol", "a b")]));
        assert_eq!(status, 400);
        assert_eq!(body, r#"{"error": {"code": 400, "message": "Expected a comma but found 'b'"}}"#);
    }

    #[test]
    fn a_handler_that_raises_is_a_403_with_its_message() {
        let site = Site::new(
            "def web_socket_do_extra_handshake(request):\n    raise KeyError('x')\n\nweb_socket_transfer_data = print\n",
        );
        let (status, _, body) = refusal(site.connect(&[]));
        assert_eq!(status, 403);
        let message = "web_socket_do_extra_handshake raised exception for /a?q: 'x'";
        assert_eq!(body, format!(r#"{{"error": {{"code": 403, "message": "{message}"}}}}"#));
    }

    #[test]
    fn a_file_that_cannot_be_loaded_is_declined() {
        for source in ["syntax error", "raise SystemExit", "web_socket_transfer_data = print"] {
            let mut session = Site::new(source).connect(&[]);
            assert!(matches!(session.commands.blocking_recv(), Some(Command::Decline)), "{source}");
        }
    }
}
