//! Ending a handler's run from outside: the run as the other threads know it, and waits that end with it.
//!
//! A [`Run`] belongs to one request. The handler's thread [enters](Run::enter) it, the connection says when the client
//! [has gone](Run::client_gone), and the watch over the deadlines [cancels](Run::cancel) it. Cancelling reaches the thread
//! wherever it is: a wait of ours ends ([`receive`], [`wait_until`]), a system call is interrupted by [`signal_number`], and
//! Python code gets an exception at its next bytecode, which is the business of the room `python`.
//!
//! A run is cancelled again if its handler caught the exception and went on. From the [`RELENTLESS`]th time on it stays
//! cancelled until the handler has returned, so that no `except` can keep it running.

use std::{
    cell::RefCell,
    fmt,
    future::Future,
    path::{Path, PathBuf},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// From so many exceptions on a handler gets one at each bytecode until it has returned.
pub const RELENTLESS: u32 = 3;

/// The signal that interrupts the system call of a thread whose run is cancelled. Only threads get it that have said what
/// they do then.
pub fn signal_number() -> libc::c_int {
    // The first ones are those that a debugger or a profiler would take.
    libc::SIGRTMIN() + 7
}

/// Which limit has ended a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The handler has run for so long.
    TimedOut(Duration),
    /// The client went so long ago.
    ClientGone(Duration),
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut(limit) => write!(
                formatter,
                "the handler has run for {} s, which is its limit: give it more with --handler-timeout or with \
                 handler_timeout in the configuration",
                limit.as_secs_f64()
            ),
            Self::ClientGone(grace) => write!(
                formatter,
                "the client has gone, and the handler has run for another {} s, which is its limit: give it more with \
                 client_gone_grace in the configuration",
                grace.as_secs_f64()
            ),
        }
    }
}

/// A wait has ended because its run is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request is cancelled")]
pub struct Cancelled;

/// Hears that the client of a run has gone while the handler was running or waiting for a thread.
pub trait Alarm: Send + Sync {
    /// Called once for each run.
    fn client_gone(&self, run: Arc<Run>);
}

/// The run of one request's handler. Over HTTP/2 it may be interrupted and go on in another thread.
pub struct Run {
    script: PathBuf,
    has_time_limit: bool,
    alarm: Option<Arc<dyn Alarm>>,
    /// The thread has to raise as soon as it can.
    is_due: AtomicBool,
    /// How often a thread has entered.
    entered: AtomicU32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Who runs it now.
    thread: Option<(Thread, libc::pthread_t)>,
    reason: Option<Reason>,
    is_client_gone: bool,
    is_over: bool,
    /// How often it has raised.
    raised: u32,
    /// The handler has felt it: its thread has raised, or one of its waits has ended.
    is_felt: bool,
    is_reported: bool,
}

impl fmt::Debug for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Run").field("script", &self.script).finish_non_exhaustive()
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Run>>> = const { RefCell::new(None) };
    static UNPARK: Waker = Waker::from(Arc::new(Unpark(thread::current())));
}

impl Run {
    /// The run of a script that no thread has entered yet. Without a time limit only the client's going ends it.
    pub fn new(script: PathBuf, has_time_limit: bool, alarm: Option<Arc<dyn Alarm>>) -> Arc<Self> {
        Arc::new(Self {
            script,
            has_time_limit,
            alarm,
            is_due: AtomicBool::new(false),
            entered: AtomicU32::new(0),
            state: Mutex::default(),
        })
    }

    /// The file of the handler.
    pub fn script(&self) -> &Path {
        &self.script
    }

    /// Whether `handler_timeout` counts for it: not for a WebSocket, which lives as long as its client wants.
    pub fn has_time_limit(&self) -> bool {
        self.has_time_limit
    }

    /// The calling thread runs the handler until what is returned is dropped.
    pub fn enter(self: &Arc<Self>) -> Entered {
        {
            let mut state = self.state.lock();
            state.thread = Some((thread::current(), own_id()));
            self.entered.fetch_add(1, Ordering::Relaxed);
        }
        if self.is_due() {
            interrupt(own_id());
        }
        Entered { before: CURRENT.replace(Some(Arc::clone(self))), run: Arc::clone(self) }
    }

    /// The number of the next visit of a thread.
    pub fn next_visit(&self) -> u32 {
        self.entered.load(Ordering::Relaxed).wrapping_add(1)
    }

    /// Whether this visit of a thread is over.
    pub fn has_left(&self, visit: u32) -> bool {
        let state = self.state.lock();
        let last = self.entered.load(Ordering::Relaxed);
        state.is_over || last > visit || (last == visit && state.thread.is_none())
    }

    /// Whether a thread is running it now.
    pub fn is_running(&self) -> bool {
        self.state.lock().thread.is_some()
    }

    /// Whether no thread will enter any more.
    pub fn is_over(&self) -> bool {
        self.state.lock().is_over
    }

    /// Says that no thread will enter any more.
    pub fn end(&self) {
        self.state.lock().is_over = true;
    }

    /// The client has closed its side of the connection, or the connection is gone.
    pub fn client_gone(self: &Arc<Self>) {
        let Some(alarm) = &self.alarm else { return };
        {
            let mut state = self.state.lock();
            if state.is_over || std::mem::replace(&mut state.is_client_gone, true) {
                return;
            }
        }
        alarm.client_gone(Arc::clone(self));
    }

    /// Ends the run: its thread raises as soon as it can. Called again until it has, because another thread may have taken
    /// the signal.
    pub fn cancel(&self, reason: Reason) {
        let mut state = self.state.lock();
        if state.is_over {
            return;
        }
        state.reason.get_or_insert(reason);
        self.is_due.store(true, Ordering::Release);
        if let Some((thread, id)) = &state.thread {
            thread.unpark();
            // The thread leaves the run under the same lock, so it is there.
            interrupt(*id);
        }
    }

    /// Whether the thread has to raise.
    pub fn is_due(&self) -> bool {
        self.is_due.load(Ordering::Acquire)
    }

    /// Takes the exception that is due. The calling thread, which is that of the run, has to raise it.
    pub fn take(&self) -> Option<Reason> {
        if !self.is_due() {
            return None;
        }
        let mut state = self.state.lock();
        state.raised += 1;
        state.is_felt = true;
        let reason = state.reason?;
        if state.raised < RELENTLESS {
            self.is_due.store(false, Ordering::Release);
        } else {
            // At the next bytecode again.
            interrupt(own_id());
        }
        Some(reason)
    }

    /// Why the handler has been ended, once, if it has felt that.
    fn news(&self) -> Option<Reason> {
        let mut state = self.state.lock();
        let is_news = state.is_felt && !state.is_reported;
        state.is_reported |= is_news;
        state.reason.filter(|_| is_news)
    }

    /// The handler has returned: what its thread does now is ours, and is not to be disturbed at each bytecode.
    pub fn returned(&self) {
        let mut state = self.state.lock();
        self.is_due.store(false, Ordering::Release);
        state.raised = state.raised.min(1);
    }
}

/// See [`Run::enter`].
#[derive(Debug)]
pub struct Entered {
    run: Arc<Run>,
    before: Option<Arc<Run>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
        self.run.state.lock().thread = None;
        if let Some(reason) = self.run.news() {
            log::error!("{}: ended: {reason}", self.run.script.display());
        }
    }
}

/// The run that the calling thread is in. A thread that a handler has started is in none.
pub fn current() -> Option<Arc<Run>> {
    CURRENT.with_borrow(Option::clone)
}

/// Whether the run of the calling thread is cancelled and the thread has to raise.
pub fn is_due() -> bool {
    CURRENT.with_borrow(|run| run.as_ref().is_some_and(|run| run.is_due()))
}

/// Waits for a value, at most until the run of the calling thread is cancelled. `None` when no value will come.
///
/// # Errors
/// [`Cancelled`].
pub fn receive<T>(receiver: oneshot::Receiver<T>) -> Result<Option<T>, Cancelled> {
    let mut receiver = pin!(receiver);
    UNPARK.with(|waker| {
        let mut context = Context::from_waker(waker);
        wait_until(None, || match receiver.as_mut().poll(&mut context) {
            Poll::Ready(result) => Some(result.ok()),
            Poll::Pending => None,
        })
        .map(Option::flatten)
    })
}

/// Waits until `look` finds something, at most until the deadline or until the run of the calling thread is cancelled. It
/// looks again whenever the thread is unparked. `None` at the deadline.
///
/// # Errors
/// [`Cancelled`].
pub fn wait_until<T>(deadline: Option<Instant>, mut look: impl FnMut() -> Option<T>) -> Result<Option<T>, Cancelled> {
    let run = current();
    loop {
        if let Some(found) = look() {
            return Ok(Some(found));
        }
        if let Some(run) = run.as_ref().filter(|run| run.is_due()) {
            run.state.lock().is_felt = true;
            return Err(Cancelled);
        }
        match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            Some(Duration::ZERO) => return Ok(None),
            Some(left) => thread::park_timeout(left),
            None => thread::park(),
        }
    }
}

/// Sleeps, at most until the run of the calling thread is cancelled.
///
/// # Errors
/// [`Cancelled`].
pub fn sleep(time: Duration) -> Result<(), Cancelled> {
    if time.is_zero() {
        return Ok(());
    }
    // A time too far away to be told is as good as never.
    wait_until(Instant::now().checked_add(time), || None::<()>).map(drop)
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

#[expect(unsafe_code, reason = "the standard library does not tell the id")]
fn own_id() -> libc::pthread_t {
    // SAFETY: always allowed.
    unsafe { libc::pthread_self() }
}

/// Interrupts a thread that is known to be there, and that handles the signal.
#[expect(unsafe_code, reason = "no safe library sends a signal to one thread")]
fn interrupt(thread: libc::pthread_t) {
    // SAFETY: the callers know that the thread has not ended. The signal is one of those that exist.
    let _ = unsafe { libc::pthread_kill(thread, signal_number()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    const REASON: Reason = Reason::TimedOut(Duration::from_secs(1));

    /// A run that is cancelled before it has a thread: nothing handles the signal here.
    fn cancelled() -> Arc<Run> {
        let run = Run::new(PathBuf::from("a.py"), true, None);
        run.cancel(REASON);
        run
    }

    #[test]
    fn a_wait_that_ends_is_news_as_an_exception_is() {
        for end in [
            |_: &Run| assert_eq!(sleep(Duration::MAX), Err(Cancelled)),
            |run: &Run| {
                assert_eq!(run.take(), Some(REASON));
            },
        ] {
            let run = cancelled();
            let before = CURRENT.replace(Some(Arc::clone(&run)));
            end(&run);
            CURRENT.set(before);
            assert_eq!([run.news(), run.news()], [Some(REASON), None]);
        }
    }

    #[test]
    fn a_handler_that_returns_in_time_has_not_been_ended() {
        assert_eq!(cancelled().news(), None);
    }
}
