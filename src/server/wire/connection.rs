//! The service's access to a connection of HTTP/1 while it answers a request.

use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Weak},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::io::AsyncWrite as _;

use super::{
    patience::Refusal,
    state::{After, BODY_CHUNK, Incoming, Inner, RunningAnswer, poll_answer},
};
use crate::{
    cancel::Run,
    handover::Outlet,
    http::Head,
    server::{leaving, stream::ByteStream},
};

impl Inner {
    fn poll_body(&mut self, context: &mut Context<'_>, max: usize) -> Poll<io::Result<Bytes>> {
        // `100 Continue` must be sent before the client sends the body.
        ready!(self.poll_output(context))?;
        loop {
            if let Some(data) = self.take_body(max.max(1))? {
                return Poll::Ready(Ok(data));
            }
            ready!(self.poll_fill(context))?;
        }
    }
}

/// The service's access to its connection. All methods concern the one request that is being answered.
#[derive(Debug, Clone)]
pub(in crate::server) struct Http1Connection(pub(super) Rc<RefCell<Inner>>);

impl Http1Connection {
    pub(super) fn new(inner: Rc<RefCell<Inner>>) -> Self {
        Self(inner)
    }

    /// Address and port of the client.
    pub(in crate::server) fn peer(&self) -> (Arc<str>, u16) {
        self.0.borrow().peer.clone()
    }

    /// The head of the request, once.
    pub(in crate::server) fn take_head(&self) -> Option<Head> {
        self.0.borrow_mut().head.take()
    }

    /// The part of a body of known length that has arrived with the head.
    pub(in crate::server) fn take_arrived_body(&self) -> Bytes {
        let inner = &mut *self.0.borrow_mut();
        match inner.body {
            Incoming::Length(left) if left > 0 && !inner.input.is_empty() => {
                inner.take_body(BODY_CHUNK).ok().flatten().unwrap_or_default()
            }
            _ => Bytes::new(),
        }
    }

    /// Reads at most `max` bytes of the body, at least one unless it has ended or the client has closed its side.
    ///
    /// # Errors
    /// The connection is broken, a chunk is malformed (`InvalidData`), or there is a [`Refusal`].
    pub(in crate::server) async fn read_body(&self, max: usize) -> io::Result<Bytes> {
        poll_fn(|context| {
            let inner = &mut *self.0.borrow_mut();
            let polled = inner.poll_body(context, max);
            inner.is_reading_body = polled.is_pending();
            polled
        })
        .await
    }

    /// Why the request cannot be answered as it should.
    pub(in crate::server) fn refusal(&self) -> Option<Refusal> {
        self.0.borrow().refusal()
    }

    /// Writes all bytes to the socket.
    ///
    /// # Errors
    /// The client has disconnected.
    pub(in crate::server) async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.write_and(After::KeepAlive, bytes).await
    }

    /// Writes all bytes to the socket. If the connection closes after them, they may be sent together with its end.
    ///
    /// # Errors
    /// The client has disconnected.
    pub(in crate::server) async fn write_and(&self, after: After, mut bytes: &[u8]) -> io::Result<()> {
        // All of it stays in memory until the last byte has left.
        let held = bytes.len();
        poll_fn(|context| {
            let inner = &mut *self.0.borrow_mut();
            if inner.account.is_evicted() {
                return Poll::Ready(Err(Refusal::Evicted.into()));
            }
            ready!(inner.poll_output(context))?;
            while !bytes.is_empty() {
                let polled = match after {
                    After::KeepAlive => Pin::new(&mut inner.stream).poll_write(context, bytes),
                    After::Close => inner.stream.poll_write_last(context, bytes),
                };
                let Poll::Ready(written) = polled? else {
                    inner.hold(held, context);
                    return Poll::Pending;
                };
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                bytes = bytes.get(written..).unwrap_or_default();
            }
            inner.hold(0, context);
            Pin::new(&mut inner.stream).poll_flush(context)
        })
        .await
    }

    /// Starts TLS, if the port encrypts after a CONNECT. A second CONNECT has no effect.
    ///
    /// # Errors
    /// The handshake failed: the connection is closed.
    pub(in crate::server) async fn encrypt(&self) -> io::Result<()> {
        let (stream, arrived, tls, time) = {
            let inner = &mut *self.0.borrow_mut();
            let Some(tls) = inner.after_connect.take() else { return Ok(()) };
            let stream = std::mem::replace(&mut inner.stream, ByteStream::Taken);
            // A client that does not wait for the answer has begun its handshake already.
            (stream, inner.input.split(), tls, inner.bounds.tls_time)
        };
        let encrypted = stream.encrypt(arrived, tls, time).await;
        let inner = &mut *self.0.borrow_mut();
        inner.body = Incoming::Length(0);
        match encrypted {
            Ok(stream) => inner.stream = stream,
            Err(error) => {
                (inner.eof, inner.shut) = (true, true);
                return Err(error);
            }
        }
        Ok(())
    }

    /// The outlet through which a handler's thread may send while the connection [is idle](Self::is_idle). Empty for an encrypted
    /// connection.
    pub(in crate::server) fn outlet(&self) -> Weak<Outlet> {
        self.0.borrow().stream.outlet()
    }

    /// Whether the connection only waits for its client, and its task will be woken by the client's next bytes: the request is
    /// complete, no bytes have come behind it, all output has been sent, and the connection does not close after the answer.
    pub(in crate::server) fn is_idle(&self) -> bool {
        let inner = self.0.borrow();
        let is_complete = matches!(inner.body, Incoming::Length(0));
        !leaving::has_begun() && is_complete && inner.input.is_empty() && inner.output.is_empty() && inner.is_listening
    }

    /// Begins to answer the request. An answer that cannot be finished at once continues by itself. [`After::Close`] if the answer
    /// has ended and the connection closes.
    pub(in crate::server) async fn begin(&self, answer: RunningAnswer) -> After {
        self.0.borrow_mut().answer = Some(answer);
        poll_fn(|context| {
            // An answer need not wake a connection that is listening. The dispatcher will get an error of this call again.
            let _ = self.0.borrow_mut().poll_ahead(context);
            let Poll::Ready(after) = poll_answer(&self.0, context) else { return Poll::Ready(After::KeepAlive) };
            // The dispatcher has to look at the bytes that have been read ahead.
            context.waker().wake_by_ref();
            Poll::Ready(after)
        })
        .await
    }

    /// Tells the run of a handler when the client closes its side while the request is being answered.
    pub(in crate::server) fn watch(&self, run: Arc<Run>) {
        let inner = &mut *self.0.borrow_mut();
        if inner.eof {
            run.client_gone();
        }
        inner.run = Some(run);
    }

    /// Waits until the client has closed its side.
    pub(in crate::server) async fn closed_by_client(&self) {
        poll_fn(|context| {
            let inner = &mut *self.0.borrow_mut();
            while !inner.eof {
                // A connection that breaks has been closed as well.
                if ready!(inner.poll_ahead(context)).is_err() {
                    break;
                }
            }
            Poll::Ready(())
        })
        .await;
    }
}
