//! The Python room: the only one that names RustPython. Its door is [`Python`]: start it once, then give it a script
//! and a request, and get the events of the answer.
//!
//! One interpreter, a VM per worker thread: helpers keep their state in the shared `sys.modules` (real tests rely on
//! that), and a handler that sleeps blocks no other.
//!
//! # What is inside
//!
//! | module | contents | modules that it may name |
//! |---|---|---|
//! | `threads` | the threads and the clock of the pool, which models replace with their own | nothing of ours |
//! | `script` | source files, compiled once and executed in fresh globals | nothing of ours |
//! | `mends` | corrections of RustPython's mistakes, from outside | nothing of ours |
//! | `exceptions` | the exception that ends a handler from outside; those that mean that no descriptor or memory is left | `mends` |
//! | `pool` | the threads that run handlers: their number, the jobs that count as slow, those that are ended | `exceptions`, `threads` |
//! | `absent` | the modules of the standard library that the binary does not have | nothing of ours |
//! | `import` | the file that a module name means, the messages about wrong imports, the helpers that have changed | `script` |
//! | `traceback` | exceptions as text, for the client and for the log | `mends` |
//! | `advice` | advice for a handler's author, in the log | `mends` |
//! | `native` | the native half of the handler API: a file for each Python class | `absent`, `exceptions`, `import`, `traceback` |
//! | `vm` | building the interpreter | `exceptions`, `mends`, `native` |
//! | `runtime` | the state that all runs share | `import`, `native`, `script`, `vm` |
//! | `health` | proof for the supervisor that handlers can run; freeing locks when a handler's thread panics | `pool`, `traceback` |
//! | `run` | one call of a handler over HTTP/1, over HTTP/2, for a WebSocket | `advice`, `exceptions`, `native`, `pool`, `runtime`, `script`, `traceback` |
//!
//! This file is above all of them. `tests/layers` reads the table and the sources, and checks the third column.

mod absent;
mod advice;
mod exceptions;
mod health;
mod import;
mod mends;
mod native;
mod pool;
mod run;
mod runtime;
mod script;
mod threads;
mod traceback;
mod vm;

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, Weak},
    thread,
};

use bytes::Bytes;
use parking_lot::Mutex;
use rustpython_vm::VirtualMachine;
use tokio::sync::oneshot;

pub use pool::Overloaded;
pub use run::Conversation;

use crate::{
    cancel::Run,
    docroot::DocPath,
    handover::{
        Environment, H2Events, HandlerLimits, Http1Events, Http1Link, ImportPolicy, NotStarted, Opening, Outlet,
        Routed, Session, Socket,
    },
    http, supervisor,
};
use health::{heartbeat, recovery};
use import::Imports;
use pool::{Deadlines, Job, OnUnstoppable, Pool};
use run::{Call, http1, websocket};
use runtime::Runtime;

/// The most handlers that run at the same time; further ones wait.
const MAX_THREADS: usize = 1024;
/// The most WebSocket sessions that are open at the same time, apart from the handlers; further ones are refused.
const MAX_SESSIONS: usize = 8192;

/// The running interpreter and its threads.
pub struct Python {
    pool: Arc<Pool>,
    deadlines: Arc<Deadlines>,
    supervisor: Mutex<Option<thread::JoinHandle<()>>>,
    runtime: Arc<OnceLock<Arc<Runtime>>>,
}

impl fmt::Debug for Python {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Python").finish_non_exhaustive()
    }
}

impl Python {
    /// Starts the interpreter on a thread of its own and returns at once: calls wait until the interpreter runs. The receiver
    /// gets a message when it runs, or the reason why it does not start. Over `link` a supervisor learns that handlers can run, and
    /// which do.
    ///
    /// `on_unstoppable` is called with the script of each handler that has been told to end and has not done so for
    /// [`HandlerLimits::handler_kill`]: its thread is in native code or waits for something that nothing here can wake. Only the end of
    /// the process ends it.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn start(
        root: &Path,
        policy: ImportPolicy,
        environment: Environment,
        limits: HandlerLimits,
        on_unstoppable: OnUnstoppable,
        link: Option<supervisor::Link>,
    ) -> std::io::Result<(Self, oneshot::Receiver<Result<(), NotStarted>>)> {
        let deadlines = Deadlines::new(limits, on_unstoppable);
        deadlines.start()?;
        let pool = Pool::new(MAX_THREADS, MAX_SESSIONS, Arc::clone(&deadlines));
        let runtime = Arc::new(OnceLock::new());
        let imports = Arc::new(Imports::new(root, policy));
        let (started, is_started) = oneshot::channel();
        let (supervised, filled) = (Arc::clone(&pool), Arc::clone(&runtime));
        pool.when_a_job_panics(Box::new(recovery::begin));
        let supervisor = thread::Builder::new().name("python".to_owned()).stack_size(pool::STACK).spawn(move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                let interpreter = vm::build();
                let prepared = interpreter.enter(|vm| {
                    let made = Runtime::new(imports, environment, link.clone(), vm);
                    made.map_err(|error| NotStarted(traceback::for_log(&error, vm)))
                });
                let prepared = prepared.and_then(|prepared| {
                    let begun = link.map_or(Ok(()), |link| heartbeat::begin(&interpreter, link));
                    begun.map(|()| prepared).map_err(|error| NotStarted(error.to_string()))
                });
                (interpreter, prepared)
            }));
            match outcome {
                Ok((interpreter, Ok(prepared))) => {
                    // No other thread fills the cell, and the receiver may have been dropped.
                    let _ = (filled.set(Arc::new(prepared)), started.send(Ok(())));
                    supervised.supervise(&interpreter);
                    // Handlers may still run in its threads; the process is about to end.
                    std::mem::forget(interpreter);
                }
                Ok((interpreter, Err(cause))) => {
                    std::mem::forget(interpreter);
                    let _ = started.send(Err(cause));
                    supervised.give_up();
                }
                // The panic hook has printed the place and the reason.
                Err(_) => {
                    let _ = started.send(Err(NotStarted("it panicked".to_owned())));
                    supervised.give_up();
                }
            }
        })?;
        Ok((Self { pool, deadlines, supervisor: Mutex::new(Some(supervisor)), runtime }, is_started))
    }

    /// Runs `main` of a script for a request. `body` is the part of the request body that has already arrived. The end of the answer
    /// may be sent through `outlet` directly, see [`Http1Events::next`].
    ///
    /// # Errors
    /// [`Overloaded`], when the queue is full.
    pub fn call(
        &self,
        script: DocPath,
        request: Box<http::Request>,
        routed: Routed,
        body: Bytes,
        outlet: Weak<Outlet>,
    ) -> Result<Http1Events, Overloaded> {
        let run = self.run(script.into_path(), true);
        let (link, events) = Http1Link::new(outlet, Arc::clone(&run));
        let call = Call { run: Arc::clone(&run), request, routed, body, link };
        let runtime = Arc::clone(&self.runtime);
        let job = move |vm: &VirtualMachine| {
            if let Some(runtime) = runtime.get() {
                http1::run(call, runtime, vm);
            }
        };
        self.pool.submit(Job::of(run, job))?;
        Ok(events)
    }

    /// Prepares the handler of a request that came over HTTP/2. The handler runs when the conversation gets an event of the stream;
    /// the first one is the request itself.
    pub fn converse(&self, script: DocPath, request: Box<http::Request>, routed: Routed) -> (Conversation, H2Events) {
        let (pool, runtime) = (Arc::clone(&self.pool), Arc::clone(&self.runtime));
        Conversation::new(self.run(script.into_path(), true), request, routed, pool, runtime)
    }

    fn run(&self, script: PathBuf, has_time_limit: bool) -> Arc<Run> {
        Run::new(script, has_time_limit, Some(Arc::clone(&self.deadlines) as _))
    }

    /// Runs the WebSocket handler of a request until its connection closes.
    ///
    /// # Errors
    /// [`Overloaded`], when too many sessions are open.
    pub fn open(&self, opening: Opening) -> Result<Session, Overloaded> {
        let run = self.run(opening.handler.clone(), false);
        let (socket, session) = Socket::new(opening.longest_message, Arc::clone(&run));
        let runtime = Arc::clone(&self.runtime);
        let job = move |vm: &VirtualMachine| {
            if let Some(runtime) = runtime.get() {
                websocket::run(opening, socket, runtime, vm);
            }
        };
        self.pool.submit_session(Job::of(run, job))?;
        Ok(session)
    }

    /// Runs no more calls and ends the idle threads; running handlers continue.
    pub fn stop(&self) {
        self.deadlines.close();
        self.pool.close();
        if let Some(supervisor) = self.supervisor.lock().take() {
            let _ = supervisor.join();
        }
        native::output::end_all_lines();
    }
}
