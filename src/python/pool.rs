//! The elastic pool of VM threads: a few warm ones, more as soon as all are busy, up to a limit; idle ones go again.
//!
//! A handler may sleep, poll the stash or fetch from this same server, so a waiting request must never depend on a
//! running one. One supervisor thread owns the interpreter and starts the others, because a VM for a new thread can
//! only be made from an existing one and every worker may be blocked in a handler.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};

use parking_lot::{Condvar, Mutex};
use rustpython_vm::{Interpreter, VirtualMachine};

/// Stack of a VM thread in bytes. Freeing a list nested 300,000 deep overflows 1 MiB and aborts the process; this is
/// virtual memory, only what is touched counts.
pub(super) const STACK: usize = 8 << 20;
/// Idle threads that are kept for ever.
const WARM: usize = 4;
/// Threads that are started ahead of demand when fewer than this are free.
const SPARE: usize = 3;
/// How long a thread beyond the warm ones waits for work before it ends.
const IDLE: Duration = Duration::from_secs(10);
/// Requests that may wait for a thread once the limit of threads is reached.
const MAX_QUEUE: usize = 16_384;

/// Work for one VM thread.
pub(super) type Job = Box<dyn FnOnce(&VirtualMachine) + Send>;

/// The queue is full: the limit of threads is reached and too many requests wait already.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    /// Threads waiting for work, including those already woken for a job that is still in the queue.
    idle: usize,
    /// Threads the supervisor has begun to start and that have not yet taken part.
    starting: usize,
    /// All threads, starting ones included.
    threads: usize,
    /// Sessions that are running or queued: each has a thread beyond the limit.
    sessions: usize,
    /// No more work is taken; the supervisor and the idle threads end.
    closed: bool,
}

impl State {
    /// How many threads to start now: enough for the queue, and some ahead of demand.
    fn shortage(&self, limit: usize) -> usize {
        (self.queue.len() + SPARE)
            .saturating_sub(self.idle + self.starting)
            .min((limit + self.sessions).saturating_sub(self.threads))
    }
}

pub(super) struct Pool {
    state: Mutex<State>,
    work: Condvar,
    grow: Condvar,
    limit: usize,
    max_sessions: usize,
}

/// Counts a session until it is over, or will never run.
struct Session(Arc<Pool>);

impl Drop for Session {
    fn drop(&mut self) {
        self.0.state.lock().sessions -= 1;
    }
}

impl Pool {
    /// A pool without threads; [`Pool::supervise`] starts them.
    pub(super) fn new(limit: usize, max_sessions: usize) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), work: Condvar::new(), grow: Condvar::new(), limit, max_sessions })
    }

    /// Queues a job; it starts as soon as a thread is free, in the order of submission.
    pub(super) fn submit(&self, job: Job) -> Result<(), Full> {
        let mut state = self.state.lock();
        if state.closed || state.queue.len() >= MAX_QUEUE {
            return Err(Full);
        }
        state.queue.push_back(job);
        let shortage = state.shortage(self.limit) > 0;
        drop(state);
        self.work.notify_one();
        if shortage {
            self.grow.notify_one();
        }
        Ok(())
    }

    /// Queues a job that may take as long as a client likes: the limit of threads is raised by one while it lasts.
    pub(super) fn submit_session(self: &Arc<Self>, job: Job) -> Result<(), Full> {
        {
            let mut state = self.state.lock();
            if state.sessions >= self.max_sessions {
                return Err(Full);
            }
            state.sessions += 1;
        }
        let session = Session(Arc::clone(self));
        self.submit(Box::new(move |vm| {
            let _session = session;
            job(vm);
        }))
    }

    /// Drops what is queued, which answers it: nobody will ever run it. Takes no more.
    pub(super) fn give_up(&self) {
        self.close();
        // Not under the lock: a dropped job tells its connection.
        let dropped = std::mem::take(&mut self.state.lock().queue);
        drop(dropped);
    }

    /// Ends the supervisor and the idle threads. Running handlers are not waited for, and what is queued stays so: the
    /// connections are about to go, and must not hear of a failure first.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.work.notify_all();
        self.grow.notify_all();
    }

    /// Starts threads whenever they are short, until the pool is closed. Runs on the thread that owns the interpreter.
    pub(super) fn supervise(self: &Arc<Self>, interpreter: &Interpreter) {
        loop {
            let mut state = self.state.lock();
            while !state.closed && state.shortage(self.limit) == 0 {
                self.grow.wait(&mut state);
            }
            if state.closed {
                return;
            }
            let count = state.shortage(self.limit);
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
                    // Whatever the limit is, it will not go away in the next microsecond.
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
                    // The VM of a thread that panicked is in an unknown state: nothing of it may run again, not even
                    // its destructors.
                    std::mem::forget(vm);
                }
            })
            .map(drop)
    }

    /// Runs jobs until there is nothing to do for long enough. False when a job panicked.
    fn work(&self, vm: &VirtualMachine) -> bool {
        self.state.lock().starting -= 1;
        while let Some(job) = vm.allow_threads(|| self.next()) {
            if catch_unwind(AssertUnwindSafe(|| job(vm))).is_err() {
                log::error!("a handler thread panicked; its request answers 500, the thread is replaced");
                self.state.lock().threads -= 1;
                self.grow.notify_one();
                return false;
            }
        }
        self.state.lock().threads -= 1;
        true
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.state.lock();
        state.idle += 1;
        loop {
            if let Some(job) = state.queue.pop_front() {
                state.idle -= 1;
                if state.shortage(self.limit) > 0 {
                    self.grow.notify_one();
                }
                return Some(job);
            }
            if state.closed {
                state.idle -= 1;
                return None;
            }
            if self.work.wait_for(&mut state, IDLE).timed_out()
                && state.queue.is_empty()
                && state.idle > WARM.max(SPARE)
            {
                state.idle -= 1;
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::python::vm;

    #[test]
    fn a_panic_costs_one_thread_and_nothing_else() {
        let pool = Pool::new(2, 0);
        let supervised = Arc::clone(&pool);
        let supervisor = thread::Builder::new().stack_size(STACK).spawn(move || {
            let interpreter = vm::build();
            supervised.supervise(&interpreter);
            std::mem::forget(interpreter);
        });
        // More panics than there may be threads: each one is replaced.
        for round in 0..5 {
            pool.submit(Box::new(|_| panic!("on purpose"))).unwrap();
            let (done, answer) = mpsc::channel();
            let job = move |vm: &VirtualMachine| {
                // Importing and collecting stop the other threads of the interpreter: the dead one must not be waited for.
                for name in ["gc", "colorsys", "fnmatch"] {
                    vm.import(name, 0).unwrap();
                }
                let collect = vm.import("gc", 0).unwrap().get_attr("collect", vm).unwrap();
                collect.call((), vm).unwrap();
                done.send(()).unwrap();
            };
            pool.submit(Box::new(job)).unwrap();
            answer.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|_| panic!("no answer in round {round}"));
        }
        pool.close();
        supervisor.unwrap().join().unwrap();
    }

    #[test]
    fn sessions_take_no_thread_from_the_others() {
        let pool = Pool::new(1, 8);
        let supervised = Arc::clone(&pool);
        let supervisor = thread::Builder::new().stack_size(STACK).spawn(move || {
            let interpreter = vm::build();
            supervised.supervise(&interpreter);
            std::mem::forget(interpreter);
        });
        let (told, hears) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let released = Arc::new(Mutex::new(released));
        let session = || {
            let (told, released) = (told.clone(), Arc::clone(&released));
            pool.submit_session(Box::new(move |vm| {
                told.send("session").unwrap();
                let _ = vm.allow_threads(|| released.lock().recv());
            }))
        };
        for _ in 0..8 {
            session().unwrap();
        }
        assert_eq!(session(), Err(Full));
        let plain = told.clone();
        pool.submit(Box::new(move |_| plain.send("plain").unwrap())).unwrap();
        let mut heard: Vec<&str> = (0..9).map(|_| hears.recv_timeout(Duration::from_secs(20)).unwrap()).collect();
        heard.sort_unstable();
        assert_eq!((heard[0], heard[8]), ("plain", "session"));
        drop(release);
        // Every one that ends makes room for another.
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while session().is_err() {
            assert!(std::time::Instant::now() < deadline, "a session that has ended still counts");
            thread::yield_now();
        }
        pool.close();
        supervisor.unwrap().join().unwrap();
    }
}
