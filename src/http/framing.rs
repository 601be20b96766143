//! Where a request body ends, and the decoder for bodies that come in chunks.
//!
//! The length follows wptserve 4.0.3 (`request.py`: `int()` of the first `Content-Length`). wptserve cannot read chunked bodies
//! at all; we decode them, which is a documented difference. Nothing here reads or keeps the body.

use bytes::{Buf as _, Bytes, BytesMut};

use super::headers::Headers;
use super::text::{latin1, parse_int, repr};

/// How the end of a request body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// After this many bytes.
    Length(u64),
    /// By [`ChunkedDecoder`].
    Chunked,
}

/// The value of a `Content-Length` that is no length.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Content-Length is {}, which is not a number of bytes: send a decimal number that is not negative, or no Content-Length", repr(&latin1(.0)))]
pub struct BadLength(pub Bytes);

/// How the body of a request with these headers is framed.
///
/// Python's `int()` reads the first `Content-Length`: ` +1_0 ` is ten. Beyond 64 bits the length saturates. Without the header
/// there is no body. If the last transfer coding is `chunked`, that decides and `Content-Length` is not looked at.
pub fn framing(headers: &Headers) -> Result<Framing, BadLength> {
    if is_chunked(headers) {
        return Ok(Framing::Chunked);
    }
    let Some(value) = headers.get("Content-Length") else { return Ok(Framing::Length(0)) };
    match parse_int(value) {
        Some(length) if length >= 0 => Ok(Framing::Length(u64::try_from(length).unwrap_or(u64::MAX))),
        _ => Err(BadLength(value.clone())),
    }
}

fn is_chunked(headers: &Headers) -> bool {
    headers
        .get_all("Transfer-Encoding")
        .last()
        .and_then(|value| value.rsplit(|byte| *byte == b',').next())
        .is_some_and(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked"))
}

/// The longest line with a chunk size, extensions included.
const MAX_SIZE_LINE: usize = 8192;
/// The most bytes of trailer fields.
const MAX_TRAILERS: usize = 65536;

/// Why a chunked body cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// The line that should hold a size holds something else.
    #[error("the chunked request body has {} where a chunk size is expected: send hexadecimal digits and a line end", repr(&latin1(.0)))]
    Size(Bytes),
    /// The line with the size does not end.
    #[error(
        "the chunked request body has a chunk size line of more than {MAX_SIZE_LINE} bytes: send shorter chunk extensions"
    )]
    LongLine,
    /// The data of a chunk goes on where it should end.
    #[error("a chunk of the request body is longer than its announced size: end its data with a line end")]
    Overrun,
    /// The trailer fields do not end.
    #[error("the chunked request body has more than {MAX_TRAILERS} bytes of trailer fields: send fewer")]
    LongTrailers,
}

/// Decodes a chunked body piece by piece. Extensions and trailer fields are skipped, and LF alone ends a line.
#[derive(Debug, Default)]
pub struct ChunkedDecoder {
    state: ChunkState,
    /// How much of the current line has been searched for its end.
    scanned: usize,
}

#[derive(Debug, Default)]
enum ChunkState {
    #[default]
    Size,
    Data(u64),
    /// The line end that follows the data.
    DataEnd,
    /// Trailer fields, of which so many bytes have been skipped.
    Trailers(usize),
    Done,
}

impl ChunkedDecoder {
    /// Moves body bytes from `src` to `out`, at most `max` of them in this call. `true` says that the body is complete: what is
    /// left in `src` belongs to the next request. `false` says to come back with more input, or with more room.
    pub fn decode(&mut self, src: &mut BytesMut, out: &mut BytesMut, max: usize) -> Result<bool, ChunkError> {
        let mut room = max;
        loop {
            self.state = match self.state {
                ChunkState::Size => {
                    let Some(line) = self.line(src, MAX_SIZE_LINE).map_err(|()| ChunkError::LongLine)? else {
                        return Ok(false);
                    };
                    match parse_size(&line).ok_or_else(|| ChunkError::Size(line.freeze()))? {
                        0 => ChunkState::Trailers(0),
                        size => ChunkState::Data(size),
                    }
                }
                ChunkState::Data(left) => {
                    let count = src.len().min(room).min(usize::try_from(left).unwrap_or(usize::MAX));
                    if count == 0 {
                        return Ok(false);
                    }
                    out.extend_from_slice(&src.split_to(count));
                    room -= count;
                    match left - count as u64 {
                        0 => ChunkState::DataEnd,
                        left => ChunkState::Data(left),
                    }
                }
                ChunkState::DataEnd => match src.as_ref() {
                    [b'\r', b'\n', ..] => {
                        src.advance(2);
                        ChunkState::Size
                    }
                    [b'\n', ..] => {
                        src.advance(1);
                        ChunkState::Size
                    }
                    [] | [b'\r'] => return Ok(false),
                    _ => return Err(ChunkError::Overrun),
                },
                ChunkState::Trailers(skipped) => {
                    let room = MAX_TRAILERS.saturating_sub(skipped);
                    let Some(line) = self.line(src, room).map_err(|()| ChunkError::LongTrailers)? else {
                        return Ok(false);
                    };
                    if line.is_empty() { ChunkState::Done } else { ChunkState::Trailers(skipped + line.len() + 2) }
                }
                ChunkState::Done => return Ok(true),
            };
        }
    }

    /// Whether the body is complete.
    pub fn is_done(&self) -> bool {
        matches!(self.state, ChunkState::Done)
    }

    /// Takes a line off `src`, without its end. An error means that it is longer than `limit`.
    fn line(&mut self, src: &mut BytesMut, limit: usize) -> Result<Option<BytesMut>, ()> {
        let Some(at) = memchr::memchr(b'\n', src.get(self.scanned..).unwrap_or_default()) else {
            self.scanned = src.len();
            return if src.len() > limit + 1 { Err(()) } else { Ok(None) };
        };
        let mut line = src.split_to(self.scanned + at + 1);
        self.scanned = 0;
        line.truncate(line.len() - 1);
        if line.ends_with(b"\r") {
            line.truncate(line.len() - 1);
        }
        if line.len() > limit { Err(()) } else { Ok(Some(line)) }
    }
}

fn parse_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |size, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        size.checked_mul(16)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(block: &'static str) -> Result<Framing, BadLength> {
        framing(&Headers::parse(&Bytes::from_static(block.as_bytes())))
    }

    #[test]
    fn length_is_what_python_reads() {
        for (block, expected) in [
            ("", Framing::Length(0)),
            ("Content-Length: 5", Framing::Length(5)),
            ("content-length: +1_0 ", Framing::Length(10)),
            ("Content-Length: -0", Framing::Length(0)),
            ("Content-Length: 3\r\nContent-Length: x", Framing::Length(3)),
            ("Content-Length: 99999999999999999999999", Framing::Length(u64::MAX)),
            ("Transfer-Encoding: gzip, Chunked\r\nContent-Length: x", Framing::Chunked),
            ("Transfer-Encoding: gzip\r\ntransfer-encoding:chunked", Framing::Chunked),
            ("Transfer-Encoding: chunked, gzip\r\nContent-Length: 2", Framing::Length(2)),
            ("Transfer-Encoding: identity", Framing::Length(0)),
        ] {
            assert_eq!(of(block), Ok(expected), "{block}");
        }
        for block in ["Content-Length:", "Content-Length: -5", "Content-Length: 2.0", "Content-Length: 0x2"] {
            assert!(of(block).is_err(), "{block}");
        }
        let message = of("Content-Length: -5").unwrap_err().to_string();
        assert!(message.starts_with("Content-Length is '-5', which"), "{message}");
    }

    fn decode(input: &[u8]) -> Result<(bool, Vec<u8>, Vec<u8>), ChunkError> {
        let (mut src, mut out) = (BytesMut::from(input), BytesMut::new());
        let done = ChunkedDecoder::default().decode(&mut src, &mut out, usize::MAX)?;
        Ok((done, out.to_vec(), src.to_vec()))
    }

    #[test]
    fn chunks_are_joined() {
        for input in [
            "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nNEXT",
            "3\nabc\n2\nde\n0\n\nNEXT",
            "003;x=y\r\nabc\r\n2 ; q\r\nde\r\n0;z\r\nTrailer: 1\r\nTwo: 2\r\n\r\nNEXT",
        ] {
            assert_eq!(decode(input.as_bytes()).unwrap(), (true, b"abcde".to_vec(), b"NEXT".to_vec()), "{input}");
        }
        assert_eq!(decode(b"a\r\nabc").unwrap(), (false, b"abc".to_vec(), Vec::new()));
    }

    #[test]
    fn malformed_chunks_name_the_cause() {
        assert_eq!(decode(b"x\r\n"), Err(ChunkError::Size(Bytes::from_static(b"x"))));
        assert_eq!(decode(b"\r\n"), Err(ChunkError::Size(Bytes::new())));
        assert_eq!(decode(b"-1\r\n"), Err(ChunkError::Size(Bytes::from_static(b"-1"))));
        assert!(decode(b"10000000000000000\r\n").is_err());
        assert_eq!(decode(b"1\r\nab"), Err(ChunkError::Overrun));
        assert_eq!(decode(&[b'0'; 10_000]), Err(ChunkError::LongLine));
        let trailers = [b"0\r\n".as_ref(), &b"a: b\r\n".repeat(12_000)].concat();
        assert_eq!(decode(&trailers), Err(ChunkError::LongTrailers));
    }

    #[test]
    fn room_is_respected() {
        let (mut src, mut out) = (BytesMut::from("5\r\nabcde\r\n0\r\n\r\n"), BytesMut::new());
        let mut decoder = ChunkedDecoder::default();
        assert_eq!(decoder.decode(&mut src, &mut out, 2), Ok(false));
        assert_eq!(&out[..], b"ab");
        assert_eq!(decoder.decode(&mut src, &mut out, 2), Ok(false));
        assert_eq!(decoder.decode(&mut src, &mut out, 2), Ok(true));
        assert_eq!(&out[..], b"abcde");
        assert!(decoder.is_done());
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            input in prop_oneof!["[0-3a;\r\n ]{0,40}", "(1\r\n.\r\n|2\n..\n|3;e\r\n...\r\n){0,5}0\r\n(T: x\r\n)?\r\n.{0,3}"],
            sizes in proptest::collection::vec(1usize..5, 1..60),
        ) {
            let input = input.as_bytes();
            let whole = decode(input);
            let (mut src, mut out, mut decoder) = (BytesMut::new(), BytesMut::new(), ChunkedDecoder::default());
            let (mut rest, mut result, mut sizes) = (input, Ok(false), sizes.iter().cycle());
            while !rest.is_empty() && result == Ok(false) {
                let (piece, tail) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
                src.extend_from_slice(piece);
                rest = tail;
                result = decoder.decode(&mut src, &mut out, usize::MAX);
            }
            src.extend_from_slice(rest);
            match (result, whole) {
                (Ok(done), Ok(whole)) => prop_assert_eq!((done, out.to_vec(), src.to_vec()), whole),
                (result, whole) => prop_assert_eq!(result.is_err(), whole.is_err()),
            }
        }
    }
}
