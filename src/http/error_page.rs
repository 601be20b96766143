//! The answers CPython gives on its own, before wptserve sees the request.
//!
//! Follows CPython 3.11, `http/server.py`, `BaseHTTPRequestHandler.send_error`. Not used for anything that has become a request:
//! those errors are wptserve's JSON ([`Reply::error`](super::Reply::error)).

use std::time::SystemTime;

use bytes::Bytes;

use super::SERVER;
use super::text::{encode_latin1, escape_html};

/// Which parts of an answer go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    /// A normal answer.
    HeadAndBody,
    /// The answer to a HEAD request.
    Head,
    /// Before a version is known CPython speaks HTTP/0.9, which has no response head.
    Body,
}

/// One `send_error` call. `message` and `explain` are the arguments of that method, `explain` filled in.
#[derive(Debug)]
pub(super) struct ErrorPage {
    pub(super) code: u16,
    pub(super) message: String,
    pub(super) explain: &'static str,
}

impl ErrorPage {
    pub(super) fn encode(&self, parts: Parts) -> Bytes {
        let body = self.body();
        if parts == Parts::Body {
            return Bytes::from(body);
        }
        let head = format!(
            "HTTP/1.1 {} {}\r\nServer: {SERVER}\r\nDate: {}\r\nConnection: close\r\n\
             Content-Type: text/html;charset=utf-8\r\nContent-Length: {}\r\n\r\n",
            self.code,
            self.message,
            httpdate::fmt_http_date(SystemTime::now()),
            body.len(),
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
