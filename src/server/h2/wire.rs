//! One connection: the task that reads and writes its socket, and the state that it shares with the tasks of its streams.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _},
    sync::{Notify, mpsc::UnboundedSender},
};

use crate::{
    http::{
        bounds::{Account, BUFFERED},
        h2::{CommandResult, Connection, ErrorCode, Event, Field, Progress, RawKind, SendError, StreamCommand},
    },
    python::Conversation,
    server::{
        leaving::Leaving,
        site::{DISCONNECT, Site},
        stream::ByteStream,
        watched::{self, Watched},
    },
};

/// When this many bytes wait to be sent, no more are accepted from handlers and from the client.
const FULL: usize = 256 * 1024;
/// The bytes that are read at once.
const READ: usize = 64 * 1024;
/// The reads in a row before other connections of the same thread get their turn.
const TURNS: usize = 16;

/// The receiver of a stream's events.
pub(super) enum StreamReceiver {
    Handler(Conversation),
    /// A WebSocket: only the bytes.
    Tunnel(UnboundedSender<Bytes>),
}

/// Begins to answer the request on a new stream.
pub(super) type Begin = fn(&H2Wire, &[Field], u32) -> Option<StreamReceiver>;

/// The one who looks at a connection once in a while.
pub(super) type AsWatched = fn(&H2Wire) -> Rc<dyn Watched>;

struct Inner {
    begin: Begin,
    site: Arc<Site>,
    peer: (Arc<str>, u16),
    connection: RefCell<Connection>,
    /// The receivers of the streams' events. Events of other streams are dropped.
    receivers: RefCell<HashMap<u32, StreamReceiver>>,
    /// Wakes the task of the socket.
    waker: RefCell<Option<Waker>>,
    /// Wakes the tasks of the streams after every change of windows, streams or room.
    change: Notify,
    /// The bytes of answers that wait to become frames.
    waiting: Cell<usize>,
    account: Account,
}

/// Bytes that wait to become frames, until this is dropped.
struct Waiting(H2Wire, usize);

impl Drop for Waiting {
    fn drop(&mut self) {
        let waiting = &self.0.0.waiting;
        waiting.set(waiting.get() - self.1);
        self.0.count();
    }
}

/// A connection, as its tasks share it.
#[derive(Clone)]
pub(super) struct H2Wire(Rc<Inner>);

/// Serves a connection until it ends.
pub(super) async fn serve(
    mut stream: ByteStream,
    peer: (Arc<str>, u16),
    site: Arc<Site>,
    begin: Begin,
    as_watched: AsWatched,
) {
    let bounds = Arc::clone(&site.bounds);
    let wire = H2Wire(Rc::new(Inner {
        begin,
        site,
        peer,
        connection: RefCell::new(Connection::new(Instant::now(), &bounds)),
        receivers: RefCell::default(),
        waker: RefCell::default(),
        change: Notify::new(),
        waiting: Cell::new(0),
        account: Account::new(&BUFFERED),
    }));
    let watched = as_watched(&wire);
    watched::watch(Rc::downgrade(&watched), bounds.look_interval());
    let mut input = BytesMut::new();
    let mut leaving = Leaving::default();
    let is_orderly = poll_fn(|context| {
        if leaving.has_begun(context) {
            wire.0.connection.borrow_mut().close();
        }
        wire.poll(&mut stream, &mut input, context)
    })
    .await;
    wire.0.connection.borrow_mut().abandon();
    wire.0.change.notify_waiters();
    // Outside the borrow: dropping a conversation takes locks.
    let receivers = std::mem::take(&mut *wire.0.receivers.borrow_mut());
    drop(receivers);
    if is_orderly {
        let _ = tokio::time::timeout(DISCONNECT, say_goodbye(&mut stream)).await;
    }
}

/// Closes our side, then reads until the client has closed its own: closing a socket with unread input resets the
/// connection, and the client may lose the last bytes.
async fn say_goodbye(stream: &mut ByteStream) {
    let mut rest = vec![0; READ];
    if stream.shutdown().await.is_ok() {
        while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {}
    }
}

impl H2Wire {
    /// Moves bytes between the socket and the connection. Ready when the connection has ended: with true if this side ended it.
    fn poll(&self, stream: &mut ByteStream, input: &mut BytesMut, context: &mut Context<'_>) -> Poll<bool> {
        *self.0.waker.borrow_mut() = Some(context.waker().clone());
        if self.0.account.is_evicted() && !self.0.connection.borrow().is_over() {
            let text = "all connections together hold more than bounds.buffered_bytes, and this one most of it";
            self.0.connection.borrow_mut().exhaust(text);
            self.0.change.notify_waiters();
        }
        for _ in 0..TURNS {
            match self.poll_write(stream, context) {
                Poll::Ready(Err(_)) => return Poll::Ready(false),
                Poll::Ready(Ok(())) if self.0.connection.borrow().is_done() => return Poll::Ready(true),
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
            let (is_over, pending) = {
                let connection = self.0.connection.borrow();
                (connection.is_over(), connection.pending())
            };
            if is_over || pending >= FULL {
                return Poll::Pending;
            }
            input.reserve(READ);
            match tokio_util::io::poll_read_buf(Pin::new(stream), context, input) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(count)) if count > 0 => self.receive(input),
                Poll::Ready(_) => return Poll::Ready(false),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Ready when all bytes have been sent.
    fn poll_write(&self, stream: &mut ByteStream, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let mut connection = self.0.connection.borrow_mut();
        let output = connection.output();
        let before = output.len();
        while !output.is_empty() {
            match Pin::new(&mut *stream).poll_write(context, output) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => output.advance(count),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => break,
            }
        }
        if output.len() < before {
            self.0.change.notify_waiters();
        }
        let is_empty = output.is_empty();
        match Pin::new(stream).poll_flush(context) {
            Poll::Ready(Ok(())) if !is_empty => Poll::Pending,
            other => other,
        }
    }

    fn receive(&self, input: &mut BytesMut) {
        let mut events = VecDeque::new();
        self.0.connection.borrow_mut().receive(input, Instant::now(), &mut events);
        for event in events {
            self.handle(event);
        }
        self.0.change.notify_waiters();
    }

    fn handle(&self, event: Event) {
        let (Event::Request { stream, .. }
        | Event::Data { stream, .. }
        | Event::Trailers { stream, .. }
        | Event::WindowUpdated { stream, .. }
        | Event::Priority { stream, .. }
        | Event::Reset { stream, .. }) = event
        else {
            return;
        };
        if let Event::Request { fields, .. } = &event {
            let receiver = (self.0.begin)(self, fields, stream);
            if let Some(receiver) = receiver {
                self.0.receivers.borrow_mut().insert(stream, receiver);
            }
        }
        let is_end = matches!(&event, Event::Data { end: true, .. } | Event::Trailers { .. } | Event::Reset { .. });
        let length = if let Event::Data { data, .. } = &event { data.len() as u32 } else { 0 };
        let is_received = match (self.0.receivers.borrow().get(&stream), event) {
            (Some(StreamReceiver::Handler(handler)), event) => handler.tell(event).is_ok(),
            (Some(StreamReceiver::Tunnel(tunnel)), Event::Data { data, .. }) => tunnel.send(data).is_ok() && !is_end,
            (Some(StreamReceiver::Tunnel(_)), _) => !is_end,
            (None, _) => false,
        };
        if !is_received {
            self.forget_receiver(stream);
            self.used(stream, length);
        }
    }

    /// The streams whose handlers are told what comes.
    pub(super) fn handlers(&self) -> Vec<u32> {
        let receivers = self.0.receivers.borrow();
        receivers
            .iter()
            .filter(|(_, receiver)| matches!(receiver, StreamReceiver::Handler(_)))
            .map(|(stream, _)| *stream)
            .collect()
    }

    /// Acts as if this had come from the client.
    pub(super) fn hear(&self, event: Event) {
        self.handle(event);
        self.0.change.notify_waiters();
    }

    /// Counts bytes that wait to become frames. Too many end the connection, unless nothing else waits: one answer may be as long
    /// as it likes.
    fn wait(&self, count: usize) -> Result<Waiting, SendError> {
        let before = self.0.waiting.replace(self.0.waiting.get() + count);
        let waiting = Waiting(self.clone(), count);
        self.count();
        let sum = (before + count) as u64;
        if before > 0 && self.0.site.bounds.h2_buffered_bytes.is_some_and(|most| sum > most) {
            let text = "more bytes of answers wait than bounds.h2_buffered_bytes allows";
            self.with(|connection| connection.exhaust(text));
            self.0.change.notify_waiters();
            return Err(SendError::Gone);
        }
        Ok(waiting)
    }

    /// Counts what waits among what all clients hold together.
    fn count(&self) {
        let pending = self.0.connection.borrow().pending();
        let held = (self.0.waiting.get() + pending) as u64;
        if let Some(waker) = &*self.0.waker.borrow() {
            self.0.account.hold(held, waker);
        }
    }

    /// Drops later events of a stream.
    pub(super) fn forget_receiver(&self, stream: u32) {
        let receiver = self.0.receivers.borrow_mut().remove(&stream);
        drop(receiver);
    }

    /// Address and port of the client.
    pub(super) fn peer(&self) -> (Arc<str>, u16) {
        self.0.peer.clone()
    }

    pub(super) fn site(&self) -> &Arc<Site> {
        &self.0.site
    }

    fn wake(&self) {
        if let Some(waker) = &*self.0.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Changes the connection, and wakes the socket's task.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Connection) -> T) -> T {
        let result = work(&mut self.0.connection.borrow_mut());
        self.wake();
        result
    }

    /// Repeats an attempt after every change, until it gives a result.
    async fn until<T>(&self, mut attempt: impl FnMut(&mut Connection) -> Option<T>) -> T {
        loop {
            let change = self.0.change.notified();
            if let Some(result) = self.with(&mut attempt) {
                return result;
            }
            change.await;
        }
    }

    /// Waits until the output has room.
    async fn room(&self) -> Result<(), SendError> {
        self.until(|connection| match connection.pending() {
            _ if connection.is_over() => Some(Err(SendError::Gone)),
            pending if pending < FULL => Some(Ok(())),
            _ => None,
        })
        .await
    }

    /// Waits until a request is complete; false if it never will be.
    pub(super) async fn completed(&self, stream: u32) -> bool {
        self.until(|connection| match connection.progress(stream) {
            Progress::Open => None,
            Progress::Complete => Some(true),
            Progress::Gone => Some(false),
        })
        .await
    }

    /// Whether the stream still exists.
    pub(super) fn is_there(&self, stream: u32) -> bool {
        self.0.connection.borrow().progress(stream) != Progress::Gone
    }

    /// Waits until the client has reset the stream or disconnected.
    pub(super) async fn abandoned(&self, stream: u32) {
        self.until(|connection| (connection.progress(stream) == Progress::Gone).then_some(())).await;
    }

    pub(super) fn used(&self, stream: u32, count: u32) {
        self.with(|connection| connection.used(stream, count));
    }

    pub(super) fn reset(&self, stream: u32, code: ErrorCode) {
        self.with(|connection| connection.reset(stream, code));
    }

    /// The answer is complete: ends our side of the stream, and drops later events.
    pub(super) fn settle(&self, stream: u32) {
        self.forget_receiver(stream);
        self.with(|connection| {
            connection.settle(stream);
            connection.drain(stream);
        });
    }

    pub(super) fn release(&self, stream: u32) {
        self.forget_receiver(stream);
        self.with(|connection| connection.release(stream));
    }

    /// Accepts no new streams.
    pub(super) fn close(&self) {
        self.with(Connection::close);
    }

    /// Sends header fields.
    ///
    /// # Errors
    /// The stream does not allow header fields now, or not these.
    pub(super) async fn headers(&self, stream: u32, fields: &[Field], end: bool) -> Result<(), SendError> {
        self.with(|connection| connection.headers(stream, fields, end))?;
        self.room().await
    }

    /// Sends content, as fast as the client accepts it.
    ///
    /// # Errors
    /// The stream or the connection has ended.
    pub(super) async fn content(&self, stream: u32, mut data: Bytes, end: bool) -> Result<(), SendError> {
        let _waiting = self.wait(data.len())?;
        loop {
            self.until(|connection| connection.content(stream, &mut data, end).transpose()).await?;
            self.room().await?;
            if data.is_empty() {
                return Ok(());
            }
        }
    }

    /// Executes a handler's request on its own stream, or on another.
    ///
    /// # Errors
    /// The request is not allowed, or the stream or the connection has ended.
    pub(super) async fn perform(&self, own: u32, ask: StreamCommand) -> Result<CommandResult, SendError> {
        match ask {
            StreamCommand::Headers { stream, fields, end } => self.headers(stream.unwrap_or(own), &fields, end).await?,
            StreamCommand::Content { stream, data, end } => self.content(stream.unwrap_or(own), data, end).await?,
            StreamCommand::Frame { stream, data, end } => {
                let stream = stream.unwrap_or(own);
                let _waiting = self.wait(data.len())?;
                self.until(|connection| connection.frame(stream, &data, end).transpose()).await?;
                self.room().await?;
            }
            StreamCommand::End { stream } => self.with(|connection| connection.end(stream.unwrap_or(own)))?,
            StreamCommand::Push { promised, fields } => {
                let promised = self.with(|connection| connection.push(own, promised, &fields))?;
                return Ok(CommandResult::Promised(promised));
            }
            StreamCommand::Raw { stream, kind, end_stream, end_headers } => {
                let stream = stream.unwrap_or(own);
                let is_data = matches!(kind, RawKind::Data(_) | RawKind::Bytes(_));
                self.with(|connection| connection.raw(stream, &kind, end_stream, end_headers))?;
                if is_data {
                    self.room().await?;
                }
            }
            StreamCommand::Room { stream } => {
                return self.with(|connection| connection.room(stream.unwrap_or(own))).map(CommandResult::Room);
            }
        }
        Ok(CommandResult::Done)
    }
}
