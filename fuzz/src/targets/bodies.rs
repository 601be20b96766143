//! Request bodies: chunks and forms.

use std::{collections::VecDeque, io, sync::Arc};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;

use crate::{
    http::{
        ChunkError, ChunkedDecoder, Headers,
        body::{
            BodyReader, BodySource,
            form::{self, Content, FormError, FormPart, Parameters},
        },
    },
    input::{Cursor, Dice},
};

/// The chunk decoder.
///
/// * Split-independence: other pieces and less room give the same bytes, and the same end or error.
/// * Errors are sticky: after one nothing but the same one comes.
/// * Bounded: no more comes out than went in.
/// * decode∘encode: what is written in chunks is read as it was, and what follows is left alone.
pub fn chunks(data: &[u8]) {
    let (mut dice, text) = Dice::split(data);
    let whole = decode(&[text], usize::MAX);
    let room = [usize::MAX, 1, 7, 4096][dice.roll(4)];
    let pieces = decode(&dice.pieces(text), room);
    assert_eq!(whole, pieces, "other pieces, another result");
    assert!(whole.0.len() <= text.len());

    let mut wire = Vec::new();
    for piece in dice.pieces(text) {
        let extension = ["", ";a", ";a=b", ";a=\"b c\""][dice.roll(4)];
        wire.extend_from_slice(format!("{:x}{extension}\r\n", piece.len()).as_bytes());
        wire.extend_from_slice(piece);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"0\r\nA: b\r\n\r\nnext");
    let (out, end) = decode(&dice.pieces(&wire), room);
    assert_eq!((out.as_slice(), end), (text, Ok(Some(b"next".to_vec()))));
}

/// The bytes of the body, and what is left behind its end; `None` if it has none.
fn decode(pieces: &[&[u8]], room: usize) -> (Vec<u8>, Result<Option<Vec<u8>>, ChunkError>) {
    let (mut decoder, mut source, mut out) = (ChunkedDecoder::default(), BytesMut::new(), BytesMut::new());
    for piece in pieces {
        source.extend_from_slice(piece);
        loop {
            let before = (source.len(), out.len());
            match decoder.decode(&mut source, &mut out, room) {
                Ok(_) if (source.len(), out.len()) == before => break,
                Ok(_) => assert!(out.len() - before.1 <= room),
                Err(error) => {
                    let length = out.len();
                    source.extend_from_slice(b"0\r\n\r\n");
                    assert_eq!(
                        decoder.decode(&mut source, &mut out, room),
                        Err(error.clone()),
                        "an error is forgotten"
                    );
                    assert_eq!((decoder.end(), out.len()), (Err(error.clone()), length));
                    return (out.to_vec(), Err(error));
                }
            }
        }
    }
    assert_eq!(decoder.is_done(), decoder.end().is_ok());
    (out.to_vec(), Ok(decoder.is_done().then(|| source.to_vec())))
}

/// A form: the first line is the `Content-Type`, empty for none; the rest is the body, whose length is announced or not.
///
/// * Split-independence: a body that comes in other pieces is the same form.
/// * Bounded: parts hold no more than the body, all together.
/// * `parse_header` keeps what has no quotes and no semicolons.
pub fn form(data: &[u8]) {
    let (mut dice, text) = Dice::split(data);
    let at = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let (kind, body) = (&text[..at], text.get(at + 1..).unwrap_or_default());
    let parameters = Parameters::parse(&crate::http::text::latin1(kind));
    if !kind.contains(&b';') {
        assert!(parameters.options.is_empty());
    }
    let length = match dice.roll(4) {
        0 => None,
        1 => Some(body.len() / 2),
        2 => Some(body.len() + 1),
        _ => Some(body.len()),
    };
    let mut fields = Vec::new();
    if !kind.is_empty() {
        fields.push((Bytes::from_static(b"Content-Type"), Bytes::copy_from_slice(kind)));
    }
    if let Some(length) = length {
        fields.push((Bytes::from_static(b"Content-Length"), Bytes::from(length.to_string())));
    }
    let headers: Headers = fields.into_iter().collect();
    let method = ["POST", "PUT", "GET", "post"][dice.roll(4)];
    let whole = read(&[body], length, &headers, method);
    let pieces = read(&dice.pieces(body), length, &headers, method);
    assert_eq!(whole, pieces, "other pieces, another form");
}

#[derive(Debug)]
struct Pieces(Mutex<VecDeque<Bytes>>);

impl BodySource for Pieces {
    fn read(&self, max: usize) -> io::Result<Bytes> {
        let mut pieces = self.0.lock();
        let Some(mut piece) = pieces.pop_front() else { return Ok(Bytes::new()) };
        let taken = piece.split_to(max.min(piece.len()));
        if !piece.is_empty() {
            pieces.push_front(piece);
        }
        Ok(taken)
    }
}

fn read(pieces: &[&[u8]], length: Option<usize>, headers: &Headers, method: &str) -> String {
    let pieces = pieces.iter().map(|piece| Bytes::copy_from_slice(piece)).collect();
    let mut body = BodyReader::new(Arc::new(Pieces(Mutex::new(pieces))), length.map(|length| length as u64));
    let total = length.unwrap_or(usize::MAX);
    match form::parse(&mut body, headers, method) {
        Ok(None) => "none".to_owned(),
        Ok(Some(content)) => {
            let mut held = 0;
            let shown = shown(&content, &mut held);
            assert!(held <= total as u64, "the parts hold {held} of {total} bytes");
            shown
        }
        Err(error) => format!("{error:?}"),
    }
}

fn shown(content: &Content, held: &mut u64) -> String {
    let part = |part: &FormPart, held: &mut u64| {
        format!("({:?} {:?} {} {})", part.headers, part.disposition, part.done, shown(&part.content, held))
    };
    match content {
        Content::Bytes(spill) => {
            *held += spill.len();
            format!("{:?}", Bytes::from(spill.read(0, u64::MAX).unwrap()))
        }
        Content::Fields(fields) => {
            *held += fields.iter().map(|(name, value)| (name.len() + value.len()) as u64).sum::<u64>();
            format!("{fields:?}")
        }
        Content::Parts(parts) => parts.iter().map(|it| part(it, held)).collect(),
    }
}
