//! Limits for frames that cost the server more than the client, or that serve no purpose.
//!
//! Browsers must never meet these limits. So frequent actions of browsers earn as much as they cost: a client that receives content
//! enlarges windows, once for the stream and once for the connection; a client that sends requests also sends their priorities. The
//! remaining budget is tens of thousands of frames and refills by a thousand each second. No browser needs so many, and they cost the
//! server a hundredth of a core.

use std::time::{Duration, Instant};

use crate::http::bounds::Bounds;

/// A budget that refills with time.
#[derive(Debug)]
pub(super) struct Budget {
    left: u32,
    /// The most at once.
    most: u32,
    /// The time in which the budget gets one more.
    interval: Duration,
    /// The time up to which the budget has been refilled.
    refilled: Instant,
}

impl Budget {
    fn new(now: Instant, most: u32, interval: Duration) -> Self {
        Self { left: most, most, interval, refilled: now }
    }

    /// Takes one; false when the budget is used up.
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

    /// Adds `count`.
    pub(super) fn earn(&mut self, count: u32) {
        self.left = self.left.saturating_add(count).min(self.most);
    }
}

/// The frames that a request adds to [`Limits::talk`]: enough for its windows, its priority and a header block in several frames.
pub(super) const PER_REQUEST: u32 = 16;
/// The frames that a sent frame of content adds to [`Limits::talk`]: two windows, twice.
pub(super) const PER_CONTENT: u32 = 4;
/// The most frames of a request that are kept for `request.frames`; see docs/differences.md.
pub(super) const REMEMBERED: u64 = 10_000;
/// A frame of content with fewer bytes counts as a piece.
pub(super) const PIECE: usize = 256;

/// The budgets of a connection.
#[derive(Debug)]
pub(super) struct Limits {
    /// Resets of streams, empty content, and faults.
    pub(super) faults: Budget,
    /// Frames without content: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, CONTINUATION, and frames of unknown kinds.
    pub(super) talk: Budget,
    /// Content in frames of a few bytes. A page may upload a stream byte by byte, so this budget is large.
    pub(super) pieces: Budget,
    /// The most bytes of a request body.
    pub(super) body_bytes: Option<u64>,
    /// The most frames that are remembered of all open requests together.
    pub(super) most_frames: Option<u64>,
    /// How many are.
    pub(super) frames: u64,
}

impl Limits {
    pub(super) fn new(now: Instant, bounds: &Bounds) -> Self {
        Self {
            body_bytes: bounds.body_bytes,
            most_frames: bounds.h2_frames,
            frames: 0,
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
        let mut budget = Limits::new(start, &Bounds::default()).faults;
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
