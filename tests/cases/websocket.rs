//! `fixtures/websocket/sessions.txt`: what a client sends, and what pywebsocket3 4.0.2 answers, or we where ours differs on
//! purpose. `tests/differential/websocket_record.py` wrote it and says what the lines mean.

use std::{fs, io::Write as _, sync::Arc, time::Instant};

use libtest_mimic::Trial;

use crate::util::{DEADLINE, Launch, Server, Shared};

static SERVER: Shared = Shared::new();

fn server() -> Arc<Server> {
    let launch = || Launch::new(&[]).scheme("ws").arg("--ws_doc_root").arg(crate::fixtures("websocket/handlers"));
    SERVER.get(|| crate::start(launch()))
}

pub fn trials() -> Vec<Trial> {
    let play =
        |session: Session| crate::trial(format!("websocket/{}", session.name), move || play(&session, &server()));
    sessions().into_iter().map(play).collect()
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

/// The bytes that are sent (`None`: the client closes its side), and the bytes that come back.
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
    let mut sessions: Vec<Session> = Vec::new();
    let mut last = "";
    let text = fs::read_to_string(crate::fixtures("websocket/sessions.txt")).unwrap();
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

/// Removes the values that differ from server to server.
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
    if session.differs != session.steps.iter().any(|step| step.ours.is_some())
        || session.steps.iter().any(|step| step.ours.as_ref() == Some(&step.reference))
    {
        return Err("`!` and `=` belong together, and what is behind `=` must differ".to_owned());
    }
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
