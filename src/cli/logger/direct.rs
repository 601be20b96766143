//! Writing to standard output without ever waiting for its reader, for a process without threads.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::{
        fd::{AsFd as _, AsRawFd as _},
        unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    },
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{MsgFlags, send},
};

/// Standard output, and the rest of a line that it has not taken yet.
pub(super) struct Direct {
    /// None where there is no standard output: lines are dropped.
    out: Option<(File, Kind)>,
    rest: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A write that would have to wait says so, or never has to.
    Plain,
    Socket,
}

impl Direct {
    pub(super) fn new() -> Self {
        Self { out: open().ok(), rest: Vec::new() }
    }

    /// Whether part of a line is left.
    pub(super) fn is_busy(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Whether a line can be written: nothing is left of the one before.
    pub(super) fn is_ready(&mut self) -> bool {
        let Some((out, kind)) = &mut self.out else {
            self.rest.clear();
            return true;
        };
        while !self.rest.is_empty() {
            if !takes(out) {
                return false;
            }
            let written = match kind {
                Kind::Plain => out.write(&self.rest),
                Kind::Socket => {
                    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                    send(out.as_raw_fd(), &self.rest, flags).map_err(Into::into)
                }
            };
            match written {
                Ok(count) if count > 0 => drop(self.rest.drain(..count.min(self.rest.len()))),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // A closed pipe only loses the line.
                _ => self.rest.clear(),
            }
        }
        takes(out)
    }

    /// Writes a line, or keeps what cannot be written now.
    pub(super) fn write(&mut self, line: String) {
        self.rest = line.into_bytes();
        self.is_ready();
    }
}

/// Standard output. A pipe is opened anew, because whether its writes wait is a property of the opened file, which other processes
/// share.
fn open() -> io::Result<(File, Kind)> {
    let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let kind = out.metadata()?.file_type();
    if kind.is_socket() {
        return Ok((out, Kind::Socket));
    }
    if kind.is_fifo()
        && let Ok(own) = OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open("/proc/self/fd/1")
    {
        return Ok((own, Kind::Plain));
    }
    Ok((out, Kind::Plain))
}

/// Whether something can be written now, or never again.
fn takes(out: &File) -> bool {
    let mut fds = [PollFd::new(out.as_fd(), PollFlags::POLLOUT)];
    poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}
