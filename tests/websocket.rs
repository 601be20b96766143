//! WebSocket ports. Most of it is in `fixtures/websocket/sessions.txt`: what a client sends, and what pywebsocket3 4.0.2
//! answers; `tests/differential/websocket_record.py` wrote it and says what the lines mean. Here is what a recording cannot
//! show: several connections at once, TLS, files, and clients and handlers that misbehave.

use std::{
    fs,
    io::{Read as _, Write as _},
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use crate::util::{Client, DEADLINE, Launch, Server, Shared, get};

static SHARED: Shared = Shared::new();

fn handlers() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/websocket/handlers")
}

fn launch(scheme: &'static str) -> Launch {
    let files = [
        ("index.html", "<p>a page</p>"),
        ("folder/file.txt", "a file"),
        ("helper.py", "text = 'from a helper'\n"),
        (
            "extra/helped_wsh.py",
            "import helper\n\ndef web_socket_do_extra_handshake(request):\n    pass\n\n\
             def web_socket_transfer_data(request):\n    request.ws_stream.send_message(helper.text)\n",
        ),
    ];
    let launch = Launch::new(&files).scheme(scheme).arg("--ws_doc_root").arg(handlers());
    let extra = launch.site().path().join("extra");
    launch.arg("--ws_extra").arg(extra)
}

fn server() -> Arc<Server> {
    SHARED.get(|| launch("ws").start())
}

/// An opening handshake.
fn opening(target: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// A masked frame.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
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

/// One recorded session.
#[derive(Default)]
struct Session {
    name: String,
    differs: bool,
    steps: Vec<Step>,
    /// pywebsocket3 has closed the connection at the end.
    closed: bool,
}

/// What is sent (nothing: the client closes its side), and what comes back.
#[derive(Default)]
struct Step {
    sent: Vec<u8>,
    reference: Vec<u8>,
    ours: Option<Vec<u8>>,
}

impl Step {
    fn expected(&self) -> &[u8] {
        self.ours.as_deref().unwrap_or(&self.reference)
    }
}

fn sessions() -> Vec<Session> {
    let file = handlers().with_file_name("sessions.txt");
    let mut sessions: Vec<Session> = Vec::new();
    let mut last = "";
    let text = fs::read_to_string(file).unwrap();
    for line in text.lines() {
        let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
        match mark {
            "#" if rest.contains(": ") && rest.split(": ").next().unwrap().contains('/') => {
                let name = rest.split(": ").next().unwrap().to_owned();
                sessions.push(Session { name, ..Session::default() });
            }
            "" | "#" => {}
            "!" => sessions.last_mut().unwrap().differs = true,
            "|" | "|=" => sessions.last_mut().unwrap().closed = rest == "closed",
            _ => {
                let steps = &mut sessions.last_mut().unwrap().steps;
                if mark == ">" && last != ">" {
                    steps.push(Step::default());
                }
                let step = steps.last_mut().unwrap();
                match mark {
                    ">" if rest == "EOF" => {}
                    ">" => step.sent.extend(unescape(rest)),
                    "<" => step.reference.extend(unescape(rest)),
                    "=" => step.ours.get_or_insert_default().extend(unescape(rest)),
                    other => panic!("{other:?} in {line:?}"),
                }
            }
        }
        last = mark;
    }
    sessions
}

/// Bytes written as in Python.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            bytes.push(u8::try_from(letter).unwrap());
            continue;
        }
        bytes.push(match letters.next() {
            Some('r') => b'\r',
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('x') => {
                let digits: String = letters.by_ref().take(2).collect();
                u8::from_str_radix(&digits, 16).unwrap()
            }
            Some(other) => u8::try_from(other).unwrap(),
            None => panic!("a backslash at the end of {text:?}"),
        });
    }
    bytes
}

/// Without what no two servers have in common.
fn masked(bytes: &[u8]) -> Vec<u8> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').map(|line| -> &[u8] {
        if line.starts_with(b"Server: ") && line.ends_with(b"\r\n") {
            b"Server: <server>\r\n"
        } else if line.starts_with(b"Date: ") && line.ends_with(b"\r\n") {
            b"Date: <date>\r\n"
        } else {
            line
        }
    });
    lines.collect::<Vec<_>>().concat()
}

fn play(session: &Session, server: &Arc<Server>) -> Result<(), String> {
    let mut client = server.connect();
    let deadline = Instant::now() + DEADLINE;
    for (number, step) in session.steps.iter().enumerate() {
        if step.sent.is_empty() {
            client.half_close();
        } else {
            // The server may have closed already.
            let _ = client.stream.write_all(&step.sent);
        }
        let mut got = Vec::new();
        while masked(&got) != step.expected() {
            let more = if Instant::now() < deadline { client.some() } else { Vec::new() };
            if more.is_empty() || got.len() > step.expected().len() + 100 {
                let expected = String::from_utf8_lossy(step.expected()).into_owned();
                return Err(format!("step {number}: {:?} instead of {expected:?}", String::from_utf8_lossy(&got)));
            }
            got.extend(more);
        }
    }
    if !session.closed {
        return Err("the recording does not end".to_owned());
    }
    match client.rest() {
        rest if rest.is_empty() => Ok(()),
        rest => Err(format!("at the end: {:?}", String::from_utf8_lossy(&rest))),
    }
}

#[test]
fn recorded_sessions() {
    let server = server();
    let sessions = sessions();
    let total = sessions.len();
    assert!(total > 200, "{total} sessions");
    for session in &sessions {
        let differs = session.steps.iter().any(|step| step.ours.is_some());
        assert_eq!(differs, session.differs, "{}", session.name);
    }
    let queue = Mutex::new(sessions.into_iter());
    let failures = Mutex::new(Vec::new());
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let Some(session) = queue.lock().unwrap().next() else { break };
                    let played = panic::catch_unwind(AssertUnwindSafe(|| play(&session, &server)));
                    if let Err(failure) = played.unwrap_or_else(|_| Err("nothing comes".to_owned())) {
                        failures.lock().unwrap().push(format!("{}: {failure}", session.name));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {total}:\n{}", failures.len(), failures.join("\n"));
    println!("{total} sessions as recorded, {:?}", started.elapsed());
}
