//! A connection of HTTP/1 that has become a plain stream, for WebSockets.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection::Http1Connection;

/// A connection as a plain stream. Bytes that have been read ahead come first.
#[derive(Debug)]
pub(in crate::server) struct Raw(Http1Connection);

impl Raw {
    /// The bytes of the connection from here on, for a request that makes something else of it than HTTP.
    pub(in crate::server) fn new(connection: Http1Connection) -> Self {
        Self(connection)
    }
}

impl AsyncRead for Raw {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *self.0.0.borrow_mut();
        if inner.input.is_empty() && !inner.eof {
            ready!(inner.poll_fill(context))?;
        }
        let count = inner.input.len().min(out.remaining());
        out.put_slice(&inner.input.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Raw {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let inner = &mut *self.0.0.borrow_mut();
        ready!(inner.poll_output(context))?;
        Pin::new(&mut inner.stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.0.borrow_mut().stream).poll_flush(context)
    }

    /// The request's end closes the connection.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
