//! The supervisor's loop: start a child, see that it lives, replace it, stop.

use std::{
    io,
    os::fd::AsFd as _,
    time::{Duration, Instant},
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::Signal,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
};

use super::{
    Owner, Settings,
    child::{Child, Forked, Phase},
    link::{Link, Note, Order},
    signals::Signals,
};
use crate::stash::Host;

/// How long children have to stop: vendors kill a server that has not stopped within a second.
const STOP: Duration = Duration::from_millis(700);
/// How long a child that takes over may need until it serves.
const START: Duration = Duration::from_secs(60);
/// How long there is no second renewal because of memory: a limit that is too low must not keep the server busy with that.
const RENEWAL: Duration = Duration::from_secs(60);
/// A child without requests that still has not ended so long after its grace is killed.
const AFTER_GRACE: Duration = Duration::from_secs(2);
/// So many children in a row that die before they have done anything are enough.
const MAX_FUTILE: u32 = 10;
/// How long to wait after the first of them; twice as long after the second, and so on.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// How often is looked whether the log can be written when it could not.
const LOG: Duration = Duration::from_millis(20);

/// What the calling process is when [`supervise`] returns.
#[derive(Debug)]
pub enum Role {
    /// A child: it has to serve now.
    Child(Link),
    /// The supervisor, after the server has stopped: the exit code of the process.
    Supervisor(u8),
}

/// Runs children until the server is to stop. Returns in each child as well. The calling process must not have another thread.
///
/// With `is_trial` the server stops as soon as it is ready.
///
/// # Errors
/// No child can be started, or none lives.
pub fn supervise(settings: &Settings, is_trial: bool, owner: &mut dyn Owner) -> io::Result<Role> {
    let signals = Signals::new()?;
    let mut supervisor = Supervisor {
        settings,
        is_trial,
        owner,
        signals,
        children: Vec::new(),
        stash: Host::default(),
        last_id: 0,
        has_served: false,
        deaths: 0,
        futile: 0,
        next_start: Instant::now(),
        is_renewal_wanted: false,
        last_renewal: None,
        next_look: Instant::now(),
        stop: None,
    };
    loop {
        if let Some(link) = supervisor.start()? {
            return Ok(Role::Child(link));
        }
        if let Some((_, code)) = supervisor.stop
            && supervisor.children.is_empty()
        {
            return Ok(Role::Supervisor(code));
        }
        let ready = supervisor.wait()?;
        supervisor.hear(&ready.children);
        supervisor.take_signals()?;
        supervisor.stash.serve(&ready.stash, Instant::now());
        supervisor.look();
    }
}

struct Supervisor<'a> {
    settings: &'a Settings,
    is_trial: bool,
    owner: &'a mut dyn Owner,
    signals: Signals,
    children: Vec<Child>,
    stash: Host,
    last_id: u32,
    /// Some child has served.
    has_served: bool,
    /// Children that have died after that.
    deaths: u64,
    /// Children in a row that have died before they had done anything.
    futile: u32,
    /// Not earlier than this.
    next_start: Instant,
    /// A fresh child is to take over from the one that serves.
    is_renewal_wanted: bool,
    last_renewal: Option<Instant>,
    next_look: Instant,
    /// Until when the children have to stop, and the exit code.
    stop: Option<(Instant, u8)>,
}

/// What [`Supervisor::wait`] has found.
struct Ready {
    /// Indices of children.
    children: Vec<usize>,
    stash: Vec<u64>,
}

impl Supervisor<'_> {
    /// Starts a child if one is missing. The link, if this process is the child.
    fn start(&mut self) -> io::Result<Option<Link>> {
        let has = |phase| self.children.iter().any(|child| child.phase == phase);
        let is_missing = !has(Phase::Starting) && (!has(Phase::Serving) || self.is_renewal_wanted);
        if self.stop.is_some() || !is_missing || Instant::now() < self.next_start {
            return Ok(None);
        }
        self.owner.write_log();
        self.is_renewal_wanted = false;
        self.last_id += 1;
        match Child::fork(self.last_id, !self.has_served, self.settings, &self.signals) {
            Ok(Forked::Child(link)) => Ok(Some(link)),
            Ok(Forked::Supervisor(child)) => {
                self.children.push(child);
                Ok(None)
            }
            Err(error) if !self.has_served => {
                let cause = format!("it cannot start a process: {error}; raise the limit of processes (ulimit -u)");
                Err(io::Error::other(cause))
            }
            Err(error) => {
                log::error!("cannot start a process that serves: {error}; raise the limit of processes (ulimit -u)");
                self.next_start = Instant::now() + FIRST_PAUSE;
                Ok(None)
            }
        }
    }

    /// Waits until something is to be done.
    fn wait(&mut self) -> io::Result<Ready> {
        let is_log_waiting = self.owner.write_log();
        let now = Instant::now();
        let mut until = self.next_look;
        if self.next_start > now {
            until = until.min(self.next_start);
        }
        if is_log_waiting {
            until = until.min(now + LOG);
        }
        if let Some((deadline, _)) = self.stop {
            until = until.min(deadline.max(now + LOG));
        }
        if let Some(deadline) = self.stash.deadline() {
            until = until.min(deadline);
        }
        let sockets: Vec<_> = self.stash.sockets().collect();
        let mut fds = vec![PollFd::new(self.signals.fd.as_fd(), PollFlags::POLLIN)];
        let mut controls = Vec::new();
        for (index, child) in self.children.iter().enumerate() {
            if let Some(control) = &child.control {
                controls.push(index);
                fds.push(PollFd::new(control.as_fd(), PollFlags::POLLIN));
            }
        }
        for (_, socket, writes) in &sockets {
            let flags = if *writes { PollFlags::POLLIN | PollFlags::POLLOUT } else { PollFlags::POLLIN };
            fds.push(PollFd::new(*socket, flags));
        }
        // A whole millisecond more, so that what is due then is due.
        let timeout = until.saturating_duration_since(now) + Duration::from_millis(1);
        match poll(&mut fds, PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut is_ready = fds.iter().skip(1).map(|fd| fd.revents().is_none_or(|events| !events.is_empty()));
        let children = controls.into_iter().filter(|_| is_ready.next().unwrap_or(false)).collect();
        let stash = sockets.iter().filter(|_| is_ready.next().unwrap_or(false)).map(|(id, ..)| *id).collect();
        Ok(Ready { children, stash })
    }

    fn hear(&mut self, ready: &[usize]) {
        for &index in ready {
            while let Some((note, socket)) = self.children.get_mut(index).and_then(Child::receive) {
                let Some(child) = self.children.get_mut(index) else { break };
                child.is_alive = true;
                match note {
                    Note::Alive => {}
                    Note::Failed => child.has_failed = true,
                    Note::Socket => {
                        if let Some(socket) = socket
                            && let Err(error) = self.stash.adopt(child.id, socket)
                        {
                            log::error!("the stash cannot take a connection: {error}");
                        }
                    }
                    Note::Ready => self.begin_to_serve(index),
                }
            }
        }
    }

    fn begin_to_serve(&mut self, index: usize) {
        let Some(child) = self.children.get_mut(index).filter(|child| child.phase == Phase::Starting) else { return };
        (child.phase, child.since) = (Phase::Serving, Instant::now());
        let pid = child.pid;
        if !std::mem::replace(&mut self.has_served, true) {
            self.owner.ready();
            if self.is_trial {
                self.stop(0);
            }
        }
        let until = Instant::now() + self.settings.grace + AFTER_GRACE;
        let before = self.children.iter_mut().enumerate();
        for (_, old) in before.filter(|(other, old)| *other != index && old.phase == Phase::Serving) {
            old.phase = Phase::Leaving(until);
            old.order(Order::Leave);
            log::info!("process {pid} serves now; process {} ends what it has begun", old.pid);
        }
    }

    fn take_signals(&mut self) -> io::Result<()> {
        while let Some(signal) = self.signals.next() {
            match signal {
                Signal::SIGCHLD => {}
                Signal::SIGHUP if self.signals.hangup.is_terminal_gone() => self.stop(0),
                Signal::SIGHUP if self.signals.hangup.is_ignored() => {}
                Signal::SIGHUP => self.renew("SIGHUP has come"),
                _ => self.stop(0),
            }
        }
        // Children of others may come here as well, where this process is the first of its system.
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => self.bury(pid, Ok(code))?,
                Ok(WaitStatus::Signaled(pid, signal, _)) => self.bury(pid, Err(signal))?,
                Ok(WaitStatus::StillAlive) | Err(_) => return Ok(()),
                Ok(_) => {}
            }
        }
    }

    /// A process has ended, with a code or by a signal.
    fn bury(&mut self, pid: nix::unistd::Pid, end: Result<i32, Signal>) -> io::Result<()> {
        let Some(index) = self.children.iter().position(|child| child.pid == pid) else { return Ok(()) };
        // What it has said before.
        self.hear(&[index]);
        let child = self.children.remove(index);
        self.stash.end(child.id);
        if self.stop.is_some() {
            return Ok(());
        }
        if child.has_failed || (!self.has_served && end.is_ok()) {
            // It has said why.
            let code = end.ok().and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0);
            self.stop(code.unwrap_or(1));
            return Ok(());
        }
        if matches!(child.phase, Phase::Leaving(_)) && (end == Ok(0) || child.verdict.is_some()) {
            log::info!("process {pid} has ended{}", child.verdict.map(|why| format!(": it {why}")).unwrap_or_default());
            return Ok(());
        }
        let how = match (&child.verdict, end) {
            (Some(why), _) => format!("was killed: it {why}"),
            (None, Ok(code)) => format!("ended with code {code}"),
            (None, Err(signal)) => format!("died of {signal}"),
        };
        let handlers = child.handlers();
        if !self.has_served {
            return Err(io::Error::other(format!("the process that serves {how} while it started; {handlers}")));
        }
        self.deaths += 1;
        log::error!(
            "the process that serves ({pid}) {how}; {handlers}; another one takes over (number {} of these)",
            self.deaths
        );
        if !child.has_done_nothing() {
            self.futile = 0;
            return Ok(());
        }
        self.futile += 1;
        if self.futile >= MAX_FUTILE {
            self.owner.stopping();
            self.children.iter().for_each(Child::kill);
            return Err(io::Error::other(format!(
                "{MAX_FUTILE} processes in a row that should serve have died before a request came; the last one {how}"
            )));
        }
        self.next_start = Instant::now() + FIRST_PAUSE * 2_u32.pow(self.futile - 1);
        Ok(())
    }

    /// Lets a fresh child take over.
    fn renew(&mut self, why: &str) {
        let is_serving = self.children.iter().any(|child| child.phase == Phase::Serving);
        let is_starting = self.children.iter().any(|child| child.phase == Phase::Starting);
        if self.stop.is_some() || !is_serving || is_starting {
            return;
        }
        log::info!("{why}: a fresh process takes over");
        self.is_renewal_wanted = true;
        self.last_renewal = Some(Instant::now());
    }

    /// Stops everything, with this exit code.
    fn stop(&mut self, code: u8) {
        if self.stop.is_some() {
            return;
        }
        // The first thing of the stop, so that nobody takes the server for one that answers.
        self.owner.stopping();
        self.stop = Some((Instant::now() + STOP, code));
        self.children.iter().for_each(|child| child.order(Order::Stop));
    }

    /// Looks after what has no event of its own: time that is up, hearts that do not beat, memory that grows.
    fn look(&mut self) {
        let now = Instant::now();
        if let Some((deadline, _)) = self.stop
            && now >= deadline
        {
            self.children.iter().for_each(Child::kill);
        }
        for child in &mut self.children {
            match child.phase {
                Phase::Leaving(until) if now >= until => {
                    child.condemn("had requests after the grace period".to_owned())
                }
                Phase::Starting if self.has_served && child.since.elapsed() >= START => {
                    child.condemn(format!("did not serve within {} s", START.as_secs()));
                }
                _ => {}
            }
        }
        if now < self.next_look {
            return;
        }
        // Looks are counted, not time: while the whole group was stopped, or the machine asleep, no heart could beat.
        const LOOKS: u32 = 10;
        let second = Duration::from_secs(1);
        self.next_look = now + self.settings.heartbeat.map_or(second, |limit| limit / LOOKS);
        let mut is_grown = None;
        for child in self.children.iter_mut().filter(|child| child.phase == Phase::Serving) {
            child.missed = if std::mem::take(&mut child.is_alive) { 0 } else { child.missed + 1 };
            if let Some(limit) = self.settings.heartbeat
                && child.missed > LOOKS
            {
                child.condemn(format!("could not run a handler for {} s", limit.as_secs_f32()));
            }
            if let Some(limit) = self.settings.memory {
                is_grown = child.memory().filter(|memory| *memory > limit).or(is_grown);
            }
        }
        if let Some(memory) = is_grown
            && self.last_renewal.is_none_or(|last| last.elapsed() >= RENEWAL)
        {
            self.renew(&format!("the process that serves has {} MiB", memory >> 20));
        }
    }
}
