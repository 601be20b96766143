//! Threads under shuttle, and a clock that goes on whenever somebody looks at it.

use std::{
    ops::Add,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

pub(super) use shuttle::thread::{Thread, ThreadId};

/// `std::thread`.
pub(super) mod thread {
    use std::{io, num::NonZeroUsize};

    pub(in crate::python) use shuttle::thread::*;

    pub(in crate::python) fn available_parallelism() -> io::Result<NonZeroUsize> {
        NonZeroUsize::new(2).ok_or_else(|| io::ErrorKind::Unsupported.into())
    }
}

/// `std::time::Instant`. Every look takes half a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

static NOW: AtomicU64 = AtomicU64::new(0);

impl Instant {
    pub fn now() -> Self {
        Self(Duration::from_micros(500 * NOW.fetch_add(1, Ordering::Relaxed)))
    }

    pub fn elapsed(self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0 + time)
    }
}
