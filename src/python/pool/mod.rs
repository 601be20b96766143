//! The elastic pool of VM threads: a few permanent ones, and more, up to a limit, when all are busy; idle ones end.
//!
//! A handler may sleep, poll the stash or fetch from this same server, so a waiting request must never depend on a
//! running one. One supervisor thread owns the interpreter and starts the others, because a VM for a new thread can
//! only be made from an existing one and every worker may be blocked in a handler.
//!
//! Most handlers take a few microseconds, less than waking a thread. So a job wakes a thread only when no thread runs quick jobs, or
//! too few for the jobs that wait: a thread takes the next job itself when its job ends. The supervisor looks every [`TICK`]. A job that
//! was running at the look before and waits for something counts as slow, and the jobs behind it get other threads. A job that only
//! waits for a core counts as slow only after many looks, because more threads would have to wait for the same cores.

mod deadlines;
mod pace;
mod task;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
    time::Duration,
};

use parking_lot::{Condvar, Mutex, MutexGuard};
use rustpython_vm::{Interpreter, VirtualMachine};

use super::{
    exceptions::interrupt,
    threads::{Instant, Thread, ThreadId, thread},
};
use crate::cancel::Run;
pub(super) use deadlines::{Deadlines, OnUnstoppable};
use task::Task;

/// Stack of a VM thread in bytes. Freeing a list nested 300,000 deep overflows 1 MiB and aborts the process; this is
/// virtual memory, of which only the used pages count.
pub(super) const STACK: usize = 8 << 20;
/// Idle threads that are kept for ever.
const WARM: usize = 4;
/// Threads that are started ahead of demand when fewer than this are free.
const SPARE: usize = 3;
/// How long a thread beyond the warm ones waits for work before it ends.
const IDLE: Duration = Duration::from_secs(10);
/// The time between two looks of the supervisor for slow handlers.
const TICK: Duration = Duration::from_millis(1);
/// When this many jobs wait for each running thread, another one is woken, if a core is free.
const JOBS_PER_THREAD: usize = 2;
/// After this many more queued jobs, the queuing thread yields the core to the handlers' threads, whose data is still in the caches.
const YIELD_EVERY: usize = 32;
/// A job that has been seen this often is slow, even if it computes.
const LOOKS_UNTIL_SLOW: u32 = 10;
/// After this many looks without work the supervisor sleeps until a job is queued.
const LOOKS_UNTIL_ASLEEP: u32 = 100;
/// Requests that may wait for a thread once the limit of threads is reached.
const MAX_QUEUE: usize = 16_384;

/// Work for one VM thread.
pub(super) struct Job {
    work: Work,
    /// What it is a part of, if it may be ended from outside.
    run: Option<Arc<Run>>,
}

type Work = Box<dyn FnOnce(&VirtualMachine) + Send>;

impl Job {
    /// A part of a run.
    pub(super) fn of(run: Arc<Run>, work: impl FnOnce(&VirtualMachine) + Send + 'static) -> Self {
        Self { work: Box::new(work), run: Some(run) }
    }

    /// Work of our own, which is brief.
    pub(super) fn own(work: impl FnOnce(&VirtualMachine) + Send + 'static) -> Self {
        Self { work: Box::new(work), run: None }
    }
}

/// Called by a thread whose job has panicked; returns a job for a healthy thread.
pub(super) type Recovery = Box<dyn Fn() -> Job + Send + Sync>;

/// Too many requests wait for a handler thread already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("all handler threads are busy and too many requests wait already")]
pub struct Overloaded;

/// A job that has not yet been found slow.
struct Running {
    thread: ThreadId,
    task: Task,
    /// The number of looks that have seen it.
    looks: u32,
    /// The run that it is a part of, and the number of this visit to it.
    run: Option<(Arc<Run>, u32)>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    /// The running jobs that have not been found slow.
    running: Vec<Running>,
    /// Threads that wait for work. The last one is woken first, because its data is still in the caches.
    parked: Vec<Thread>,
    /// Threads that have been woken and have not asked for a job yet.
    called: usize,
    /// Threads that the supervisor has begun to start and that do not take jobs yet.
    starting: usize,
    /// All threads, including the starting ones.
    threads: usize,
    /// Jobs that wait behind slow ones, and for which no thread was free.
    stuck: usize,
    /// Sessions that are running or queued: each has a thread beyond the limit.
    sessions: usize,
    /// Whether the supervisor looks every [`TICK`]; otherwise it has to be woken.
    is_watched: bool,
    /// No more work is taken; the supervisor and the idle threads end.
    is_closed: bool,
    /// The interpreter has not started: queued jobs are dropped, and no more are taken.
    is_given_up: bool,
}

impl State {
    /// The number of threads to start now: enough for the stuck jobs, and some ahead of demand.
    fn shortage(&self, limit: usize) -> usize {
        (self.stuck.min(self.queue.len()) + SPARE)
            .saturating_sub(self.parked.len() + self.starting)
            .min((limit + self.sessions).saturating_sub(self.threads))
    }

    /// Threads that will soon ask for the next job by themselves.
    fn quick(&self) -> usize {
        self.running.len() + self.called
    }

    /// Takes waiting threads for this many jobs, to be unparked by the caller. Jobs without a thread count as stuck.
    fn call(&mut self, jobs: usize) -> Vec<Thread> {
        let called = self.parked.split_off(self.parked.len().saturating_sub(jobs));
        self.called += called.len();
        self.stuck = self.stuck.max(jobs - called.len());
        called
    }

    /// Threads whose jobs may be slow, because a look has seen them before, with the number of looks.
    fn suspects(&self) -> Vec<(ThreadId, u32, Task)> {
        let seen = self.running.iter().filter(|job| job.looks > 0);
        seen.map(|job| (job.thread, job.looks, job.task.clone())).collect()
    }

    /// The supervisor's look, with the suspects that are slow. Returns the threads to unpark for the waiting jobs, and adds the
    /// runs that the slow jobs are a part of to `begun`.
    fn look(&mut self, slow: &[ThreadId], cores: usize, begun: &mut Vec<(Arc<Run>, u32)>) -> Vec<Thread> {
        let before = self.running.len();
        // A job that such a thread has begun since then has not been seen yet.
        let found = self.running.extract_if(.., |job| job.looks > 0 && slow.contains(&job.thread));
        begun.extend(found.filter_map(|job| job.run));
        for job in &mut self.running {
            job.looks += 1;
        }
        let wanted = if self.running.len() < before || self.quick() == 0 {
            // The jobs behind the slow ones may be slow as well, so as many threads are added as there are slow jobs.
            let free = self.quick() + self.parked.len() + self.starting;
            self.threads.saturating_sub(free).max(1)
        } else {
            // The running threads may be too few for the queue.
            usize::from(self.quick() < cores)
        };
        self.call(wanted.min(self.queue.len().saturating_sub(self.called)))
    }
}

pub(super) struct Pool {
    state: Mutex<State>,
    grow: Condvar,
    limit: usize,
    max_sessions: usize,
    /// Threads that can really run at the same time.
    cores: usize,
    recovery: OnceLock<Recovery>,
    deadlines: Arc<Deadlines>,
}

/// Counts a session until it has ended, or will never run.
struct SessionCount(Arc<Pool>);

impl Drop for SessionCount {
    fn drop(&mut self) {
        self.0.state.lock().sessions -= 1;
    }
}

impl Pool {
    /// A pool without threads; [`Pool::supervise`] starts them.
    pub(super) fn new(limit: usize, max_sessions: usize, deadlines: Arc<Deadlines>) -> Arc<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Arc::new(Self {
            state: Mutex::default(),
            grow: Condvar::new(),
            limit,
            max_sessions,
            cores,
            recovery: OnceLock::new(),
            deadlines,
        })
    }

    /// Sets the recovery for jobs that panic. Call it before any job is queued.
    pub(super) fn when_a_job_panics(&self, recovery: Recovery) {
        // Only one caller sets it.
        let _ = self.recovery.set(recovery);
    }

    /// Queues a job; it starts as soon as a thread is free, in the order of submission.
    pub(super) fn submit(&self, job: Job) -> Result<(), Overloaded> {
        let mut state = self.state.lock();
        if state.is_given_up || state.queue.len() >= MAX_QUEUE {
            return Err(Overloaded);
        }
        state.queue.push_back(job);
        if state.is_closed {
            // As for the jobs that were queued before: the connection is about to close, and must not get an error first.
            return Ok(());
        }
        let (waiting, quick) = (state.queue.len(), state.quick());
        let are_too_few = quick < self.cores && waiting >= quick * JOBS_PER_THREAD;
        let called = if are_too_few { state.call(1) } else { Vec::new() };
        let is_supervisor_needed = !state.is_watched || state.shortage(self.limit) > 0;
        drop(state);
        called.iter().for_each(Thread::unpark);
        if is_supervisor_needed {
            self.grow.notify_one();
        }
        pace::count();
        if waiting.is_multiple_of(YIELD_EVERY) {
            thread::yield_now();
        }
        Ok(())
    }

    /// Queues a job that may take as long as a client likes: the limit of threads is raised by one while it lasts.
    pub(super) fn submit_session(self: &Arc<Self>, job: Job) -> Result<(), Overloaded> {
        {
            let mut state = self.state.lock();
            if state.sessions >= self.max_sessions {
                return Err(Overloaded);
            }
            state.sessions += 1;
        }
        let session = SessionCount(Arc::clone(self));
        let Job { work, run } = job;
        let work = Box::new(move |vm: &VirtualMachine| {
            let _session = session;
            work(vm);
        });
        self.submit(Job { work, run })
    }

    /// Drops the queued jobs, which answers their connections, and takes no more.
    pub(super) fn give_up(&self) {
        self.close();
        // Not under the lock, because the drop of a job informs its connection.
        let dropped = {
            let mut state = self.state.lock();
            state.is_given_up = true;
            std::mem::take(&mut state.queue)
        };
        drop(dropped);
    }

    /// Ends the supervisor and the idle threads. It does not wait for running handlers, and queued jobs stay queued: the connections
    /// are about to close, and must not get an error first.
    pub(super) fn close(&self) {
        let parked = {
            let mut state = self.state.lock();
            state.is_closed = true;
            std::mem::take(&mut state.parked)
        };
        parked.iter().for_each(Thread::unpark);
        self.grow.notify_all();
    }

    /// Starts threads whenever too few are free, until the pool is closed. Runs on the thread that owns the interpreter.
    pub(super) fn supervise(self: &Arc<Self>, interpreter: &Interpreter) {
        let (mut quiet, mut next_look) = (0, Instant::now());
        loop {
            let mut state = self.state.lock();
            while !state.is_closed {
                if Instant::now() >= next_look {
                    let is_quiet = state.running.is_empty() && state.queue.is_empty();
                    quiet = if is_quiet { quiet + 1 } else { 0 };
                    let mut suspects = state.suspects();
                    MutexGuard::unlocked(&mut state, || {
                        suspects.retain(|(_, looks, task)| *looks >= LOOKS_UNTIL_SLOW || task.is_blocked());
                    });
                    let slow: Vec<ThreadId> = suspects.iter().map(|(thread, ..)| *thread).collect();
                    let mut begun = Vec::new();
                    let called = state.look(&slow, self.cores, &mut begun);
                    MutexGuard::unlocked(&mut state, || {
                        called.iter().for_each(Thread::unpark);
                        if self.deadlines.limits_time() {
                            begun.into_iter().for_each(|(run, visit)| self.deadlines.begun(run, visit));
                        }
                    });
                    next_look = Instant::now() + TICK;
                }
                if state.shortage(self.limit) > 0 {
                    break;
                }
                // The look gives up the lock. Whoever has come meanwhile has notified no one, so this is decided here.
                if state.is_closed {
                    break;
                }
                state.is_watched = quiet < LOOKS_UNTIL_ASLEEP || !state.queue.is_empty() || !state.running.is_empty();
                if state.is_watched {
                    self.grow.wait_until(&mut state, next_look);
                } else {
                    self.grow.wait(&mut state);
                    quiet = 0;
                }
            }
            if state.is_closed {
                return;
            }
            let count = state.shortage(self.limit);
            state.stuck = 0;
            state.starting += count;
            state.threads += count;
            drop(state);
            for _ in 0..count {
                if let Err(cause) = self.start_thread(interpreter) {
                    log::error!(
                        "cannot start another handler thread: {cause}; raise the limit of processes (ulimit -u)"
                    );
                    let mut state = self.state.lock();
                    state.starting -= 1;
                    state.threads -= 1;
                    // The system's limit will not change within microseconds.
                    self.grow.wait_for(&mut state, Duration::from_millis(100));
                }
            }
        }
    }

    fn start_thread(self: &Arc<Self>, interpreter: &Interpreter) -> std::io::Result<()> {
        let vm = interpreter.new_thread();
        let pool = Arc::clone(self);
        thread::Builder::new()
            .name("handler".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                let intact = vm.run(|vm| pool.work(vm));
                if !intact {
                    // The VM of a thread that panicked is in an unknown state: its code must not run again, not even its destructors.
                    std::mem::forget(vm);
                }
            })
            .map(drop)
    }

    /// Runs jobs until the thread has been idle for long enough. False when a job panicked.
    fn work(&self, vm: &VirtualMachine) -> bool {
        let (thread, task) = (thread::current(), Task::current());
        interrupt::prepare_thread(vm);
        self.state.lock().starting -= 1;
        while let Some(Job { work, run }) = vm.allow_threads(|| self.next(&thread, &task)) {
            let entered = run.as_ref().map(Run::enter);
            let outcome = catch_unwind(AssertUnwindSafe(|| work(vm)));
            drop(entered);
            if outcome.is_err() {
                run.iter().for_each(|run| run.end());
                log::error!("a handler thread panicked; its request answers 500, the thread is replaced");
                let mut state = self.state.lock();
                state.running.retain(|job| job.thread != thread.id());
                state.threads -= 1;
                drop(state);
                if let Some(recovery) = self.recovery.get() {
                    // With a full queue the locks stay held.
                    let _ = self.submit(recovery());
                }
                self.grow.notify_one();
                return false;
            }
        }
        self.state.lock().threads -= 1;
        true
    }

    /// Ends the thread's job and waits for the next; `None` when the thread is to end.
    fn next(&self, thread: &Thread, task: &Task) -> Option<Job> {
        pace::count();
        let mut state = self.state.lock();
        state.running.retain(|job| job.thread != thread.id());
        let mut parked_at = None;
        loop {
            if state.is_closed {
                return None;
            }
            // A thread that has been woken is no longer in `parked`.
            let place = parked_at.and_then(|_| state.parked.iter().position(|parked| parked.id() == thread.id()));
            if parked_at.is_some() && place.is_none() {
                state.called -= 1;
                parked_at = None;
            }
            if place.is_none() {
                if let Some(job) = state.queue.pop_front() {
                    let run = job.run.as_ref().map(|run| (Arc::clone(run), run.next_visit()));
                    state.running.push(Running { thread: thread.id(), task: task.clone(), looks: 0, run });
                    if state.shortage(self.limit) > 0 {
                        self.grow.notify_one();
                    }
                    return Some(job);
                }
                state.stuck = 0;
                state.parked.push(thread.clone());
            }
            let since = *parked_at.get_or_insert_with(Instant::now);
            if let Some(place) = place
                && since.elapsed() >= IDLE
            {
                if state.parked.len() > WARM.max(SPARE) {
                    state.parked.remove(place);
                    return None;
                }
                parked_at = Some(Instant::now());
            }
            MutexGuard::unlocked(&mut state, || thread::park_timeout(IDLE));
        }
    }
}
