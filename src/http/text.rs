//! Python's view of text, where it differs from Rust's: latin-1, `str.split()`, `int()`, `repr()`, `json.dumps()`.
//!
//! Small pure functions that the parsers share. They follow CPython 3.11 for every text of latin-1 characters, because HTTP/1 can carry
//! no others. The comment of each function says what it does beyond latin-1. This is not a general Python compatibility layer.

use std::fmt::Write as _;

/// Decodes latin-1: each byte becomes the code point of the same number.
pub fn latin1(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => text.to_owned(),
        _ => bytes.iter().copied().map(char::from).collect(),
    }
}

/// Encodes latin-1, the inverse of [`latin1`] (wptserve's `isomorphic_encode`). `None` if a character does not fit, where
/// Python raises `UnicodeEncodeError`.
pub fn encode_latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// Whether `str.isspace()` is true for the latin-1 character `byte`: `str.split()` and `str.strip()` remove these.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | 0x1c..=b' ' | 0x85 | 0xa0)
}

/// The result of Python's `int(text)` for latin-1 text, saturated to the range of `i128`. `None` where Python raises `ValueError`.
///
/// Surrounding white space, a sign and single underscores between digits are allowed. CPython refuses more than 4300 digits.
pub fn parse_int(text: &[u8]) -> Option<i128> {
    const MAX_DIGITS: usize = 4300;
    // Not `is_space`: `int()` does not strip the separators 0x1c to 0x1f.
    let space = |byte: &u8| matches!(byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xa0);
    let start = text.iter().position(|byte| !space(byte))?;
    let end = text.iter().rposition(|byte| !space(byte))? + 1;
    let (negative, digits) = match text.get(start..end)? {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut value: i128 = 0;
    let mut count = 0;
    let mut after_digit = false;
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                value = value.saturating_mul(10).saturating_add(i128::from(byte - b'0'));
                count += 1;
                after_digit = true;
            }
            b'_' if after_digit => after_digit = false,
            _ => return None,
        }
    }
    if !after_digit || count > MAX_DIGITS {
        return None;
    }
    Some(if negative { -value } else { value })
}

/// Python's `repr()` of a `str`. Exact for latin-1 text; characters beyond it are taken as printable.
pub fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            _ if c == quote => {
                out.push('\\');
                out.push(c);
            }
            '\0'..=' ' | '\x7f'..='\u{a0}' | '\u{ad}' if c != ' ' => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// `json.dumps(text)`: a JSON string in ASCII, with surrogate pairs for characters beyond the Basic Multilingual Plane.
pub fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
    out
}

/// `html.escape(text, quote=quote)`.
pub fn escape_html(text: &str, quote: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if quote => out.push_str("&quot;"),
            '\'' if quote => out.push_str("&#x27;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn int_reads_what_python_reads() {
        let table: &[(&[u8], Option<i128>)] = &[
            (b"5", Some(5)),
            (b" 5\r\n\x0b\x0c\t", Some(5)),
            (b"+5", Some(5)),
            (b"-5", Some(-5)),
            (b"-0", Some(0)),
            (b"007", Some(7)),
            (b"1_000", Some(1000)),
            (b"\xa05\x85", Some(5)),
            (b"\x1c5", None),
            (b"\x1f5\xa0", None),
            (b"_1", None),
            (b"1_", None),
            (b"1__0", None),
            (b"+ 5", None),
            (b"+", None),
            (b"", None),
            (b" ", None),
            (b"0x2", None),
            (b"2.0", None),
            (b"5\0", None),
            (b"\xb2", None),
            (b"99999999999999999999999999999999999999999999", Some(i128::MAX)),
        ];
        for (text, expected) in table {
            assert_eq!(parse_int(text), *expected, "{text:?}");
        }
        assert_eq!(parse_int(&[b'0'; 4300]), Some(0));
        assert_eq!(parse_int(&[b'0'; 4301]), None);
    }

    #[test]
    fn repr_quotes_and_escapes_like_python() {
        for (text, expected) in [
            ("a", "'a'"),
            ("it's", "\"it's\""),
            ("'\"", "'\\'\"'"),
            ("\u{1}\u{7f}\u{85}\u{a0}\u{ad}\u{e9}", "'\\x01\\x7f\\x85\\xa0\\xad\u{e9}'"),
            ("\t\r\n\\", "'\\t\\r\\n\\\\'"),
        ] {
            assert_eq!(repr(text), expected);
        }
    }

    #[test]
    fn json_is_ascii() {
        assert_eq!(json_string("a\"\\/\u{8}\u{c}\n\r\t\u{1}\u{7f}"), r#""a\"\\/\b\f\n\r\t\u0001\u007f""#);
        assert_eq!(json_string("\u{e9}\u{2028}\u{1f600}"), r#""\u00e9\u2028\ud83d\ude00""#);
    }

    #[test]
    fn html_is_escaped_with_and_without_quotes() {
        assert_eq!(escape_html("<a&'\">", true), "&lt;a&amp;&#x27;&quot;&gt;");
        assert_eq!(escape_html("<a&'\">", false), "&lt;a&amp;'\"&gt;");
    }

    #[test]
    fn latin1_round_trips() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(encode_latin1(&latin1(&all)), Some(all));
        assert_eq!(encode_latin1("\u{100}"), None);
    }
}
