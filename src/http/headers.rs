//! Request header fields in the order they came, with names and values as sent.
//!
//! Follows CPython 3.11, `http.client.parse_headers`, which passes the block to `email.feedparser` with the `compat32` policy. That is a
//! mail parser: it accepts more than an HTTP parser, and drops all fields after the first line that it cannot read. This type is a list
//! and not a map; wptserve's `RequestHeaders` is built on top of it.

use std::ops::Range;

use bytes::Bytes;

/// The header fields of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    fields: Vec<(Bytes, Bytes)>,
    unread: Bytes,
}

/// The mail parser's reading of a line.
enum Line {
    /// Starts with a space or a tab: continues the field before it.
    Folded,
    /// Has no influence on the fields, but ends the one before it: `From ` (mbox) and a field without a name.
    Ignored,
    /// A field whose name is this long.
    Field(usize),
    /// Not a header line: this line and all later ones are body text.
    Body,
}

impl Headers {
    /// Reads the block between the request line and the body, the empty line included.
    ///
    /// A bare CR ends a line as well. A line that is not a header field ends the block; this line and the rest are only kept as
    /// [`unread`](Self::unread) text. A folded value keeps its line breaks. Spaces and tabs before a value are dropped, those after it are
    /// kept.
    pub fn parse(block: &Bytes) -> Headers {
        let mut fields = Vec::new();
        let mut open: Option<(Range<usize>, Range<usize>)> = None;
        let mut unread = Bytes::new();
        let mut at = 0;
        while at < block.len() {
            let start = at;
            let rest = block.get(start..).unwrap_or_default();
            at = start + line_len(rest);
            let line = block.get(start..at).unwrap_or_default();
            let kind = classify(line);
            if let Line::Folded = kind {
                if let Some((_, value)) = &mut open {
                    value.end = at;
                }
                continue;
            }
            push(&mut fields, block, open.take());
            match kind {
                Line::Folded | Line::Ignored => {}
                Line::Field(name_len) => {
                    let after = line.get(name_len + 1..).unwrap_or_default();
                    let blanks = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                    open = Some((start..start + name_len, start + name_len + 1 + blanks..at));
                }
                Line::Body => {
                    // An empty line is the regular end of the block.
                    let blank = line.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
                    unread = block.slice(if blank { at } else { start }..);
                    break;
                }
            }
        }
        push(&mut fields, block, open);
        Headers { fields, unread }
    }

    /// The text after the last line that could be read; empty in a good head. The mail parser takes it for the body of a message,
    /// and prints it.
    pub fn unread(&self) -> &Bytes {
        &self.unread
    }

    /// The value of the first field of this name, whatever its case.
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        self.fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// All values of this name in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Bytes> {
        self.fields.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// The fields in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.fields.iter().map(|(name, value)| (name, value))
    }

    /// The number of fields, including duplicates.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field at all.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// Fields that have been read before, in their order.
impl FromIterator<(Bytes, Bytes)> for Headers {
    fn from_iter<I: IntoIterator<Item = (Bytes, Bytes)>>(fields: I) -> Self {
        Headers { fields: fields.into_iter().collect(), unread: Bytes::new() }
    }
}

/// Length of the first line of `text` with its end, which is CR, LF or both.
fn line_len(text: &[u8]) -> usize {
    match memchr::memchr2(b'\r', b'\n', text) {
        Some(at) if text.get(at..at + 2) == Some(b"\r\n") => at + 2,
        Some(at) => at + 1,
        None => text.len(),
    }
}

fn classify(line: &[u8]) -> Line {
    if let Some(b' ' | b'\t') = line.first() {
        return Line::Folded;
    }
    if line.starts_with(b"From ") {
        return Line::Ignored;
    }
    let name_len = line.iter().take_while(|byte| matches!(byte, 0x21..=0x39 | 0x3b..=0x7e)).count();
    match line.get(name_len) {
        Some(b':') if name_len == 0 => Line::Ignored,
        Some(b':') => Line::Field(name_len),
        _ => Line::Body,
    }
}

fn push(fields: &mut Vec<(Bytes, Bytes)>, block: &Bytes, open: Option<(Range<usize>, Range<usize>)>) {
    let Some((name, value)) = open else { return };
    let text = block.get(value.clone()).unwrap_or_default();
    let line_ends = text.iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let value = value.start..value.end - line_ends;
    fields.push((block.slice(name), block.slice(value)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(block: &'static [u8]) -> Vec<(&'static str, &'static str)> {
        let headers = Headers::parse(&Bytes::from_static(block));
        headers.iter().map(|(n, v)| (leak(n), leak(v))).collect()
    }

    fn leak(bytes: &Bytes) -> &'static str {
        crate::http::text::latin1(bytes).leak()
    }

    #[test]
    fn what_cannot_be_read_is_kept_as_text() {
        for (block, unread) in [
            (&b"A: 1\r\n\r\n"[..], &b""[..]),
            (b"A: 1\r\nnonsense\r\nB: 2\r\n\r\n", b"nonsense\r\nB: 2\r\n\r\n"),
            (b"A: 1\r\nX : 1\r\n\r\n", b"X : 1\r\n\r\n"),
            (b"A: 1\rno\r\n\r\n", b"no\r\n\r\n"),
            (b"A: 1\r\n: x\r\nB: 2\r\n\r\n", b""),
            (b"A: 1\r\rB: 2\r\n\r\n", b"B: 2\r\n\r\n"),
        ] {
            assert_eq!(Headers::parse(&Bytes::from_static(block)).unread(), unread, "{}", block.escape_ascii());
        }
    }

    #[test]
    fn reads_what_the_mail_parser_reads() {
        type Fields<'a> = &'a [(&'a str, &'a str)];
        let table: &[(&[u8], Fields)] = &[
            (b"", &[]),
            (b"\r\n", &[]),
            (b"Host: a\r\nX-b:c\r\n\r\n", &[("Host", "a"), ("X-b", "c")]),
            (b"A: 1\nB: 2\n\n", &[("A", "1"), ("B", "2")]),
            (b"A: 1\rB: 2\r\n\r\n", &[("A", "1"), ("B", "2")]),
            (b"A: 1\r\rB: 2\r\n\r\n", &[("A", "1")]),
            (b"A: \t 1 \t\r\n\r\n", &[("A", "1 \t")]),
            (b"A:\r\n\r\n", &[("A", "")]),
            (b"A: a\r\n  b\r\nC: d\r\n\r\n", &[("A", "a\r\n  b"), ("C", "d")]),
            (b"A:\r\n \r\n\r\n", &[("A", "\r\n ")]),
            (b" lost\r\nA: 1\r\n\r\n", &[("A", "1")]),
            (b": lost\r\n lost too\r\nA: 1\r\n\r\n", &[("A", "1")]),
            (b"From me\r\nA: 1\r\nFrom you\r\n lost\r\nB: 2\r\nFrom them\r\n\r\n", &[("A", "1"), ("B", "2")]),
            (b"From: me\r\n\r\n", &[("From", "me")]),
            (b"A: 1\r\nno header\r\nB: 2\r\n\r\n", &[("A", "1")]),
            (b"A : 1\r\nB: 2\r\n\r\n", &[]),
            (b"\xe9: 1\r\n\r\n", &[]),
            (b"A: \xe9\0\x01\r\n\r\n", &[("A", "\u{e9}\0\u{1}")]),
            (b"A: 1\r\na: 2\r\n\r\n", &[("A", "1"), ("a", "2")]),
            (b"A@(): x:y\r\n\r\n", &[("A@()", "x:y")]),
            (b"A: \x0b1\r\n\r\n", &[("A", "\u{b}1")]),
            (b"A: cut off", &[("A", "cut off")]),
        ];
        for (block, expected) in table {
            assert_eq!(parse(block), *expected, "{:?}", crate::http::text::latin1(block));
        }
    }

    #[test]
    fn first_value_wins_whatever_the_case() {
        let headers = Headers::parse(&Bytes::from_static(b"Foo: 1\r\nfoo: 2\r\n\r\n"));
        assert_eq!(headers.get("FOO").map(|v| v.as_ref()), Some(b"1".as_ref()));
        assert_eq!(headers.get_all("foo").count(), 2);
        assert_eq!(headers.get("bar"), None);
        assert_eq!(headers.len(), 2);
    }

    proptest! {
        #[test]
        fn never_panics(block in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b':'), Just(b' '), any::<u8>()], 0..80)) {
            let headers = Headers::parse(&Bytes::from(block));
            prop_assert!(headers.iter().all(|(name, _)| !name.is_empty()));
        }
    }
}
