//! WebSocket ports. Most of it is in `fixtures/websocket/sessions.txt`: what a client sends, and what pywebsocket3 4.0.2
//! answers; tests/cases/websocket.rs plays it. These tests cover what a recording cannot show: several connections at once, TLS,
//! files, and clients and handlers that misbehave.

use std::{fs, path::Path, sync::Arc, thread, time::Duration};

use crate::util::{Client, Launch, Server, Shared, until};

static SHARED: Shared = Shared::new();

pub(crate) fn handlers() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/websocket/handlers")
}

/// Handlers whose behaviour a recording cannot show.
const FILES: &[(&str, &str)] = &[
    ("index.html", "<p>a page</p>"),
    ("folder/file.txt", "a file"),
    ("folder/handler.py", "def main(request, response):\n    return 'run'\n"),
    ("helper.py", "text = 'from a helper'\n"),
    (
        "extra/helped_wsh.py",
        "import helper\n\ndef web_socket_do_extra_handshake(request):\n    pass\n\n\
         def web_socket_transfer_data(request):\n    request.ws_stream.send_message(helper.text)\n",
    ),
    (
        "extra/open_wsh.py",
        "import threading\n\nopen = 0\nlock = threading.Lock()\n\ndef web_socket_do_extra_handshake(request):\n    pass\n\n\
         def change(by):\n    global open\n    with lock:\n        open += by\n\n\
         def web_socket_transfer_data(request):\n    if request.uri.endswith('?count'):\n        \
         request.ws_stream.send_message(str(open))\n        return\n    change(1)\n    try:\n        \
         request.ws_stream.send_message('in')\n        request.ws_stream.receive_message()\n    finally:\n        change(-1)\n",
    ),
    (
        "extra/flood_wsh.py",
        "def web_socket_do_extra_handshake(request):\n    request.ws_extension_processors = []\n\n\
         def web_socket_transfer_data(request):\n    for number in range(256):\n        \
         request.ws_stream.send_message(bytes([number]) * (1 << 20), binary=True)\n",
    ),
    (
        "extra/duplex_wsh.py",
        "import threading\n\ndef web_socket_do_extra_handshake(request):\n    pass\n\n\
         def web_socket_transfer_data(request):\n    def listen():\n        \
         while request.ws_stream.receive_message() is not None:\n            pass\n    \
         listener = threading.Thread(target=listen, daemon=True)\n    listener.start()\n    for number in range(100):\n        \
         request.ws_stream.send_message(str(number))\n    if request.uri.endswith('?wait'):\n        listener.join()\n",
    ),
    (
        "extra/sleep_wsh.py",
        "import time\n\ndef web_socket_do_extra_handshake(request):\n    pass\n\n\
         def web_socket_transfer_data(request):\n    request.ws_stream.send_message('asleep')\n    time.sleep(1e6)\n",
    ),
    (
        "extra/deaf_wsh.py",
        "import time\n\ndef web_socket_do_extra_handshake(request):\n    time.sleep(1e6)\n\n\
         def web_socket_transfer_data(request):\n    pass\n",
    ),
];

fn launch(scheme: &'static str) -> Launch {
    let launch = Launch::new(FILES).scheme(scheme).arg("--ws_doc_root").arg(handlers());
    let extra = launch.site().path().join("extra");
    launch.arg("--ws_extra").arg(extra)
}

fn server() -> Arc<Server> {
    SHARED.get(|| launch("ws").start())
}

/// An opening handshake.
pub(crate) fn opening(target: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// A masked frame.
pub(crate) fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode];
    match payload.len() {
        length @ 0..126 => bytes.push(0x80 | u8::try_from(length).unwrap()),
        length @ 126..65536 => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend(u64::try_from(length).unwrap().to_be_bytes());
        }
    }
    let key = [1, 2, 3, 4];
    bytes.extend(key);
    bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

const TEXT: u8 = 1;
const CLOSE: u8 = 8;

fn text(message: &str) -> Vec<u8> {
    frame(TEXT, message.as_bytes())
}

fn close() -> Vec<u8> {
    frame(CLOSE, &1000u16.to_be_bytes())
}

/// A connection with an open WebSocket.
fn open(server: &Arc<Server>, target: &str) -> Client {
    let mut client = server.connect();
    client.send(opening(target));
    let head = client.head();
    assert_eq!(head.status, "HTTP/1.1 101 Switching Protocols", "{head:?}");
    client
}

/// The next message, which must be a short text.
#[track_caller]
fn receive(client: &mut Client) -> String {
    let head = client.take(2);
    assert_eq!(head[0], 0x81, "{head:?}");
    String::from_utf8(client.take(head[1].into())).unwrap()
}

#[test]
fn plain_requests_are_files() {
    let server = server();
    assert_eq!(server.get("/folder/file.txt").ok(), "a file");
    // jsdom asks for this until the port answers.
    let mut client = server.connect();
    client.send("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(client.head().code(), 200);
    assert!(server.get("/").ok().contains("folder"));
    // The handler is not run.
    assert!(server.get("/folder/handler.py").ok().starts_with("def main"));
    for missing in ["/none", "/broken", "/incomplete", "/broken?x"] {
        assert_eq!(server.get(missing).code(), 404, "{missing}");
    }
    let answer = server.ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(answer.status, "HTTP/1.0 501 Not Implemented");
}

#[test]
fn a_handler_that_cannot_be_loaded_is_not_there() {
    let server = server();
    for (resource, cause) in [
        ("/broken", "No module named 'no_such_module_anywhere'"),
        ("/incomplete", "web_socket_transfer_data is not defined"),
    ] {
        assert_eq!(server.ask(opening(resource)).code(), 404);
        server.logged(cause);
        server.logged(&format!("{}_wsh.py: ", resource.trim_start_matches('/')));
    }
}

#[test]
fn handlers_import_from_the_doc_root() {
    let mut client = open(&server(), "/helped");
    assert_eq!(receive(&mut client), "from a helper");
}

#[test]
fn a_module_is_executed_once_until_it_changes() {
    let source = |text: &str| {
        format!(
            "import itertools\ncount = itertools.count(1)\n\ndef web_socket_do_extra_handshake(request):\n    pass\n\n\
             def web_socket_transfer_data(request):\n    request.ws_stream.send_message('{text} %d' % next(count))\n"
        )
    };
    let file = "websockets/handlers/a_wsh.py";
    let server = Launch::new(&[(file, &source("first"))]).scheme("ws").start();
    for expected in ["first 1", "first 2", "first 3"] {
        assert_eq!(receive(&mut open(&server, "/a")), expected);
    }
    server.site.write(file, &source("changed"));
    assert_eq!(receive(&mut open(&server, "/a")), "changed 1");
    server.site.write("websockets/handlers/new_wsh.py", &source("new"));
    assert_eq!(receive(&mut open(&server, "/new")), "new 1");
    server.site.remove(file);
    assert_eq!(server.ask(opening("/a")).code(), 404);
}

#[test]
fn a_session_may_be_encrypted() {
    let server = launch("wss").start();
    let mut client = open(&server, "/echo");
    client.send([text("secret"), close()].concat());
    assert_eq!(receive(&mut client), "secret");
    assert_eq!(client.rest(), b"\x88\x02\x03\xe8");
    let mut client = server.connect();
    client.send(opening("/api?say").replace("Host: ", "X-Test: a\r\nHost: "));
    client.head();
    let told = client.some();
    assert!(String::from_utf8_lossy(&told).contains("\"is_https\": true"), "{:?}", String::from_utf8_lossy(&told));
}

#[test]
fn sessions_meet_in_the_stash() {
    let server = server();
    let key = "0f6ea1fc-8a5b-4d0f-9f5e-3a1c2b4d5e6f";
    let mut reader = open(&server, &format!("/stash?do=get&key={key}"));
    assert_eq!(receive(&mut reader), "waiting");
    let mut writer = open(&server, &format!("/stash?do=put&key={key}"));
    writer.send(text("through the queue"));
    assert_eq!(receive(&mut reader), "through the queue");
}

#[test]
fn a_handler_sends_and_receives_at_once() {
    let server = server();
    let mut client = open(&server, "/duplex?wait");
    for number in 0..100 {
        client.send(text("x"));
        assert_eq!(receive(&mut client), number.to_string());
    }
    client.send(close());
    assert_eq!(client.take(4), b"\x88\x02\x03\xe8");
    client.expect_close();
    // The other thread receives the answer to the Close; the thread that sent the Close continues nevertheless.
    let mut client = open(&server, "/duplex");
    for number in 0..100 {
        assert_eq!(receive(&mut client), number.to_string());
    }
    assert_eq!(client.take(4), b"\x88\x02\x03\xe8");
    client.send(close());
    client.expect_close();
}

#[test]
fn clients_that_vanish_end_their_sessions() {
    let server = server();
    let clients: Vec<Client> = (0..30)
        .map(|_| {
            let mut client = open(&server, "/open");
            assert_eq!(receive(&mut client), "in");
            client
        })
        .collect();
    for (number, client) in clients.into_iter().enumerate() {
        match number % 3 {
            0 => client.reset(),
            1 => client.half_close(),
            _ => drop(client),
        }
    }
    until("the sessions to end", || (receive(&mut open(&server, "/open?count")) == "0").then_some(()));
}

/// Resident memory of the server in MiB.
fn memory(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.serving())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn memory_follows_what_has_really_come() {
    let server = launch("ws").start();
    open(&server, "/echo").send(close());
    let before = memory(&server);
    // Each announces 64 MiB.
    let mut clients: Vec<Client> = (0..8).map(|_| open(&server, "/echo")).collect();
    for client in &mut clients {
        client.send(b"\x82\xff\x00\x00\x00\x00\x04\x00\x00\x00\x01\x02\x03\x04some");
    }
    // More than that is refused at once.
    let mut greedy = open(&server, "/echo");
    greedy.send(b"\x82\xff\x00\x00\x00\x01\x00\x00\x00\x00\x01\x02\x03\x04some");
    assert_eq!(greedy.take(4)[2..], 1009u16.to_be_bytes());
    server.logged("the message has 4294967296 bytes or more");
    // A client that does not read makes its handler wait, and does not fill the memory.
    let mut slow = open(&server, "/flood");
    assert_eq!(slow.take(10), b"\x82\x7f\x00\x00\x00\x00\x00\x10\x00\x00");
    thread::sleep(Duration::from_millis(300));
    let after = memory(&server);
    assert!(after < before + 64, "{before} MiB have become {after} MiB");
    slow.send(close());
    let mut left: usize = (1 << 20) + 255 * ((1 << 20) + 10);
    while left > 0 {
        let some = slow.some();
        assert!(!some.is_empty(), "{left} bytes are missing");
        left = left.saturating_sub(some.len());
    }
}

#[test]
fn large_messages_pass() {
    let mut client = open(&server(), "/echo");
    let payload: Vec<u8> = (0..5_000_000u32).map(|number| number as u8).collect();
    client.send(frame(2, &payload));
    assert_eq!(client.take(10), b"\x82\x7f\x00\x00\x00\x00\x00\x4c\x4b\x40");
    assert!(client.take(payload.len()) == payload);
}

#[test]
fn sleeping_handlers_do_not_hold_up_the_end() {
    let server = launch("ws").start();
    let mut sleeping = open(&server, "/sleep");
    assert_eq!(receive(&mut sleeping), "asleep");
    let mut deaf = server.connect();
    deaf.send(opening("/deaf"));
    let mut idle = open(&server, "/echo");
    idle.send(text("here"));
    assert_eq!(receive(&mut idle), "here");
    server.signal("TERM");
    assert!(server.wait().success());
    for mut client in [sleeping, deaf, idle] {
        client.expect_close();
    }
    assert!(!server.log().contains("Traceback"), "{}", server.log());
}
