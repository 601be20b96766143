//! The crossing between a VM thread and the connection whose request it runs: one queue of events out, one answer
//! back per event. It knows neither the wire nor Python; it only says what either side may ask of the other.
//!
//! Every call here blocks the calling thread. A VM thread calls it inside `vm.allow_threads`.

use std::{io, time::Duration};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::http::Trickle;

/// What a running handler asks of its connection, in the order it asks.
#[derive(Debug)]
pub enum Event {
    /// Put these bytes on the wire as they are. Answered with false once the client is gone.
    Write(Bytes, oneshot::Sender<bool>),
    /// Read at most this many bytes of the request body (at least one, unless it has ended).
    Read(usize, oneshot::Sender<io::Result<Bytes>>),
    /// The handler is done: here is all that is left to do.
    Finish(Last),
}

/// The end of an answer. Its thread serves somebody else by now, so waiting is up to the connection.
#[derive(Debug)]
pub struct Last {
    /// Wait so long first.
    pub wait: Duration,
    /// The rest of the answer; a plain answer is here as a whole.
    pub bytes: Bytes,
    /// Content that follows in parts.
    pub trickle: Option<Trickle>,
    /// Close the connection afterwards.
    pub close: bool,
}

/// The connection's end: yields events until [`Event::Finish`], or nothing more when the handler's thread died.
#[derive(Debug)]
pub struct Events(mpsc::UnboundedReceiver<Event>);

impl Events {
    /// The next event; `None` when the thread that ran the handler died without finishing.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }
}

/// The handler's end.
#[derive(Debug, Clone)]
pub(super) struct Link(mpsc::UnboundedSender<Event>);

impl Link {
    /// A new crossing. The queue needs no bound: writes and reads wait for their answer.
    pub(super) fn new() -> (Self, Events) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), Events(receiver))
    }

    /// Writes to the client and waits until the socket has taken the bytes; false once the client is gone.
    pub(super) fn write(&self, bytes: Bytes) -> bool {
        let (answer, result) = oneshot::channel();
        self.0.send(Event::Write(bytes, answer)).is_ok() && result.blocking_recv().unwrap_or(false)
    }

    /// Reads at most `max` bytes of the request body; empty at its end.
    ///
    /// # Errors
    /// The client broke the connection or sent a malformed chunk.
    pub(super) fn read(&self, max: usize) -> io::Result<Bytes> {
        let gone = || io::Error::new(io::ErrorKind::BrokenPipe, "the client closed the connection");
        let (answer, result) = oneshot::channel();
        self.0.send(Event::Read(max, answer)).map_err(|_| gone())?;
        result.blocking_recv().map_err(|_| gone())?
    }

    /// Hands over the rest of the answer; nothing may follow.
    pub(super) fn finish(&self, last: Last) {
        // A client that has gone has nobody waiting for the end either.
        let _ = self.0.send(Event::Finish(last));
    }
}
