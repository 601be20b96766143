//! The stash: values that handlers keep for one another between requests, shared by all ports.
//!
//! Values are plain data, copied in and copied out; a key is a path and a UUID; a value is written once and taken once. There is
//! one lock for all handlers, which they get in the order in which they asked for it. This room knows neither Python nor HTTP: a
//! call that waits blocks the calling thread.

mod lock;
mod queue;

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

pub use lock::{FairLock, NotLocked};
pub use queue::TooOften;

/// A queue that handlers share, of plain values.
pub type Queue = queue::Queue<Value>;

/// The key of a value: the path it belongs to and a UUID.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The path as it stands in the URL, as bytes.
    pub path: Vec<u8>,
    /// The UUID's sixteen bytes.
    pub uuid: [u8; 16],
}

/// A value that belongs to no interpreter.
#[derive(Clone, Debug)]
pub enum Value {
    /// `None`, which can be in a container or a queue but cannot be stored by itself.
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
    List(Vec<Value>),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A dict in its order.
    Dict(Vec<(Value, Value)>),
    /// A set.
    Set(Vec<Value>),
    /// A frozen set.
    FrozenSet(Vec<Value>),
    /// The fields of a request's head, names and values.
    Headers(Vec<(Vec<u8>, Vec<u8>)>),
    /// A queue. Copies share it.
    Queue(Arc<Queue>),
    /// Anything else, as Python's `pickle` writes it.
    Pickled(Vec<u8>),
}

/// The store of one server, shared by all its ports.
#[derive(Debug, Default)]
pub struct Stash {
    values: Mutex<HashMap<Key, Value>>,
    lock: FairLock,
}

/// The key has a value already: this one.
#[derive(Clone, Debug)]
pub struct Occupied(pub Value);

impl Stash {
    /// Keeps a value. A key can be written again only after its value has been taken.
    ///
    /// # Errors
    /// [`Occupied`], when the key has a value already; that value stays.
    pub fn put(&self, key: Key, value: Value) -> Result<(), Occupied> {
        let mut values = self.values.lock();
        if let Some(old) = values.get(&key) {
            return Err(Occupied(old.clone()));
        }
        values.insert(key, value);
        Ok(())
    }

    /// Removes a value and returns it.
    pub fn take(&self, key: &Key) -> Option<Value> {
        self.values.lock().remove(key)
    }

    /// The one lock of all handlers.
    pub fn lock(&self) -> &FairLock {
        &self.lock
    }
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

    fn key(path: &str) -> Key {
        Key { path: path.into(), uuid: [1; 16] }
    }

    #[test]
    fn a_value_is_written_once_and_taken_once() {
        let stash = Stash::default();
        stash.put(key("/a"), Value::Int(1)).unwrap();
        stash.put(key("/b"), Value::Int(2)).unwrap();
        assert!(matches!(stash.put(key("/a"), Value::Int(3)), Err(Occupied(Value::Int(1)))));
        assert!(matches!(stash.take(&key("/a")), Some(Value::Int(1))));
        assert!(stash.take(&key("/a")).is_none());
        stash.put(key("/a"), Value::Int(3)).unwrap();
    }

    /// The texts that CPython 3.11's `uuid.UUID` accepts and refuses.
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
