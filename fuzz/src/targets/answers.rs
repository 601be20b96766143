//! The head of an answer.

use bytes::{Bytes, BytesMut};

use crate::{
    http::{Body, Encoder, Headers, Reply},
    input::Cursor,
};

/// Header fields of a handler: a length and a name, a length and a value, and so on.
///
/// * The fields stand in the head in their order, byte for byte; `Server`, `Date` and `Content-Length` are there exactly once
///   more, unless the handler has set them.
/// * decode∘encode: a client reads the fields that are well-formed as they were written.
pub fn encoder(data: &[u8]) {
    let mut cursor = Cursor(data);
    let mut reply = Reply::new(200, Body::Bytes(Bytes::from_static(b"content")));
    reply.status = i64::from(cursor.byte()) * 4;
    let text = cursor.text();
    reply.reason = (!text.is_empty()).then(|| Bytes::copy_from_slice(text));
    while !cursor.is_empty() {
        reply.push(cursor.text().to_vec(), cursor.text().to_vec());
    }
    let (head, close) = Encoder::reply(&reply);
    assert!(!close, "the length is known");
    let mut rest = &head[..];
    let reason = reply.reason.as_deref();
    rest = rest.strip_prefix(format!("HTTP/1.1 {} ", reply.status).as_bytes()).unwrap();
    if let Some(reason) = reason {
        rest = rest.strip_prefix(reason).unwrap();
    } else {
        rest = &rest[memchr::memchr(b'\r', rest).unwrap()..];
    }
    rest = rest.strip_prefix(b"\r\n").unwrap();
    let block = Bytes::copy_from_slice(rest);
    for (name, value) in &reply.headers {
        for part in [&name[..], b": ", value, b"\r\n"] {
            rest = rest.strip_prefix(part).unwrap();
        }
    }
    for name in ["Server", "Date", "Content-Length"] {
        let is_set = reply.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
        if !is_set {
            rest = rest.strip_prefix(format!("{name}: ").as_bytes()).unwrap();
            rest = &rest[memchr::memmem::find(rest, b"\r\n").unwrap() + 2..];
        }
    }
    assert_eq!(rest, b"\r\n");

    let is_well_formed = |(name, value): &(Bytes, Bytes)| {
        !name.is_empty()
            && name.iter().all(|byte| matches!(byte, 0x21..=0x39 | 0x3b..=0x7e))
            && !value.iter().any(|byte| matches!(byte, b'\r' | b'\n'))
            && !matches!(value.first(), Some(b' ' | b'\t'))
    };
    if reply.headers.iter().all(is_well_formed) {
        let read = Headers::parse(&block);
        let fields: Vec<_> = read.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        assert_eq!(fields.get(..reply.headers.len()), Some(&reply.headers[..]));
    }
}
