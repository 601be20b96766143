//! Which handlers run: the child writes it into memory that the supervisor shares, and can read when the child is dead.
//!
//! Each thread of the child has a slot while it runs handlers. A slot is written by its thread only; the supervisor reads it when that
//! thread cannot write any more, or takes a torn path for what it is worth.

use std::{
    cell::Cell,
    ffi::c_void,
    num::NonZeroUsize,
    path::Path,
    ptr::NonNull,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, Ordering},
    },
};

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// Threads whose handlers can be told; those of further threads are not.
const SLOTS: usize = 2048;
/// Bytes of a path that are kept, the last ones.
const PATH: usize = 244;

#[repr(C)]
struct Slot {
    /// A thread has this slot.
    is_taken: AtomicU32,
    /// How many bytes of the path there are; 0 while no handler runs.
    length: AtomicU32,
    /// Handlers that have been run here.
    count: AtomicU32,
    path: [AtomicU8; PATH],
}

/// The shared memory.
#[derive(Debug)]
pub(super) struct Board {
    memory: NonNull<c_void>,
}

const SIZE: NonZeroUsize = match NonZeroUsize::new(SLOTS * size_of::<Slot>()) {
    Some(size) => size,
    None => NonZeroUsize::MIN,
};

#[expect(unsafe_code, reason = "the memory is only ever seen as slots of atomics")]
// SAFETY: the memory belongs to the board until it is dropped, and is read and written with atomic operations only.
unsafe impl Send for Board {}
#[expect(unsafe_code, reason = "the memory is only ever seen as slots of atomics")]
// SAFETY: as above.
unsafe impl Sync for Board {}

impl Board {
    /// # Errors
    /// The system has no memory.
    pub(super) fn new() -> nix::Result<Self> {
        #[expect(unsafe_code, reason = "shared memory has to be asked for")]
        // SAFETY: a new mapping, at an address that the system chooses, touches nothing that is there.
        let memory =
            unsafe { mmap_anonymous(None, SIZE, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED) }?;
        Ok(Self { memory })
    }

    fn slots(&self) -> &[Slot] {
        #[expect(unsafe_code, reason = "the memory is a table of slots")]
        // SAFETY: the mapping is as long as the table, aligned to a page, and lives as long as `self`. It begins as zeros, which
        // every field can hold, and all fields are atomics, so that the other process may write them meanwhile.
        unsafe {
            std::slice::from_raw_parts(self.memory.cast::<Slot>().as_ptr(), SLOTS)
        }
    }

    /// The paths of the handlers that run, each with how often it does, the most frequent first.
    pub(super) fn running(&self) -> Vec<(String, usize)> {
        let mut paths: Vec<String> = self.slots().iter().filter_map(Slot::path).collect();
        paths.sort_unstable();
        let mut counted: Vec<(String, usize)> = paths
            .chunk_by(|one, other| one == other)
            .filter_map(|same| Some((same.first()?.clone(), same.len())))
            .collect();
        counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counted
    }

    /// How many handlers have been run.
    pub(super) fn count(&self) -> u64 {
        self.slots().iter().map(|slot| u64::from(slot.count.load(Ordering::Relaxed))).sum()
    }

    fn take_slot(&self) -> Option<usize> {
        let is_free = |slot: &Slot| {
            slot.is_taken.load(Ordering::Relaxed) == 0
                && slot.is_taken.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        };
        self.slots().iter().position(is_free)
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "what was mapped has to be unmapped")]
        // SAFETY: this is the mapping of `new`, and every reference into it borrows `self`.
        let _ = unsafe { munmap(self.memory, SIZE.get()) };
    }
}

impl Slot {
    fn path(&self) -> Option<String> {
        let length = usize::try_from(self.length.load(Ordering::Acquire)).ok().filter(|length| *length > 0)?;
        let bytes: Vec<u8> = self.path.iter().take(length).map(|byte| byte.load(Ordering::Relaxed)).collect();
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn set(&self, path: &[u8]) {
        let path = path.get(path.len().saturating_sub(PATH)..).unwrap_or_default();
        for (kept, byte) in self.path.iter().zip(path) {
            kept.store(*byte, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.length.store(u32::try_from(path.len()).unwrap_or_default(), Ordering::Release);
    }
}

/// A thread's slot, which is free again when the thread ends.
struct Own {
    board: Arc<Board>,
    slot: Option<usize>,
}

impl Own {
    fn slot(&self) -> Option<&Slot> {
        self.slot.and_then(|slot| self.board.slots().get(slot))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // A handler that ends the process ends its thread as well: its path stays.
        if let Some(slot) = self.slot() {
            slot.is_taken.store(0, Ordering::Release);
        }
    }
}

thread_local! {
    /// Threads that have run a handler have a slot, or know that there is none for them.
    static OWN: Cell<Option<Own>> = const { Cell::new(None) };
}

/// A handler runs on this thread until this is dropped.
#[derive(Debug)]
pub struct Running(());

impl Running {
    pub(super) fn note(board: &Arc<Board>, handler: &Path) -> Self {
        with_own(|own| {
            let own = own.get_or_insert_with(|| Own { board: Arc::clone(board), slot: board.take_slot() });
            if let Some(slot) = own.slot() {
                slot.set(handler.as_os_str().as_encoded_bytes());
            }
        });
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        with_own(|own| {
            if let Some(slot) = own.as_ref().and_then(Own::slot) {
                slot.length.store(0, Ordering::Release);
            }
        });
    }
}

/// Nothing is done on a thread that is ending.
fn with_own(act: impl FnOnce(&mut Option<Own>)) {
    let _ = OWN.try_with(|cell| {
        let mut own = cell.take();
        act(&mut own);
        cell.set(own);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_is_shown_until_it_is_over() {
        let board = Arc::new(Board::new().unwrap());
        let long = format!("/{}/end.py", "x".repeat(400));
        std::thread::scope(|scope| {
            let (told, hears) = std::sync::mpsc::channel();
            let (go, gone) = std::sync::mpsc::channel::<()>();
            let (board, long) = (&board, &long);
            scope.spawn(move || {
                let _running = Running::note(board, Path::new("/a.py"));
                told.send(()).unwrap();
                let _ = gone.recv();
            });
            hears.recv().unwrap();
            let running = Running::note(board, Path::new("/a.py"));
            assert_eq!(board.running(), [("/a.py".to_owned(), 2)]);
            drop(running);
            let _running = Running::note(board, Path::new(long));
            let shown = board.running();
            assert_eq!(shown.len(), 2);
            assert!(shown[1].0.ends_with("x/end.py") && shown[1].0.len() == PATH, "{shown:?}");
            drop(go);
        });
        assert_eq!(board.running(), []);
        assert_eq!(board.count(), 3);
    }
}
