//! A lock that is handed on in the order in which it was asked for, and that any thread may release.
//!
//! It guards no data: it is what `stash.lock` means to handlers, which hold it across sleeps and requests of their own.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

/// A lock without an owner, first come, first served.
#[derive(Debug, Default)]
pub struct FairLock {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: bool,
    waiting: VecDeque<Arc<Turn>>,
}

#[derive(Debug, Default)]
struct Turn {
    come: Mutex<bool>,
    changed: Condvar,
}

/// A release of a lock that nobody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLocked;

impl FairLock {
    /// Waits for the lock.
    pub fn acquire(&self) {
        let turn = {
            let mut state = self.state.lock();
            if !state.held {
                state.held = true;
                return;
            }
            let turn = Arc::new(Turn::default());
            state.waiting.push_back(Arc::clone(&turn));
            turn
        };
        let mut come = turn.come.lock();
        while !*come {
            turn.changed.wait(&mut come);
        }
    }

    /// Hands the lock to whoever waits longest.
    ///
    /// # Errors
    /// [`NotLocked`], when nobody holds it.
    pub fn release(&self) -> Result<(), NotLocked> {
        let mut state = self.state.lock();
        if !state.held {
            return Err(NotLocked);
        }
        match state.waiting.pop_front() {
            Some(turn) => {
                // The lock stays held: it changes hands without being free in between.
                *turn.come.lock() = true;
                turn.changed.notify_one();
            }
            None => state.held = false,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::thread;

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
}
