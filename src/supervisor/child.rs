//! One child, as the supervisor sees it.

use std::{
    io::IoSliceMut,
    os::{
        fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd},
        unix::net::UnixStream,
    },
    sync::Arc,
    time::{Duration, Instant},
};

use nix::{
    cmsg_space,
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        socket::{AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg, send, socketpair},
    },
    unistd::{ForkResult, Pid, fork, getpid, getppid},
};

use super::{
    Settings,
    board::Board,
    link::{Link, Note, Order},
    signals::Signals,
};
use crate::stash::ClientId;

/// How far a child is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It does not serve yet.
    Starting,
    /// It serves.
    Serving,
    /// Another one has taken over; it ends what it has begun, at most until then.
    Leaving(Instant),
}

pub(super) struct Child {
    pub(super) pid: Pid,
    /// Its number, by which the stash knows it.
    pub(super) id: ClientId,
    /// Closed when the child has closed its side.
    pub(super) control: Option<OwnedFd>,
    pub(super) board: Arc<Board>,
    pub(super) phase: Phase,
    /// When it was started, then when it began to serve.
    pub(super) since: Instant,
    /// It has said that handlers can run since this was last looked at.
    pub(super) is_alive: bool,
    /// How often it had not.
    pub(super) missed: u32,
    /// It has said that nothing can be served.
    pub(super) has_failed: bool,
    /// Why the supervisor has killed it.
    pub(super) verdict: Option<String>,
}

/// Which of the two processes this is.
pub(super) enum Forked {
    Supervisor(Child),
    Child(Link),
}

impl Child {
    /// Splits the process. The calling one must have no other thread.
    pub(super) fn fork(id: u32, is_first: bool, settings: &Settings, signals: &Signals) -> nix::Result<Forked> {
        let (own, other) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        let board = Arc::new(Board::new()?);
        let supervisor = getpid();
        #[expect(unsafe_code, reason = "the one call that splits the process")]
        // SAFETY: the process has one thread: so no lock is held by another one, and the child may go on with everything there is.
        let forked = unsafe { fork() }?;
        match forked {
            ForkResult::Parent { child } => Ok(Forked::Supervisor(Self {
                pid: child,
                id: ClientId(id),
                control: Some(own),
                board,
                phase: Phase::Starting,
                since: Instant::now(),
                is_alive: true,
                missed: 0,
                has_failed: false,
                verdict: None,
            })),
            ForkResult::Child => {
                let bound = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
                // A supervisor that died before that was known here has left this process to another parent.
                if bound.is_err() || getppid() != supervisor {
                    std::process::exit(1);
                }
                signals.leave_to_supervisor();
                Ok(Forked::Child(Link::new(other, board, settings.heartbeat, is_first)))
            }
        }
    }

    /// What it has said, with the socket that it has sent along. `None`: nothing more for now.
    pub(super) fn receive(&mut self) -> Option<(Note, Option<UnixStream>)> {
        let control = self.control.as_ref()?.as_raw_fd();
        let mut byte = [0];
        let (count, sockets) = {
            let mut space = cmsg_space!(RawFd);
            let mut parts = [IoSliceMut::new(&mut byte)];
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
            match recvmsg::<()>(control, &mut parts, Some(&mut space), flags) {
                Ok(message) => {
                    let messages: Vec<ControlMessageOwned> = message.cmsgs().into_iter().flatten().collect();
                    (message.bytes, messages)
                }
                Err(Errno::EAGAIN | Errno::EINTR) => return None,
                Err(_) => (0, Vec::new()),
            }
        };
        let mut socket = None;
        for message in sockets {
            let ControlMessageOwned::ScmRights(fds) = message else { continue };
            for fd in fds {
                #[expect(unsafe_code, reason = "descriptors in messages are plain numbers")]
                // SAFETY: the system has just opened this descriptor for this process, and nothing else knows it.
                let owned = unsafe { OwnedFd::from_raw_fd(fd) };
                socket = Some(UnixStream::from(owned));
            }
        }
        match Note::of(byte[0]) {
            Some(note) if count > 0 => Some((note, socket)),
            // Its side is closed, or a handler has written nonsense there: nothing that it says can be trusted any more.
            _ => {
                self.control = None;
                None
            }
        }
    }

    pub(super) fn order(&self, order: Order) {
        if let Some(control) = &self.control {
            // A child that takes no orders is killed when its time is up.
            let _ = send(control.as_raw_fd(), &[order as u8], MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL);
        }
    }

    pub(super) fn kill(&self) {
        // It may have ended already; it has not been reaped, so the number is still its own.
        let _ = kill(self.pid, Signal::SIGKILL);
    }

    /// Kills it; the log will say why.
    pub(super) fn condemn(&mut self, why: String) {
        if self.verdict.is_none() {
            self.verdict = Some(why);
            self.kill();
        }
    }

    /// Whether it died before it had done anything: another one might do the same.
    pub(super) fn has_done_nothing(&self) -> bool {
        let is_young = self.phase == Phase::Starting || self.since.elapsed() < Duration::from_secs(1);
        is_young && self.board.count() == 0
    }

    /// Resident memory in bytes; `None` where the system does not tell.
    pub(super) fn memory(&self) -> Option<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.pid)).ok()?;
        let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
        let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten()?;
        Some(pages.saturating_mul(u64::try_from(page).ok()?))
    }

    /// The handlers that run, for the log.
    pub(super) fn handlers(&self) -> String {
        const SHOWN: usize = 8;
        let running = self.board.running();
        if running.is_empty() {
            return "no handler was running".to_owned();
        }
        let mut shown: Vec<String> = running
            .iter()
            .take(SHOWN)
            .map(|(path, count)| {
                if *count == 1 {
                    path.escape_debug().to_string()
                } else {
                    format!("{} ({count} times)", path.escape_debug())
                }
            })
            .collect();
        if running.len() > SHOWN {
            shown.push(format!("{} others", running.len() - SHOWN));
        }
        format!("running were: {}", shown.join(", "))
    }
}
