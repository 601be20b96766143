//! Jobs for the pool: `python::pool`, with its supervisor and its threads.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use shuttle::{rand::Rng as _, thread};

use super::pool::{Deadlines, Job, Pool};
use crate::{
    Interpreter,
    handover::HandlerLimits,
    lock::{Condvar, Mutex},
};

/// At most so many times others go on before something comes late. The supervisor looks a hundred times before it sleeps, so
/// that happens before, meanwhile, or afterwards.
const LATE: usize = 2000;

fn comes_late() {
    let times = shuttle::rand::thread_rng().gen_range(0..LATE);
    (0..times).for_each(|_| thread::yield_now());
}

/// No handler is ended here: the thread that does it is not started.
fn deadlines() -> Arc<Deadlines> {
    Deadlines::new(HandlerLimits::default(), Box::new(|_| ()))
}

/// A pool with its supervisor.
fn supervised(limit: usize, sessions: usize) -> (Arc<Pool>, thread::JoinHandle<()>) {
    let pool = Pool::new(limit, sessions, deadlines());
    let supervised = Arc::clone(&pool);
    (pool, thread::spawn(move || supervised.supervise(&Interpreter)))
}

/// A door that opens once.
#[derive(Default)]
struct Door {
    is_open: Mutex<bool>,
    opens: Condvar,
}

impl Door {
    fn open(&self) {
        *self.is_open.lock() = true;
        self.opens.notify_all();
    }

    fn wait(&self) {
        let mut is_open = self.is_open.lock();
        while !*is_open {
            self.opens.wait(&mut is_open);
        }
    }
}

/// Jobs of two connections, some of which wait for a later one of the same connection.
///
/// * No wake-up is lost: every job runs, once, though those before it wait for it.
/// * When the pool is closed, its supervisor and all of its threads end.
pub fn no_job_waits_for_one_that_waits() {
    let (pool, supervisor) = supervised(6, 0);
    let runs = Arc::new(AtomicUsize::new(0));
    let connections: Vec<_> = (0..2)
        .map(|_| {
            let (pool, runs) = (Arc::clone(&pool), Arc::clone(&runs));
            let waits = shuttle::rand::thread_rng().gen_bool(0.7);
            thread::spawn(move || {
                let (door, done) = (Arc::new(Door::default()), Arc::new(Door::default()));
                let first: Job = Job::own({
                    let (door, done, runs) = (Arc::clone(&door), Arc::clone(&done), Arc::clone(&runs));
                    move |_| {
                        if waits {
                            door.wait();
                        }
                        runs.fetch_add(1, Ordering::Relaxed);
                        done.open();
                    }
                });
                let second: Job = Job::own({
                    let door = Arc::clone(&door);
                    move |_| {
                        runs.fetch_add(1, Ordering::Relaxed);
                        door.open();
                    }
                });
                pool.submit(first).unwrap();
                pool.submit(second).unwrap();
                done.wait();
                door.wait();
            })
        })
        .collect();
    connections.into_iter().for_each(|connection| connection.join().unwrap());
    assert_eq!(runs.load(Ordering::Relaxed), 4);
    pool.close();
    supervisor.join().unwrap();
}

/// A pool that is closed when its supervisor looks, goes to sleep, or sleeps.
///
/// * No wake-up is lost: the supervisor and all threads end.
pub fn a_sleeping_pool_ends() {
    let (pool, supervisor) = supervised(1, 0);
    comes_late();
    pool.close();
    supervisor.join().unwrap();
}

/// Jobs that come when the supervisor looks, goes to sleep, or sleeps, and all wait for the last of them: more than the threads
/// that are there.
///
/// * No wake-up is lost: the supervisor finds the slow ones, calls threads, and starts more.
pub fn a_crowd_that_comes_late_is_served() {
    let (pool, supervisor) = supervised(8, 0);
    comes_late();
    let (door, over) = (Arc::new(Door::default()), Arc::new(Door::default()));
    let waiting = Arc::new(AtomicUsize::new(shuttle::rand::thread_rng().gen_range(1..7)));
    for _ in 0..waiting.load(Ordering::Relaxed) {
        let (door, over, waiting) = (Arc::clone(&door), Arc::clone(&over), Arc::clone(&waiting));
        let job: Job = Job::own(move |_| {
            door.wait();
            if waiting.fetch_sub(1, Ordering::Relaxed) == 1 {
                over.open();
            }
        });
        pool.submit(job).unwrap();
    }
    pool.submit(Job::own(move |_| door.open())).unwrap();
    over.wait();
    comes_late();
    pool.close();
    supervisor.join().unwrap();
}

/// A pool of one thread whose only job waits, and a session, which gets a thread beyond the limit.
///
/// * The session runs, and its place is free again when it is over.
pub fn a_session_has_its_own_thread() {
    let (pool, supervisor) = supervised(1, 1);
    let (door, over) = (Arc::new(Door::default()), Arc::new(Door::default()));
    pool.submit(Job::own({
        let (door, over) = (Arc::clone(&door), Arc::clone(&over));
        move |_| {
            door.wait();
            over.open();
        }
    }))
    .unwrap();
    let session: Job = Job::own(move |_| door.open());
    pool.submit_session(session).unwrap();
    over.wait();
    pool.close();
    supervisor.join().unwrap();
}

/// A pool that is given up while jobs are submitted.
///
/// * A job runs, is dropped, or is refused: whoever waits for it hears of it.
pub fn what_is_given_up_is_dropped() {
    let pool = Pool::new(1, 0, deadlines());
    let giving_up = thread::spawn({
        let pool = Arc::clone(&pool);
        move || pool.give_up()
    });
    let held = Arc::new(());
    for _ in 0..2 {
        let held = Arc::clone(&held);
        let _ = pool.submit(Job::own(move |_| drop(held)));
    }
    giving_up.join().unwrap();
    pool.give_up();
    assert_eq!(Arc::strong_count(&held), 1, "a job is kept");
}
