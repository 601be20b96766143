//! The crossing between a VM thread and the connection whose request it runs: one queue of events out, one answer
//! back per event. It knows neither HTTP nor Python, only the requests that either side may make of the other.
//!
//! Every call here blocks the calling thread. A VM thread calls it inside `vm.allow_threads`.
//!
//! Waking the connection's thread costs more than most handlers. So while the connection only waits for its client, the handler's
//! thread sends the end of an answer to the socket directly. The connection finds [`Http1Event::Over`] when the next request comes.
//! That may be before the handler's thread has returned from sending, so the event is queued first; the [`Outlet`] keeps the order
//! of the bytes.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io,
    sync::{Arc, Weak},
    task::{Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{
    on_panic::OnPanic,
    outlet::{Direct, Outlet},
};
use crate::{
    cancel::{self, Run},
    http::Trickle,
};

/// A request of a running handler to its connection, in the handler's order.
#[derive(Debug)]
pub enum Http1Event {
    /// Put these bytes on the wire as they are. Answered with false once the client has disconnected.
    Write(Bytes, oneshot::Sender<bool>),
    /// Read at most this many bytes of the request body (at least one, unless it has ended).
    Read(usize, oneshot::Sender<io::Result<Bytes>>),
    /// The handler has ended: send the rest of its answer.
    Finish(Last),
    /// The handler has ended, and its thread sends the rest of its answer to the socket itself.
    Over,
}

/// The end of an answer. The handler's thread serves another request by now, so the connection does the waiting.
#[derive(Debug)]
pub struct Last {
    /// The time to wait first.
    pub wait: Duration,
    /// The rest of the answer; a plain answer is here as a whole.
    pub bytes: Bytes,
    /// Content that follows in parts.
    pub trickle: Option<Box<Trickle>>,
    /// Close the connection afterwards.
    pub close: bool,
}

impl Last {
    /// Whether the end is only bytes to write, after which the connection stays open.
    fn is_plain(&self) -> bool {
        self.wait.is_zero() && self.trickle.is_none() && !self.close
    }
}

/// The state that both ends share.
#[derive(Debug, Default)]
struct Crossing {
    events: VecDeque<Http1Event>,
    /// The connection's task, to be woken when an event comes.
    waker: Option<Waker>,
    /// The connection only waits for its client, and will look for events when the client sends something.
    is_idle: bool,
    /// The end of the answer has been handed over.
    has_end: bool,
    /// The handler's thread sends the end of the answer to the socket itself.
    is_sent_directly: bool,
    /// No more events will come.
    is_over: bool,
    /// The connection's end has been dropped: no event will be handled any more.
    is_connection_gone: bool,
}

/// The connection's end: yields events until [`Http1Event::Finish`] or [`Http1Event::Over`], or until the handler's thread died.
#[derive(Debug)]
pub struct Http1Events {
    crossing: Arc<Mutex<Crossing>>,
    run: Arc<Run>,
}

impl Http1Events {
    /// The run of the handler, to tell it that the client has disconnected. Dropping the events before the end tells it as well.
    pub fn run(&self) -> Arc<Run> {
        Arc::clone(&self.run)
    }

    /// The next event; `None` when the thread that ran the handler died without finishing.
    ///
    /// `is_idle` tells whether the connection only waits for its client. If so, [`Http1Event::Over`] does not wake the task: the caller
    /// has to poll again when the client has sent something.
    pub async fn next(&mut self, is_idle: impl Fn() -> bool) -> Option<Http1Event> {
        poll_fn(|context| {
            let mut crossing = self.crossing.lock();
            if let Some(event) = crossing.events.pop_front() {
                return Poll::Ready(Some(event));
            }
            if crossing.is_sent_directly {
                return Poll::Ready(Some(Http1Event::Over));
            }
            if crossing.is_over {
                return Poll::Ready(None);
            }
            crossing.is_idle = is_idle();
            crossing.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

impl Drop for Http1Events {
    fn drop(&mut self) {
        // Dropped outside the lock. The drop answers the events that wait.
        let (_unanswered, has_end) = {
            let mut crossing = self.crossing.lock();
            crossing.is_connection_gone = true;
            (std::mem::take(&mut crossing.events), crossing.has_end || crossing.is_over)
        };
        if !has_end {
            self.run.client_gone();
        }
    }
}

#[derive(Debug)]
struct Sender {
    crossing: Arc<Mutex<Crossing>>,
    /// The outlet for direct sending. The reference does not keep the socket open.
    outlet: Weak<Outlet>,
}

impl Sender {
    /// False when the connection's end has been dropped.
    fn send(&self, event: Http1Event) -> bool {
        let mut crossing = self.crossing.lock();
        if crossing.is_connection_gone {
            return false;
        }
        crossing.has_end |= matches!(event, Http1Event::Finish(_));
        crossing.events.push_back(event);
        let waker = crossing.waker.take();
        drop(crossing);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Sends the end of the answer to the socket if the connection is idle; otherwise returns the bytes.
    fn send_directly(&self, bytes: Bytes) -> Option<Bytes> {
        let Some(outlet) = self.outlet.upgrade() else { return Some(bytes) };
        let mut waker = None;
        let sent = outlet.send_directly(bytes, || {
            let mut crossing = self.crossing.lock();
            // Without a waker the connection is at work: it would not be woken for what the socket does not take.
            waker = if crossing.is_idle { crossing.waker.take() } else { None };
            crossing.is_sent_directly = waker.is_some();
            crossing.has_end |= crossing.is_sent_directly;
            crossing.is_sent_directly
        });
        match sent {
            Direct::Sent => None,
            Direct::Left => {
                waker.into_iter().for_each(Waker::wake);
                None
            }
            Direct::Refused(bytes) => Some(bytes),
        }
    }
}

impl Sender {
    /// Notes that no more events will come.
    fn end(&self) {
        let waker = {
            let mut crossing = self.crossing.lock();
            crossing.is_over = true;
            // If events are queued, the connection has been woken already, and finds this after them.
            if crossing.events.is_empty() && !crossing.is_sent_directly { crossing.waker.take() } else { None }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.end();
    }
}

/// The handler's end.
#[derive(Debug, Clone)]
pub struct Http1Link(Arc<Sender>);

impl Http1Link {
    /// Ends the crossing when the calling thread panics before this is dropped.
    pub fn ends_with_panic(&self) -> OnPanic<impl Fn() + use<>> {
        let link = self.clone();
        OnPanic::new(move || link.0.end())
    }

    /// A new crossing. The queue needs no bound: writes and reads wait for their answer. `outlet` is where the end of an
    /// answer may be sent directly.
    pub fn new(outlet: Weak<Outlet>, run: Arc<Run>) -> (Self, Http1Events) {
        let crossing = Arc::<Mutex<Crossing>>::default();
        let events = Http1Events { crossing: Arc::clone(&crossing), run };
        (Self(Arc::new(Sender { crossing, outlet })), events)
    }

    /// Writes to the client and waits until the socket has taken the bytes; false once the client has disconnected,
    /// or when the run is cancelled.
    pub fn write(&self, bytes: Bytes) -> bool {
        let (answer, result) = oneshot::channel();
        self.0.send(Http1Event::Write(bytes, answer)) && cancel::receive(result) == Ok(Some(true))
    }

    /// Reads at most `max` bytes of the request body; empty at its end.
    ///
    /// # Errors
    /// The client broke the connection or sent a malformed chunk, or the run is cancelled.
    pub fn read(&self, max: usize) -> io::Result<Bytes> {
        let gone = || io::Error::new(io::ErrorKind::BrokenPipe, "the client closed the connection");
        let (answer, result) = oneshot::channel();
        if !self.0.send(Http1Event::Read(max, answer)) {
            return Err(gone());
        }
        cancel::receive(result).map_err(io::Error::other)?.ok_or_else(gone)?
    }

    /// Hands over the rest of the answer; no other call may follow.
    pub fn finish(&self, mut last: Last) {
        if last.is_plain() {
            let Some(bytes) = self.0.send_directly(last.bytes) else { return };
            last.bytes = bytes;
        }
        // If the client has disconnected, the end of the answer is not needed.
        self.0.send(Http1Event::Finish(last));
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read as _,
        pin::pin,
        sync::atomic::{AtomicUsize, Ordering},
        task::{Context, Wake},
        thread,
    };

    use super::*;
    use crate::handover::outlet;

    #[derive(Default)]
    struct Calls(AtomicUsize);

    impl Wake for Calls {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The values that keep the client's connection open.
    type Alive = (tokio::runtime::Runtime, Arc<Outlet>);

    /// A link whose connection has asked for the next event once: the link, the events, the number of wake-ups since, and the
    /// client.
    fn waiting(is_idle: bool) -> (Http1Link, Http1Events, Arc<Calls>, std::net::TcpStream, Alive) {
        let (client, outlet, runtime) = outlet::tests::connected();
        let outlet = Arc::new(outlet);
        let (link, mut events) = Http1Link::new(Arc::downgrade(&outlet), Run::new("a.py".into(), true, None));
        let calls = Arc::new(Calls::default());
        assert!(look(&mut events, is_idle, &calls).is_pending());
        (link, events, calls, client, (runtime, outlet))
    }

    fn look(events: &mut Http1Events, is_idle: bool, calls: &Arc<Calls>) -> Poll<Option<Http1Event>> {
        let waker = Arc::clone(calls).into();
        pin!(events.next(|| is_idle)).poll(&mut Context::from_waker(&waker))
    }

    fn last(close: bool) -> Last {
        Last { wait: Duration::ZERO, bytes: Bytes::from_static(b"the end"), trickle: None, close }
    }

    #[test]
    fn an_idle_connection_is_not_called_for_the_end() {
        let (link, mut events, calls, mut client, _alive) = waiting(true);
        link.finish(last(false));
        drop(link);
        let mut bytes = [0; 7];
        client.read_exact(&mut bytes).unwrap();
        assert_eq!((&bytes, calls.0.load(Ordering::Relaxed)), (b"the end", 0));
        assert!(matches!(look(&mut events, true, &calls), Poll::Ready(Some(Http1Event::Over))));
    }

    #[test]
    fn who_has_something_to_do_is_called() {
        for (is_idle, close) in [(false, false), (true, true)] {
            let (link, mut events, calls, client, _alive) = waiting(is_idle);
            link.finish(last(close));
            assert_eq!(calls.0.load(Ordering::Relaxed), 1);
            match look(&mut events, is_idle, &calls) {
                Poll::Ready(Some(Http1Event::Finish(last))) => assert_eq!(last.bytes, "the end"),
                other => panic!("{other:?}"),
            }
            client.set_nonblocking(true).unwrap();
            assert_eq!((&client).read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
    }

    #[test]
    fn nothing_is_sent_directly_before_the_connection_waits_again() {
        let (link, mut events, calls, client, _alive) = waiting(true);
        let writer = link.clone();
        let writing = thread::spawn(move || writer.write(Bytes::from_static(b"the beginning")));
        let answer = loop {
            match look(&mut events, true, &calls) {
                Poll::Ready(Some(Http1Event::Write(_, answer))) => break answer,
                Poll::Pending => thread::yield_now(),
                other => panic!("{other:?}"),
            }
        };
        answer.send(true).unwrap();
        assert!(writing.join().unwrap());
        // Nobody would call it for the rest of a long end.
        link.finish(last(false));
        client.set_nonblocking(true).unwrap();
        assert_eq!((&client).read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(matches!(look(&mut events, true, &calls), Poll::Ready(Some(Http1Event::Finish(_)))));
    }

    #[test]
    fn what_the_socket_does_not_take_is_left_to_the_connection() {
        let (link, mut events, calls, mut client, (runtime, outlet)) = waiting(true);
        let bytes = Bytes::from(vec![b'x'; 64 << 20]);
        link.finish(Last { bytes: bytes.clone(), ..last(false) });
        assert_eq!(calls.0.load(Ordering::Relaxed), 1);
        assert!(matches!(look(&mut events, true, &calls), Poll::Ready(Some(Http1Event::Over))));
        // Later bytes come after this answer, even from the thread of another handler.
        let (next, mut next_events) = Http1Link::new(Arc::downgrade(&outlet), Run::new("a.py".into(), true, None));
        assert!(look(&mut next_events, true, &calls).is_pending());
        next.finish(last(false));
        let Poll::Ready(Some(Http1Event::Finish(last))) = look(&mut next_events, true, &calls) else {
            panic!("no end")
        };
        let reading = thread::spawn(move || {
            let mut taken = vec![0; bytes.len() + last.bytes.len()];
            client.read_exact(&mut taken).unwrap();
            taken.ends_with(b"xthe end")
        });
        let count =
            runtime.block_on(poll_fn(|context| outlet.poll_send(context, |socket| socket.try_write(b"the end"))));
        assert!(count.unwrap() == 7 && reading.join().unwrap());
    }

    #[test]
    fn a_thread_that_dies_is_noticed() {
        let (link, mut events, calls, ..) = waiting(true);
        drop(link);
        assert_eq!(calls.0.load(Ordering::Relaxed), 1);
        assert!(matches!(look(&mut events, true, &calls), Poll::Ready(None)));
    }

    #[test]
    fn a_connection_that_has_gone_is_noticed() {
        let (link, events, ..) = waiting(true);
        drop(events);
        assert!(!link.write(Bytes::from_static(b"x")));
        assert_eq!(link.read(1).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        link.finish(last(false));
    }
}
