//! The system's state of a thread of this process.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A thread, as the system knows it.
#[derive(Debug, Clone)]
pub(super) struct Task(Option<Arc<Path>>);

impl Task {
    /// The calling thread.
    pub(super) fn current() -> Self {
        let own = fs::read_link("/proc/thread-self").ok();
        Self(own.map(|own| ["/proc".as_ref(), &*own, "stat".as_ref()].iter().collect::<PathBuf>().into()))
    }

    /// Whether the thread waits for something other than a core. True if the system does not tell.
    pub(super) fn is_blocked(&self) -> bool {
        let stat = self.0.as_ref().and_then(|path| fs::read(path).ok());
        stat.as_deref().and_then(state) != Some(b'R')
    }
}

/// The letter after the name. The name may have any characters, and ends at the last parenthesis.
fn state(stat: &[u8]) -> Option<u8> {
    let end = memchr::memrchr(b')', stat)?;
    stat.get(end + 2).copied()
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    #[test]
    fn the_letter_follows_the_last_parenthesis() {
        assert_eq!(state(b"12 (handler) S 1 12"), Some(b'S'));
        assert_eq!(state(b"12 (a) R (b)) R 1 12"), Some(b'R'));
        assert_eq!(state(b"12 (cut)"), None);
        assert_eq!(state(b""), None);
    }

    #[test]
    fn who_runs_is_not_blocked_and_who_waits_is() {
        assert!(!Task::current().is_blocked());
        let (told, hears) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let waiting = thread::spawn(move || {
            told.send(Task::current()).unwrap();
            let _ = released.recv();
        });
        let task = hears.recv().unwrap();
        while !task.is_blocked() {
            thread::yield_now();
        }
        drop(release);
        waiting.join().unwrap();
        assert!(Task(None).is_blocked());
    }
}
