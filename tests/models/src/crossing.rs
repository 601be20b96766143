//! Requests over HTTP/1: `handover::link` and `handover::outlet`, between a client, its connection and the threads of handlers.

use std::{
    collections::VecDeque,
    future::{Future as _, poll_fn},
    io,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use shuttle::{future::block_on, rand::Rng as _, thread};

use crate::{
    cancel::Run,
    handover::{Http1Event, Http1Events, Http1Link, Last, Outlet},
    lock::Mutex,
    net::{TcpStream, tcp::OwnedWriteHalf},
};

/// What the client has sent and the connection has not read.
#[derive(Default)]
struct Requests {
    came: usize,
    is_closed: bool,
    reader: Option<Waker>,
}

/// The receiving side of the socket.
#[derive(Clone, Default)]
struct Inbox(Arc<Mutex<Requests>>);

impl Inbox {
    fn change(&self, change: impl FnOnce(&mut Requests)) {
        let mut requests = self.0.lock();
        change(&mut requests);
        let reader = requests.reader.take();
        drop(requests);
        reader.into_iter().for_each(Waker::wake);
    }

    /// Has the task called when the client sends something.
    fn listen(&self, context: &Context<'_>) {
        self.0.lock().reader = Some(context.waker().clone());
    }

    fn is_quiet(&self) -> bool {
        let requests = self.0.lock();
        requests.came == 0 && !requests.is_closed
    }
}

/// What a handler does, in order.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Write,
    Read,
    /// The whole answer, or what is left of it.
    Finish {
        close: bool,
    },
    /// The thread dies: the link goes without a word.
    Die,
}

/// Bytes of the answer number `number`: two digits.
fn bytes(number: usize) -> Bytes {
    Bytes::from(format!("{:02}", number % 100))
}

fn plan() -> Vec<Deed> {
    let mut random = shuttle::rand::thread_rng();
    let mut deeds = Vec::new();
    for _ in 0..random.gen_range(0..3) {
        deeds.push(if random.gen_bool(0.5) { Deed::Write } else { Deed::Read });
    }
    deeds.push(match random.gen_range(0..4) {
        0 => Deed::Die,
        1 => Deed::Finish { close: true },
        _ => Deed::Finish { close: false },
    });
    deeds
}

/// A handler's thread. Returns whether its client is still there, as far as the handler can know.
fn handler(link: Http1Link, deeds: &[Deed], number: usize) -> bool {
    let _ends = link.ends_with_panic();
    let mut is_there = true;
    for deed in deeds {
        match deed {
            Deed::Write => is_there &= link.write(bytes(number)),
            Deed::Read => match link.read(3) {
                Ok(read) => assert_eq!(read.as_ref(), b"abc"),
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
                    is_there = false;
                }
            },
            Deed::Finish { close } => {
                let last = Last { wait: Duration::ZERO, bytes: bytes(number), trickle: None, close: *close };
                link.finish(last);
            }
            Deed::Die => {}
        }
    }
    is_there
}

/// How a request ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    KeepAlive,
    Close,
    Died,
}

/// Sends all of it, after what a handler has left.
async fn send(outlet: &Outlet, mut bytes: Bytes) {
    while !bytes.is_empty() {
        let count = poll_fn(|context| outlet.poll_send(context, |socket| socket.try_write(&bytes))).await.unwrap();
        drop(bytes.split_to(count));
    }
}

/// What `server::dispatch` does for a script, and `server::wire` around it.
async fn answer(inbox: &Inbox, outlet: &Outlet, events: &mut Http1Events) -> End {
    loop {
        let event = poll_fn(|context| {
            // The dispatcher of a connection looks at its output and its input whenever it is called.
            let _ = outlet.poll_rest(context);
            inbox.listen(context);
            pin!(events.next(|| inbox.is_quiet())).poll(context)
        })
        .await;
        match event {
            Some(Http1Event::Write(bytes, answer)) => {
                send(outlet, bytes).await;
                let _ = answer.send(true);
            }
            Some(Http1Event::Read(max, answer)) => {
                let _ = answer.send(Ok(Bytes::from_static(b"abc").slice(..max.min(3))));
            }
            Some(Http1Event::Finish(last)) => {
                send(outlet, last.bytes).await;
                return if last.close { End::Close } else { End::KeepAlive };
            }
            Some(Http1Event::Over) => return End::KeepAlive,
            None => return End::Died,
        }
    }
}

/// Several requests on one connection, pipelined or not; the socket takes a few bytes at a time.
///
/// * No wake-up is lost: the client gets its answers, whatever the schedule is, and every thread ends.
/// * Each answer comes once, whole, and in the order of the requests, whether it went through the connection or past it.
/// * A handler that dies wakes its connection, which goes on.
pub fn answers_come_once_and_in_order() {
    const COUNT: usize = 3;
    let socket = TcpStream::with_room(shuttle::rand::thread_rng().gen_range(1..6));
    let plans: Vec<Vec<Deed>> = (0..COUNT).map(|_| plan()).collect();
    // Those before the last keep the connection.
    let keep = |deed: &Deed| if let Deed::Finish { .. } = deed { Deed::Finish { close: false } } else { *deed };
    let plans: Vec<Vec<Deed>> = plans.iter().map(|deeds| deeds.iter().map(keep).collect()).collect();
    let is_pipelined = shuttle::rand::thread_rng().gen_bool(0.5);
    let answer_of = |number: usize| {
        let sends = plans[number].iter().filter(|deed| matches!(deed, Deed::Write | Deed::Finish { .. })).count();
        bytes(number).repeat(sends)
    };
    let expected: Vec<Vec<u8>> = (0..COUNT).map(answer_of).collect();
    let inbox = Inbox::default();

    let client = thread::spawn({
        let (socket, inbox, expected) = (socket.clone(), inbox.clone(), expected.clone());
        move || {
            let mut read = Vec::new();
            let mut wanted = 0;
            for answer in &expected {
                inbox.change(|requests| requests.came += 1);
                wanted += answer.len();
                while !is_pipelined && read.len() < wanted {
                    read.extend(socket.read());
                }
            }
            while read.len() < wanted {
                read.extend(socket.read());
            }
            inbox.change(|requests| requests.is_closed = true);
            read
        }
    });
    let outlet = Arc::new(Outlet::new(OwnedWriteHalf(socket)));
    let handlers = block_on(async {
        let mut handlers = Vec::new();
        for (number, deeds) in plans.iter().enumerate() {
            poll_fn(|context| {
                let _ = outlet.poll_rest(context);
                inbox.listen(context);
                let mut requests = inbox.0.lock();
                if requests.came == 0 {
                    return Poll::Pending;
                }
                requests.came -= 1;
                Poll::Ready(())
            })
            .await;
            let (link, mut events) = Http1Link::new(Arc::downgrade(&outlet), Run::new("a.py".into(), true, None));
            let deeds_of_handler = deeds.clone();
            handlers.push(thread::spawn(move || handler(link, &deeds_of_handler, number)));
            let end = answer(&inbox, &outlet, &mut events).await;
            let dies = matches!(deeds.last(), Some(Deed::Die));
            assert_eq!(end, if dies { End::Died } else { End::KeepAlive });
        }
        // The client has gone: what it has not got never comes.
        poll_fn(|context| {
            let _ = outlet.poll_settled(context);
            inbox.listen(context);
            if inbox.0.lock().is_closed { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        handlers
    });
    assert!(handlers.into_iter().all(|handler| handler.join().unwrap()), "a handler was told that its client has gone");
    assert_eq!(client.join().unwrap(), expected.concat());
}

/// A connection that goes at any time, with an event taken and not answered, or not.
///
/// * The handler is woken and told: writing is false, reading an error, and the end of its answer goes nowhere.
/// * A connection that goes while the thread sends past it does not hold it.
pub fn a_client_that_goes_wakes_the_handler() {
    let socket = TcpStream::with_room(1);
    let outlet = Arc::new(Outlet::new(OwnedWriteHalf(socket)));
    let (link, mut events) = Http1Link::new(Arc::downgrade(&outlet), Run::new("a.py".into(), true, None));
    let mut deeds = plan();
    deeds.insert(0, Deed::Write);
    let is_idle = shuttle::rand::thread_rng().gen_bool(0.5);
    let taken = shuttle::rand::thread_rng().gen_range(0..3);
    let handler = thread::spawn(move || handler(link, &deeds, 0));
    let connection = thread::spawn(move || {
        block_on(async move {
            for _ in 0..taken {
                match events.next(|| is_idle).await {
                    // Taken and forgotten, as by a task that is dropped in the middle of a write.
                    Some(Http1Event::Write(_, answer)) => drop(answer),
                    Some(Http1Event::Read(_, answer)) => drop(answer),
                    Some(Http1Event::Finish(_) | Http1Event::Over) | None => break,
                }
            }
            drop(events);
            drop(outlet);
        });
    });
    connection.join().unwrap();
    assert!(!handler.join().unwrap(), "the handler's first write has been lost, but it was not told");
}
