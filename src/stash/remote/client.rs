//! The side of the process that runs the handlers.

use std::{
    collections::HashMap,
    fmt,
    io::{self, Read as _, Write as _},
    os::{fd::AsFd as _, unix::net::UnixStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use parking_lot::Mutex;

use super::protocol::{self, Answer, Ask, PREFIX, QueueId};
use crate::stash::{Holder, IsCancelled, Key, PATIENCE, Queue, Refusal, Stash, Value};

/// So many sockets are kept for the next operations; more are closed when theirs is done.
const IDLE_SOCKETS: usize = 16;

/// Makes another socket to the host.
type Dial = Box<dyn Fn() -> io::Result<UnixStream> + Send + Sync>;

/// A stash that is kept by the [`Host`](super::Host) of another process.
#[derive(Debug, Clone)]
pub struct Remote(Arc<Line>);

struct Line {
    dial: Dial,
    idle: Mutex<Vec<UnixStream>>,
    /// A request of this process may hold the lock: when one ends, the host has to be told.
    is_locked: AtomicBool,
}

impl fmt::Debug for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Line").finish_non_exhaustive()
    }
}

impl Line {
    /// Asks, and waits for the answer and its value. A wait that is given up closes its socket, which the host takes for that.
    fn ask(&self, ask: &Ask, value: &[u8], is_cancelled: IsCancelled<'_>) -> Result<(Answer, Vec<u8>), Refusal> {
        let message = protocol::message(ask, value)?;
        let idle = self.idle.lock().pop();
        let mut socket = match idle {
            Some(socket) => socket,
            None => (self.dial)()?,
        };
        socket.write_all(&message)?;
        let mut prefix = [0; PREFIX];
        if let Some(is_cancelled) = is_cancelled {
            wait(&socket, is_cancelled)?;
        }
        socket.read_exact(&mut prefix)?;
        let (header, length) = protocol::lengths(prefix)?;
        let mut bytes = vec![0; header];
        socket.read_exact(&mut bytes)?;
        let mut value = vec![0; length];
        socket.read_exact(&mut value)?;
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_SOCKETS {
            idle.push(socket);
        }
        drop(idle);
        Ok((protocol::header(&bytes)?, value))
    }
}

/// Waits until the socket has something to read.
fn wait(socket: &UnixStream, is_cancelled: &dyn Fn() -> bool) -> Result<(), Refusal> {
    let mut ready = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
    let patience = PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::ZERO);
    while !is_cancelled() {
        match poll(&mut ready, patience) {
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(io::Error::from(error).into()),
        }
    }
    Err(Refusal::GivenUp)
}

/// A value as bytes, and the queues that it refers to.
fn encode(value: Value) -> Result<(Vec<QueueId>, Vec<u8>), Refusal> {
    let mut queues = Vec::new();
    let plain = value.refer(&mut |queue: Arc<dyn Queue>| {
        let id = queue.id().ok_or_else(|| io::Error::other("a queue of another stash cannot be put into this one"))?;
        queues.push(id);
        Ok::<QueueId, io::Error>(id)
    })?;
    let bytes = postcard::to_stdvec(&plain).map_err(protocol::invalid)?;
    if bytes.len() > protocol::MAX_VALUE { Err(Refusal::Full) } else { Ok((queues, bytes)) }
}

impl Remote {
    /// A stash whose host is reached through the sockets that `dial` makes.
    pub fn new(dial: impl Fn() -> io::Result<UnixStream> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Line { dial: Box::new(dial), idle: Mutex::default(), is_locked: AtomicBool::new(false) }))
    }

    fn ask(&self, ask: &Ask, value: &[u8]) -> Result<(Answer, Vec<u8>), Refusal> {
        self.ask_until(ask, value, None)
    }

    fn ask_until(&self, ask: &Ask, value: &[u8], is_cancelled: IsCancelled<'_>) -> Result<(Answer, Vec<u8>), Refusal> {
        match self.0.ask(ask, value, is_cancelled)? {
            (Answer::NotLocked, _) => Err(Refusal::NotLocked),
            (Answer::TooOften, _) => Err(Refusal::TooOften),
            (Answer::Full, _) => Err(Refusal::Full),
            (Answer::Occupied { queues }, value) => Err(Refusal::Occupied(self.decode(&queues, &value)?)),
            (Answer::Unknown, _) => Err(io::Error::from(io::ErrorKind::NotFound).into()),
            answer => Ok(answer),
        }
    }

    /// Asks for something that is merely done.
    fn tell(&self, ask: &Ask, value: &[u8]) -> Result<(), Refusal> {
        self.ask(ask, value).map(drop)
    }

    /// A value that the host has sent. Each mention of a queue is one reference to it.
    fn decode(&self, queues: &[QueueId], bytes: &[u8]) -> Result<Value, Refusal> {
        let mut held: HashMap<QueueId, Vec<Arc<RemoteQueue>>> = HashMap::new();
        for &id in queues {
            held.entry(id).or_default().push(Arc::new(RemoteQueue { stash: self.clone(), id }));
        }
        let plain: Value<QueueId> = postcard::from_bytes(bytes).map_err(protocol::invalid)?;
        plain.refer(&mut |id| match held.get_mut(&id).and_then(Vec::pop) {
            Some(queue) => Ok(queue as Arc<dyn Queue>),
            None => Err(io::Error::from(io::ErrorKind::InvalidData).into()),
        })
    }

    fn value(&self, ask: &Ask) -> Result<Option<Value>, Refusal> {
        match self.ask(ask, &[])? {
            (Answer::Value { queues }, value) => self.decode(&queues, &value).map(Some),
            _ => Ok(None),
        }
    }

    fn number(&self, ask: &Ask) -> Result<u64, Refusal> {
        match self.ask(ask, &[])? {
            (Answer::Number(number), _) => Ok(number),
            _ => Err(io::Error::from(io::ErrorKind::InvalidData).into()),
        }
    }
}

impl Stash for Remote {
    fn put(&self, key: Key, value: Value) -> Result<(), Refusal> {
        let (queues, value) = encode(value)?;
        self.tell(&Ask::Put { key, queues }, &value)
    }

    fn take(&self, key: &Key) -> Result<Option<Value>, Refusal> {
        self.value(&Ask::Take { key: key.clone() })
    }

    fn acquire(&self, holder: Holder, is_cancelled: IsCancelled<'_>) -> Result<(), Refusal> {
        let acquired = self.ask_until(&Ask::Acquire { holder }, &[], is_cancelled);
        // A wait that was given up may have got the lock at the last moment.
        if holder.is_request() && matches!(acquired, Ok(_) | Err(Refusal::GivenUp)) {
            self.0.is_locked.store(true, Ordering::Release);
        }
        acquired.map(drop)
    }

    fn release(&self) -> Result<(), Refusal> {
        // Before it is somebody else's, who says that it is locked.
        self.0.is_locked.store(false, Ordering::Release);
        self.tell(&Ask::Release, &[])
    }

    fn end(&self, holder: Holder) {
        if self.0.is_locked.load(Ordering::Acquire)
            && let Err(error) = self.tell(&Ask::End { holder }, &[])
        {
            log::error!("the lock of the stash may stay locked: {error}");
        }
    }

    fn new_queue(&self) -> Result<Arc<dyn Queue>, Refusal> {
        let id = self.number(&Ask::NewQueue)?;
        Ok(Arc::new(RemoteQueue { stash: self.clone(), id }))
    }
}

/// One reference to a queue of the host.
#[derive(Debug)]
struct RemoteQueue {
    stash: Remote,
    id: QueueId,
}

impl Drop for RemoteQueue {
    fn drop(&mut self) {
        // Without a host there is no queue either.
        let _ = self.stash.tell(&Ask::Forget { queue: self.id }, &[]);
    }
}

impl Queue for RemoteQueue {
    fn id(&self) -> Option<u64> {
        Some(self.id)
    }

    fn put(&self, item: Value) -> Result<(), Refusal> {
        let (queues, value) = encode(item)?;
        self.stash.tell(&Ask::QueuePut { queue: self.id, queues }, &value)
    }

    fn get(&self, wait: Option<Duration>) -> Result<Option<Value>, Refusal> {
        self.stash.value(&Ask::QueueGet { queue: self.id, wait })
    }

    fn count(&self) -> Result<usize, Refusal> {
        self.stash.number(&Ask::QueueCount { queue: self.id }).map(|count| usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn task_done(&self) -> Result<(), Refusal> {
        self.stash.tell(&Ask::TaskDone { queue: self.id }, &[])
    }

    fn join(&self, is_cancelled: IsCancelled<'_>) -> Result<(), Refusal> {
        self.stash.ask_until(&Ask::Join { queue: self.id }, &[], is_cancelled).map(drop)
    }
}
