//! What goes over the sockets: a header (a question or an answer) and the bytes of at most one value.
//!
//! The host never looks into a value: it only has to know which queues the value refers to.

use std::{io, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::stash::{Holder, Key};

/// The most bytes of one value.
pub(super) const MAX_VALUE: usize = 64 << 20;
/// The most bytes of a header: a key has a path, and a value may refer to queues.
const MAX_HEADER: usize = 1 << 20;
/// How long header and value are, in front of them.
pub(super) const PREFIX: usize = 8;

/// A queue, as both processes call it.
pub(super) type QueueId = u64;

/// What a process asks of the host. A value's bytes come behind it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    /// Keep a value that refers to these queues.
    Put { key: Key, queues: Vec<QueueId> },
    /// Give a value away.
    Take { key: Key },
    /// Answered when the lock is granted.
    Acquire { holder: Holder },
    /// Hand the lock on.
    Release,
    /// Hand the lock on if this request holds it.
    End { holder: Holder },
    /// Make a queue.
    NewQueue,
    /// One reference to a queue fewer.
    Forget { queue: QueueId },
    /// Add an item that refers to these queues.
    QueuePut { queue: QueueId, queues: Vec<QueueId> },
    /// Answered when there is an item, or after so long.
    QueueGet { queue: QueueId, wait: Option<Duration> },
    /// How many items there are.
    QueueCount { queue: QueueId },
    /// An item has been dealt with.
    TaskDone { queue: QueueId },
    /// Answered when all items have been dealt with.
    Join { queue: QueueId },
}

/// What the host answers. A value's bytes come behind it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// It is done.
    Done,
    /// There is no value.
    Nothing,
    /// A value that refers to these queues.
    Value { queues: Vec<QueueId> },
    /// This value is there already.
    Occupied { queues: Vec<QueueId> },
    /// Nobody holds the lock.
    NotLocked,
    /// All tasks have been reported.
    TooOften,
    /// There is no room.
    Full,
    /// A queue, or a number of items.
    Number(u64),
    /// There is no such queue.
    Unknown,
}

/// Lengths of a message's header and value.
///
/// # Errors
/// They are beyond what a message may have.
pub(super) fn lengths(prefix: [u8; PREFIX]) -> io::Result<(usize, usize)> {
    let [a, b, c, d, e, f, g, h] = prefix;
    let lengths = [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])].map(usize::try_from);
    match lengths {
        [Ok(header), Ok(value)] if header <= MAX_HEADER && value <= MAX_VALUE => Ok((header, value)),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a message about the stash is too long")),
    }
}

/// A message.
///
/// # Errors
/// It is too long.
pub(super) fn message(header: &impl Serialize, value: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = postcard::to_extend(header, vec![0; PREFIX]).map_err(invalid)?;
    let (header, value_length) = (u32::try_from(bytes.len() - PREFIX), u32::try_from(value.len()));
    let (Ok(header), Ok(value_length)) = (header, value_length) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message about the stash is too long"));
    };
    let [a, b, c, d] = header.to_le_bytes();
    let [e, f, g, h] = value_length.to_le_bytes();
    let prefix = [a, b, c, d, e, f, g, h];
    lengths(prefix)?;
    bytes.iter_mut().zip(prefix).for_each(|(byte, length)| *byte = length);
    bytes.extend_from_slice(value);
    Ok(bytes)
}

/// The header of a message.
///
/// # Errors
/// It is none.
pub(super) fn header<H: DeserializeOwned>(bytes: &[u8]) -> io::Result<H> {
    postcard::from_bytes(bytes).map_err(invalid)
}

/// An error of the codec, as one of input and output.
pub(super) fn invalid(error: postcard::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
