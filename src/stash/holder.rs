//! Who holds the lock of the stash: the request that a thread works for.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};

thread_local! {
    static CURRENT: Cell<Holder> = const { Cell::new(Holder(0)) };
}

/// A request, or no request: a thread that a handler has started belongs to none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Holder(u64);

impl Holder {
    /// A request that is no other one of this process.
    pub fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// The request that the calling thread works for.
    pub fn current() -> Self {
        CURRENT.get()
    }

    /// The calling thread works for this request from now on; what it has worked for before.
    pub(super) fn replace_current(self) -> Self {
        CURRENT.replace(self)
    }

    /// Whether it is a request at all.
    pub(super) fn is_request(self) -> bool {
        self.0 != 0
    }
}
