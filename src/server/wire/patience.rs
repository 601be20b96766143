//! How long a connection of HTTP/1 may wait for its client, and the answer when that time is over.

use std::{io, time::Duration};

use crate::{
    http::{Reply, bounds::Bounds},
    server::watched::{Pace, Since},
};

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Request,
    RestOfHead,
    Body,
    /// Its own work, or a client that takes its time for the answer.
    Nothing,
}

/// What has taken too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expired {
    Idle,
    Head,
    Body,
}

/// What has been seen of a connection.
#[derive(Debug, Default)]
pub(super) struct Patience {
    since: Since<(Wait, u64)>,
    pace: Pace,
    /// The request that the pace belongs to.
    paced: u64,
}

/// Why a request is not answered as it would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::server) enum Refusal {
    /// The body has more bytes than are taken.
    #[error("the request body is longer than bounds.body_bytes allows")]
    BodyTooLong,
    /// The body comes too slowly.
    #[error("the request body comes more slowly than bounds.body_rate allows")]
    BodyTooSlow,
    /// The connection holds most of what is too much for all together.
    #[error("all connections together hold more than bounds.buffered_bytes, and this one most of it")]
    Evicted,
}

impl Refusal {
    /// The answer, after which the connection closes.
    pub(in crate::server) fn reply(self) -> Reply {
        let code = match self {
            Self::BodyTooLong => 413,
            Self::BodyTooSlow => 408,
            Self::Evicted => 503,
        };
        Reply::error(code, &self.to_string())
    }

    /// The refusal that an error of [`Connection::read_body`](super::Connection::read_body) stands for.
    pub(in crate::server) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        Self::other(refusal)
    }
}

impl Patience {
    /// Looks at a connection that waits. `request` is the number of its request, of whose body `received` bytes have come.
    pub(super) fn look(
        &mut self,
        wait: Wait,
        request: u64,
        received: u64,
        passed: Duration,
        bounds: &Bounds,
    ) -> Option<Expired> {
        let time = self.since.seen((wait, request), passed);
        if self.paced != request {
            (self.pace, self.paced) = (Pace::default(), request);
        }
        let is_over = |most: Option<Duration>| most.is_some_and(|most| time >= most);
        match wait {
            Wait::Request => is_over(bounds.idle_time).then_some(Expired::Idle),
            Wait::RestOfHead => is_over(bounds.head_time).then_some(Expired::Head),
            Wait::Body => {
                let is_slow = self.pace.is_too_slow(passed, received, bounds.body_rate, bounds.body_grace);
                is_slow.then_some(Expired::Body)
            }
            Wait::Nothing => None,
        }
    }
}
