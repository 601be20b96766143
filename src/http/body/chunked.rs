//! The decoder for request bodies that come in chunks.
//!
//! The decoder is as strict as RFC 9112, section 7.1, allows, and stricter where lenient readers have been misled: a reader that finds
//! the end of a chunk at another place than the sender takes a part of the body for the next request. So only CR LF ends a line, a size
//! has only hexadecimal digits, an extension has no blanks and no quoted pair. After an error every later call fails as well.

use bytes::{Buf as _, Bytes, BytesMut};

use crate::http::text::{latin1, repr};

/// The longest line with a chunk size, extensions included.
const MAX_SIZE_LINE: usize = 8192;
/// The most digits of a size, enough for 64 bits.
const MAX_DIGITS: usize = 16;
/// The most bytes of trailer fields.
const MAX_TRAILERS: usize = 65536;
/// The most bytes of a bad line in a message.
const SHOWN: usize = 80;

/// Why a chunked body cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// The line that should hold a size is malformed.
    #[error("the chunked request body has {} where a chunk size is expected: send 1 to {MAX_DIGITS} hexadecimal digits, extensions without blanks or quoted pairs, and CR LF", repr(&latin1(.0)))]
    Size(Bytes),
    /// The line with the size does not end.
    #[error(
        "the chunked request body has a chunk size line of more than {MAX_SIZE_LINE} bytes: send shorter chunk extensions"
    )]
    LongLine,
    /// The data of a chunk does not end at its announced size.
    #[error("a chunk of the request body is longer than its announced size: end its data with CR LF")]
    Overrun,
    /// A line behind the last chunk is not a trailer field.
    #[error("the chunked request body has {} where a trailer field or the end is expected: send a name, a colon, a value and CR LF, or CR LF alone", repr(&latin1(.0)))]
    Trailer(Bytes),
    /// The trailer fields do not end.
    #[error("the chunked request body has more than {MAX_TRAILERS} bytes of trailer fields: send fewer")]
    LongTrailers,
    /// The client has closed its side before the last chunk.
    #[error("the chunked request body has no end: send a chunk of size 0 before closing")]
    CutOff,
}

/// Decodes a chunked body piece by piece. Extensions and trailer fields are checked and skipped.
#[derive(Debug, Default)]
pub struct ChunkedDecoder {
    state: State,
    /// The part of the current line, in bytes, that has been searched for its end.
    scanned: usize,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Size,
    Data(u64),
    /// The line end that follows the data.
    DataEnd,
    /// Trailer fields, of which this many bytes have been skipped.
    Trailers(usize),
    Done,
    /// An error has occurred; the following bytes have no meaning.
    Failed(ChunkError),
}

impl ChunkedDecoder {
    /// Moves body bytes from `src` to `out`, at most `max` of them in this call. `true` says that the body is complete: the rest of
    /// `src` belongs to the next request. `false` asks for another call with more input, or with more room.
    ///
    /// # Errors
    /// The body is malformed. Every later call returns the same error.
    pub fn decode(&mut self, src: &mut BytesMut, out: &mut BytesMut, max: usize) -> Result<bool, ChunkError> {
        let mut room = max;
        loop {
            match self.step(src, out, &mut room) {
                Ok(Some(state)) => self.state = state,
                Ok(None) => return Ok(matches!(self.state, State::Done)),
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    /// Call this when no more input will come.
    ///
    /// # Errors
    /// The body is not complete.
    pub fn end(&mut self) -> Result<(), ChunkError> {
        match &self.state {
            State::Done => Ok(()),
            State::Failed(error) => Err(error.clone()),
            _ => Err(self.fail(ChunkError::CutOff)),
        }
    }

    /// Whether the body is complete.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    fn fail(&mut self, error: ChunkError) -> ChunkError {
        self.state = State::Failed(error.clone());
        error
    }

    /// The next state; `None` if more input is needed.
    fn step(&mut self, src: &mut BytesMut, out: &mut BytesMut, room: &mut usize) -> Result<Option<State>, ChunkError> {
        let next = match &self.state {
            State::Size => {
                let Some(line) = self.line(src, MAX_SIZE_LINE).map_err(|()| ChunkError::LongLine)? else {
                    return Ok(None);
                };
                match size(&line).ok_or_else(|| ChunkError::Size(shown(&line)))? {
                    0 => State::Trailers(0),
                    size => State::Data(size),
                }
            }
            State::Data(left) => {
                let left = *left;
                let count = src.len().min(*room).min(usize::try_from(left).unwrap_or(usize::MAX));
                if count == 0 {
                    return Ok(None);
                }
                out.extend_from_slice(&src.split_to(count));
                *room -= count;
                match left - count as u64 {
                    0 => State::DataEnd,
                    left => State::Data(left),
                }
            }
            State::DataEnd => match src.as_ref() {
                [b'\r', b'\n', ..] => {
                    src.advance(2);
                    State::Size
                }
                [] | [b'\r'] => return Ok(None),
                _ => return Err(ChunkError::Overrun),
            },
            State::Trailers(skipped) => {
                let skipped = *skipped;
                let left = MAX_TRAILERS.saturating_sub(skipped);
                let Some(line) = self.line(src, left).map_err(|()| ChunkError::LongTrailers)? else {
                    return Ok(None);
                };
                match &line[..] {
                    b"\r\n" => State::Done,
                    field if is_field(field) => State::Trailers(skipped + field.len()),
                    other => return Err(ChunkError::Trailer(shown(other))),
                }
            }
            State::Done => return Ok(None),
            State::Failed(error) => return Err(error.clone()),
        };
        Ok(Some(next))
    }

    /// Takes a line with its end off `src`. The error means that the line is longer than `limit`.
    fn line(&mut self, src: &mut BytesMut, limit: usize) -> Result<Option<BytesMut>, ()> {
        let line = match memchr::memchr(b'\n', src.get(self.scanned..).unwrap_or_default()) {
            Some(at) => src.split_to(self.scanned + at + 1),
            None if src.len() > limit => return Err(()),
            None => {
                self.scanned = src.len();
                return Ok(None);
            }
        };
        self.scanned = 0;
        if line.len() > limit { Err(()) } else { Ok(Some(line)) }
    }
}

fn shown(line: &[u8]) -> Bytes {
    Bytes::copy_from_slice(line.get(..SHOWN).unwrap_or(line))
}

/// RFC 9110, section 5.6.2.
fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// The size in a line of a chunk.
fn size(line: &[u8]) -> Option<u64> {
    let mut parts = line.strip_suffix(b"\r\n")?.split(|byte| *byte == b';');
    let digits = parts.next().filter(|digits| (1..=MAX_DIGITS).contains(&digits.len()))?;
    let add = |size: u64, digit: &u8| Some(size * 16 + u64::from(char::from(*digit).to_digit(16)?));
    let size = digits.iter().try_fold(0, add)?;
    parts.all(is_extension).then_some(size)
}

/// `name`, `name=token` or `name="text"`, where the text has no quotes, semicolons and backslashes.
fn is_extension(extension: &[u8]) -> bool {
    let Some(at) = memchr::memchr(b'=', extension) else { return is_token(extension) };
    let (name, value) = (extension.get(..at).unwrap_or_default(), extension.get(at + 1..).unwrap_or_default());
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    is_token(name)
        && match value {
            [b'"', text @ .., b'"'] => text.iter().all(is_plain),
            token => is_token(token),
        }
}

/// Whether the line is a field, and not a folded one.
fn is_field(line: &[u8]) -> bool {
    let Some(text) = line.strip_suffix(b"\r\n") else { return false };
    let Some(colon) = memchr::memchr(b':', text) else { return false };
    let (name, value) = text.split_at(colon);
    is_token(name) && value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(input: &[u8]) -> Result<(bool, Vec<u8>, Vec<u8>), ChunkError> {
        let (mut src, mut out) = (BytesMut::from(input), BytesMut::new());
        let done = ChunkedDecoder::default().decode(&mut src, &mut out, usize::MAX)?;
        Ok((done, out.to_vec(), src.to_vec()))
    }

    #[test]
    fn chunks_are_joined() {
        for input in [
            "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nNEXT",
            "0000000000000003\r\nabc\r\n2\r\nde\r\n000\r\n\r\nNEXT",
            "003;x=y\r\nabc\r\n2;q;r=\"a b\"\r\nde\r\n0;z\r\nTrailer: 1\r\nTwo:\t2 \r\n\r\nNEXT",
        ] {
            assert_eq!(decode(input.as_bytes()).unwrap(), (true, b"abcde".to_vec(), b"NEXT".to_vec()), "{input}");
        }
        assert_eq!(decode(b"a\r\nabc").unwrap(), (false, b"abc".to_vec(), Vec::new()));
    }

    #[test]
    fn whatever_two_readers_could_read_differently_is_refused() {
        for line in [
            "x",
            "",
            "-1",
            "+1",
            "0x1",
            " 1",
            "1 ",
            "1\t",
            "1_0",
            "1.0",
            "\u{661}",
            "1;",
            "1;;a",
            "1; a",
            "1 ;a",
            "1;a =b",
            "1;a= b",
            "1;a=",
            "1;=b",
            "1;a=b=c",
            "1;a=\"",
            "1;a=\"b",
            "1;a=\"\\\"\"",
            "1;a=\"b;c\"",
            "1;a=\"b\rc\"",
            "1;a=b\rc",
            "1;a\0",
            "1\r",
            "00000000000000001",
            "10000000000000000",
        ] {
            let result = decode(format!("{line}\r\n").as_bytes());
            assert!(matches!(result, Err(ChunkError::Size(_))), "{line:?}: {result:?}");
        }
        // LF alone does not end a line.
        for input in ["3\nabc\r\n0\r\n\r\n", "3;a\nabc\r\n0\r\n\r\n", "3\r\nabc\r\n0\n\r\n", "1;a=\"\n\"\r\n"] {
            assert!(matches!(decode(input.as_bytes()), Err(ChunkError::Size(_))), "{input:?}");
        }
        for input in ["3\r\nabc\n0\r\n\r\n", "1\r\nab", "1\r\na\r0\r\n\r\n", "1\r\na\r\r\n"] {
            assert_eq!(decode(input.as_bytes()), Err(ChunkError::Overrun), "{input:?}");
        }
        for end in [
            "\n",
            "a: b\n\r\n",
            "a: b\r\n\n",
            "\r\r\n",
            "a\r\n",
            " a: b\r\n",
            "a : b\r\n",
            "a: b\r\n c\r\n",
            ": b\r\n",
            "a: b\rc\r\n",
            "a: \0\r\n",
        ] {
            let result = decode(format!("0\r\n{end}").as_bytes());
            assert!(matches!(result, Err(ChunkError::Trailer(_))), "{end:?}: {result:?}");
        }
        assert_eq!(decode(&[b'0'; 10_000]), Err(ChunkError::LongLine));
        let trailers = [b"0\r\n".as_ref(), &b"a: b\r\n".repeat(12_000)].concat();
        assert_eq!(decode(&trailers), Err(ChunkError::LongTrailers));
        assert!(decode(b"zz\r\n").unwrap_err().to_string().contains(r"has 'zz\r\n' where a chunk size"));
    }

    #[test]
    fn an_error_stays() {
        for (bad, error) in [
            ("zz\r\n", ChunkError::Size(Bytes::from_static(b"zz\r\n"))),
            ("1\r\nab", ChunkError::Overrun),
            ("0\r\nx\r\n", ChunkError::Trailer(Bytes::from_static(b"x\r\n"))),
        ] {
            let (mut src, mut out, mut decoder) = (BytesMut::from(bad), BytesMut::new(), ChunkedDecoder::default());
            assert_eq!(decoder.decode(&mut src, &mut out, 100), Err(error.clone()));
            for more in ["0\r\n\r\n", "\r\n", "1\r\na\r\n"] {
                src.extend_from_slice(more.as_bytes());
                assert_eq!(decoder.decode(&mut src, &mut out, 100), Err(error.clone()), "{bad:?} {more:?}");
                assert_eq!(decoder.end(), Err(error.clone()));
            }
            assert!(!decoder.is_done());
        }
    }

    #[test]
    fn the_end_of_the_input_is_no_end_of_the_body() {
        for (input, end) in [
            ("", Err(ChunkError::CutOff)),
            ("3\r\nabc", Err(ChunkError::CutOff)),
            ("3\r\nabc\r\n0\r\n", Err(ChunkError::CutOff)),
            ("3\r\nabc\r\n0\r\n\r\n", Ok(())),
        ] {
            let (mut src, mut out, mut decoder) = (BytesMut::from(input), BytesMut::new(), ChunkedDecoder::default());
            decoder.decode(&mut src, &mut out, 100).unwrap();
            assert_eq!(decoder.end(), end, "{input:?}");
            // Later input does not repair the error.
            src.extend_from_slice(b"0\r\n\r\n");
            assert_eq!(decoder.decode(&mut src, &mut out, 100), end.map(|()| true), "{input:?}");
        }
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
            input in prop_oneof![
                "[0-3a;\"\\\\=\r\n ]{0,40}",
                "(1\r\n.\r\n|2\n..\n|2;e=\"x\"\r\n..\r\n|3;e\r\n...\r\n){0,5}0\r\n(T: x\r\n)?\r\n.{0,3}",
            ],
            sizes in proptest::collection::vec(1usize..5, 1..60),
            room in 1usize..9,
        ) {
            let input = input.as_bytes();
            let whole = decode(input);
            let (mut src, mut out, mut decoder) = (BytesMut::new(), BytesMut::new(), ChunkedDecoder::default());
            let (mut rest, mut result, mut sizes) = (input, Ok(false), sizes.iter().cycle());
            while !rest.is_empty() && result == Ok(false) {
                let (piece, tail) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
                src.extend_from_slice(piece);
                rest = tail;
                loop {
                    let before = (src.len(), out.len());
                    result = decoder.decode(&mut src, &mut out, room);
                    if result != Ok(false) || before == (src.len(), out.len()) {
                        break;
                    }
                }
            }
            src.extend_from_slice(rest);
            match (&result, whole) {
                (Ok(done), Ok(whole)) => prop_assert_eq!((*done, out.to_vec(), src.to_vec()), whole),
                (result, whole) => prop_assert_eq!(result.as_ref().err(), whole.as_ref().err()),
            }
            if result.is_err() {
                src.extend_from_slice(b"\r\n0\r\n\r\n");
                prop_assert_eq!(decoder.decode(&mut src, &mut out, usize::MAX), result);
            }
        }
    }
}
