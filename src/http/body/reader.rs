//! The reader of a request body that is still arriving: the rules of wptserve's `InputFile` on plain values.
//!
//! Bytes are read from a [`BodySource`] only when a caller needs them, and kept, so that a handler can go back. Beyond 1 MiB they are kept
//! in a temporary file. A chunked body has no announced length: asking for the length reads the whole body.

use std::{fmt::Debug, io, sync::Arc};

use bytes::Bytes;

use super::spill::Spill;

/// The source of the bytes of a request body.
pub trait BodySource: Debug + Send + Sync {
    /// Returns at least one byte and at most `max`; no byte at the end of the body. May wait for the client.
    fn read(&self, max: usize) -> io::Result<Bytes>;
}

/// The source of a body that is appended piece by piece: it has no bytes of its own.
#[derive(Debug)]
struct Nothing;

impl BodySource for Nothing {
    fn read(&self, _max: usize) -> io::Result<Bytes> {
        Ok(Bytes::new())
    }
}

/// The bytes that are kept in memory (wptserve 4.0.3, request.py, `InputFile.max_buffer_size`).
pub const IN_MEMORY: usize = 1024 * 1024;
/// The bytes that the source is asked for at once.
const STEP: u64 = 64 * 1024;

/// The bytes that have arrived, and the position of the reader.
#[derive(Debug)]
pub struct BodyReader {
    source: Arc<dyn BodySource>,
    length: Option<u64>,
    kept: Spill,
    /// Bytes that have been read from the source and could not be stored.
    unkept: Bytes,
    position: u64,
    /// The position up to which wptserve would have read from the connection. More may be kept here, but `seek` depends on this.
    claimed: u64,
    ended: bool,
    closed: bool,
}

/// Why a read fails.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The reader has been closed.
    #[error("the request body has been closed")]
    Closed,
    /// A position outside of the body.
    #[error("the position is not in the request body")]
    OutOfRange,
    /// The body ended before its length: the bytes that came, and the bytes that were expected.
    #[error("the request body ended after {0} bytes, {1} were expected")]
    Short(u64, u64),
    /// A read after [`BodyError::Short`].
    #[error("the request body ended before its length")]
    Torn,
    /// The connection or the temporary file failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl BodyReader {
    /// A body that comes from `source`; `length` is its Content-Length, `None` when it is chunked.
    pub fn new(source: Arc<dyn BodySource>, length: Option<u64>) -> Self {
        let kept = Spill::new(IN_MEMORY);
        Self { source, length, kept, unkept: Bytes::new(), position: 0, claimed: 0, ended: false, closed: false }
    }

    /// A body that is appended as it comes ([`BodyReader::append`]): the bytes so far count as the whole body.
    pub fn growing() -> Self {
        Self::new(Arc::new(Nothing), None)
    }

    /// Appends to a body that was made by [`BodyReader::growing`]. A closed reader drops the bytes.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn append(&mut self, more: &[u8]) -> Result<(), BodyError> {
        if self.closed {
            return Ok(());
        }
        self.length = self.length.map(|length| length + more.len() as u64);
        Ok(self.kept.append(more)?)
    }

    /// A part of the bytes that have come, independent of the reader's position; less when the reader has been closed.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn part(&self, start: u64, length: u64) -> Result<Vec<u8>, BodyError> {
        Ok(self.kept.read(start, length)?)
    }

    /// Drops the kept bytes. Later reads fail.
    pub fn close(&mut self) {
        self.closed = true;
        self.kept = Spill::new(IN_MEMORY);
    }

    /// The position of the reader; an error for a closed reader.
    ///
    /// # Errors
    /// [`BodyError::Closed`].
    pub fn tell(&self) -> Result<u64, BodyError> {
        if self.closed { Err(BodyError::Closed) } else { Ok(self.position) }
    }

    /// Reads from the source until `target` bytes are kept or the body ends.
    fn fill(&mut self, target: u64) -> io::Result<()> {
        while !self.ended && self.kept.len() < target {
            self.pull()?;
        }
        Ok(())
    }

    /// Reads once from the source.
    fn pull(&mut self) -> io::Result<()> {
        let left = self.length.map_or(STEP, |length| length.saturating_sub(self.kept.len()));
        let max = usize::try_from(left.min(STEP)).unwrap_or(usize::MAX);
        if self.unkept.is_empty() && max > 0 {
            let mut more = self.source.read(max)?;
            more.truncate(max);
            self.unkept = more;
        }
        self.ended = self.unkept.is_empty();
        // A read after an error must not miss these bytes.
        self.kept.append(&self.unkept)?;
        self.unkept = Bytes::new();
        Ok(())
    }

    fn open(&mut self) -> Result<&mut Self, BodyError> {
        if self.closed { Err(BodyError::Closed) } else { Ok(self) }
    }

    /// The position `count` bytes from here; a negative count means the end of the body.
    fn target(&self, count: i64) -> u64 {
        let end = self.length.unwrap_or(u64::MAX);
        u64::try_from(count).map_or(end, |count| self.position.saturating_add(count).min(end))
    }

    /// At most `count` bytes from here, or all when `count` is negative (wptserve 4.0.3, request.py, `InputFile.read`).
    ///
    /// # Errors
    /// See [`BodyError`].
    pub fn read(&mut self, count: i64) -> Result<Vec<u8>, BodyError> {
        self.open()?;
        let target = self.target(count);
        self.fill(target)?;
        if target > self.claimed {
            let came = self.kept.len();
            if self.length.is_none() {
                self.claimed = target.min(came);
            } else {
                self.claimed = target;
                if came < target {
                    self.position = came;
                    return Err(BodyError::Short(came, target));
                }
            }
        }
        let data = self.kept.read(self.position, target.saturating_sub(self.position))?;
        self.position += data.len() as u64;
        Ok(data)
    }

    /// The bytes that have arrived from here on, at most `max`. Waits only when none has arrived. Empty at the end of the body.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub fn some(&mut self, max: u64) -> Result<Vec<u8>, BodyError> {
        self.open()?;
        if self.kept.len() <= self.position && !self.ended {
            self.pull()?;
        }
        let came = self.kept.len();
        if self.ended && came <= self.position && self.length.is_some_and(|length| came < length) {
            return Err(BodyError::Short(came, came + 1));
        }
        let data = self.kept.read(self.position, max)?;
        self.position += data.len() as u64;
        self.claimed = self.claimed.max(self.position);
        Ok(data)
    }

    /// The position of the reader.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The bytes up to and with the next line feed, at most `max` (wptserve 4.0.3, request.py, `InputFile.readline`).
    ///
    /// # Errors
    /// See [`BodyError`].
    pub fn readline(&mut self, max: Option<i64>) -> Result<Vec<u8>, BodyError> {
        self.open()?;
        let limit = self.target(max.unwrap_or(-1));
        let mut looked_at = self.position;
        let end = loop {
            if let Some(found) = self.kept.find(b'\n', looked_at, limit)? {
                break found + 1;
            }
            looked_at = self.kept.len();
            if looked_at >= limit {
                break limit;
            }
            if self.ended && self.length.is_some_and(|length| looked_at < length) {
                self.position = looked_at;
                if looked_at < self.claimed {
                    return Err(BodyError::Torn);
                }
                self.claimed = looked_at + 1;
                return Err(BodyError::Short(looked_at, looked_at + 1));
            }
            if self.ended {
                break looked_at;
            }
            self.pull()?;
        };
        if end > self.claimed {
            self.claimed = match (max, self.length) {
                // With a negative limit wptserve reads the whole body and goes back.
                (Some(..0), Some(length)) => length,
                // wptserve reads a line two bytes at a time, so it may have read one byte more than the line has.
                _ => (self.claimed + (end - self.claimed).next_multiple_of(2)).min(limit).max(end),
            };
        }
        let data = self.kept.read(self.position, end.saturating_sub(self.position))?;
        self.position += data.len() as u64;
        Ok(data)
    }

    /// Goes to `offset` from the start (wptserve 4.0.3, request.py, `InputFile.seek`). wptserve moves forward by reading.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub fn seek(&mut self, offset: i64) -> Result<(), BodyError> {
        self.open()?;
        let offset = u64::try_from(offset).map_err(|_| BodyError::OutOfRange)?;
        if self.length.is_none() {
            self.fill(offset)?;
            if offset > self.kept.len() {
                return Err(BodyError::OutOfRange);
            }
            self.claimed = self.claimed.max(offset);
        } else if self.length.is_some_and(|length| offset > length) {
            return Err(BodyError::OutOfRange);
        }
        if offset <= self.claimed {
            self.position = offset;
            return Ok(());
        }
        self.read(i64::try_from(offset - self.claimed).unwrap_or(i64::MAX)).map(drop)
    }

    /// The length of the body. A body of unknown length is read to its end.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub fn length(&mut self) -> Result<u64, BodyError> {
        if self.length.is_none() {
            self.fill(u64::MAX)?;
            self.length = Some(self.kept.len());
        }
        Ok(self.length.unwrap_or_default())
    }

    /// The body from its first byte; the position of the reader stays (wptserve 4.0.3, request.py, `Request.body`).
    ///
    /// # Errors
    /// See [`BodyError`].
    pub fn whole(&mut self) -> Result<Vec<u8>, BodyError> {
        let position = self.open()?.position;
        self.seek(0)?;
        let whole = self.read(-1)?;
        self.seek(position.try_into().unwrap_or(i64::MAX))?;
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;
    use proptest::prelude::*;

    use super::*;

    /// A body that comes in pieces of at most this many bytes.
    #[derive(Debug)]
    struct Pieces(Mutex<Bytes>, usize);

    impl BodySource for Pieces {
        fn read(&self, max: usize) -> io::Result<Bytes> {
            let mut rest = self.0.lock();
            let size = self.1.min(max).min(rest.len());
            Ok(rest.split_to(size))
        }
    }

    /// A call of a handler on a body.
    #[derive(Debug, Clone)]
    enum Act {
        Read(i64),
        Line(Option<i64>),
        Start,
        Whole,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            (-1i64..9).prop_map(Act::Read),
            proptest::option::of(1i64..6).prop_map(Act::Line),
            Just(Act::Start),
            Just(Act::Whole),
        ];
        proptest::collection::vec(act, 0..12)
    }

    proptest! {
        /// A complete body behaves like a file in memory, with pieces of any size, with a known or an unknown length.
        #[test]
        fn as_a_file_in_memory(body in "[ab\n]{0,20}", size in 1usize..9, known: bool, acts in acts()) {
            let source = Pieces(Mutex::new(Bytes::from(body.clone())), size);
            let mut reader = BodyReader::new(Arc::new(source), known.then_some(body.len() as u64));
            let mut at = 0;
            for act in acts {
                let rest = &body.as_bytes()[at..];
                let (got, expected) = match act {
                    Act::Read(count) => {
                        let count = usize::try_from(count).unwrap_or(rest.len()).min(rest.len());
                        (reader.read(i64::try_from(count).unwrap()), &rest[..count])
                    }
                    Act::Line(max) => {
                        let line = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |found| found + 1);
                        let line = max.map_or(line, |max| line.min(usize::try_from(max).unwrap()));
                        (reader.readline(max), &rest[..line])
                    }
                    Act::Start => {
                        at = 0;
                        (reader.seek(0).map(|()| Vec::new()), &rest[..0])
                    }
                    Act::Whole => {
                        prop_assert_eq!(reader.whole().unwrap(), body.as_bytes());
                        continue;
                    }
                };
                prop_assert_eq!(got.unwrap(), expected);
                if !matches!(act, Act::Start) {
                    at += expected.len();
                }
                prop_assert_eq!(reader.tell().unwrap(), at as u64);
            }
        }
    }

    #[test]
    fn what_ends_too_early_is_an_error_and_stays_one() {
        let source = Pieces(Mutex::new(Bytes::from_static(b"abc")), 2);
        let mut reader = BodyReader::new(Arc::new(source), Some(5));
        assert!(matches!(reader.read(-1), Err(BodyError::Short(3, 5))));
        assert!(matches!(reader.readline(None), Err(BodyError::Torn)));
        reader.close();
        assert!(matches!(reader.read(1), Err(BodyError::Closed)));
    }
}
