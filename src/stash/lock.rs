//! A lock that threads get in the order in which they asked for it, and that any thread may release.
//!
//! The lock guards no data: it is `stash.lock` of handlers, which hold it across sleeps and requests of their own.

use std::{
    collections::VecDeque,
    sync::Arc,
    thread::{self, ThreadId},
};

use parking_lot::{Condvar, Mutex};

/// A lock that any thread may release, first come, first served.
#[derive(Debug, Default)]
pub struct FairLock {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The thread that got the lock last, if the lock is held.
    held: Option<ThreadId>,
    waiting: VecDeque<Arc<Turn>>,
}

#[derive(Debug)]
struct Turn {
    thread: ThreadId,
    come: Mutex<bool>,
    changed: Condvar,
}

/// A release of a lock that is not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLocked;

impl State {
    /// The lock stays held if a thread waits: that thread gets it without the lock being free in between.
    fn hand_on(&mut self) {
        let turn = self.waiting.pop_front();
        self.held = turn.as_ref().map(|turn| turn.thread);
        if let Some(turn) = turn {
            *turn.come.lock() = true;
            turn.changed.notify_one();
        }
    }
}

impl FairLock {
    /// Waits for the lock.
    pub fn acquire(&self) {
        let turn = {
            let mut state = self.state.lock();
            let thread = thread::current().id();
            if state.held.is_none() {
                state.held = Some(thread);
                return;
            }
            let turn = Arc::new(Turn { thread, come: Mutex::default(), changed: Condvar::default() });
            state.waiting.push_back(Arc::clone(&turn));
            turn
        };
        let mut come = turn.come.lock();
        while !*come {
            turn.changed.wait(&mut come);
        }
    }

    /// Gives the lock to the thread that has waited longest.
    ///
    /// # Errors
    /// [`NotLocked`], when the lock is not held.
    pub fn release(&self) -> Result<(), NotLocked> {
        let mut state = self.state.lock();
        if state.held.is_none() {
            return Err(NotLocked);
        }
        state.hand_on();
        Ok(())
    }

    /// Releases the lock if this thread got it last: the thread is dying and cannot release it later.
    pub fn release_held_by(&self, thread: ThreadId) {
        let mut state = self.state.lock();
        if state.held == Some(thread) {
            state.hand_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc::channel};

    use super::*;

    #[test]
    fn is_handed_on_in_order() {
        let lock = Arc::new(FairLock::default());
        lock.acquire();
        let (order, came) = channel();
        let threads: Vec<_> = (0..20)
            .map(|number| {
                let (waiting, order) = (Arc::clone(&lock), order.clone());
                let thread = thread::spawn(move || {
                    waiting.acquire();
                    order.send(number).unwrap();
                    waiting.release().unwrap();
                });
                while lock.state.lock().waiting.len() <= number {
                    thread::yield_now();
                }
                thread
            })
            .collect();
        lock.release().unwrap();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(came.try_iter().collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
        assert_eq!(lock.release(), Err(NotLocked));
    }

    #[test]
    fn is_taken_from_who_dies_and_from_nobody_else() {
        let lock = FairLock::default();
        let holder = thread::scope(|scope| {
            let holder = scope.spawn(|| {
                lock.acquire();
                thread::current().id()
            });
            holder.join().unwrap()
        });
        lock.release_held_by(thread::current().id());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| lock.acquire());
            while lock.state.lock().waiting.is_empty() {
                thread::yield_now();
            }
            lock.release_held_by(holder);
            waiting.join().unwrap();
        });
        assert_eq!((lock.release(), lock.release()), (Ok(()), Err(NotLocked)));
    }
}
