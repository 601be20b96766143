//! What the host keeps, and who waits for it: no sockets and no clock of its own.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap, VecDeque},
    rc::{Rc, Weak},
    time::Instant,
};

use super::protocol::{Answer, Ask, QueueId};
use crate::stash::{Holder, Key};

/// The most bytes of all values.
const MAX_TOTAL: usize = 512 << 20;

/// A process that uses the stash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(pub u32);

/// A socket of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SocketId(pub(super) u64);

/// A value that is kept.
#[derive(Debug)]
struct Kept {
    bytes: Vec<u8>,
    queues: Vec<Rc<Queue>>,
    /// Bytes of all values that are kept.
    total: Rc<Cell<usize>>,
}

impl Kept {
    fn ids(&self) -> Vec<QueueId> {
        self.queues.iter().map(|queue| queue.id).collect()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.total.set(self.total.get().saturating_sub(self.bytes.len()));
    }
}

/// A queue that a process or a value refers to.
#[derive(Debug)]
struct Queue {
    id: QueueId,
    state: std::cell::RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Kept>,
    unfinished: u64,
    /// Those who wait for an item, and until when.
    getting: VecDeque<(ClientId, SocketId, Option<Instant>)>,
    /// Those who wait until all is done.
    joining: Vec<SocketId>,
}

/// A message for a socket: an answer and the bytes of a value.
pub(super) type Outgoing = (SocketId, Answer, Vec<u8>);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    values: HashMap<Key, Kept>,
    held: Option<(ClientId, Holder)>,
    waiting: VecDeque<(ClientId, SocketId, Holder)>,
    queues: HashMap<QueueId, Weak<Queue>>,
    /// The references of each process to queues.
    references: HashMap<ClientId, BTreeMap<QueueId, (Rc<Queue>, usize)>>,
    last_queue: QueueId,
    total: Rc<Cell<usize>>,
    outgoing: Vec<Outgoing>,
}

impl Keeper {
    /// Whether so many bytes more still fit.
    pub(super) fn has_room(&self, length: usize) -> bool {
        self.total.get().saturating_add(length) <= MAX_TOTAL
    }

    /// What has to be sent since this was last asked.
    pub(super) fn take_outgoing(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.outgoing)
    }

    /// Does what is asked. The answer is among the outgoing messages at once, or when it can be given.
    pub(super) fn ask(&mut self, client: ClientId, socket: SocketId, ask: Ask, value: Vec<u8>, now: Instant) {
        let answer = match ask {
            Ask::Put { key, queues } => match self.values.get(&key) {
                Some(old) => {
                    let (ids, bytes) = (old.ids(), old.bytes.clone());
                    let queues = old.queues.clone();
                    self.refer(client, &queues);
                    self.outgoing.push((socket, Answer::Occupied { queues: ids }, bytes));
                    return;
                }
                None => match self.keep(value, &queues) {
                    Ok(kept) => {
                        self.values.insert(key, kept);
                        Answer::Done
                    }
                    Err(answer) => answer,
                },
            },
            Ask::Take { key } => match self.values.remove(&key) {
                Some(kept) => return self.give(client, socket, kept),
                None => Answer::Nothing,
            },
            Ask::Acquire { holder } => {
                self.waiting.push_back((client, socket, holder));
                if self.held.is_none() {
                    self.grant();
                }
                return;
            }
            Ask::Release if self.held.is_none() => Answer::NotLocked,
            Ask::Release => {
                self.grant();
                Answer::Done
            }
            Ask::End { holder } => {
                // A wait that was given up, if its socket has not closed yet.
                self.waiting.retain(|(other, _, waiting)| (*other, *waiting) != (client, holder));
                if self.held == Some((client, holder)) {
                    self.grant();
                }
                Answer::Done
            }
            Ask::NewQueue => {
                self.last_queue += 1;
                let queue = Rc::new(Queue { id: self.last_queue, state: Default::default() });
                self.queues.insert(queue.id, Rc::downgrade(&queue));
                self.refer(client, std::slice::from_ref(&queue));
                Answer::Number(queue.id)
            }
            Ask::Forget { queue } => {
                self.forget(client, queue);
                Answer::Done
            }
            Ask::QueuePut { queue, queues } => match (self.queue(queue), self.keep(value, &queues)) {
                (Some(queue), Ok(kept)) => {
                    self.add(&queue, kept);
                    Answer::Done
                }
                (_, Err(answer)) => answer,
                (None, Ok(_)) => Answer::Unknown,
            },
            Ask::QueueGet { queue, wait } => match self.queue(queue) {
                Some(queue) => {
                    let item = queue.state.borrow_mut().items.pop_front();
                    match (item, wait) {
                        (Some(kept), _) => return self.give(client, socket, kept),
                        (None, Some(wait)) if wait.is_zero() => Answer::Nothing,
                        (None, wait) => {
                            // A time too far away to be told is as good as never.
                            let deadline = wait.and_then(|wait| now.checked_add(wait));
                            queue.state.borrow_mut().getting.push_back((client, socket, deadline));
                            return;
                        }
                    }
                }
                None => Answer::Unknown,
            },
            Ask::QueueCount { queue } => match self.queue(queue) {
                Some(queue) => Answer::Number(queue.state.borrow().items.len() as u64),
                None => Answer::Unknown,
            },
            Ask::TaskDone { queue } => match self.queue(queue) {
                Some(queue) => self.done(&queue),
                None => Answer::Unknown,
            },
            Ask::Join { queue } => match self.queue(queue) {
                Some(queue) if queue.state.borrow().unfinished > 0 => {
                    queue.state.borrow_mut().joining.push(socket);
                    return;
                }
                Some(_) => Answer::Done,
                None => Answer::Unknown,
            },
        };
        self.outgoing.push((socket, answer, Vec::new()));
    }

    /// A socket has closed: nothing waits on it any more.
    pub(super) fn leave(&mut self, socket: SocketId) {
        self.waiting.retain(|(_, waiting, _)| *waiting != socket);
        for queue in self.queues.values().filter_map(Weak::upgrade) {
            let mut state = queue.state.borrow_mut();
            state.getting.retain(|(_, waiting, _)| *waiting != socket);
            state.joining.retain(|waiting| *waiting != socket);
        }
    }

    /// A process has ended, whose sockets have left: it holds no lock and no queue any more.
    pub(super) fn end(&mut self, client: ClientId) {
        if self.held.is_some_and(|(holder, _)| holder == client) {
            self.grant();
        }
        self.references.remove(&client);
        self.queues.retain(|_, queue| queue.strong_count() > 0);
    }

    /// When [`Self::expire`] is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let queues = self.queues.values().filter_map(Weak::upgrade);
        queues
            .filter_map(|queue| queue.state.borrow().getting.iter().filter_map(|(.., deadline)| *deadline).min())
            .min()
    }

    /// Tells those who have waited long enough that there is nothing.
    pub(super) fn expire(&mut self, now: Instant) {
        for queue in self.queues.values().filter_map(Weak::upgrade) {
            queue.state.borrow_mut().getting.retain(|(_, socket, deadline)| {
                let is_over = deadline.is_some_and(|deadline| deadline <= now);
                if is_over {
                    self.outgoing.push((*socket, Answer::Nothing, Vec::new()));
                }
                !is_over
            });
        }
    }

    /// A value to keep, or why it cannot be kept.
    fn keep(&mut self, bytes: Vec<u8>, queues: &[QueueId]) -> Result<Kept, Answer> {
        if !self.has_room(bytes.len()) {
            return Err(Answer::Full);
        }
        let queues = queues.iter().map(|id| self.queue(*id)).collect::<Option<Vec<_>>>().ok_or(Answer::Unknown)?;
        self.total.set(self.total.get() + bytes.len());
        Ok(Kept { bytes, queues, total: Rc::clone(&self.total) })
    }

    /// Sends a value away, which is kept no longer.
    fn give(&mut self, client: ClientId, socket: SocketId, mut kept: Kept) {
        self.refer(client, &kept.queues);
        self.total.set(self.total.get().saturating_sub(kept.bytes.len()));
        let bytes = std::mem::take(&mut kept.bytes);
        self.outgoing.push((socket, Answer::Value { queues: kept.ids() }, bytes));
    }

    /// Hands the lock to the one who has waited longest.
    fn grant(&mut self) {
        let next = self.waiting.pop_front();
        self.held = next.map(|(client, _, holder)| (client, holder));
        if let Some((_, socket, _)) = next {
            self.outgoing.push((socket, Answer::Done, Vec::new()));
        }
    }

    fn queue(&self, id: QueueId) -> Option<Rc<Queue>> {
        self.queues.get(&id).and_then(Weak::upgrade)
    }

    fn refer(&mut self, client: ClientId, queues: &[Rc<Queue>]) {
        let references = self.references.entry(client).or_default();
        for queue in queues {
            references.entry(queue.id).or_insert_with(|| (Rc::clone(queue), 0)).1 += 1;
        }
    }

    fn forget(&mut self, client: ClientId, queue: QueueId) {
        let Some(references) = self.references.get_mut(&client) else { return };
        if let Some((_, count)) = references.get_mut(&queue) {
            *count -= 1;
            if *count == 0 {
                references.remove(&queue);
            }
        }
        if self.queues.get(&queue).is_some_and(|queue| queue.strong_count() == 0) {
            self.queues.remove(&queue);
        }
    }

    fn add(&mut self, queue: &Queue, kept: Kept) {
        let getter = {
            let mut state = queue.state.borrow_mut();
            state.unfinished += 1;
            state.getting.pop_front()
        };
        match getter {
            Some((client, socket, _)) => self.give(client, socket, kept),
            None => queue.state.borrow_mut().items.push_back(kept),
        }
    }

    fn done(&mut self, queue: &Queue) -> Answer {
        let mut state = queue.state.borrow_mut();
        let Some(unfinished) = state.unfinished.checked_sub(1) else { return Answer::TooOften };
        state.unfinished = unfinished;
        if unfinished == 0 {
            let joined = state.joining.drain(..).map(|socket| (socket, Answer::Done, Vec::new()));
            self.outgoing.extend(joined);
        }
        Answer::Done
    }
}
