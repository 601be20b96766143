//! The I/O type that actix drives.

use std::{
    cell::RefCell,
    io,
    net::SocketAddr,
    pin::Pin,
    rc::{Rc, Weak},
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::rustls::ServerConfig;

use super::{
    connection::Http1Connection,
    patience::Patience,
    state::{BODY_CHUNK, Incoming, Inner, Phase, poll_answer},
};
use crate::{
    http::{
        HeadReader,
        bounds::{Account, BUFFERED, Bounds},
    },
    server::{
        admission::Admitted,
        leaving::Leaving,
        site::DISCONNECT,
        stream::ByteStream,
        watched::{self, Watched},
    },
};

/// The I/O type that actix drives.
#[derive(Debug)]
pub(in crate::server) struct Wire(Rc<RefCell<Inner>>);

impl Wire {
    /// With `after_connect` the connection is plain until [`Http1Connection::encrypt`].
    pub(in crate::server) fn new(
        stream: ByteStream,
        peer: Option<SocketAddr>,
        after_connect: Option<Arc<ServerConfig>>,
        bounds: Arc<Bounds>,
        admitted: Admitted,
    ) -> Self {
        let (peer, interval) = (peer_text(peer), bounds.look_interval());
        let inner = Rc::new(RefCell::new(Inner {
            stream,
            after_connect,
            peer,
            reader: HeadReader::bounded(bounds.head_bytes),
            input: BytesMut::new(),
            feed: BytesMut::new(),
            output: BytesMut::new(),
            phase: Phase::Head,
            head: None,
            body: Incoming::Length(0),
            eof: false,
            keep_alive: false,
            answer: None,
            run: None,
            is_listening: false,
            shut: false,
            patience: None,
            leaving: Leaving::default(),
            bounds,
            _admitted: admitted,
            requests: 0,
            body_received: 0,
            is_reading_body: false,
            refusal: None,
            waiting: Patience::default(),
            account: Account::new(&BUFFERED),
            is_rest_counted: false,
            waker: None,
        }));
        let watched: Weak<dyn Watched> = Rc::downgrade(&inner) as _;
        watched::watch(watched, interval);
        Self(inner)
    }

    /// The service's access to the same connection.
    pub(in crate::server) fn connection(&self) -> Http1Connection {
        Http1Connection::new(Rc::clone(&self.0))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // The answer refers to the connection, and the connection to the answer. It is dropped while nothing is borrowed.
        let _answer = self.0.borrow_mut().answer.take();
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let _ = poll_answer(&self.0, context);
            let inner = &mut *self.0.borrow_mut();
            if inner.waker.as_ref().is_none_or(|waker| !waker.will_wake(context.waker())) {
                inner.waker = Some(context.waker().clone());
            }
            if inner.account.is_evicted() && inner.answer.is_none() {
                inner.phase = Phase::Closing;
            }
            // Not being ready is not a failure: actix flushes, and the service's own writes come after this.
            if let Poll::Ready(Err(error)) = inner.poll_output(context) {
                return Poll::Ready(Err(error));
            }
            if !inner.feed.is_empty() {
                let count = inner.feed.len().min(out.remaining());
                out.put_slice(&inner.feed.split_to(count));
                return Poll::Ready(Ok(()));
            }
            match inner.phase {
                Phase::Closing => return Poll::Ready(Ok(())),
                Phase::Head => {
                    if inner.advance_head() {
                        continue;
                    }
                    if inner.eof {
                        return Poll::Ready(Ok(()));
                    }
                    if inner.input.is_empty() && inner.leaving.has_begun(context) {
                        inner.phase = Phase::Closing;
                        continue;
                    }
                }
                // actix gets the end of file when the answer has ended.
                Phase::Busy => {
                    ready!(inner.poll_ahead(context))?;
                    continue;
                }
                Phase::Draining => match inner.take_body(BODY_CHUNK) {
                    Ok(Some(data)) => {
                        if data.is_empty() {
                            inner.phase = Phase::Head;
                        }
                        continue;
                    }
                    Ok(None) => {}
                    Err(_) => {
                        inner.phase = Phase::Closing;
                        continue;
                    }
                },
            }
            ready!(inner.poll_fill(context))?;
        }
    }
}

impl AsyncWrite for Wire {
    /// Drops the bytes: the service has written the answer already.
    fn poll_write(self: Pin<&mut Self>, _context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.borrow_mut().poll_output(context)
    }

    /// Closes our side, then reads until the client has closed its own: closing a socket with unread input resets the
    /// connection, and the client may lose the answer. The wait is bounded here: actix bounds it only when a service has asked for
    /// the end of the connection.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *self.0.borrow_mut();
        ready!(inner.poll_output(context))?;
        if !inner.shut {
            ready!(Pin::new(&mut inner.stream).poll_shutdown(context))?;
            inner.shut = true;
        }
        while !inner.eof {
            inner.input.clear();
            if inner.poll_fill(context)?.is_pending() {
                let patience = inner.patience.get_or_insert_with(|| Box::pin(tokio::time::sleep(DISCONNECT)));
                ready!(patience.as_mut().poll(context));
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Address and port of a client as handlers see them; empty if the system does not tell.
pub(in crate::server) fn peer_text(peer: Option<SocketAddr>) -> (Arc<str>, u16) {
    peer.map(|peer| (peer.ip().to_string().into(), peer.port())).unwrap_or_default()
}
