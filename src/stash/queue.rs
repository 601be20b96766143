//! A queue that handlers share through the stash: Python's `queue.Queue` without a limit, of any kind of item.
//!
//! It never is full, so only getting can wait.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

/// An unbounded queue, first in, first out.
#[derive(Debug)]
pub struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    finished: Condvar,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    unfinished: usize,
}

/// More tasks were reported done than there were items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooOften;

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let state = State { items: VecDeque::new(), unfinished: 0 };
        Self { state: Mutex::new(state), filled: Condvar::new(), finished: Condvar::new() }
    }
}

impl<T> Queue<T> {
    /// Adds an item at the end.
    pub fn put(&self, item: T) {
        let mut state = self.state.lock();
        state.items.push_back(item);
        state.unfinished += 1;
        self.filled.notify_one();
    }

    /// Takes the first item, waiting for one at most this long, or for ever. `None` when there was none in time.
    pub fn get(&self, wait: Option<Duration>) -> Option<T> {
        // A time too far away to be told is as good as never.
        let deadline = wait.and_then(|wait| Instant::now().checked_add(wait));
        let mut state = self.state.lock();
        loop {
            if let Some(item) = state.items.pop_front() {
                return Some(item);
            }
            match deadline {
                Some(deadline) if self.filled.wait_until(&mut state, deadline).timed_out() => {
                    return state.items.pop_front();
                }
                Some(_) => {}
                None => self.filled.wait(&mut state),
            }
        }
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.state.lock().items.len()
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reports that an item taken has been dealt with.
    ///
    /// # Errors
    /// [`TooOften`], when all have been reported.
    pub fn task_done(&self) -> Result<(), TooOften> {
        let mut state = self.state.lock();
        state.unfinished = state.unfinished.checked_sub(1).ok_or(TooOften)?;
        if state.unfinished == 0 {
            self.finished.notify_all();
        }
        Ok(())
    }

    /// Waits until all items have been reported as dealt with.
    pub fn join(&self) {
        let mut state = self.state.lock();
        while state.unfinished > 0 {
            self.finished.wait(&mut state);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    #[test]
    fn gives_items_in_order_and_waits_for_them() {
        let queue = Arc::new(Queue::default());
        assert!(queue.get(Some(Duration::ZERO)).is_none());
        let other = Arc::clone(&queue);
        let getter = thread::spawn(move || (other.get(None), other.get(Some(Duration::from_secs(60)))));
        queue.put(1);
        queue.put(2);
        assert_eq!(getter.join().unwrap(), (Some(1), Some(2)));
        assert!(queue.is_empty());
        assert_eq!((queue.task_done(), queue.task_done()), (Ok(()), Ok(())));
        assert_eq!(queue.task_done(), Err(TooOften));
        queue.join();
    }
}
