//! The exceptions that wptserve 4.0.3 raises in its `pipes.py`, as values.
//!
//! Their text is that of CPython 3.11, because handlers can catch and show it, and a 500 has it in its body.

use std::fmt;

use crate::http::text::repr;

/// The argument of a `KeyError`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A `str`.
    Text(String),
    /// A `bytes`.
    Bytes(Vec<u8>),
    /// An `int`.
    Int(i128),
    /// `None`.
    None,
}

/// An exception: the variant is its class, the text its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PipeError {
    /// `ValueError`
    Value(String),
    /// `TypeError`
    Type(String),
    /// `KeyError`
    Key(Key),
    /// `IndexError`
    Index(&'static str),
    /// `AssertionError`
    Assertion(String),
    /// `OverflowError`
    Overflow(String),
    /// `MemoryError`
    Memory(String),
    /// `Exception` itself.
    Plain(String),
    /// `UnicodeEncodeError` for latin-1: the text and the characters that do not fit.
    Encode(String, usize, usize),
    /// `UnicodeDecodeError` for UTF-8: the bytes, those that do not fit, and why.
    Decode(Vec<u8>, usize, usize, &'static str),
}

impl std::error::Error for PipeError {}

impl PipeError {
    /// An `AssertionError` without a message.
    pub(super) fn assertion() -> PipeError {
        PipeError::Assertion(String::new())
    }

    /// The name of the class.
    pub fn class(&self) -> &'static str {
        match self {
            PipeError::Value(_) => "ValueError",
            PipeError::Type(_) => "TypeError",
            PipeError::Key(_) => "KeyError",
            PipeError::Index(_) => "IndexError",
            PipeError::Assertion(_) => "AssertionError",
            PipeError::Overflow(_) => "OverflowError",
            PipeError::Memory(_) => "MemoryError",
            PipeError::Plain(_) => "Exception",
            PipeError::Encode(..) => "UnicodeEncodeError",
            PipeError::Decode(..) => "UnicodeDecodeError",
        }
    }

    /// The result of Python's `str()`.
    pub fn message(&self) -> String {
        match self {
            PipeError::Value(text)
            | PipeError::Type(text)
            | PipeError::Assertion(text)
            | PipeError::Overflow(text)
            | PipeError::Memory(text)
            | PipeError::Plain(text) => text.clone(),
            PipeError::Index(text) => (*text).to_owned(),
            PipeError::Key(key) => key.repr(),
            PipeError::Encode(text, start, end) => {
                let which = match text.chars().nth(*start) {
                    Some(c) if end - start == 1 => format!("character '{}' in position {start}", escaped(c)),
                    _ => format!("characters in position {start}-{}", end - 1),
                };
                format!("'latin-1' codec can't encode {which}: ordinal not in range(256)")
            }
            PipeError::Decode(bytes, start, end, reason) => {
                let which = match bytes.get(*start) {
                    Some(byte) if end - start == 1 => format!("byte 0x{byte:02x} in position {start}"),
                    _ => format!("bytes in position {start}-{}", end - 1),
                };
                format!("'utf-8' codec can't decode {which}: {reason}")
            }
        }
    }
}

/// Class and message, as in the last line of a traceback.
impl fmt::Display for PipeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.class(), self.message())
    }
}

impl Key {
    fn repr(&self) -> String {
        match self {
            Key::Text(text) => repr(text),
            Key::Bytes(bytes) => {
                let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
                let escape = |byte: &u8| match byte {
                    b'\n' => "\\n".to_owned(),
                    b'\r' => "\\r".to_owned(),
                    b'\t' => "\\t".to_owned(),
                    b'\\' => "\\\\".to_owned(),
                    byte if char::from(*byte) == quote => format!("\\{quote}"),
                    b' '..=b'~' => char::from(*byte).to_string(),
                    byte => format!("\\x{byte:02x}"),
                };
                format!("b{quote}{}{quote}", bytes.iter().map(escape).collect::<String>())
            }
            Key::Int(number) => number.to_string(),
            Key::None => "None".to_owned(),
        }
    }
}

/// A character as the message of a `UnicodeEncodeError` shows it.
fn escaped(c: char) -> String {
    match u32::from(c) {
        code @ ..=0xff => format!("\\x{code:02x}"),
        code @ ..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

/// `text.encode("iso-8859-1")`.
pub(super) fn encode_latin1(text: &str) -> Result<Vec<u8>, PipeError> {
    crate::http::text::encode_latin1(text).ok_or_else(|| {
        let fits = |c: char| u32::from(c) < 256;
        let start = text.chars().take_while(|c| fits(*c)).count();
        let count = text.chars().skip(start).take_while(|c| !fits(*c)).count();
        PipeError::Encode(text.to_owned(), start, start + count)
    })
}

/// `bytes.decode("utf-8")`.
///
/// # Errors
/// [`PipeError::Decode`].
pub fn decode_utf8(bytes: &[u8]) -> Result<String, PipeError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let start = error.valid_up_to();
        let lead = bytes.get(start).copied().unwrap_or_default();
        let (len, reason) = match error.error_len() {
            None => (bytes.len() - start, "unexpected end of data"),
            Some(1) if !matches!(lead, 0xc2..=0xf4) => (1, "invalid start byte"),
            Some(len) => (len, "invalid continuation byte"),
        };
        PipeError::Decode(bytes.to_vec(), start, start + len, reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The messages of CPython 3.11.
    #[test]
    fn errors_read_as_in_python() {
        let encode = |text| encode_latin1(text).unwrap_err().to_string();
        assert_eq!(
            encode("a\u{100}"),
            "UnicodeEncodeError: 'latin-1' codec can't encode character '\\u0100' in position 1: ordinal not in range(256)"
        );
        assert_eq!(
            encode("\u{1f600}\u{e9}"),
            "UnicodeEncodeError: 'latin-1' codec can't encode character '\\U0001f600' in position 0: ordinal not in range(256)"
        );
        assert_eq!(
            encode("a\u{100}\u{101}b\u{102}"),
            "UnicodeEncodeError: 'latin-1' codec can't encode characters in position 1-2: ordinal not in range(256)"
        );
        for (bytes, expected) in [
            (&b"a\xe9"[..], "byte 0xe9 in position 1: unexpected end of data"),
            (b"\xe9a", "byte 0xe9 in position 0: invalid continuation byte"),
            (b"\x80", "byte 0x80 in position 0: invalid start byte"),
            (b"\xc1a", "byte 0xc1 in position 0: invalid start byte"),
            (b"\xe2\x82a", "bytes in position 0-1: invalid continuation byte"),
            (b"\xe2\x82", "bytes in position 0-1: unexpected end of data"),
        ] {
            let error = decode_utf8(bytes).unwrap_err().to_string();
            assert_eq!(error, format!("UnicodeDecodeError: 'utf-8' codec can't decode {expected}"));
        }
        assert_eq!(PipeError::Key(Key::Bytes(b"x'\xe9\n".to_vec())).to_string(), "KeyError: b\"x'\\xe9\\n\"");
        assert_eq!(PipeError::Key(Key::None).to_string(), "KeyError: None");
        assert_eq!(PipeError::Key(Key::Text(String::new())).to_string(), "KeyError: ''");
        assert_eq!(PipeError::Index("pop from an empty deque").to_string(), "IndexError: pop from an empty deque");
    }
}
