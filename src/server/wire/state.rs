//! What the wire knows of its connection, and how it moves on.

use std::{
    cell::RefCell,
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::{io::AsyncWrite as _, time::Sleep};
use tokio_rustls::rustls::ServerConfig;

use crate::{
    http::{ChunkError, ChunkedDecoder, Framing, Head, HeadReader, HeadStep},
    server::{leaving::Leaving, stream::ByteStream},
};

/// The bytes that are read ahead while a request is being answered: enough for a few pipelined requests. Reading ahead also shows
/// that the client has disconnected.
const READ_AHEAD: usize = 64 * 1024;
/// The most bytes that one read of the body returns.
pub(super) const BODY_CHUNK: usize = 256 * 1024;
/// wptserve 4.0.3 takes it from CPython: `http.server.BaseHTTPRequestHandler.handle_expect_100`.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// The longest path that actix is shown.
const FEED_PATH: usize = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waiting for a head.
    Head,
    /// A request is being answered.
    Busy,
    /// The request has been answered: the rest of its body is read and dropped, as by wptserve.
    Draining,
    /// No further request is read: the written bytes still have to be sent.
    Closing,
}

#[derive(Debug)]
pub(super) enum Incoming {
    Length(u64),
    Chunked(Box<ChunkedDecoder>),
}

pub(super) struct Inner {
    pub(super) stream: ByteStream,
    /// The TLS settings for after a CONNECT.
    pub(super) after_connect: Option<Arc<ServerConfig>>,
    /// Address and port of the client, if the system tells them.
    pub(super) peer: (Arc<str>, u16),
    pub(super) reader: HeadReader,
    /// Bytes that have been read from the socket and not yet used.
    pub(super) input: BytesMut,
    /// Bytes for actix to read.
    pub(super) feed: BytesMut,
    /// The output of this type itself: `100 Continue` and refusals.
    pub(super) output: BytesMut,
    pub(super) phase: Phase,
    pub(super) head: Option<Head>,
    pub(super) body: Incoming,
    /// The client has closed its side.
    pub(super) eof: bool,
    /// Whether the request allows another one after it.
    pub(super) keep_alive: bool,
    pub(super) answer: Option<RunningAnswer>,
    /// The task of the connection will be woken when the client sends something.
    pub(super) is_listening: bool,
    /// Our side is closed.
    pub(super) shut: bool,
    /// The time that the client has to close its side after that.
    pub(super) patience: Option<Pin<Box<Sleep>>>,
    pub(super) leaving: Leaving,
}

impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Inner").field("peer", &self.peer).field("phase", &self.phase).finish_non_exhaustive()
    }
}

impl Inner {
    pub(super) fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.input.reserve(4096);
        let polled = tokio_util::io::poll_read_buf(Pin::new(&mut self.stream), context, &mut self.input);
        self.is_listening = polled.is_pending();
        let read = ready!(polled)?;
        self.eof |= read == 0;
        Poll::Ready(Ok(()))
    }

    /// Reads while a request is being answered, up to the limit.
    pub(super) fn poll_ahead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.eof || self.input.len() >= READ_AHEAD { Poll::Pending } else { self.poll_fill(context) }
    }

    pub(super) fn poll_output(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.stream.poll_rest(context))?;
        while !self.output.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.output))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.output.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Takes the next step towards a head. True when actix has bytes to read, or no more will come.
    pub(super) fn advance_head(&mut self) -> bool {
        match self.reader.step(&self.input, self.eof) {
            HeadStep::More => false,
            HeadStep::Head { head, consumed } => {
                self.input.advance(consumed.min(self.input.len()));
                if head.expect_continue {
                    self.output.extend_from_slice(CONTINUE);
                }
                self.body = match head.framing {
                    Ok(Framing::Chunked) => Incoming::Chunked(Box::default()),
                    Ok(Framing::Length(length)) => Incoming::Length(length),
                    // The request will be refused. The bytes behind it cannot be told from its body.
                    Err(_) => Incoming::Length(0),
                };
                feed(&head, &mut self.feed);
                self.keep_alive = head.keep_alive && head.framing.is_ok();
                self.head = Some(head);
                self.phase = Phase::Busy;
                true
            }
            HeadStep::Reject { answer, close, consumed } => {
                log::debug!("refused a request head: {}", String::from_utf8_lossy(&answer));
                self.input.advance(consumed.min(self.input.len()));
                self.output.extend_from_slice(&answer);
                if close {
                    self.phase = Phase::Closing;
                }
                true
            }
            HeadStep::Close => {
                self.phase = Phase::Closing;
                true
            }
        }
    }

    /// Ends the answer, and returns whether the connection closes.
    pub(super) fn end(&mut self, after: After) -> After {
        let after = if self.keep_alive { after } else { After::Close };
        self.phase = if after == After::Close { Phase::Closing } else { Phase::Draining };
        after
    }

    /// Takes at most `max` bytes of the body out of the input. `None`: more has to be read first.
    pub(super) fn take_body(&mut self, max: usize) -> io::Result<Option<Bytes>> {
        let max = max.min(BODY_CHUNK);
        match &mut self.body {
            Incoming::Length(0) => Ok(Some(Bytes::new())),
            Incoming::Length(left) => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(max).min(self.input.len());
                if count == 0 {
                    return Ok(self.eof.then(Bytes::new));
                }
                *left -= count as u64;
                Ok(Some(self.input.split_to(count).freeze()))
            }
            Incoming::Chunked(decoder) => {
                let taken = chunk(decoder, &mut self.input, max, self.eof);
                // The beginning of the next request is unknown now, so the connection has to close.
                self.keep_alive &= taken.is_ok();
                taken.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
            }
        }
    }
}

/// Takes at most `max` bytes of a chunked body out of `input`; empty at its end. `None`: more has to be read first.
fn chunk(
    decoder: &mut ChunkedDecoder,
    input: &mut BytesMut,
    max: usize,
    eof: bool,
) -> Result<Option<Bytes>, ChunkError> {
    let mut data = BytesMut::new();
    let done = decoder.decode(input, &mut data, max)?;
    if data.is_empty() && !done {
        if eof {
            decoder.end()?;
        }
        return Ok(None);
    }
    Ok(Some(data.freeze()))
}

/// A head for actix: always valid, without headers or body. Method and path are the real ones as far as they can be
/// expressed.
fn feed(head: &Head, out: &mut BytesMut) {
    const METHODS: [&[u8]; 8] = [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE"];
    let method = METHODS.into_iter().find(|method| *method == head.method).unwrap_or(b"OTHER");
    out.extend_from_slice(method);
    out.extend_from_slice(b" /");
    let path = head.target.strip_prefix(b"/").unwrap_or_default();
    for &byte in path.iter().take(FEED_PATH).take_while(|byte| **byte != b'?') {
        let plain = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte);
        out.extend_from_slice(&[if plain { byte } else { b'_' }]);
    }
    out.extend_from_slice(b" HTTP/1.1\r\nhost: wptserve\r\n\r\n");
}

/// The end of an answer: whether the connection may serve another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum After {
    KeepAlive,
    Close,
}

/// A running answer: it reads and writes through its [`Http1Connection`], and returns whether that may stay open.
pub(in crate::server) type RunningAnswer = Pin<Box<dyn Future<Output = After>>>;

/// Polls the answer, without a borrow of `inner`. Ready when the answer has ended, with whether the connection may stay open.
pub(super) fn poll_answer(inner: &RefCell<Inner>, context: &mut Context<'_>) -> Poll<After> {
    let answer = inner.borrow_mut().answer.take();
    let Some(mut answer) = answer else { return Poll::Pending };
    match answer.as_mut().poll(context) {
        Poll::Ready(after) => Poll::Ready(inner.borrow_mut().end(after)),
        Poll::Pending => {
            inner.borrow_mut().answer = Some(answer);
            Poll::Pending
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// deny.toml relies on it: actix's own decoder of chunks is never asked.
        #[test]
        fn actix_sees_one_head_without_a_body_whatever_comes(
            method in "[A-Za-z\\x21-\\x7e]{1,12}",
            target in proptest::collection::vec(prop_oneof![Just(b'/'), Just(b'?'), Just(b'%'), 0x21u8..=0xff], 0..2000),
            fields in "((Transfer-Encoding|Content-Length|Upgrade|Http1Connection|Expect): (chunked|5|h2c|upgrade|100-continue)\r\n){0,4}",
        ) {
            let head = [method.as_bytes(), b" /", &target, b" HTTP/1.1\r\n", fields.as_bytes(), b"\r\n"].concat();
            let HeadStep::Head { head, .. } = HeadReader::default().step(&head, false) else { return Ok(()) };
            let mut out = BytesMut::new();
            feed(&head, &mut out);
            let text = std::str::from_utf8(&out).unwrap();
            let lines: Vec<&str> = text.split("\r\n").collect();
            let [request, host, "", ""] = lines.as_slice() else { panic!("{text:?}") };
            prop_assert_eq!(*host, "host: wptserve");
            prop_assert!(request.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{}", text);
            let words: Vec<&str> = request.split(' ').collect();
            prop_assert_eq!((words.len(), words[2]), (3, "HTTP/1.1"));
            prop_assert!(words[1].starts_with('/') && words[1].len() <= FEED_PATH + 1);
            prop_assert!(words[0] != "CONNECT");
        }
    }
}
