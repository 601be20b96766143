//! The stash: its lock and its queues.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use shuttle::thread;

use crate::stash::{Holder, Local, Stash as _, Value};

/// `stash.lock`, taken by several threads and released by the same, by another one, or with its request.
///
/// * Two never have it at the same time.
/// * No wake-up is lost: all get it.
pub fn the_lock_goes_from_hand_to_hand() {
    let (lock, inside) = (Arc::new(Local::default()), Arc::new(AtomicUsize::new(0)));
    let threads: Vec<_> = (0..3)
        .map(|number| {
            let (lock, inside) = (Arc::clone(&lock), Arc::clone(&inside));
            thread::spawn(move || {
                let holder = Holder::next();
                lock.acquire(holder, None).unwrap();
                assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0, "two have the lock");
                thread::yield_now();
                inside.fetch_sub(1, Ordering::Relaxed);
                if number == 0 {
                    let other = Arc::clone(&lock);
                    thread::spawn(move || other.release().unwrap()).join().unwrap();
                } else if number == 1 {
                    lock.end(holder);
                } else {
                    lock.release().unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(lock.release().is_err());
}

/// A queue that several threads fill and empty.
///
/// * Every item is taken once.
/// * No wake-up is lost: whoever gets as many as are put comes to an end, and whoever joins as well.
pub fn a_queue_hands_on_every_item() {
    let queue = Local::default().new_queue().unwrap();
    let takers: Vec<_> = (0..2)
        .map(|_| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                let mut taken = Vec::new();
                for _ in 0..2 {
                    let Ok(Some(Value::Int(item))) = queue.get(None) else {
                        panic!("nothing, though there is no limit")
                    };
                    queue.task_done().unwrap();
                    taken.push(item);
                }
                taken
            })
        })
        .collect();
    let puts: Vec<_> = (0..2)
        .map(|number| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || (0..2).for_each(|item| queue.put(Value::Int(number * 2 + item)).unwrap()))
        })
        .collect();
    puts.into_iter().for_each(|thread| thread.join().unwrap());
    queue.join(None).unwrap();
    let mut taken: Vec<i64> = takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect();
    taken.sort_unstable();
    assert_eq!(taken, [0, 1, 2, 3]);
    assert_eq!(queue.count().unwrap(), 0);
}
