//! The crossing between the handler of one HTTP/2 request and its stream: frames to send, and their results.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::on_panic::OnPanic;
use crate::{
    cancel,
    http::{
        Trickle,
        h2::{CommandResult, Field, SendError, StreamCommand},
    },
};

/// A request of a running handler to its stream, in the handler's order.
#[derive(Debug)]
pub enum H2Event {
    /// Send this, and answer with the result.
    Command(StreamCommand, oneshot::Sender<Result<CommandResult, SendError>>),
    /// The handler has used this many bytes of the request.
    Used(u32),
    /// The handler has ended: send the rest of the answer.
    Finish(Closing),
}

/// The end of an answer: the parts that are set are sent in this order, then the stream ends.
#[derive(Debug, Default)]
pub struct Closing {
    /// The time to wait first.
    pub wait: Duration,
    /// Header fields, and whether they end the stream.
    pub head: Option<(Vec<Field>, bool)>,
    /// Content.
    pub body: Bytes,
    /// Content that follows in parts.
    pub trickle: Option<Trickle>,
    /// Close the connection afterwards.
    pub close: bool,
    /// The answer could not be written: reset the stream, so that the client notices.
    pub broken: bool,
}

/// The stream's end of the crossing: yields events until [`H2Event::Finish`], or until the handler was given up.
#[derive(Debug)]
pub struct H2Events(mpsc::UnboundedReceiver<Option<H2Event>>);

impl H2Events {
    /// The next event; `None` when the handler was given up.
    pub async fn next(&mut self) -> Option<H2Event> {
        self.0.recv().await.flatten()
    }
}

/// The handler's end of the crossing. It sends `None` when the handler panics.
#[derive(Debug, Clone)]
pub struct H2Link(mpsc::UnboundedSender<Option<H2Event>>);

impl H2Link {
    /// A new crossing. The queue needs no bound, because every request waits for its answer.
    pub fn new() -> (Self, H2Events) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), H2Events(receiver))
    }

    /// Ends the link when the calling thread panics before this is dropped.
    pub fn ends_with_panic(&self) -> OnPanic<impl Fn() + use<>> {
        let link = self.clone();
        OnPanic::new(move || drop(link.0.send(None)))
    }

    /// Asks, and waits for the answer. Blocks the thread.
    ///
    /// # Errors
    /// The frame may not be sent, or [`SendError::Gone`], also when the run is cancelled.
    pub fn ask(&self, ask: StreamCommand) -> Result<CommandResult, SendError> {
        let (answer, result) = oneshot::channel();
        self.0.send(Some(H2Event::Command(ask, answer))).map_err(|_| SendError::Gone)?;
        cancel::receive(result).ok().flatten().ok_or(SendError::Gone)?
    }

    /// Hands over the rest of the answer; no other call may follow.
    pub fn finish(&self, closing: Closing) {
        let _ = self.0.send(Some(H2Event::Finish(closing)));
    }

    /// Reports that the handler has used this many bytes of the request.
    pub fn used(&self, count: usize) {
        let _ = self.0.send(Some(H2Event::Used(u32::try_from(count).unwrap_or(u32::MAX))));
    }
}
