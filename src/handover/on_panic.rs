//! What is done when the thread that runs a handler panics.

use std::{fmt, thread};

/// Calls its function when it is dropped by a panic. The Python objects that hold a link are never freed then, so dropping them
/// does not end the link, and the connection would wait for ever.
#[must_use = "it works for as long as it is held"]
pub struct OnPanic<F: Fn()>(F);

impl<F: Fn()> OnPanic<F> {
    pub(super) fn new(call: F) -> Self {
        Self(call)
    }
}

impl<F: Fn()> fmt::Debug for OnPanic<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OnPanic").finish_non_exhaustive()
    }
}

impl<F: Fn()> Drop for OnPanic<F> {
    fn drop(&mut self) {
        if thread::panicking() {
            (self.0)();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[test]
    fn only_a_panic_calls() {
        let calls = AtomicUsize::new(0);
        let count = || {
            calls.fetch_add(1, Ordering::Relaxed);
        };
        drop(OnPanic::new(count));
        assert_eq!(calls.load(Ordering::Relaxed), 0);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _guard = OnPanic::new(count);
            resume_unwind(Box::new("a handler has panicked"));
        }));
        assert!(panicked.is_err());
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }
}
