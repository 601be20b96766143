//! A lock that threads get in the order in which they asked for it, and that any thread may release.
//!
//! The lock guards no data: it is `stash.lock` of handlers, which hold it across sleeps and requests of their own.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::{Condvar, Mutex};

use crate::stash::{Holder, IsCancelled, PATIENCE, Refusal};

/// A lock that any thread may release, first come, first served.
#[derive(Debug, Default)]
pub(super) struct FairLock {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The request that got the lock last, if the lock is held.
    held: Option<Holder>,
    waiting: VecDeque<Arc<Turn>>,
}

#[derive(Debug)]
struct Turn {
    holder: Holder,
    come: Mutex<bool>,
    changed: Condvar,
}

impl State {
    /// The lock stays held if a thread waits: that thread gets it without the lock being free in between.
    fn hand_on(&mut self) {
        let turn = self.waiting.pop_front();
        self.held = turn.as_ref().map(|turn| turn.holder);
        if let Some(turn) = turn {
            *turn.come.lock() = true;
            turn.changed.notify_one();
        }
    }
}

impl FairLock {
    /// Waits for the lock, see [`Stash::acquire`](crate::stash::Stash::acquire).
    ///
    /// # Errors
    /// [`Refusal::GivenUp`], without the lock.
    pub(super) fn acquire(&self, holder: Holder, is_cancelled: IsCancelled<'_>) -> Result<(), Refusal> {
        let turn = {
            let mut state = self.state.lock();
            if state.held.is_none() {
                state.held = Some(holder);
                return Ok(());
            }
            let turn = Arc::new(Turn { holder, come: Mutex::default(), changed: Condvar::default() });
            state.waiting.push_back(Arc::clone(&turn));
            turn
        };
        let mut come = turn.come.lock();
        while !*come {
            match is_cancelled {
                None => turn.changed.wait(&mut come),
                Some(is_cancelled) if !is_cancelled() => drop(turn.changed.wait_for(&mut come, PATIENCE)),
                Some(_) => {
                    drop(come);
                    self.leave(&turn);
                    return Err(Refusal::GivenUp);
                }
            }
        }
        Ok(())
    }

    /// Gives up a turn, and the lock if the turn has come meanwhile.
    fn leave(&self, turn: &Arc<Turn>) {
        let mut state = self.state.lock();
        state.waiting.retain(|other| !Arc::ptr_eq(other, turn));
        if *turn.come.lock() {
            state.hand_on();
        }
    }

    /// Gives the lock to the thread that has waited longest.
    ///
    /// # Errors
    /// [`Refusal::NotLocked`], when the lock is not held.
    pub(super) fn release(&self) -> Result<(), Refusal> {
        let mut state = self.state.lock();
        if state.held.is_none() {
            return Err(Refusal::NotLocked);
        }
        state.hand_on();
        Ok(())
    }

    /// Releases it if this request has got it last: the request has ended and will never do so.
    pub(super) fn release_held_by(&self, holder: Holder) {
        let mut state = self.state.lock();
        if state.held == Some(holder) {
            state.hand_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, mpsc::channel},
        thread,
    };

    use super::*;

    #[test]
    fn is_handed_on_in_order() {
        let lock = Arc::new(FairLock::default());
        lock.acquire(Holder::next(), None).unwrap();
        let (order, came) = channel();
        let threads: Vec<_> = (0..20)
            .map(|number| {
                let (waiting, order) = (Arc::clone(&lock), order.clone());
                let thread = thread::spawn(move || {
                    waiting.acquire(Holder::next(), None).unwrap();
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
        assert!(matches!(lock.release(), Err(Refusal::NotLocked)));
    }

    #[test]
    fn is_taken_from_a_request_that_has_ended_and_from_no_other() {
        let (lock, ended) = (FairLock::default(), Holder::next());
        lock.acquire(ended, None).unwrap();
        lock.release_held_by(Holder::next());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| lock.acquire(Holder::next(), None).unwrap());
            while lock.state.lock().waiting.is_empty() {
                thread::yield_now();
            }
            lock.release_held_by(ended);
            waiting.join().unwrap();
        });
        assert!(lock.release().is_ok());
        assert!(matches!(lock.release(), Err(Refusal::NotLocked)));
    }

    #[test]
    fn a_thread_that_gives_up_keeps_no_other_waiting() {
        let lock = FairLock::default();
        lock.acquire(Holder::next(), None).unwrap();
        assert!(matches!(lock.acquire(Holder::next(), Some(&|| true)), Err(Refusal::GivenUp)));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| lock.acquire(Holder::next(), Some(&|| false)).is_ok());
            while lock.state.lock().waiting.is_empty() {
                thread::yield_now();
            }
            lock.release().unwrap();
            assert!(waiting.join().unwrap());
        });
        assert!(lock.release().is_ok());
        assert!(matches!(lock.release(), Err(Refusal::NotLocked)));
    }
}
