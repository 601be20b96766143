//! The store of request bodies and uploaded files.

use std::{fs::File, io, os::unix::fs::FileExt};

use crate::http::bounds::{BUFFERED, Share, TEMPORARY};

/// The first and the largest step, in bytes, when a search reads the file: the byte is mostly near.
const STEPS: (u64, u64) = (512, 64 * 1024);
/// What is kept in memory without being counted among what all clients hold together.
const UNCOUNTED: usize = 64 * 1024;

/// A growing store of bytes that can be read at any place: in memory while small, in an unnamed temporary file when large. The store
/// has no position of its own.
#[derive(Debug)]
pub struct Spill {
    place: Place,
    limit: usize,
    /// What is counted of it, in memory or on disk.
    share: Option<Share>,
}

#[derive(Debug)]
enum Place {
    Memory(Vec<u8>),
    /// The file and its length.
    File(File, u64),
}

impl Spill {
    /// An empty store that moves to a file when it outgrows `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Spill { place: Place::Memory(Vec::new()), limit, share: None }
    }

    /// The number of bytes.
    #[expect(clippy::len_without_is_empty, reason = "no caller needs is_empty")]
    pub fn len(&self) -> u64 {
        match &self.place {
            Place::Memory(bytes) => bytes.len() as u64,
            Place::File(_, len) => *len,
        }
    }

    /// Appends bytes. The store moves to a file early when all clients together hold as much memory as they may.
    ///
    /// # Errors
    /// The temporary file cannot be made or written, or all temporary files together would hold more than
    /// `bounds.temporary_bytes` (`EDQUOT`).
    pub fn append(&mut self, more: &[u8]) -> io::Result<()> {
        if let Place::Memory(bytes) = &mut self.place {
            let length = bytes.len() + more.len();
            if length <= self.limit && has_room(&mut self.share, length, more.len()) {
                bytes.extend_from_slice(more);
                return Ok(());
            }
            let mut share = counted_file(bytes.len())?;
            let file = tempfile::tempfile()?;
            file.write_all_at(bytes, 0)?;
            std::mem::swap(&mut self.share, &mut share);
            self.place = Place::File(file, bytes.len() as u64);
        }
        if let Place::File(file, len) = &mut self.place {
            let share = self.share.get_or_insert(Share::new(&TEMPORARY));
            if !share.grow(more.len() as u64) {
                return Err(quota());
            }
            file.write_all_at(more, *len).inspect_err(|_| share.shrink(more.len() as u64))?;
            *len += more.len() as u64;
        }
        Ok(())
    }

    /// The bytes from `start` on, at most `max`; fewer only at the end.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn read(&self, start: u64, max: u64) -> io::Result<Vec<u8>> {
        let (start, end) = (start.min(self.len()), start.saturating_add(max).min(self.len()));
        let size = usize::try_from(end - start).map_err(io::Error::other)?;
        match &self.place {
            Place::Memory(bytes) => {
                let start = usize::try_from(start).map_err(io::Error::other)?;
                Ok(bytes.get(start..start + size).unwrap_or_default().to_vec())
            }
            Place::File(file, _) => {
                let mut bytes = vec![0; size];
                file.read_exact_at(&mut bytes, start)?;
                Ok(bytes)
            }
        }
    }

    /// The position of the first `byte` at or after `start` and before `end`.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn find(&self, byte: u8, start: u64, end: u64) -> io::Result<Option<u64>> {
        let mut at = start;
        let (mut step, largest) = STEPS;
        while at < end.min(self.len()) {
            let part = self.read(at, (end - at).min(step))?;
            step = (step * 2).min(largest);
            if let Some(found) = memchr::memchr(byte, &part) {
                return Ok(Some(at + found as u64));
            }
            at += part.len() as u64;
        }
        Ok(None)
    }

    /// The file with all bytes, if the store has moved to a file.
    ///
    /// # Errors
    /// The bytes, if they are in memory.
    pub fn into_file(self) -> Result<File, Vec<u8>> {
        match self.place {
            Place::Memory(bytes) => Err(bytes),
            Place::File(file, _) => Ok(file),
        }
    }
}

/// Whether there may be so many bytes in memory, with those that come.
fn has_room(share: &mut Option<Share>, length: usize, more: usize) -> bool {
    match share {
        Some(share) => share.grow(more as u64),
        None if length <= UNCOUNTED => true,
        None => share.insert(Share::new(&BUFFERED)).grow(length as u64),
    }
}

fn counted_file(length: usize) -> io::Result<Option<Share>> {
    let mut share = Share::new(&TEMPORARY);
    if share.grow(length as u64) { Ok(Some(share)) } else { Err(quota()) }
}

fn quota() -> io::Error {
    io::Error::from_raw_os_error(libc::EDQUOT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_same_from_memory_and_file() {
        for limit in [0, 3, 1000] {
            let mut store = Spill::new(limit);
            for part in ["ab", "", "c\n", "d\ne"] {
                store.append(part.as_bytes()).unwrap();
            }
            assert_eq!((store.len(), store.read(0, 99).unwrap()), (7, b"abc\nd\ne".to_vec()));
            assert_eq!(store.read(2, 3).unwrap(), b"c\nd");
            assert_eq!(store.read(7, 3).unwrap(), b"");
            assert_eq!(store.read(9, u64::MAX).unwrap(), b"");
            assert_eq!(store.find(b'\n', 4, u64::MAX).unwrap(), Some(5));
            assert_eq!(store.find(b'\n', 4, 5).unwrap(), None);
            assert_eq!(store.into_file().is_ok(), limit < 1000);
        }
    }
}
