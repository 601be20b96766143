//! Limits of the system that are too low to serve anything: said at the start, with the way to raise them.

use std::{io, sync::Arc, thread};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The system gives fewer threads than a server needs.
#[derive(Debug, thiserror::Error)]
#[error("the system gives this process only {given} of the {needed} threads that it needs: {source}")]
pub struct NoThreads {
    /// How many there were.
    given: usize,
    /// How many are needed.
    needed: usize,
    /// What the system says.
    #[source]
    source: io::Error,
}

/// Sees whether so many threads can be had at the same time.
///
/// # Errors
/// They cannot.
pub fn check_threads(needed: usize) -> Result<(), NoThreads> {
    // All wait for this one, which comes when it knows how many there are.
    let gate = Arc::new(parking_lot::Mutex::new(()));
    let closed = gate.lock();
    let mut threads = Vec::new();
    let mut failure = None;
    for _ in 0..needed {
        let gate = Arc::clone(&gate);
        let spawned = thread::Builder::new().stack_size(64 * 1024).spawn(move || drop(gate.lock()));
        match spawned {
            Ok(thread) => threads.push(thread),
            Err(source) => {
                failure = Some(NoThreads { given: threads.len(), needed, source });
                break;
            }
        }
    }
    drop(closed);
    for thread in threads {
        let _ = thread.join();
    }
    failure.map_or(Ok(()), Err)
}

/// Sees to it that so many descriptors may be open, if that is allowed.
///
/// # Errors
/// The limit that is allowed, which is lower.
pub fn raise_descriptors(needed: u64) -> Result<(), u64> {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return Ok(()) };
    if soft >= needed {
        return Ok(());
    }
    let raised = needed.min(hard);
    let allowed = if setrlimit(Resource::RLIMIT_NOFILE, raised, hard).is_ok() { raised } else { soft };
    if allowed < needed { Err(allowed) } else { Ok(()) }
}
