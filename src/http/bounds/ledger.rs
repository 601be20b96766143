//! Counters of what all clients hold together.
//!
//! An ordinary request touches none of them: a connection is counted only while it holds more than [`ALLOWANCE`]. When the sum
//! is above its limit, the connection that holds most is ended, until the sum fits. So it is the client that takes most that
//! loses its connection. Refusing the newest instead would let a client that keeps what it has refuse all others for as long as it
//! likes.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Waker,
};

/// What a connection may hold without being counted, in bytes.
const ALLOWANCE: u64 = 64 * 1024;

/// Bytes in memory for clients: unfinished heads, bodies, answers that are not sent, WebSocket messages.
///
/// Like [`TEMPORARY`] it belongs to the process, because memory and disk do.
pub static BUFFERED: Ledger = Ledger::new();
/// Bytes in temporary files of request bodies and uploaded files.
pub static TEMPORARY: Ledger = Ledger::new();

/// A sum and its limit.
#[derive(Debug)]
pub struct Ledger {
    limit: AtomicU64,
    total: AtomicU64,
    entries: Mutex<Vec<Arc<Entry>>>,
}

/// A connection that is counted.
struct Entry {
    held: AtomicU64,
    is_evicted: AtomicBool,
    /// Wakes the task that has to end the connection.
    waker: Mutex<Option<Waker>>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Entry").field("held", &self.held).finish_non_exhaustive()
    }
}

impl Ledger {
    /// An empty one without a limit.
    pub const fn new() -> Self {
        Self { limit: AtomicU64::new(u64::MAX), total: AtomicU64::new(0), entries: Mutex::new(Vec::new()) }
    }

    /// Sets the limit; `None` for none.
    pub fn set_limit(&self, limit: Option<u64>) {
        self.limit.store(limit.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The sum.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    fn excess(&self) -> u64 {
        self.total().saturating_sub(self.limit.load(Ordering::Relaxed))
    }

    fn change(&self, before: u64, after: u64) {
        if after > before {
            self.total.fetch_add(after - before, Ordering::Relaxed);
        } else {
            self.total.fetch_sub(before - after, Ordering::Relaxed);
        }
    }

    /// Ends the largest connections until the sum fits. What they hold counts no longer, because it is about to be freed.
    fn evict(&self) {
        let mut wakers = Vec::new();
        {
            let entries = locked(&self.entries);
            while self.excess() > 0 {
                let counted = entries.iter().filter(|entry| !entry.is_evicted.load(Ordering::Relaxed));
                let Some(largest) = counted.max_by_key(|entry| entry.held.load(Ordering::Relaxed)) else { break };
                largest.is_evicted.store(true, Ordering::Release);
                let held = largest.held.swap(0, Ordering::Relaxed);
                self.change(held, 0);
                log::warn!(
                    "a connection that holds {held} bytes is ended, because all together hold more than \
                     bounds.buffered_bytes"
                );
                wakers.extend(locked(&largest.waker).take());
            }
        }
        // Outside the lock: a waker may take other locks.
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// A panic elsewhere leaves nothing half done here.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

/// What one connection holds in memory. It is ended when it holds most and all together hold too much.
#[derive(Debug)]
pub struct Account {
    ledger: &'static Ledger,
    /// From the first time that it holds more than the allowance.
    entry: OnceLock<Arc<Entry>>,
}

impl Account {
    /// A connection that holds nothing.
    pub const fn new(ledger: &'static Ledger) -> Self {
        Self { ledger, entry: OnceLock::new() }
    }

    /// Says that the connection holds so many bytes now. `waker` is called when it has to end.
    pub fn hold(&self, bytes: u64, waker: &Waker) {
        let counted = if bytes > ALLOWANCE { bytes } else { 0 };
        let entry = match self.entry.get() {
            Some(entry) => entry,
            None if counted == 0 => return,
            None => self.entry.get_or_init(|| {
                let (held, is_evicted, waker) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::new(None));
                let entry = Arc::new(Entry { held, is_evicted, waker });
                locked(&self.ledger.entries).push(Arc::clone(&entry));
                entry
            }),
        };
        if counted > 0 {
            *locked(&entry.waker) = Some(waker.clone());
        }
        if entry.is_evicted.load(Ordering::Acquire) {
            return;
        }
        let before = entry.held.swap(counted, Ordering::Relaxed);
        self.ledger.change(before, counted);
        if counted > before && self.ledger.excess() > 0 {
            self.ledger.evict();
        }
    }

    /// Whether the connection has to end.
    pub fn is_evicted(&self) -> bool {
        self.entry.get().is_some_and(|entry| entry.is_evicted.load(Ordering::Acquire))
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let Some(entry) = self.entry.take() else { return };
        self.ledger.change(entry.held.swap(0, Ordering::Relaxed), 0);
        let mut entries = locked(&self.ledger.entries);
        if let Some(at) = entries.iter().position(|other| Arc::ptr_eq(other, &entry)) {
            entries.swap_remove(at);
        }
    }
}

/// Bytes that are counted until this is dropped, and that no connection can be ended for.
#[derive(Debug)]
pub struct Share {
    ledger: &'static Ledger,
    bytes: u64,
}

impl Share {
    /// No bytes.
    pub const fn new(ledger: &'static Ledger) -> Self {
        Self { ledger, bytes: 0 }
    }

    /// Counts more bytes; false, and nothing is counted, if they do not fit.
    pub fn grow(&mut self, more: u64) -> bool {
        self.ledger.change(0, more);
        if self.ledger.excess() > 0 {
            self.ledger.change(more, 0);
            return false;
        }
        self.bytes += more;
        true
    }

    /// Counts so many bytes no longer.
    pub fn shrink(&mut self, less: u64) {
        let less = less.min(self.bytes);
        self.bytes -= less;
        self.ledger.change(less, 0);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.ledger.change(self.bytes, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicUsize, task::Wake};

    use super::*;

    #[derive(Default)]
    struct Calls(AtomicUsize);

    impl Wake for Calls {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn ledger(limit: u64) -> &'static Ledger {
        let ledger = Box::leak(Box::new(Ledger::new()));
        ledger.set_limit(Some(limit));
        ledger
    }

    #[test]
    fn what_each_may_have_is_not_counted() {
        let ledger = ledger(1);
        let account = Account::new(ledger);
        account.hold(ALLOWANCE, Waker::noop());
        assert_eq!((ledger.total(), account.is_evicted(), locked(&ledger.entries).len()), (0, false, 0));
    }

    #[test]
    fn the_largest_is_ended_and_the_others_go_on() {
        let ledger = ledger(10 * ALLOWANCE);
        let calls: Vec<Arc<Calls>> = (0..3).map(|_| Arc::default()).collect();
        let accounts: Vec<Account> = (0..3).map(|_| Account::new(ledger)).collect();
        for (count, (account, calls)) in [3, 5, 2].into_iter().zip(accounts.iter().zip(&calls)) {
            account.hold(count * ALLOWANCE, &Arc::clone(calls).into());
        }
        assert_eq!((ledger.total(), accounts.iter().any(Account::is_evicted)), (10 * ALLOWANCE, false));
        accounts[2].hold(2 * ALLOWANCE + 1, Waker::noop());
        let ended: Vec<_> = accounts.iter().map(Account::is_evicted).collect();
        let called: Vec<_> = calls.iter().map(|calls| calls.0.load(Ordering::Relaxed)).collect();
        assert_eq!((ended, called), (vec![false, true, false], vec![0, 1, 0]));
        assert_eq!(ledger.total(), 5 * ALLOWANCE + 1);
        // It holds on for a while, which changes nothing.
        accounts[1].hold(9 * ALLOWANCE, Waker::noop());
        accounts[0].hold(0, Waker::noop());
        assert_eq!(ledger.total(), 2 * ALLOWANCE + 1);
        drop(accounts);
        assert_eq!((ledger.total(), locked(&ledger.entries).len()), (0, 0));
    }

    #[test]
    fn a_share_that_does_not_fit_is_refused() {
        let ledger = ledger(10);
        let (mut one, mut other) = (Share::new(ledger), Share::new(ledger));
        assert!(one.grow(6) && !other.grow(5) && other.grow(4) && !other.grow(1));
        drop(one);
        assert!(other.grow(6) && ledger.total() == 10);
        other.shrink(3);
        assert_eq!(ledger.total(), 7);
        ledger.set_limit(None);
        assert!(other.grow(u64::MAX / 2));
    }
}
