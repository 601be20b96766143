//! The supervisor: the process that the user has started. It keeps the ports, the ready file and the stash, and runs the server in a
//! child, which may die, hang or grow: a fresh one takes over.
//!
//! ```text
//! supervisor ── fork ──► child: actix, the interpreter, handlers
//!     │  ◄── control: ready, alive, failed, another socket for the stash
//!     │  ──► control: stop, leave
//!     │  ◄── stash: one socket for each operation at a time
//!     │  ◄── board: a shared page that says which handlers run
//! ```
//!
//! The child is a fork without an exec: it inherits configuration, routes, certificates and sockets as they are. So the supervisor
//! must never have a second thread: a fork copies the calling thread only, and a lock that another one holds would stay locked in
//! the child. One poll loop does everything. Nothing here names actix or RustPython.

mod board;
mod child;
mod limits;
mod link;
mod run;
mod signals;

use std::time::Duration;

pub use board::Running;
pub use limits::{NoThreads, check_threads, raise_descriptors};
pub use link::{Link, Order};
pub use run::{Role, supervise};
pub use signals::{Hangup, guard};

/// When the supervisor replaces the child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long no handler may be able to run before the child is killed; `None`: for ever.
    pub heartbeat: Option<Duration>,
    /// The resident memory of the child, in bytes, from which on it is renewed; `None`: never.
    pub memory: Option<u64>,
    /// How long a child that has been renewed may go on with what it has begun.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { heartbeat: Some(Duration::from_secs(10)), memory: Some(2 << 30), grace: Duration::from_secs(30) }
    }
}

/// What the supervisor has its owner do.
pub trait Owner {
    /// Every port answers, for the first time.
    fn ready(&mut self);

    /// The server is about to stop.
    fn stopping(&mut self);

    /// Writes the log as far as that goes without waiting. Whether something is left.
    fn write_log(&mut self) -> bool;
}
