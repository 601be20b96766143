//! How often a client may do what costs the server more than the client.

use std::time::{Duration, Instant};

/// So many at once...
const BURST: u32 = 1000;
/// ...and one more each time this much has passed.
const INTERVAL: Duration = Duration::from_millis(30);

/// A budget that refills with time: resets of streams, frames that say nothing, and faults.
#[derive(Debug)]
pub(super) struct Budget {
    left: u32,
    /// Until when the budget has been refilled.
    refilled: Instant,
}

impl Budget {
    pub(super) fn new(now: Instant) -> Self {
        Self { left: BURST, refilled: now }
    }

    /// Takes one; false when nothing is left.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.refilled).as_millis() / INTERVAL.as_millis();
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        if earned >= BURST {
            (self.left, self.refilled) = (BURST, now);
        } else {
            self.left = (self.left + earned).min(BURST);
            self.refilled += INTERVAL * earned;
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_out_and_refills() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        assert_eq!((0..2000).filter(|_| budget.take(start)).count(), 1000);
        let later = start + Duration::from_millis(300);
        assert_eq!((0..2000).filter(|_| budget.take(later)).count(), 10);
        let much_later = start + Duration::from_secs(86400);
        assert_eq!((0..2000).filter(|_| budget.take(much_later)).count(), 1000);
    }
}
