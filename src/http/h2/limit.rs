//! How often a client may do what costs the server more than the client, or for nothing.
//!
//! Browsers must never meet these bounds. So what they do often earns as much as it spends: whoever is sent content enlarges
//! windows, once for the stream and once for the connection; whoever sends requests says something about their order. What is left
//! is counted in tens of thousands and comes back by the thousands each second, which no browser needs and costs the server a
//! hundredth of a core.

use std::time::{Duration, Instant};

/// A budget that refills with time.
#[derive(Debug)]
pub(super) struct Budget {
    left: u32,
    /// So many at once...
    most: u32,
    /// ...and one more each time this much has passed.
    interval: Duration,
    /// Until when the budget has been refilled.
    refilled: Instant,
}

impl Budget {
    fn new(now: Instant, most: u32, interval: Duration) -> Self {
        Self { left: most, most, interval, refilled: now }
    }

    /// Takes one; false when nothing is left.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.refilled).as_micros() / self.interval.as_micros();
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        if earned >= self.most {
            (self.left, self.refilled) = (self.most, now);
        } else {
            self.earn(earned);
            self.refilled += self.interval * earned;
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    /// Adds so many.
    pub(super) fn earn(&mut self, count: u32) {
        self.left = self.left.saturating_add(count).min(self.most);
    }
}

/// What a request earns of [`Limits::talk`]: enough for its windows, its order and a header block in several frames.
pub(super) const PER_REQUEST: u32 = 16;
/// What a frame of content that has been sent earns of [`Limits::talk`]: two windows, twice.
pub(super) const PER_CONTENT: u32 = 4;
/// The content of frames that are shorter counts as a piece.
pub(super) const PIECE: usize = 256;

/// The budgets of a connection.
#[derive(Debug)]
pub(super) struct Limits {
    /// Resets of streams, empty content, and faults.
    pub(super) faults: Budget,
    /// Frames that are about the connection or the order of things, and not content: PING, SETTINGS, PRIORITY, WINDOW_UPDATE,
    /// CONTINUATION, those of unknown kinds.
    pub(super) talk: Budget,
    /// Content in frames of a few bytes. A page may upload a stream byte by byte, so these are many.
    pub(super) pieces: Budget,
}

impl Limits {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            faults: Budget::new(now, 1000, Duration::from_millis(30)),
            talk: Budget::new(now, 10_000, Duration::from_millis(1)),
            pieces: Budget::new(now, 100_000, Duration::from_micros(100)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_out_and_refills() {
        let start = Instant::now();
        let mut budget = Limits::new(start).faults;
        assert_eq!((0..2000).filter(|_| budget.take(start)).count(), 1000);
        let later = start + Duration::from_millis(300);
        assert_eq!((0..2000).filter(|_| budget.take(later)).count(), 10);
        budget.earn(5);
        assert_eq!((0..2000).filter(|_| budget.take(later)).count(), 5);
        let much_later = start + Duration::from_secs(86400);
        budget.earn(u32::MAX);
        assert_eq!((0..2000).filter(|_| budget.take(much_later)).count(), 1000);
    }
}
