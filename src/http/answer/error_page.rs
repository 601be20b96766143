//! The answers of CPython itself, before wptserve sees the request.
//!
//! Follows CPython 3.11, `http/server.py`, `BaseHTTPRequestHandler.send_error`. Errors of a request that has been read are wptserve's JSON
//! instead ([`Reply::error`](super::Reply::error)). On a WebSocket port pywebsocket3 answers with these pages as well.

use std::time::SystemTime;

use bytes::Bytes;

use super::{SERVER, status};
use crate::http::text::{encode_latin1, escape_html};

/// The parts of an answer that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parts {
    /// A normal answer.
    HeadAndBody,
    /// The answer to a HEAD request.
    Head,
    /// Before a version is known CPython speaks HTTP/0.9, which has no response head.
    Body,
}

/// One `send_error` call. `message` and `explain` are the arguments of that method, `explain` filled in.
#[derive(Debug)]
pub(crate) struct ErrorPage {
    pub(crate) code: u16,
    pub(crate) message: String,
    pub(crate) explain: &'static str,
}

impl ErrorPage {
    pub(crate) fn encode(&self, parts: Parts) -> Bytes {
        self.encode_as("HTTP/1.1", parts)
    }

    fn encode_as(&self, version: &str, parts: Parts) -> Bytes {
        let body = self.body();
        if parts == Parts::Body {
            return Bytes::from(body);
        }
        let head = start(version, self.code, &self.message)
            + &format!(
                "Connection: close\r\nContent-Type: text/html;charset=utf-8\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
        // The message quotes the request, which is latin-1 text.
        let mut answer = encode_latin1(&head).unwrap_or_else(|| head.into_bytes());
        if parts == Parts::HeadAndBody {
            answer.extend_from_slice(body.as_bytes());
        }
        Bytes::from(answer)
    }

    fn body(&self) -> String {
        let ErrorPage { code, message, explain } = self;
        let message = escape_html(message, false);
        let explain = escape_html(explain, false);
        [
            "<!DOCTYPE HTML>",
            "<html lang=\"en\">",
            "    <head>",
            "        <meta charset=\"utf-8\">",
            "        <title>Error response</title>",
            "    </head>",
            "    <body>",
            "        <h1>Error response</h1>",
            &format!("        <p>Error code: {code}</p>"),
            &format!("        <p>Message: {message}.</p>"),
            &format!("        <p>Error code explanation: {code} - {explain}.</p>"),
            "    </body>",
            "</html>",
            "",
        ]
        .join("\n")
    }
}

/// The first lines of every answer of CPython.
fn start(version: &str, code: u16, message: &str) -> String {
    let date = httpdate::fmt_http_date(SystemTime::now());
    format!("{version} {code} {message}\r\nServer: {SERVER}\r\nDate: {date}\r\n")
}

/// The answer of pywebsocket3 4.0.2 to a request that does not become a WebSocket: CPython's page, but as HTTP/1.0. `method` and
/// `version` are those of the request.
pub fn handshake_error(code: u16, method: &str, version: &str) -> Bytes {
    let explain = match code {
        400 => "Bad request syntax or unsupported method",
        403 => "Request forbidden -- authorization will not help",
        404 => "Nothing matches the given URI",
        501 => "Server does not support this operation",
        _ => "???",
    };
    let parts = match (version, method) {
        ("HTTP/0.9", _) => Parts::Body,
        (_, "HEAD") => Parts::Head,
        _ => Parts::HeadAndBody,
    };
    let message = status::reason(code.into()).unwrap_or_default().to_owned();
    ErrorPage { code, message, explain }.encode_as("HTTP/1.0", parts)
}

/// The answer of pywebsocket3 4.0.2 to an unknown WebSocket version: a head without a body that names the known versions.
pub fn unknown_version(versions: &str) -> Bytes {
    let message = status::reason(400).unwrap_or_default();
    Bytes::from(start("HTTP/1.0", 400, message) + &format!("Sec-WebSocket-Version: {versions}\r\n\r\n"))
}
