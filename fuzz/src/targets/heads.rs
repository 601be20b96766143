//! Request heads.

use bytes::Bytes;

use crate::{
    http::{Framing, HeadReader, HeadStep, Request, Scheme},
    input::Dice,
};

/// The head reader, as a connection uses it: heads without a body, one behind the other.
///
/// * Split-independence: the same bytes in other pieces give the same heads, refusals and ends.
/// * Progress: every head consumes something, and never more than there is.
/// * What a head says of itself are bytes of the input: the request line stands where it was read.
/// * Smuggling: a request with both `Content-Length` and `Transfer-Encoding` has no framing.
/// * A head makes a request, or an error with a status.
pub fn head(data: &[u8]) {
    let (mut dice, text) = Dice::split(data);
    let whole = read(&[text]);
    let pieces = read(&dice.pieces(text));
    assert_eq!(whole, pieces, "other pieces, another result");
    for step in whole {
        if let HeadStep::Head { head, .. } = step {
            let has = |name| head.headers.get(name).is_some();
            if has("Content-Length") && has("Transfer-Encoding") {
                assert!(head.framing.is_err(), "two readers could find different ends: {head:?}");
            }
            if head.framing == Ok(Framing::Chunked) {
                assert!(head.version.as_ref() >= b"HTTP/1.1".as_ref(), "{head:?}");
            }
            match Request::new(head, Scheme::Http, "web-platform.test".into(), 8000, ("127.0.0.1".into(), 1)) {
                Ok(request) => drop(request.url_parts.hostname()),
                Err(error) => assert!(matches!(error.status(), 400 | 501), "{error}"),
            }
        }
    }
}

/// The second may change between two answers.
fn without_date(answer: &Bytes) -> Bytes {
    let lines = answer.split_inclusive(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"Date: "));
    lines.collect::<Vec<_>>().concat().into()
}

/// All steps of a connection that gets these pieces and is closed then.
fn read(pieces: &[&[u8]]) -> Vec<HeadStep> {
    let mut reader = HeadReader::default();
    let mut buffer = Vec::new();
    let mut steps = Vec::new();
    let last = pieces.len();
    for at in 0..=last {
        buffer.extend_from_slice(pieces.get(at).copied().unwrap_or_default());
        loop {
            let step = reader.step(&buffer, at == last);
            match &step {
                HeadStep::More => break,
                HeadStep::Head { head, consumed } => {
                    assert!(*consumed > 0 && *consumed <= buffer.len());
                    assert!(buffer.starts_with(&head.request_line));
                    buffer.drain(..consumed);
                    steps.push(step);
                }
                HeadStep::Reject { consumed, answer, close } => {
                    assert!(*consumed <= buffer.len() && *close);
                    steps.push(HeadStep::Reject { answer: without_date(answer), close: *close, consumed: *consumed });
                    return steps;
                }
                HeadStep::Close => {
                    steps.push(step);
                    return steps;
                }
            }
        }
    }
    panic!("a reader at the end of the input wants more: {steps:?}")
}
