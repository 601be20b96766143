//! A complete answer as plain data.
//!
//! The content of wptserve's `Response` when a handler has ended, independent of HTTP versions and connections.
//! [`Encoder`](super::Encoder) turns it into bytes.

use std::{fs::File, time::Duration};

use bytes::Bytes;

use super::trickle::Trickle;
use crate::http::text::json_string;

/// An answer that is ready to be sent.
#[derive(Debug)]
pub struct Reply {
    /// The status code; a pipe may make it any number.
    pub status: i64,
    /// The reason phrase; wptserve's usual one if `None`.
    pub reason: Option<Bytes>,
    /// Header fields in the order they are sent. `Server`, `Date` and `Content-Length` are added when missing.
    pub headers: Vec<(Bytes, Bytes)>,
    /// The content behind the head.
    pub body: Body,
    /// The time to wait before the first byte is sent.
    pub wait: Duration,
}

/// The content of a [`Reply`].
#[derive(Debug)]
pub enum Body {
    /// wptserve's `content = []`: no bytes, no `Content-Length`, and the connection closes.
    None,
    /// Content of a known length, which is announced.
    Bytes(Bytes),
    /// An open file from its beginning, and its size in bytes when it was opened. Its length is not announced, and the
    /// connection closes after it.
    File(File, u64),
    /// A file that has been read as a whole. It is sent by the rules of [`Body::File`].
    ReadFile(Bytes),
    /// Several ranges of a file: wptserve's `MultipartContent`. Their length is not announced, and the connection closes after
    /// them.
    Multipart(Bytes),
    /// Content that leaves in parts. Its length is not announced, and the connection closes after it.
    Trickle(Trickle),
    /// The bytes of this file are the whole answer, head included and even for HEAD requests; the connection closes after them.
    Raw(File),
}

impl Reply {
    /// A reply without headers.
    pub fn new(status: u16, body: Body) -> Reply {
        Reply { status: status.into(), reason: None, headers: Vec::new(), body, wait: Duration::ZERO }
    }

    /// Adds a header field.
    pub fn push(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.headers.push((name.into(), value.into()));
    }

    /// wptserve's JSON error (wptserve 4.0.3, `response.py`, `Response.set_error`). It replaces every header a handler has set.
    pub fn error(code: u16, message: &str) -> Reply {
        let data = error_body(code.into(), message);
        let mut reply = Reply::new(code, Body::None);
        reply.push("Content-Type", "application/json");
        reply.push("Content-Length", data.len().to_string());
        reply.body = Body::Bytes(Bytes::from(data));
        reply
    }

    /// wptserve's 500 for `url`, with `cause` instead of the traceback.
    pub fn server_error(url: &str, cause: &str) -> Reply {
        Reply::error(500, &format!("Internal server error loading {url}:\n  {cause}"))
    }
}

/// The body of wptserve's JSON error: `{"error": {"code": 404, "message": ""}}` (wptserve 4.0.3, `response.py`,
/// `Response.set_error`).
pub fn error_body(code: i64, message: &str) -> String {
    format!("{{\"error\": {{\"code\": {code}, \"message\": {}}}}}", json_string(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(reply: &Reply) -> &str {
        let Body::Bytes(bytes) = &reply.body else { panic!("{reply:?}") };
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn errors_are_json() {
        let reply = Reply::error(404, "");
        assert_eq!(text(&reply), r#"{"error": {"code": 404, "message": ""}}"#);
        assert_eq!(reply.headers[1].1.as_ref(), b"39");
        let reply = Reply::server_error("http://h/\u{e9}", "no");
        assert_eq!(
            text(&reply),
            r#"{"error": {"code": 500, "message": "Internal server error loading http://h/\u00e9:\n  no"}}"#
        );
    }
}
