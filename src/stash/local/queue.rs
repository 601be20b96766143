//! A queue in the memory of this process: Python's `queue.Queue` without a limit, holding plain values.
//!
//! It never is full, so only getting can wait.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use crate::stash::{IsCancelled, PATIENCE, Queue, Refusal, Value};

/// An unbounded queue, first in, first out.
#[derive(Debug, Default)]
pub(super) struct LocalQueue {
    state: Mutex<State>,
    filled: Condvar,
    finished: Condvar,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Value>,
    unfinished: usize,
}

impl Queue for LocalQueue {
    fn id(&self) -> Option<u64> {
        None
    }

    fn put(&self, item: Value) -> Result<(), Refusal> {
        let mut state = self.state.lock();
        state.items.push_back(item);
        state.unfinished += 1;
        self.filled.notify_one();
        Ok(())
    }

    fn get(&self, wait: Option<Duration>) -> Result<Option<Value>, Refusal> {
        // A time too far away to be told is as good as never.
        let deadline = wait.and_then(|wait| Instant::now().checked_add(wait));
        let mut state = self.state.lock();
        loop {
            if let Some(item) = state.items.pop_front() {
                return Ok(Some(item));
            }
            match deadline {
                Some(deadline) if self.filled.wait_until(&mut state, deadline).timed_out() => {
                    return Ok(state.items.pop_front());
                }
                Some(_) => {}
                None => self.filled.wait(&mut state),
            }
        }
    }

    fn count(&self) -> Result<usize, Refusal> {
        Ok(self.state.lock().items.len())
    }

    fn task_done(&self) -> Result<(), Refusal> {
        let mut state = self.state.lock();
        state.unfinished = state.unfinished.checked_sub(1).ok_or(Refusal::TooOften)?;
        if state.unfinished == 0 {
            self.finished.notify_all();
        }
        Ok(())
    }

    fn join(&self, is_cancelled: IsCancelled<'_>) -> Result<(), Refusal> {
        let mut state = self.state.lock();
        while state.unfinished > 0 {
            match is_cancelled {
                None => self.finished.wait(&mut state),
                Some(is_cancelled) if is_cancelled() => return Err(Refusal::GivenUp),
                Some(_) => drop(self.finished.wait_for(&mut state, PATIENCE)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    #[test]
    fn gives_items_in_order_and_waits_for_them() {
        let queue = Arc::new(LocalQueue::default());
        assert!(queue.get(Some(Duration::ZERO)).unwrap().is_none());
        let other = Arc::clone(&queue);
        let get = move |wait| other.get(wait).unwrap();
        let getter = thread::spawn(move || (get(None), get(Some(Duration::from_secs(60)))));
        queue.put(Value::Int(1)).unwrap();
        queue.put(Value::Int(2)).unwrap();
        assert!(matches!(getter.join().unwrap(), (Some(Value::Int(1)), Some(Value::Int(2)))));
        assert_eq!(queue.count().unwrap(), 0);
        assert!(queue.task_done().is_ok() && queue.task_done().is_ok());
        assert!(matches!(queue.task_done(), Err(Refusal::TooOften)));
        queue.join(None).unwrap();
    }
}
