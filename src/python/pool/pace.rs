//! The scheduling policy of a handler thread.
//!
//! Usually a thread that wakes preempts another thread and gets its core at once. With many requests in a row this costs more than the
//! requests themselves, because the thread preempts the client for each single one. So in a flood the thread asks the system for
//! `SCHED_BATCH`: it waits for a free core, and finds more requests to do. Without a flood the policy stays normal, because on a busy
//! machine each request would wait for a core.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

/// The number of requests after which a thread checks how fast they came.
const COUNT: u32 = 64;
/// When they came within this time, they are a flood.
const FLOOD: Duration = Duration::from_millis(10);

thread_local! {
    static PACE: RefCell<Pace> = RefCell::default();
}

/// Counts a request of the calling thread.
pub(super) fn count() {
    PACE.with_borrow_mut(|pace| pace.count(Instant::now, Policy::take_over));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Policy {
    #[default]
    Normal,
    Batch,
}

#[derive(Debug, Default)]
struct Pace {
    /// The requests since the last check.
    requests: u32,
    /// The time of the last check.
    since: Option<Instant>,
    policy: Policy,
}

impl Pace {
    /// Counts a request, and changes the policy if a flood has begun or ended.
    fn count(&mut self, now: impl FnOnce() -> Instant, replace: impl FnOnce(Policy, Policy) -> bool) {
        self.requests += 1;
        if self.requests < COUNT {
            return;
        }
        self.requests = 0;
        let now = now();
        let is_flood = self.since.replace(now).is_some_and(|since| now.duration_since(since) < FLOOD);
        let policy = if is_flood { Policy::Batch } else { Policy::Normal };
        if policy != self.policy && replace(self.policy, policy) {
            self.policy = policy;
        }
    }
}

impl Policy {
    const fn number(self) -> libc::c_int {
        match self {
            Self::Normal => libc::SCHED_OTHER,
            Self::Batch => libc::SCHED_BATCH,
        }
    }

    /// Replaces this policy of the calling thread. False if the administrator has chosen another one, or the system refuses.
    #[expect(unsafe_code, reason = "no safe library sets a policy; both calls only read what they are given")]
    fn take_over(self, next: Self) -> bool {
        let parameters = libc::sched_param { sched_priority: 0 };
        // SAFETY: 0 is the calling thread, and the system only reads the parameters, which live until it has returned.
        unsafe {
            libc::sched_getscheduler(0) == self.number()
                && libc::sched_setscheduler(0, next.number(), &raw const parameters) == 0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_begins_and_ends() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        let mut after = |gap, is_allowed| {
            let mut replaced = Vec::new();
            for _ in 0..COUNT {
                now += gap;
                let replace = |old, new| {
                    replaced.push((old, new));
                    is_allowed
                };
                pace.count(|| now, replace);
            }
            replaced
        };
        let (quick, slow) = (Duration::from_micros(50), Duration::from_micros(500));
        let (begins, ends) = ((Policy::Normal, Policy::Batch), (Policy::Batch, Policy::Normal));
        assert_eq!(after(quick, true), []);
        assert_eq!(after(quick, false), [begins]);
        assert_eq!(after(slow, true), []);
        assert_eq!(after(quick, true), [begins]);
        assert_eq!(after(quick, true), []);
        assert_eq!(after(slow, true), [ends]);
        assert_eq!(after(slow, true), []);
    }

    #[test]
    #[expect(unsafe_code, reason = "asks the system")]
    fn a_policy_is_replaced_if_it_is_the_one_that_was_set() {
        // SAFETY: 0 is the calling thread; nothing is passed by reference.
        let policy = || unsafe { libc::sched_getscheduler(0) };
        assert!(!Policy::Batch.take_over(Policy::Normal));
        assert!(Policy::Normal.take_over(Policy::Batch));
        assert_eq!(policy(), libc::SCHED_BATCH);
        assert!(!Policy::Normal.take_over(Policy::Batch));
        assert!(Policy::Batch.take_over(Policy::Normal));
        assert_eq!(policy(), libc::SCHED_OTHER);
    }
}
