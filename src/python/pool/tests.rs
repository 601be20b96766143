//! The pool wakes threads, starts more, and ends them.

use std::sync::{
    atomic::{AtomicBool, Ordering},
    mpsc,
};

use super::*;
use crate::{handover::HandlerLimits, python::vm};

fn deadlines() -> Arc<Deadlines> {
    Deadlines::new(HandlerLimits::default(), Box::new(|_| ()))
}

/// A pool with its supervisor, which ends when the pool is closed.
fn supervised(limit: usize, max_sessions: usize) -> (Arc<Pool>, thread::JoinHandle<()>) {
    let pool = Pool::new(limit, max_sessions, deadlines());
    let supervised = Arc::clone(&pool);
    let supervisor = thread::Builder::new().stack_size(STACK).spawn(move || {
        let interpreter = vm::build();
        supervised.supervise(&interpreter);
        std::mem::forget(interpreter);
    });
    (pool, supervisor.unwrap())
}

#[test]
fn others_are_called_for_who_waits_behind_a_slow_job_only() {
    let mut state = State::default();
    let own = thread::current().id();
    state.running.push(Running { thread: own, task: Task::current(), looks: 0, run: None });
    state.parked.push(thread::current());
    state.queue.push_back(Job::own(|_| ()));
    assert!(state.suspects().is_empty());
    assert!(state.look(&[], 1, &mut Vec::new()).is_empty());
    // It has been seen before, and is at work.
    let suspects = state.suspects();
    assert_eq!((suspects.len(), suspects[0].1, suspects[0].2.is_blocked()), (1, 1, false));
    assert!(state.look(&[], 1, &mut Vec::new()).is_empty());
    assert_eq!((state.look(&[own], 1, &mut Vec::new()).len(), state.running.len()), (1, 0));
    // The thread's next job is not the slow one.
    state.running.push(Running { thread: own, task: Task::current(), looks: 0, run: None });
    state.look(&[own], 1, &mut Vec::new());
    assert_eq!(state.running.len(), 1);
}

#[test]
fn nobody_waits_for_handlers_that_have_all_cores() {
    let (pool, supervisor) = supervised(64, 0);
    let is_done = Arc::new(AtomicBool::new(false));
    for _ in 0..=pool.cores {
        let is_done = Arc::clone(&is_done);
        let job = move |vm: &VirtualMachine| {
            vm.allow_threads(|| {
                while !is_done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        };
        pool.submit(Job::own(job)).unwrap();
    }
    let (told, hears) = mpsc::channel();
    pool.submit(Job::own(move |_| told.send(()).unwrap())).unwrap();
    let heard = hears.recv_timeout(Duration::from_secs(20));
    is_done.store(true, Ordering::Relaxed);
    heard.expect("it waits for those that compute");
    pool.close();
    supervisor.join().unwrap();
}

#[test]
fn a_panic_costs_one_thread_and_nothing_else() {
    let (pool, supervisor) = supervised(2, 0);
    // More panics than the limit of threads: each thread is replaced.
    for round in 0..5 {
        pool.submit(Job::own(|_| panic!("on purpose"))).unwrap();
        let (done, answer) = mpsc::channel();
        let job = move |vm: &VirtualMachine| {
            // Importing and collecting stop the other threads of the interpreter, and must not wait for the dead one.
            for name in ["gc", "colorsys", "fnmatch"] {
                vm.import(name, 0).unwrap();
            }
            let collect = vm.import("gc", 0).unwrap().get_attr("collect", vm).unwrap();
            collect.call((), vm).unwrap();
            done.send(()).unwrap();
        };
        pool.submit(Job::own(job)).unwrap();
        answer.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|_| panic!("no answer in round {round}"));
    }
    pool.close();
    supervisor.join().unwrap();
}

#[test]
fn sessions_take_no_thread_from_the_others() {
    let (pool, supervisor) = supervised(1, 8);
    let (told, hears) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let session = || {
        let (told, released) = (told.clone(), Arc::clone(&released));
        pool.submit_session(Job::own(move |vm| {
            told.send("session").unwrap();
            let _ = vm.allow_threads(|| released.lock().recv());
        }))
    };
    for _ in 0..8 {
        session().unwrap();
    }
    assert_eq!(session(), Err(Overloaded));
    let plain = told.clone();
    pool.submit(Job::own(move |_| plain.send("plain").unwrap())).unwrap();
    let mut heard: Vec<&str> = (0..9).map(|_| hears.recv_timeout(Duration::from_secs(20)).unwrap()).collect();
    heard.sort_unstable();
    assert_eq!((heard[0], heard[8]), ("plain", "session"));
    drop(release);
    // Every session that ends makes room for another.
    let deadline = Instant::now() + Duration::from_secs(20);
    while session().is_err() {
        assert!(Instant::now() < deadline, "a session that has ended still counts");
        thread::yield_now();
    }
    pool.close();
    supervisor.join().unwrap();
}

#[test]
fn nobody_waits_for_a_handler_that_does_not_end() {
    const COUNT: usize = 100;
    let (pool, supervisor) = supervised(COUNT + 1, 0);
    // The second time the threads exist already.
    for _ in 0..2 {
        let all_here = Arc::new(std::sync::Barrier::new(COUNT + 1));
        for _ in 0..COUNT {
            let all_here = Arc::clone(&all_here);
            let job = move |vm: &VirtualMachine| {
                vm.allow_threads(|| all_here.wait());
            };
            pool.submit(Job::own(job)).unwrap();
        }
        let (done, is_done) = mpsc::channel();
        thread::spawn(move || done.send(all_here.wait().is_leader()));
        is_done.recv_timeout(Duration::from_secs(60)).expect("some jobs wait for others");
    }
    pool.close();
    supervisor.join().unwrap();
}

#[test]
fn what_comes_behind_the_end_is_neither_run_nor_refused() {
    let pool = Pool::new(1, 1, deadlines());
    let (told, hears) = mpsc::channel::<()>();
    let job = |told: mpsc::Sender<()>| -> Job { Job::own(move |_| told.send(()).unwrap()) };
    pool.close();
    assert_eq!(pool.submit(job(told.clone())), Ok(()));
    assert_eq!(hears.try_recv(), Err(mpsc::TryRecvError::Empty), "it waits with its connection");
    // Without an interpreter the queue does not wait.
    pool.give_up();
    drop(told);
    assert_eq!(hears.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    assert_eq!(pool.submit(Job::own(|_| {})), Err(Overloaded));
}
