//! The parameters in a query string.
//!
//! Follows wptserve 4.0.3, `request.py`, `Request.GET`, which is CPython's `urllib.parse.parse_qsl` in latin-1: names and values
//! are bytes. This module returns the pairs in their order; the Python side looks names up.

use super::{text::encode_latin1, url::unquote_latin1};

/// The names and values of `query`, in order. Only `&` separates; pairs without `=` have an empty value; `+` is a space.
///
/// `query` is latin-1 text. A character beyond latin-1, which an HTTP/1 request cannot have, becomes its UTF-8 bytes.
pub fn parse_qsl(query: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn decode(text: &str) -> Vec<u8> {
    let spaced = text.replace('+', " ");
    let text = unquote_latin1(&spaced);
    encode_latin1(&text).unwrap_or_else(|| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pairs_are_bytes() {
        type Pairs<'a> = &'a [(&'a [u8], &'a [u8])];
        let table: &[(&str, Pairs)] = &[
            ("", &[]),
            ("&&", &[]),
            ("a=1&b=2", &[(b"a", b"1"), (b"b", b"2")]),
            ("a", &[(b"a", b"")]),
            ("a=", &[(b"a", b"")]),
            ("=a", &[(b"", b"a")]),
            ("=", &[(b"", b"")]),
            ("a=b=c", &[(b"a", b"b=c")]),
            ("a;b=1", &[(b"a;b", b"1")]),
            ("a+b=%2B+%20", &[(b"a b", b"+  ")]),
            ("%E9=%C3%A9", &[(b"\xe9", b"\xc3\xa9")]),
            ("\u{e9}=%zz%4", &[(b"\xe9", b"%zz%4")]),
            ("a%26b=%3D", &[(b"a&b", b"=")]),
            ("a=1&a=2", &[(b"a", b"1"), (b"a", b"2")]),
            ("a=%00", &[(b"a", b"\0")]),
        ];
        for (query, expected) in table {
            let pairs = parse_qsl(query);
            let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
            assert_eq!(pairs, *expected, "{query}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(query in "([a%&=+0-9E\u{e9}]|\\PC){0,40}") {
            parse_qsl(&query);
        }
    }
}
