//! The child's side of what it shares with its supervisor, and the messages between them.

use std::{
    fmt,
    io::{self, IoSlice},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
        unix::net::UnixStream,
    },
    path::Path,
    sync::Arc,
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::socket::{ControlMessage, MsgFlags, recv, send, sendmsg},
};

use super::board::{Board, Running};

/// What the child says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Note {
    /// It serves.
    Ready = b'R',
    /// Handlers can run.
    Alive = b'A',
    /// It ends because it cannot serve, and another one could not either.
    Failed = b'F',
    /// With a socket: another one for the stash.
    Socket = b'S',
}

impl Note {
    pub(super) fn of(byte: u8) -> Option<Self> {
        [Self::Ready, Self::Alive, Self::Failed, Self::Socket].into_iter().find(|note| *note as u8 == byte)
    }
}

/// What the supervisor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Order {
    /// End at once.
    Stop = b'T',
    /// Another process has taken over: take no more connections, end what has begun, then end.
    Leave = b'L',
}

/// The child's side. All copies are the same.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    control: OwnedFd,
    board: Arc<Board>,
    heartbeat: Option<Duration>,
    is_first: bool,
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Link").field("is_first", &self.0.is_first).finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn new(control: OwnedFd, board: Arc<Board>, heartbeat: Option<Duration>, is_first: bool) -> Self {
        Self(Arc::new(Inner { control, board, heartbeat, is_first }))
    }

    /// Whether no other child has served before this one.
    pub fn is_first(&self) -> bool {
        self.0.is_first
    }

    /// Says that the server answers.
    pub fn ready(&self) {
        self.note(Note::Ready);
    }

    /// Says that a handler could run just now; to be repeated after [`Self::beat_interval`].
    pub fn beat(&self) {
        self.note(Note::Alive);
    }

    /// Says that the server ends and that no other child could serve either.
    pub fn failed(&self) {
        self.note(Note::Failed);
    }

    /// How often [`Self::beat`] is expected; `None`: never.
    pub fn beat_interval(&self) -> Option<Duration> {
        self.0.heartbeat.map(|limit| limit / 5)
    }

    /// Writes down where the supervisor finds it, even after this process has died, that a handler runs on this thread.
    pub fn running(&self, handler: &Path) -> Running {
        Running::note(&self.0.board, handler)
    }

    /// What the supervisor has said. `None`: nothing yet. A supervisor that is gone says [`Order::Stop`].
    pub fn order(&self) -> Option<Order> {
        let mut byte = [0];
        match recv(self.0.control.as_raw_fd(), &mut byte, MsgFlags::MSG_DONTWAIT) {
            Ok(1) if byte == [Order::Leave as u8] => Some(Order::Leave),
            Err(Errno::EAGAIN | Errno::EINTR) => None,
            _ => Some(Order::Stop),
        }
    }

    /// Another socket to the stash.
    ///
    /// # Errors
    /// The process may have no more descriptors, or the supervisor is gone.
    pub fn dial(&self) -> io::Result<UnixStream> {
        let (own, other) = UnixStream::pair()?;
        let byte = [Note::Socket as u8];
        let fds = [other.as_raw_fd()];
        let message = [ControlMessage::ScmRights(&fds)];
        sendmsg::<()>(self.0.control.as_raw_fd(), &[IoSlice::new(&byte)], &message, MsgFlags::MSG_NOSIGNAL, None)?;
        Ok(own)
    }

    fn note(&self, note: Note) {
        // Without a supervisor this process is about to die.
        let _ = send(self.0.control.as_raw_fd(), &[note as u8], MsgFlags::MSG_NOSIGNAL);
    }
}

impl AsRawFd for Link {
    fn as_raw_fd(&self) -> RawFd {
        self.0.control.as_raw_fd()
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.control.as_fd()
    }
}
