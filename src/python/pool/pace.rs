//! How eagerly a thread wants a core.
//!
//! Usually a thread that wakes gets a core at once, from whoever has one. With one request after another that costs more than
//! the requests themselves: the thread comes for each single one, and has the client stop for it. In a flood it asks the system
//! for less (`SCHED_BATCH`): it comes when there is a core, and finds more to do. Not so otherwise, because on a busy machine
//! each request would wait for a core then.

use std::{
    cell::RefCell,
    mem,
    time::{Duration, Instant},
};

/// After so many requests a thread looks how fast they came.
const COUNT: u32 = 64;
/// If they came within this time, that is a flood.
const FLOOD: Duration = Duration::from_millis(10);

thread_local! {
    static PACE: RefCell<Pace> = RefCell::default();
}

/// Counts a request of the calling thread.
pub(super) fn count() {
    if let Some(policy) = PACE.with_borrow_mut(|pace| pace.count(Instant::now)) {
        // A system that refuses is served as before.
        let _ = policy.set();
    }
}

#[derive(Debug, Default)]
struct Pace {
    /// Requests since the last look.
    requests: u32,
    /// When that was.
    since: Option<Instant>,
    is_flood: bool,
}

impl Pace {
    /// Counts a request; the policy to be set if that changes.
    fn count(&mut self, now: impl FnOnce() -> Instant) -> Option<Policy> {
        self.requests += 1;
        if self.requests < COUNT {
            return None;
        }
        self.requests = 0;
        let now = now();
        let since = self.since.replace(now)?;
        let is_flood = now.duration_since(since) < FLOOD;
        let was_flood = mem::replace(&mut self.is_flood, is_flood);
        (is_flood != was_flood).then_some(if is_flood { Policy::Batch } else { Policy::Normal })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Normal,
    Batch,
}

impl Policy {
    const fn number(self) -> libc::c_int {
        match self {
            Self::Normal => libc::SCHED_OTHER,
            Self::Batch => libc::SCHED_BATCH,
        }
    }

    /// Sets the policy of the calling thread. One that the administrator has chosen stays.
    ///
    /// # Errors
    /// The system refuses.
    #[expect(unsafe_code, reason = "no safe library sets a policy; both calls only read what they are given")]
    fn set(self) -> std::io::Result<()> {
        let current = unsafe { libc::sched_getscheduler(0) };
        if current != Self::Normal.number() && current != Self::Batch.number() {
            return Ok(());
        }
        let parameters = libc::sched_param { sched_priority: 0 };
        match unsafe { libc::sched_setscheduler(0, self.number(), &raw const parameters) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_begins_and_ends() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        let mut after = |gap| {
            let policies = (0..COUNT).map(|_| {
                now += gap;
                pace.count(|| now)
            });
            policies.flatten().collect::<Vec<_>>()
        };
        let (quick, slow) = (Duration::from_micros(50), Duration::from_micros(500));
        assert_eq!(after(quick), []);
        assert_eq!(after(quick), [Policy::Batch]);
        assert_eq!(after(quick), []);
        assert_eq!(after(slow), [Policy::Normal]);
        assert_eq!(after(slow), []);
    }

    #[test]
    #[expect(unsafe_code, reason = "asks the system")]
    fn the_system_takes_both_policies() {
        for policy in [Policy::Batch, Policy::Normal] {
            policy.set().unwrap();
            assert_eq!(unsafe { libc::sched_getscheduler(0) }, policy.number());
        }
    }
}
