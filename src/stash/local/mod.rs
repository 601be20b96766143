//! The stash in the memory of this process.

mod lock;
mod queue;

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use super::{Holder, IsCancelled, Key, Queue, Refusal, Stash, Value};
use lock::FairLock;
use queue::LocalQueue;

/// See the module.
#[derive(Debug, Default)]
pub struct Local {
    values: Mutex<HashMap<Key, Value>>,
    lock: FairLock,
}

impl Stash for Local {
    fn put(&self, key: Key, value: Value) -> Result<(), Refusal> {
        let mut values = self.values.lock();
        if let Some(old) = values.get(&key) {
            return Err(Refusal::Occupied(old.clone()));
        }
        values.insert(key, value);
        Ok(())
    }

    fn take(&self, key: &Key) -> Result<Option<Value>, Refusal> {
        Ok(self.values.lock().remove(key))
    }

    fn acquire(&self, holder: Holder, is_cancelled: IsCancelled<'_>) -> Result<(), Refusal> {
        self.lock.acquire(holder, is_cancelled)
    }

    fn release(&self) -> Result<(), Refusal> {
        self.lock.release()
    }

    fn end(&self, holder: Holder) {
        self.lock.release_held_by(holder);
    }

    fn new_queue(&self) -> Result<Arc<dyn Queue>, Refusal> {
        Ok(Arc::new(LocalQueue::default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(path: &str) -> Key {
        Key { path: path.into(), uuid: [1; 16] }
    }

    #[test]
    fn a_value_is_written_once_and_taken_once() {
        let stash = Local::default();
        stash.put(key("/a"), Value::Int(1)).unwrap();
        stash.put(key("/b"), Value::Int(2)).unwrap();
        assert!(matches!(stash.put(key("/a"), Value::Int(3)), Err(Refusal::Occupied(Value::Int(1)))));
        assert!(matches!(stash.take(&key("/a")), Ok(Some(Value::Int(1)))));
        assert!(stash.take(&key("/a")).unwrap().is_none());
        stash.put(key("/a"), Value::Int(3)).unwrap();
    }
}
