//! Ends handlers whose time is up or whose client has gone.
//!
//! A thread of its own sleeps until the next limit is reached. It hears of a run from the pool, when that has found the job
//! slow, or from the connection, when the client has gone. So a handler that is quick costs nothing here.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::{
    cancel::{Alarm, Reason, Run},
    handover::HandlerLimits,
};

/// How long after a signal is looked whether the right thread has taken it; twice as long each time.
const FIRST_LOOK: Duration = Duration::from_millis(2);
/// The longest time between two signals.
const LONGEST_LOOK: Duration = Duration::from_millis(100);
/// How long a handler may go on after the exception, for its `finally` blocks, before it gets another one.
const FAREWELL: Duration = Duration::from_secs(1);
/// So many runs are kept before those that have ended are looked for.
const FEW: usize = 64;

/// Called with the script of a handler that does not end although it has been cancelled for `handler_kill`.
pub(in crate::python) type OnUnstoppable = Box<dyn Fn(&Path) + Send + Sync>;

/// The limits, and the runs that they count for.
pub(in crate::python) struct Deadlines {
    limits: HandlerLimits,
    on_unstoppable: OnUnstoppable,
    watched: Mutex<Watched>,
    changed: Condvar,
}

#[derive(Default)]
struct Watched {
    /// By the time of the next look and a number that makes it unique.
    entries: BTreeMap<(Instant, u64), Entry>,
    last_number: u64,
    /// With so many entries those that have ended are looked for.
    many: usize,
    is_closed: bool,
}

impl Watched {
    fn insert(&mut self, at: Instant, entry: Entry) {
        if self.entries.len() >= self.many.max(FEW) {
            self.entries.retain(|_, entry| !entry.has_ended());
            self.many = self.entries.len() * 2;
        }
        self.last_number += 1;
        self.entries.insert((at, self.last_number), entry);
    }
}

struct Entry {
    run: Arc<Run>,
    reason: Reason,
    /// The thread's visit that the limit counts for; all of them when the client has gone.
    visit: Option<u32>,
    cancelled: Option<Cancelled>,
}

/// A run that has been cancelled and has not ended.
struct Cancelled {
    since: Instant,
    /// How long the last wait was.
    pause: Duration,
    /// The exception has been raised, and the handler has been let go on.
    has_raised: bool,
    is_reported: bool,
}

impl Entry {
    fn has_ended(&self) -> bool {
        self.run.is_over() || self.visit.is_some_and(|visit| self.run.has_left(visit))
    }

    /// Does what is due now. Returns when to look again, or `None` when the run has ended.
    fn step(&mut self, now: Instant, deadlines: &Deadlines) -> Option<Instant> {
        if self.has_ended() {
            return None;
        }
        let cancelled = self.cancelled.get_or_insert(Cancelled {
            since: now,
            pause: Duration::ZERO,
            has_raised: false,
            is_reported: false,
        });
        if !self.run.is_running() {
            // It waits for a thread, or for more of its stream. Its time begins with that.
            self.run.cancel(self.reason);
            cancelled.since = now;
            return now.checked_add(LONGEST_LOOK);
        }
        if now.duration_since(cancelled.since) >= deadlines.limits.handler_kill && !cancelled.is_reported {
            cancelled.is_reported = true;
            (deadlines.on_unstoppable)(self.run.script());
        }
        let is_taken = !cancelled.pause.is_zero() && !self.run.is_due();
        if is_taken && !cancelled.has_raised {
            cancelled.has_raised = true;
            return now.checked_add(FAREWELL);
        }
        if is_taken {
            cancelled.has_raised = false;
            cancelled.pause = Duration::ZERO;
        }
        self.run.cancel(self.reason);
        cancelled.pause = (cancelled.pause * 2).clamp(FIRST_LOOK, LONGEST_LOOK);
        now.checked_add(cancelled.pause)
    }
}

impl Deadlines {
    pub(in crate::python) fn new(limits: HandlerLimits, on_unstoppable: OnUnstoppable) -> Arc<Self> {
        Arc::new(Self { limits, on_unstoppable, watched: Mutex::default(), changed: Condvar::new() })
    }

    /// Starts the thread, which ends with [`Deadlines::close`].
    ///
    /// # Errors
    /// The system refuses another thread.
    pub(in crate::python) fn start(self: &Arc<Self>) -> std::io::Result<()> {
        let own = Arc::clone(self);
        thread::Builder::new().name("deadlines".to_owned()).spawn(move || own.watch()).map(drop)
    }

    /// Ends the thread. No handler is cancelled any more.
    pub(in crate::python) fn close(&self) {
        self.watched.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Whether it matters how long a handler runs.
    pub(super) fn limits_time(&self) -> bool {
        self.limits.handler_timeout.is_some()
    }

    /// Watches the visit of a thread that has begun just now, as far as it matters.
    pub(super) fn begun(&self, run: Arc<Run>, visit: u32) {
        if let (Some(limit), true) = (self.limits.handler_timeout, run.has_time_limit()) {
            self.add(limit, Entry { run, reason: Reason::TimedOut(limit), visit: Some(visit), cancelled: None });
        }
    }

    fn add(&self, after: Duration, entry: Entry) {
        // A limit too far away to be told is none.
        let Some(at) = Instant::now().checked_add(after) else { return };
        let mut watched = self.watched.lock();
        let is_first = watched.entries.first_key_value().is_none_or(|((first, _), _)| at < *first);
        watched.insert(at, entry);
        drop(watched);
        if is_first {
            self.changed.notify_one();
        }
    }

    fn watch(&self) {
        let mut watched = self.watched.lock();
        while !watched.is_closed {
            let now = Instant::now();
            let Some(first) = watched.entries.first_entry() else {
                self.changed.wait(&mut watched);
                continue;
            };
            let (at, _) = *first.key();
            if at > now {
                self.changed.wait_until(&mut watched, at);
                continue;
            }
            let mut entry = first.remove();
            // What is called may take its time, and others are to be heard meanwhile.
            let next = MutexGuard::unlocked(&mut watched, || entry.step(now, self));
            if let Some(next) = next {
                watched.insert(next, entry);
            }
        }
    }
}

impl Alarm for Deadlines {
    fn client_gone(&self, run: Arc<Run>) {
        if let Some(grace) = self.limits.client_gone_grace {
            self.add(grace, Entry { run, reason: Reason::ClientGone(grace), visit: None, cancelled: None });
        }
    }
}
