//! The client of every handler gets an answer or the end of the connection, in every version of HTTP.
//!
//! wptserve leaves many of these clients waiting; docs/differences.md says so. Reads have a deadline of their own, so a
//! client that waits is a failed test.

mod handlers; // handlers of every kind, and the answers of their clients
mod http2; // over HTTP/2, and with its own writer
mod panics; // when the interpreter panics

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use crate::util::{Launch, Server};
use handlers::{FILES, HANDLERS, PIPED};

/// The server has to be done long before; a busy machine may take its time.
const PATIENCE: Duration = Duration::from_secs(10);

fn files() -> Vec<(String, String, String)> {
    let file = |number: usize| format!("h{number}.py");
    let main = |lines: &str| format!("def main(request, response):\n    {}\n", lines.replace('\n', "\n    "));
    let bodies = HANDLERS.iter().map(|(lines, expected)| (main(lines), "", *expected));
    let files = FILES.iter().map(|(text, expected)| ((*text).to_owned(), "", *expected));
    let piped = PIPED.iter().map(|(lines, pipe, expected)| (main(lines), *pipe, *expected));
    let all = bodies.chain(files).chain(piped).enumerate();
    let target =
        |number, pipe: &str| if pipe.is_empty() { file(number) } else { format!("{}?pipe={pipe}", file(number)) };
    all.map(|(number, (text, pipe, expected))| (target(number, pipe), text, expected.to_owned())).collect()
}

fn launch(files: &[(String, String, String)]) -> Launch {
    let name = |target: &str| target.split('?').next().unwrap_or_default().to_owned();
    let mut all: Vec<(String, String)> = files.iter().map(|(target, text, _)| (name(target), text.clone())).collect();
    all.push(("quick.py".to_owned(), "def main(request, response):\n    return b'quick'\n".to_owned()));
    let all: Vec<(&str, &str)> = all.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Launch::new(&all)
}

/// A connection that gives up when nothing comes.
struct Waiting {
    stream: TcpStream,
    input: Vec<u8>,
    has_ended: bool,
}

impl Waiting {
    fn new(server: &Server, request: &str) -> Self {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        Self { stream, input: Vec::new(), has_ended: false }
    }

    /// Reads until `is_enough` of what has come, or the end. An error text when nothing comes any more.
    fn fill(&mut self, is_enough: impl Fn(&[u8]) -> bool) -> Result<(), String> {
        let mut chunk = [0; 65_536];
        while !self.has_ended && !is_enough(&self.input) {
            match self.stream.read(&mut chunk) {
                Ok(0) => self.has_ended = true,
                Ok(count) => self.input.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => self.has_ended = true,
                Err(error) => return Err(format!("{error} behind {:?}", String::from_utf8_lossy(&self.input))),
            }
        }
        Ok(())
    }

    /// What the client makes of the next answer.
    fn answer(&mut self, is_head: bool) -> Result<String, String> {
        let end = |bytes: &[u8]| bytes.windows(4).position(|four| four == b"\r\n\r\n");
        self.fill(|bytes| end(bytes).is_some())?;
        if self.input.is_empty() {
            return Ok("closed".to_owned());
        }
        let head = end(&self.input).map_or(self.input.len(), |at| at + 4);
        let text: String = self.input.drain(..head).map(char::from).collect();
        let code = text.split(' ').nth(1).unwrap_or(&text).to_owned();
        if !text.ends_with("\r\n\r\n") {
            return Ok(if text.starts_with("HTTP/1.1 ") { format!("{code} close") } else { format!("{text} cut") });
        }
        if code == "103" {
            return Ok(format!("103 {}", self.answer(is_head)?));
        }
        let length: Option<usize> =
            text.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let is_final = code.parse::<u16>().map_or(true, |code| code >= 200 || code == 2);
        match length {
            _ if is_head || code == "204" || code == "304" => Ok(code),
            Some(length) if is_final => {
                self.fill(|bytes| bytes.len() >= length)?;
                if self.input.len() < length {
                    return Ok(format!("{code} cut"));
                }
                self.input.drain(..length);
                // Not a part of the next answer.
                if !self.input.is_empty() && !self.input.starts_with(b"HTTP/1.1 200 OK") {
                    self.fill(|_| false)?;
                    return Ok(format!("{code} much"));
                }
                Ok(code)
            }
            _ => {
                self.fill(|_| false)?;
                Ok(format!("{code} close"))
            }
        }
    }
}

/// Asks for every handler on a connection of its own, and behind each for another one on a fresh connection.
fn ask_all(server: &Server, ask: impl Fn(&str, &str) -> Result<String, String>, files: &[(String, String, String)]) {
    let mut wrong = Vec::new();
    for (target, text, expected) in files {
        let got = ask(target, expected).unwrap_or_else(|error| format!("waits: {error}"));
        if !got.is_empty() {
            wrong.push(format!("{text} {target}: {got}, not {expected}"));
        }
        let mut quick = Waiting::new(server, "GET /quick.py HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(quick.answer(false).as_deref(), Ok("200"), "behind {text}");
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), files.len(), wrong.join("\n"));
}

#[test]
fn over_http_1_1_with_another_request_behind() {
    let files = files();
    let server = launch(&files).start();
    let ask = |target: &str, expected: &str| {
        let next = "GET /quick.py HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut client = Waiting::new(&server, &format!("GET /{target} HTTP/1.1\r\nHost: localhost\r\n\r\n{next}"));
        let got = client.answer(false)?;
        if got != expected {
            return Ok(got);
        }
        if client.has_ended {
            return Ok(String::new());
        }
        // A whole answer leaves the connection open for the next one, unless the handler closes it.
        let next = client.answer(false)?;
        Ok(if next == "200" || next == "closed" { String::new() } else { format!("{got}, then {next}") })
    };
    ask_all(&server, ask, &files);
}

#[test]
fn over_http_1_0() {
    let files = files();
    let server = launch(&files).start();
    let ask = |target: &str, _: &str| {
        let mut client = Waiting::new(&server, &format!("GET /{target} HTTP/1.0\r\n\r\n"));
        client.fill(|_| false).map(|()| String::new())
    };
    ask_all(&server, ask, &files);
}

#[test]
fn to_a_head_request() {
    let files = files();
    let server = launch(&files).start();
    let ask = |target: &str, _: &str| {
        Waiting::new(&server, &format!("HEAD /{target} HTTP/1.1\r\nHost: localhost\r\n\r\n")).answer(true)?;
        Ok(String::new())
    };
    ask_all(&server, ask, &files);
}
