//! The end of a request body, as far as the head determines it.
//!
//! The length follows wptserve 4.0.3 (`request.py`: `int()` of the first `Content-Length`). wptserve cannot read chunked bodies; this
//! server can, which is a documented difference. A head that two readers could understand differently is refused, because one of them
//! could take the body for the next request (RFC 9112, sections 6.1 and 6.3). This module does not read the body;
//! [`ChunkedDecoder`](super::chunked::ChunkedDecoder) does.

use bytes::Bytes;

use crate::http::{
    headers::Headers,
    text::{latin1, parse_int, repr},
};

/// How the end of a request body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// After this many bytes.
    Length(u64),
    /// By [`ChunkedDecoder`](super::chunked::ChunkedDecoder).
    Chunked,
}

/// Why the end of a request body cannot be known. The connection has to close.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFraming {
    /// The value of a `Content-Length` that is not a length.
    #[error("Content-Length is {}, which is not a number of bytes: send a decimal number that is not negative, or no Content-Length", repr(&latin1(.0)))]
    Length(Bytes),
    /// Two `Content-Length` fields that contradict each other.
    #[error("there are two different Content-Length fields, {} and {}: send one", repr(&latin1(.0)), repr(&latin1(.1)))]
    Lengths(Bytes, Bytes),
    /// Both `Transfer-Encoding` and `Content-Length`.
    #[error("there are both Transfer-Encoding and Content-Length: send one of them")]
    Both,
    /// A transfer coding in a version of HTTP that has none.
    #[error("Transfer-Encoding has no meaning before HTTP/1.1: send Content-Length")]
    Version,
    /// A transfer coding that this server cannot decode.
    #[error("the transfer coding {} is not known: send `Transfer-Encoding: chunked`, once and alone", repr(&latin1(.0)))]
    Coding(Bytes),
    /// `chunked`, but not as the one and only coding.
    #[error("the transfer coding is {}, whose end cannot be known: send `Transfer-Encoding: chunked`, once and alone", repr(&latin1(.0)))]
    NotChunked(Bytes),
    /// A line about the length that some readers understand and others do not.
    #[error("not every server reads the header line {} in the same way: send the name, a colon and the value on a line of their own, behind well-formed lines", repr(&latin1(.0)))]
    Line(Bytes),
}

impl BadFraming {
    /// The status code of the refusal (RFC 9112, section 6.1: 501 for a transfer coding that is not understood).
    pub fn status(&self) -> u16 {
        if matches!(self, BadFraming::Coding(_)) { 501 } else { 400 }
    }
}

const LENGTH: &str = "Content-Length";
const CODING: &str = "Transfer-Encoding";

/// The framing of a request body. `block` is the text between the request line and the body, `headers` are the fields that were read
/// from it, and `knows_codings` says that the request is of HTTP/1.1 or later.
///
/// Python's `int()` reads `Content-Length`: ` +1_0 ` is ten. Beyond 64 bits the length saturates. Without the header the body is
/// empty. The same length may occur several times.
///
/// # Errors
/// The end of the body cannot be known, or two readers could find different ends.
pub fn framing(block: &[u8], headers: &Headers, knows_codings: bool) -> Result<Framing, BadFraming> {
    let read = headers.iter().filter(|(name, _)| is_about_framing(name)).count();
    check_lines(block, read)?;
    let mut lengths = headers.get_all(LENGTH);
    match (lengths.next(), headers.get(CODING)) {
        (None, None) => Ok(Framing::Length(0)),
        (Some(_), Some(_)) => Err(BadFraming::Both),
        (None, Some(_)) if !knows_codings => Err(BadFraming::Version),
        (None, Some(_)) => only_chunked(headers),
        (Some(first), None) => {
            let size = parse_int(first).filter(|size| *size >= 0);
            let size = size.ok_or_else(|| BadFraming::Length(first.clone()))?;
            match lengths.find(|other| parse_int(other) != Some(size)) {
                Some(other) => Err(BadFraming::Lengths(first.clone(), other.clone())),
                None => Ok(Framing::Length(u64::try_from(size).unwrap_or(u64::MAX))),
            }
        }
    }
}

fn is_about_framing(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(LENGTH.as_bytes()) || name.eq_ignore_ascii_case(CODING.as_bytes())
}

/// A coding in front of `chunked` cannot be decoded; any other value than `chunked` leaves the end open.
fn only_chunked(headers: &Headers) -> Result<Framing, BadFraming> {
    let values: Vec<&[u8]> = headers.get_all(CODING).map(AsRef::as_ref).collect();
    let is_chunked = |coding: &&[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let codings: Vec<&[u8]> =
        values.iter().flat_map(|value| value.split(|byte| *byte == b',')).map(without_blanks).collect();
    let shown = || Bytes::from(values.join(&b", "[..]));
    match codings.split_last() {
        Some((last, [])) if is_chunked(last) => Ok(Framing::Chunked),
        Some((last, before)) if is_chunked(last) && !before.iter().any(|c| c.is_empty() || is_chunked(c)) => {
            Err(BadFraming::Coding(shown()))
        }
        _ => Err(BadFraming::NotChunked(shown())),
    }
}

/// Unlike Python's `strip()`, this strips only spaces and tabs: some readers take other white space for a part of the coding.
fn without_blanks(text: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_blank(byte)).map_or(start, |at| at + 1);
    text.get(start..end).unwrap_or_default()
}

/// Refuses a block in which some readers could find other fields about the length than others. The number of such lines must be the
/// number of fields that were `read`. Readers differ in blanks around the name, a folded value, a bare CR, and lines behind one that is
/// not a header field.
fn check_lines(block: &[u8], read: usize) -> Result<(), BadFraming> {
    let (mut found, mut last) = (0, &b""[..]);
    let (mut rest, mut is_own_line) = (block, true);
    while !rest.is_empty() {
        let length = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let (line, behind) = rest.split_at(length);
        let (next, has_end) = match behind {
            [b'\r', b'\n', next @ ..] | [b'\n', next @ ..] => (next, true),
            [_, next @ ..] => (next, false),
            [] => (behind, true),
        };
        if let Some(is_plain) = framing_line(line) {
            let is_folded = matches!(next.first(), Some(b' ' | b'\t'));
            if !is_plain || !is_own_line || !has_end || is_folded {
                return Err(BadFraming::Line(Bytes::copy_from_slice(line)));
            }
            (found, last) = (found + 1, line);
        }
        (rest, is_own_line) = (next, has_end);
    }
    if found == read { Ok(()) } else { Err(BadFraming::Line(Bytes::copy_from_slice(last))) }
}

/// `None` if no reader takes this line for a field about the length; otherwise whether the line is well-formed.
fn framing_line(line: &[u8]) -> Option<bool> {
    let is_skipped = |byte: &u8| *byte <= b' ';
    let start = line.iter().position(|byte| !is_skipped(byte))?;
    let text = line.get(start..)?;
    // Most lines are decided by their first letter.
    if !matches!(text.first()?, b'C' | b'c' | b'T' | b't') {
        return None;
    }
    let colon = memchr::memchr(b':', text)?;
    let name = text.get(..colon)?;
    let end = name.iter().rposition(|byte| !is_skipped(byte))? + 1;
    name.get(..end).filter(|name| is_about_framing(name)).map(|name| start == 0 && name.len() == colon)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(block: &str) -> Result<Framing, BadFraming> {
        framing(block.as_bytes(), &Headers::parse(&Bytes::copy_from_slice(block.as_bytes())), true)
    }

    #[test]
    fn length_is_what_python_reads() {
        for (block, expected) in [
            ("", Framing::Length(0)),
            ("Content-Length: 5", Framing::Length(5)),
            ("content-length: +1_0 ", Framing::Length(10)),
            ("Content-Length: -0", Framing::Length(0)),
            ("Content-Length: 3\r\nA: 1\r\ncontent-length:3\n", Framing::Length(3)),
            ("Content-Length: 99999999999999999999999", Framing::Length(u64::MAX)),
            ("Transfer-Encoding: Chunked\r\n", Framing::Chunked),
            ("transfer-encoding:\t chunked \nA: 1", Framing::Chunked),
            ("X-Content-Length: 5\r\nTransfer: x\r\nContent-Length-X: 7", Framing::Length(0)),
            ("A: 1\r\n Content: 5\r\nB: 2", Framing::Length(0)),
        ] {
            assert_eq!(of(block), Ok(expected), "{block}");
        }
        for block in ["Content-Length:", "Content-Length: -5", "Content-Length: 2.0", "Content-Length: 5, 5"] {
            assert!(matches!(of(block), Err(BadFraming::Length(_))), "{block}");
        }
        let message = of("Content-Length: -5").unwrap_err().to_string();
        assert!(message.starts_with("Content-Length is '-5', which"), "{message}");
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for (block, status, part) in [
            ("Content-Length: 5\r\nContent-Length: 6", 400, "two different Content-Length fields, '5' and '6'"),
            ("Content-Length: 5\r\nContent-Length: x", 400, "'5' and 'x'"),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked", 400, "both"),
            ("Transfer-Encoding: chunked\r\nContent-Length: 0", 400, "both"),
            ("Transfer-Encoding: gzip, chunked", 501, "'gzip, chunked' is not known"),
            ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", 501, "'gzip, chunked'"),
            ("Transfer-Encoding: \x0bchunked, chunked", 501, "not known"),
            ("Transfer-Encoding: chunked, gzip", 400, "end cannot be known"),
            ("Transfer-Encoding: gzip", 400, "end cannot be known"),
            ("Transfer-Encoding: identity", 400, "end cannot be known"),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400, "'chunked, chunked'"),
            ("Transfer-Encoding: chunked, ", 400, "end cannot be known"),
            ("Transfer-Encoding: , chunked", 400, "end cannot be known"),
            ("Transfer-Encoding:", 400, "end cannot be known"),
            ("Transfer-Encoding: chunked;q=1", 400, "end cannot be known"),
            ("Transfer-Encoding: \x0bchunked", 400, "end cannot be known"),
            ("Transfer-Encoding: \"chunked\"", 400, "end cannot be known"),
        ] {
            let error = of(block).unwrap_err();
            assert_eq!(error.status(), status, "{block}");
            assert!(error.to_string().contains(part), "{block}: {error}");
        }
        let old = "Transfer-Encoding: chunked\r\n";
        let headers = Headers::parse(&Bytes::from_static(old.as_bytes()));
        assert_eq!(framing(old.as_bytes(), &headers, false), Err(BadFraming::Version));
    }

    #[test]
    fn lines_that_not_everybody_reads_are_refused() {
        for name in ["Transfer-Encoding", "content-length"] {
            for block in [
                "NAME : 5\r\n",
                "NAME\t:5\r\n",
                "NAME\0: 5\r\n",
                " NAME: 5\r\n",
                "A: 1\r\n NAME: 5\r\n",
                "A: 1\r\n\x0bNAME: 5\r\n",
                "NAME: 5\r\n 6\r\n",
                "NAME:\r\n 5\r\n",
                "NAME: 5\n\t6\r\n",
                "A: 1\rNAME: 5\r\n",
                "NAME: 5\rB: 1\r\n",
                "nonsense\r\nNAME: 5\r\n\r\n",
                "NAME: 5\r\nA : 1\r\nNAME: 5\r\n\r\n",
                "From me\r\n NAME: 5\r\n",
            ] {
                let block = block.replace("NAME", name);
                let error = of(&block).unwrap_err();
                assert!(matches!(error, BadFraming::Line(_)), "{block:?}: {error}");
                assert!(error.to_string().contains(name), "{block:?}: {error}");
            }
        }
    }

    proptest! {
        /// An accepted block gives the same result to a reader that knows only CR LF, a name, a colon and a value.
        #[test]
        fn what_is_accepted_is_plain(
            lines in proptest::collection::vec(
                "( |\t)?(Content-Length|Transfer-Encoding|A|no)( |\0)?:?( |\r)?(5|6|chunked|x)(\r\n|\n|\r)",
                0..5,
            ),
        ) {
            let block = lines.concat();
            if let Ok(framing) = of(&block) {
                let plain: Vec<(&str, &str)> = block
                    .split('\n')
                    .filter_map(|line| line.trim_end_matches('\r').split_once(':'))
                    .filter(|(name, _)| is_about_framing(name.as_bytes()))
                    .map(|(name, value)| (name, value.trim_matches(' ')))
                    .collect();
                let expected = match plain.as_slice() {
                    [] => Framing::Length(0),
                    [("Transfer-Encoding", "chunked")] => Framing::Chunked,
                    [("Content-Length", first), rest @ ..] if rest.iter().all(|(_, other)| other == first) => {
                        Framing::Length(first.parse().unwrap())
                    }
                    other => panic!("{other:?} was accepted as {framing:?}"),
                };
                prop_assert_eq!(framing, expected);
            }
        }
    }
}
