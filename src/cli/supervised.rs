//! What `serve` has to do with the supervisor: splitting the process, and hearing when to stop.

use std::{io, thread};

use tokio::{
    io::{Interest, unix::AsyncFd},
    signal::unix::{Signal, SignalKind, signal},
};

use super::{announce::ReadyFile, bind::Ports, logger};
use crate::{
    config::StartupError,
    server::Stop,
    supervisor::{self, Hangup, Link, Order, Owner, Settings},
};
pub(super) use supervisor::Role;

/// Threads beside those that serve connections: accepting, the interpreter, its heartbeat, handlers, files.
const THREADS: usize = 8;
/// Descriptors beside those of the ports: standard ones, those of the runtimes, and some to serve with.
const DESCRIPTORS: u64 = 24;
/// What each worker of the server needs.
const DESCRIPTORS_OF_WORKER: u64 = 3;
/// What each port needs: its own, one to watch it, one in each worker, and the connection that asks whether it answers.
const DESCRIPTORS_OF_PORT: u64 = 3;

/// # Errors
/// The process may not open as many descriptors as are needed to serve anything.
pub(super) fn check_descriptors(ports: &Ports) -> Result<(), StartupError> {
    let ports = (ports.bound.len() + ports.dns.len()) as u64;
    let needed = DESCRIPTORS + DESCRIPTORS_OF_WORKER * workers() as u64 + DESCRIPTORS_OF_PORT * ports;
    supervisor::raise_descriptors(needed).map_err(|allowed| StartupError::FewDescriptors { allowed, needed })
}

/// # Errors
/// The system gives fewer threads than are needed to serve anything.
pub(super) fn check_threads() -> Result<(), StartupError> {
    Ok(supervisor::check_threads(workers() + THREADS)?)
}

fn workers() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Becomes the supervisor, and a child in which this returns as well. The process has no other thread yet.
///
/// # Errors
/// No child can be started, or none lives.
pub(super) fn split(
    settings: &Settings,
    exit_after_start: bool,
    ready_file: Option<ReadyFile>,
) -> Result<Role, StartupError> {
    let mut owner = ServeOwner { ready_file };
    let role = supervisor::supervise(settings, exit_after_start, &mut owner).map_err(StartupError::Supervisor)?;
    if matches!(role, Role::Child(_)) {
        // The file is the supervisor's, and so are the lines that wait.
        std::mem::forget(owner);
        logger::forget();
        logger::start();
    }
    Ok(role)
}

struct ServeOwner {
    ready_file: Option<ReadyFile>,
}

impl Owner for ServeOwner {
    fn ready(&mut self) {
        self.ready_file.iter().for_each(ReadyFile::write);
    }

    fn stopping(&mut self) {
        self.ready_file = None;
    }

    fn write_log(&mut self) -> bool {
        logger::drain()
    }
}

/// What tells this process to stop.
pub(super) enum Stops {
    /// SIGINT and SIGTERM, and SIGHUP when the terminal has gone.
    Signals { interrupt: Signal, terminate: Signal, hangup: Signal, rule: Hangup },
    /// The supervisor.
    Orders(AsyncFd<Link>),
}

impl Stops {
    /// # Errors
    /// Nothing can be waited for.
    pub(super) fn new(link: Option<Link>) -> io::Result<Self> {
        if let Some(link) = link {
            #[expect(unsafe_code, reason = "the runtime has to know that the descriptor stays what it is")]
            // SAFETY: the link, which the result owns a copy of, keeps its one descriptor open and never gives it away.
            let orders = unsafe { AsyncFd::register_with_interest(link, Interest::READABLE) };
            return Ok(Self::Orders(orders?));
        }
        let rule = Hangup::new();
        supervisor::guard();
        Ok(Self::Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            rule,
        })
    }

    pub(super) async fn next(&mut self) -> Stop {
        match self {
            Self::Signals { interrupt, terminate, hangup, rule } => loop {
                tokio::select! {
                    _ = interrupt.recv() => return Stop::Now,
                    _ = terminate.recv() => return Stop::Now,
                    _ = hangup.recv() => if rule.is_terminal_gone() { return Stop::Now },
                }
            },
            Self::Orders(link) => loop {
                let Ok(mut ready) = link.readable().await else { return Stop::Now };
                match ready.get_inner().order() {
                    Some(Order::Stop) => return Stop::Now,
                    Some(Order::Leave) => return Stop::WhenDone,
                    None => ready.clear_ready(),
                }
            },
        }
    }
}
