//! A queue that handlers share through the stash: Python's `queue.Queue` without a limit, for plain values.
//!
//! The queue is never full, so only `get` and `join` can wait.

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

/// More tasks were reported done than the queue had items.
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

    /// Takes the first item. Waits for one at most `wait`, or for ever without a limit. `None` when no item came in time.
    pub fn get(&self, wait: Option<Duration>) -> Option<T> {
        // A deadline that `Instant` cannot hold is the same as none.
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

    /// The number of items.
    pub fn len(&self) -> usize {
        self.state.lock().items.len()
    }

    /// Whether the queue has no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reports that a taken item has been processed.
    ///
    /// # Errors
    /// [`TooOften`], when all items have been reported already.
    pub fn task_done(&self) -> Result<(), TooOften> {
        let mut state = self.state.lock();
        state.unfinished = state.unfinished.checked_sub(1).ok_or(TooOften)?;
        if state.unfinished == 0 {
            self.finished.notify_all();
        }
        Ok(())
    }

    /// Waits until all items have been reported as processed.
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
