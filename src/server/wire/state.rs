//! What the wire knows of its connection, and how it moves on.

use std::{
    cell::RefCell,
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::{io::AsyncWrite as _, time::Sleep};
use tokio_rustls::rustls::ServerConfig;

use super::patience::{Expired, Patience, Refusal, Wait};
use crate::{
    cancel::Run,
    http::{
        ChunkError, ChunkedDecoder, Framing, Head, HeadReader, HeadStep,
        bounds::{Account, Bounds},
        head,
    },
    server::{admission::Admitted, leaving::Leaving, stream::ByteStream, watched::Watched},
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
    /// The run of the handler that makes the answer.
    pub(super) run: Option<Arc<Run>>,
    /// The task of the connection will be woken when the client sends something.
    pub(super) is_listening: bool,
    /// Our side is closed.
    pub(super) shut: bool,
    /// The time that the client has to close its side after that.
    pub(super) patience: Option<Pin<Box<Sleep>>>,
    pub(super) leaving: Leaving,
    pub(super) bounds: Arc<Bounds>,
    /// The connection counts as open until this is dropped.
    pub(super) _admitted: Admitted,
    /// The number of heads that have come.
    pub(super) requests: u64,
    /// The bytes of the current request's body that have come.
    pub(super) body_received: u64,
    /// The handler waits for the body.
    pub(super) is_reading_body: bool,
    /// Why the request is not answered by its handler.
    pub(super) refusal: Option<Refusal>,
    pub(super) waiting: Patience,
    pub(super) account: Account,
    /// The bytes that a handler's thread has left are counted.
    pub(super) is_rest_counted: bool,
    /// Wakes the task of the connection.
    pub(super) waker: Option<Waker>,
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
        if read == 0 {
            self.eof = true;
            self.run.iter().for_each(Run::client_gone);
        }
        self.hold(0, context);
        Poll::Ready(Ok(()))
    }

    /// Counts the input that is not used yet, and `more` bytes that wait to be sent.
    pub(super) fn hold(&self, more: usize, context: &Context<'_>) {
        self.account.hold((self.input.len() + more) as u64, context.waker());
    }

    /// Why the request is not answered by its handler.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        if self.account.is_evicted() { Some(Refusal::Evicted) } else { self.refusal }
    }

    /// Reads while a request is being answered, up to the limit.
    pub(super) fn poll_ahead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.eof || self.input.len() >= READ_AHEAD { Poll::Pending } else { self.poll_fill(context) }
    }

    pub(super) fn poll_output(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.stream.poll_rest(context)?.is_pending() {
            if self.account.is_evicted() {
                return Poll::Ready(Err(Refusal::Evicted.into()));
            }
            self.is_rest_counted = true;
            self.hold(self.stream.left(), context);
            return Poll::Pending;
        }
        if std::mem::take(&mut self.is_rest_counted) {
            self.hold(0, context);
        }
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
                let is_too_long = match (&head.framing, self.bounds.body_bytes) {
                    (Ok(Framing::Length(length)), Some(most)) => *length > most,
                    _ => false,
                };
                self.refusal = is_too_long.then_some(Refusal::BodyTooLong);
                (self.requests, self.body_received) = (self.requests + 1, 0);
                // The client must not send a body that will be refused.
                if head.expect_continue && !is_too_long {
                    self.output.extend_from_slice(CONTINUE);
                }
                self.body = match head.framing {
                    Ok(Framing::Chunked) => Incoming::Chunked(Box::default()),
                    Ok(Framing::Length(length)) if !is_too_long => Incoming::Length(length),
                    // The request will be refused. The bytes behind it cannot be told from its body.
                    Ok(Framing::Length(_)) | Err(_) => Incoming::Length(0),
                };
                feed(&head, &mut self.feed);
                self.keep_alive = head.keep_alive && head.framing.is_ok() && !is_too_long;
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
        self.run = None;
        let after = if self.keep_alive { after } else { After::Close };
        self.phase = if after == After::Close { Phase::Closing } else { Phase::Draining };
        after
    }

    /// Takes at most `max` bytes of the body out of the input. `None`: more has to be read first.
    pub(super) fn take_body(&mut self, max: usize) -> io::Result<Option<Bytes>> {
        let max = max.min(BODY_CHUNK);
        if let Some(refusal) = self.refusal() {
            self.keep_alive = false;
            return Err(refusal.into());
        }
        match &mut self.body {
            Incoming::Length(0) => Ok(Some(Bytes::new())),
            Incoming::Length(left) => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(max).min(self.input.len());
                if count == 0 {
                    return Ok(self.eof.then(Bytes::new));
                }
                *left -= count as u64;
                self.body_received += count as u64;
                Ok(Some(self.input.split_to(count).freeze()))
            }
            Incoming::Chunked(decoder) => {
                let taken = chunk(decoder, &mut self.input, max, self.eof);
                // The beginning of the next request is unknown now, so the connection has to close.
                self.keep_alive &= taken.is_ok();
                let taken = taken.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                self.body_received += taken.as_ref().map_or(0, Bytes::len) as u64;
                if self.bounds.body_bytes.is_some_and(|most| self.body_received > most) {
                    self.keep_alive = false;
                    self.refusal = Some(Refusal::BodyTooLong);
                    return Err(Refusal::BodyTooLong.into());
                }
                Ok(taken)
            }
        }
    }

    fn look(&mut self, passed: Duration) {
        let wait = match self.phase {
            Phase::Head if self.input.is_empty() => Wait::Request,
            Phase::Head => Wait::RestOfHead,
            Phase::Busy if self.is_reading_body => Wait::Body,
            Phase::Draining if self.input.is_empty() => Wait::Body,
            Phase::Busy | Phase::Draining | Phase::Closing => Wait::Nothing,
        };
        match self.waiting.look(wait, self.requests, self.body_received, passed, &self.bounds) {
            Some(Expired::Idle) => self.phase = Phase::Closing,
            Some(Expired::Head) => {
                self.output.extend_from_slice(&head::too_slow());
                self.phase = Phase::Closing;
            }
            Some(Expired::Body) => {
                self.refusal = Some(Refusal::BodyTooSlow);
                if self.phase == Phase::Draining {
                    self.phase = Phase::Closing;
                }
            }
            // A busy connection may not know yet that the answer has ended: its end can have gone to the socket directly.
            None if self.phase == Phase::Busy => {}
            None => return,
        }
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}

impl Watched for RefCell<Inner> {
    fn look(&self, passed: Duration) {
        if let Ok(mut inner) = self.try_borrow_mut() {
            inner.look(passed);
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
