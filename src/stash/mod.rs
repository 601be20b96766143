//! The stash: values that handlers keep for one another between requests, shared by all ports.
//!
//! Values are plain data, copied in and copied out; a key is a path and a UUID; a value is written once and taken once. There is
//! one lock for all handlers, granted in the order in which it was asked for, and released with the request that holds it. This
//! room knows neither Python nor HTTP: an operation that waits simply blocks the calling thread.
//!
//! [`Stash`] is the interface. [`Local`] keeps everything in the memory of this process. [`Remote`] asks another process, whose
//! [`Host`] keeps it: so the stash survives the process that runs the handlers.

mod holder;
mod local;
mod remote;
mod tenure;

use std::{fmt::Debug, io, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

pub use holder::Holder;
pub use local::Local;
pub use remote::{ClientId, Host, Remote};
pub use tenure::{Entered, Tenure};

/// Under what a value is kept: the path it belongs to and a UUID.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The path as it stands in the URL, as bytes.
    pub path: Vec<u8>,
    /// The UUID's sixteen bytes.
    pub uuid: [u8; 16],
}

/// A value that belongs to no interpreter. `Q` is how it refers to a queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Value<Q = Arc<dyn Queue>> {
    /// `None`, which can be in a container or a queue but not be stored by itself.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer that fits.
    Int(i64),
    /// A larger integer: a sign and hexadecimal digits.
    BigInt(String),
    /// A floating-point number.
    Float(f64),
    /// Text in WTF-8: UTF-8 that may have lone surrogates.
    Str(Vec<u8>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Self>),
    /// A tuple.
    Tuple(Vec<Self>),
    /// A dict in its order.
    Dict(Vec<(Self, Self)>),
    /// A set.
    Set(Vec<Self>),
    /// A frozen set.
    FrozenSet(Vec<Self>),
    /// The fields of a request's head, names and values.
    Headers(Vec<(Vec<u8>, Vec<u8>)>),
    /// A queue. Copies share it.
    Queue(Q),
    /// Anything else, as Python's `pickle` writes it.
    Pickled(Vec<u8>),
}

impl<Q> Value<Q> {
    /// The same value with other references to its queues.
    ///
    /// # Errors
    /// What `refer` says of one of them.
    fn refer<R, E>(self, refer: &mut impl FnMut(Q) -> Result<R, E>) -> Result<Value<R>, E> {
        let mut all = |items: Vec<Self>| items.into_iter().map(|item| item.refer(refer)).collect::<Result<Vec<_>, E>>();
        Ok(match self {
            Self::None => Value::None,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::BigInt(digits) => Value::BigInt(digits),
            Self::Float(value) => Value::Float(value),
            Self::Str(bytes) => Value::Str(bytes),
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::List(items) => Value::List(all(items)?),
            Self::Tuple(items) => Value::Tuple(all(items)?),
            Self::Set(items) => Value::Set(all(items)?),
            Self::FrozenSet(items) => Value::FrozenSet(all(items)?),
            Self::Dict(items) => {
                let (keys, values): (Vec<_>, Vec<_>) = items.into_iter().unzip();
                Value::Dict(all(keys)?.into_iter().zip(all(values)?).collect())
            }
            Self::Headers(fields) => Value::Headers(fields),
            Self::Queue(queue) => Value::Queue(refer(queue)?),
            Self::Pickled(bytes) => Value::Pickled(bytes),
        })
    }
}

/// Whether a thread that waits gives up; `None` for a thread that never does.
pub type IsCancelled<'a> = Option<&'a dyn Fn() -> bool>;

/// How often a thread that waits is asked whether it gives up.
const PATIENCE: Duration = Duration::from_millis(100);

/// The stash of one server, shared by all its ports.
pub trait Stash: Debug + Send + Sync {
    /// Keeps a value. A key can be written again only after its value has been taken.
    ///
    /// # Errors
    /// [`Refusal::Occupied`] by the value that is there, which stays; [`Refusal::Full`]; [`Refusal::Failed`].
    fn put(&self, key: Key, value: Value) -> Result<(), Refusal>;

    /// Gives a value away; `None` if there is none.
    ///
    /// # Errors
    /// [`Refusal::Failed`].
    fn take(&self, key: &Key) -> Result<Option<Value>, Refusal>;

    /// Waits for the one lock of all handlers. It is granted in the order in which it was asked for. The wait is given up when
    /// `is_cancelled` says so, which is asked ten times in a second.
    ///
    /// # Errors
    /// [`Refusal::GivenUp`], without the lock; [`Refusal::Failed`].
    fn acquire(&self, holder: Holder, is_cancelled: IsCancelled<'_>) -> Result<(), Refusal>;

    /// Hands the lock on, whoever holds it.
    ///
    /// # Errors
    /// [`Refusal::NotLocked`], when nobody holds it; [`Refusal::Failed`].
    fn release(&self) -> Result<(), Refusal>;

    /// Hands the lock on if this request holds it: the request has ended and will never do so.
    fn end(&self, holder: Holder);

    /// A new queue.
    ///
    /// # Errors
    /// [`Refusal::Failed`].
    fn new_queue(&self) -> Result<Arc<dyn Queue>, Refusal>;
}

/// A queue that handlers share: Python's `queue.Queue` without a limit, first in, first out, holding plain values.
///
/// It is never full, so only getting can wait.
pub trait Queue: Debug + Send + Sync {
    /// What another process knows the queue by; `None` for a queue of this process.
    fn id(&self) -> Option<u64>;

    /// Adds an item at the end.
    ///
    /// # Errors
    /// [`Refusal::Full`]; [`Refusal::Failed`].
    fn put(&self, item: Value) -> Result<(), Refusal>;

    /// Takes the first item, waiting for one at most this long, or for ever. `None` when there was none in time.
    ///
    /// # Errors
    /// [`Refusal::Failed`].
    fn get(&self, wait: Option<Duration>) -> Result<Option<Value>, Refusal>;

    /// How many items there are.
    ///
    /// # Errors
    /// [`Refusal::Failed`].
    fn count(&self) -> Result<usize, Refusal>;

    /// Reports that an item taken has been dealt with.
    ///
    /// # Errors
    /// [`Refusal::TooOften`], when all have been reported; [`Refusal::Failed`].
    fn task_done(&self) -> Result<(), Refusal>;

    /// Waits until all items have been reported as dealt with. The wait is given up when `is_cancelled` says so.
    ///
    /// # Errors
    /// [`Refusal::GivenUp`]; [`Refusal::Failed`].
    fn join(&self, is_cancelled: IsCancelled<'_>) -> Result<(), Refusal>;
}

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is this value under the key already.
    #[error("there is a value under this key already")]
    Occupied(Value),
    /// A release of a lock that nobody holds.
    #[error("release unlocked lock")]
    NotLocked,
    /// The wait has been given up.
    #[error("the wait has been given up")]
    GivenUp,
    /// More tasks were reported done than there were items.
    #[error("task_done() called too many times")]
    TooOften,
    /// The value does not fit.
    #[error(
        "the stash is full: one value may have 64 MiB, all together 512 MiB; take values that are no longer needed"
    )]
    Full,
    /// The process that keeps the stash cannot be reached.
    #[error("the stash cannot be reached: {0}")]
    Failed(#[from] io::Error),
}

/// Reads a UUID as leniently as Python's `uuid.UUID(text)`: `urn:uuid:` and hyphens anywhere, braces around it, and 32 remaining
/// characters that `int(text, 16)` accepts.
pub fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let text = text.replace("urn:", "").replace("uuid:", "");
    let digits = text.trim_matches(['{', '}']).replace('-', "");
    if digits.chars().count() != 32 {
        return None;
    }
    let digits = digits.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c));
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let prefix = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    // Python allows single underscores between digits, and one after the prefix.
    let digits = match prefix {
        Some(rest) => rest.strip_prefix('_').unwrap_or(rest),
        None => digits,
    };
    if digits.starts_with(['_', '+']) || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    u128::from_str_radix(&digits.replace('_', ""), 16).ok().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What CPython 3.11's `uuid.UUID` takes and refuses.
    #[test]
    fn uuids_are_read_leniently() {
        let plain = "12345678123456781234567812345678";
        let expected = parse_uuid(plain).unwrap();
        assert_eq!(expected[..4], [0x12, 0x34, 0x56, 0x78]);
        for text in [
            "12345678-1234-5678-1234-567812345678",
            "{12345678-1234-5678-1234-567812345678}",
            "urn:uuid:12345678-1234-5678-1234-567812345678",
            "1-2-3-4-5678123456781234567812345678",
            "}}12345678123456781234567812345678",
        ] {
            assert_eq!(parse_uuid(text), Some(expected), "{text}");
        }
        for text in
            ["+1234567812345678123456781234567", "0x345678123456781234567812345678", " 2345678123456781234567812345678"]
        {
            assert!(parse_uuid(text).is_some(), "{text}");
        }
        for text in ["", "x", "1234", "1234567812345678123456781234567g", "12345678123456781234567812345678\n"] {
            assert_eq!(parse_uuid(text), None, "{text}");
        }
        assert!(parse_uuid("1_34567812345678123456781234567a").is_some());
        assert!(parse_uuid("1__4567812345678123456781234567a").is_none());
        assert!(parse_uuid("_134567812345678123456781234567a").is_none());
    }
}
