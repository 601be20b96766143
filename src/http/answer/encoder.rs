//! The bytes of a response head, and the progress of writing it.
//!
//! Follows the bookkeeping of wptserve 4.0.3, `response.py`, `ResponseWriter`, without its socket. Handlers may use it step by step
//! through `response.writer`; complete replies go through [`Encoder::reply`]. The encoder does not check names and values, because
//! wptserve does not, and tests depend on malformed responses.

use std::{
    cell::RefCell,
    fmt::Write as _,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{
    SERVER,
    reply::{Body, Reply},
    status,
};

/// Progress through one response head.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    status_written: bool,
    seen: Seen,
    headers_complete: bool,
}

/// Which of the default headers have been written already.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    server: bool,
    date: bool,
    content_length: bool,
}

impl Encoder {
    /// Writes the status line. Without a `message` the usual phrase is taken, or none if the code has no usual phrase.
    ///
    /// wptserve 4.0.3, `ResponseWriter.write_status`: nothing stops a second status line.
    pub fn write_status(&mut self, out: &mut BytesMut, code: i64, message: Option<&[u8]>) {
        let phrase = status::reason(code).unwrap_or_default();
        // This never fails: the buffer grows.
        let _ = write!(out, "HTTP/1.1 {code} ");
        out.put_slice(message.unwrap_or(phrase.as_bytes()));
        out.put_slice(b"\r\n");
        self.status_written = true;
    }

    /// Writes one header field, after a `200` status line if there was none.
    ///
    /// wptserve 4.0.3, `ResponseWriter.write_header`.
    pub fn write_header(&mut self, out: &mut BytesMut, name: &[u8], value: &[u8]) {
        if !self.status_written {
            self.write_status(out, 200, None);
        }
        self.seen.server |= name.eq_ignore_ascii_case(b"Server");
        self.seen.date |= name.eq_ignore_ascii_case(b"Date");
        self.seen.content_length |= name.eq_ignore_ascii_case(b"Content-Length");
        out.reserve(name.len() + value.len() + 4);
        out.put_slice(name);
        out.put_slice(b": ");
        out.put_slice(value);
        out.put_slice(b"\r\n");
    }

    /// Ends the head. With `add_required`, `Server`, `Date` and (when the length is known) `Content-Length` are added first
    /// unless they have been written.
    ///
    /// wptserve 4.0.3, `ResponseWriter.end_headers`. `content_length` is `Some` exactly when the content is `bytes` or `str`.
    /// As in wptserve, the head has no status line if neither status nor header came before and `add_required` is off.
    pub fn end_headers(&mut self, out: &mut BytesMut, content_length: Option<u64>, add_required: bool) {
        if add_required {
            self.write_default_headers(out, content_length);
        }
        out.put_slice(b"\r\n");
        self.headers_complete = true;
    }

    /// Writes `Server`, `Date` and (when the length is known) `Content-Length`, unless they have been written.
    ///
    /// wptserve 4.0.3, `ResponseWriter.write_default_headers`.
    pub fn write_default_headers(&mut self, out: &mut BytesMut, content_length: Option<u64>) {
        if !self.seen.server {
            self.write_header(out, b"Server", SERVER.as_bytes());
        }
        if !self.seen.date {
            self.write_header(out, b"Date", &date());
        }
        if let Some(length) = content_length.filter(|_| !self.seen.content_length) {
            self.write_header(out, b"Content-Length", length.to_string().as_bytes());
        }
    }

    /// Whether a header field of this name has been written. Only `Server`, `Date` and `Content-Length` are tracked.
    pub fn has_seen(&self, name: &[u8]) -> bool {
        let Seen { server, date, content_length } = self.seen;
        [(&b"Server"[..], server), (b"Date", date), (b"Content-Length", content_length)]
            .iter()
            .any(|(known, seen)| *seen && known.eq_ignore_ascii_case(name))
    }

    /// `ResponseWriter._headers_complete` and `_status_written`, which a handler may set when it writes a part of the head itself.
    pub fn set_headers_complete(&mut self, value: bool) {
        self.headers_complete = value;
    }

    /// See [`Encoder::set_headers_complete`].
    pub fn set_status_written(&mut self, value: bool) {
        self.status_written = value;
    }

    /// Whether a status line has been written.
    pub fn status_written(&self) -> bool {
        self.status_written
    }

    /// Whether [`end_headers`](Self::end_headers) has been called.
    pub fn headers_complete(&self) -> bool {
        self.headers_complete
    }

    /// Whether the head has ended without a `Content-Length`: wptserve then closes the connection after the body.
    pub fn must_close(&self) -> bool {
        self.headers_complete && !self.seen.content_length
    }

    /// The head of a complete reply, and whether the connection closes after it (the request may ask for that as well).
    ///
    /// The head is the same for HEAD requests. It is empty for [`Body::Raw`], which brings its own.
    pub fn reply(reply: &Reply) -> (Bytes, bool) {
        let content_length = match &reply.body {
            Body::Raw(_) => return (Bytes::new(), true),
            Body::Bytes(bytes) => Some(bytes.len() as u64),
            Body::None | Body::ReadFile(_) | Body::File(..) | Body::Multipart(_) | Body::Trickle(_) => None,
        };
        let mut encoder = Encoder::default();
        let mut out = BytesMut::with_capacity(256);
        encoder.write_status(&mut out, reply.status, reply.reason.as_deref());
        for (name, value) in &reply.headers {
            encoder.write_header(&mut out, name, value);
        }
        encoder.end_headers(&mut out, content_length, true);
        (out.freeze(), encoder.must_close())
    }
}

/// The current value of `Date`, cached for the rest of the second.
fn date() -> Bytes {
    thread_local! {
        static LAST: RefCell<(u64, Bytes)> = const { RefCell::new((0, Bytes::new())) };
    }
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    LAST.with_borrow_mut(|(made, date)| {
        if *made != second || date.is_empty() {
            (*made, *date) = (second, httpdate::fmt_http_date(now).into());
        }
        date.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_date(head: &[u8]) -> String {
        let text = crate::http::text::latin1(head);
        text.split_inclusive("\r\n").filter(|line| !line.starts_with("Date: ")).collect()
    }

    #[test]
    fn an_error_has_its_own_headers_first() {
        let (head, close) = Encoder::reply(&Reply::error(404, ""));
        assert!(!close);
        assert_eq!(
            without_date(&head),
            format!(
                "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 39\r\nServer: {SERVER}\r\n\r\n"
            )
        );
    }

    #[test]
    fn known_length_comes_last_and_keeps_the_connection() {
        let reply = Reply::new(200, Body::Bytes(Bytes::from_static(b"abc")));
        let (head, close) = Encoder::reply(&reply);
        assert!(!close);
        let text = crate::http::text::latin1(&head);
        assert!(text.starts_with(&format!("HTTP/1.1 200 OK\r\nServer: {SERVER}\r\nDate: ")), "{text}");
        assert!(text.ends_with(" GMT\r\nContent-Length: 3\r\n\r\n"), "{text}");
    }

    #[test]
    fn unknown_length_closes() {
        for body in
            [Body::None, Body::ReadFile(Bytes::from_static(b"abc")), Body::Multipart(Bytes::from_static(b"abc"))]
        {
            let (head, close) = Encoder::reply(&Reply::new(200, body));
            assert!(close);
            assert_eq!(without_date(&head), format!("HTTP/1.1 200 OK\r\nServer: {SERVER}\r\n\r\n"));
        }
    }

    #[test]
    fn a_length_of_the_handler_is_trusted() {
        let mut reply = Reply::new(200, Body::None);
        reply.push("content-LENGTH", "7");
        assert!(!Encoder::reply(&reply).1);
    }

    #[test]
    fn own_server_and_date_are_kept() {
        let mut encoder = Encoder::default();
        let mut out = BytesMut::new();
        encoder.write_header(&mut out, b"SERVER", b"x");
        encoder.write_header(&mut out, b"date", b"y");
        encoder.end_headers(&mut out, Some(0), true);
        assert_eq!(&out[..], b"HTTP/1.1 200 OK\r\nSERVER: x\r\ndate: y\r\nContent-Length: 0\r\n\r\n");
        assert!(encoder.headers_complete() && encoder.status_written() && !encoder.must_close());
    }

    #[test]
    fn nothing_is_added_when_not_wanted() {
        let mut encoder = Encoder::default();
        let mut out = BytesMut::new();
        encoder.end_headers(&mut out, Some(3), false);
        assert_eq!(&out[..], b"\r\n");
        assert!(!encoder.status_written() && encoder.must_close());
    }

    #[test]
    fn odd_codes_and_messages_pass() {
        let mut encoder = Encoder::default();
        let mut out = BytesMut::new();
        encoder.write_status(&mut out, 299, None);
        encoder.write_status(&mut out, -1, Some(b"\xe9"));
        encoder.write_status(&mut out, 200, Some(b""));
        assert_eq!(&out[..], b"HTTP/1.1 299 \r\nHTTP/1.1 -1 \xe9\r\nHTTP/1.1 200 \r\n");
    }
}
