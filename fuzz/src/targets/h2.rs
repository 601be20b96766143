//! A connection of HTTP/2: what clients send, and what handlers do meanwhile.

use std::{
    collections::VecDeque,
    sync::LazyLock,
    time::{Duration, Instant},
};

use bytes::{Buf as _, Bytes, BytesMut};

use super::Target;
use crate::{
    http::h2::{Backlog, Connection, Decoder, ErrorCode, Event, Field, Progress, RawKind},
    input::{Cursor, Dice},
    meter::Bounds,
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PUSH_PROMISE: u8 = 5;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// Work and memory grow with the number of header blocks: a short one may stand for fields of 64 KiB.
pub const TARGET: Target = Target {
    name: "h2",
    bounds: Bounds { work: 10_000_000, work_per_byte: 50_000, memory: 1 << 20, memory_per_byte: 10_000 },
    run: session,
};

/// Time does not pass: budgets are for the input as a whole.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What happens on a connection.
#[derive(Debug)]
enum Act<'a> {
    /// The client sends these bytes.
    Come(Vec<u8>),
    /// A handler, or the server, does something with a stream.
    Do(u8, u32, &'a [u8]),
}

/// A session: an act is a byte that says what happens, and what it takes. Most are frames with a length that is right.
///
/// * Split-independence: what the client sends in other pieces has the same events, and the same bytes are sent.
/// * Errors are sticky: when the connection is over, nothing more is read, and nothing more happens.
/// * Bounded: each frame of the client has at most one answer for its stream and one for the connection, and at most one event.
/// * What is sent are whole frames in the client's limits, and header blocks that the client can decode, with the fields that
///   were given: unless a handler sends raw frames.
/// * No content is sent that the windows have no room for.
fn session(data: &[u8]) {
    let (mut dice, text) = Dice::split(data);
    let acts = acts(text);
    let whole = play(&acts, None);
    let pieces = play(&acts, Some(&mut dice));
    assert_eq!(whole, pieces, "other pieces, another session");
}

fn acts(text: &[u8]) -> Vec<Act<'_>> {
    let mut cursor = Cursor(text);
    // One in a few begins without the preface.
    let mut acts = if text.first() == Some(&0xff) { Vec::new() } else { vec![Act::Come(PREFACE.to_vec())] };
    while !cursor.is_empty() {
        match cursor.byte() {
            // A frame: kind, flags, stream, payload.
            kind @ 0..=0x0f => {
                let (flags, stream) = (cursor.byte(), cursor.byte());
                let payload = cursor.text();
                let mut frame = vec![0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream];
                frame.extend_from_slice(payload);
                acts.push(Act::Come(frame));
            }
            // A header block of a request that is in order, and whatever follows.
            0x10..=0x1f => {
                let (flags, stream) = (cursor.byte(), cursor.byte());
                let mut payload = vec![0x82, 0x87, 0x84, 0x01, 1, b'a'];
                payload.extend_from_slice(cursor.text());
                let mut frame = vec![0, 0, payload.len() as u8, HEADERS, flags & 5, 0, 0, 0, stream];
                frame.extend_from_slice(&payload);
                acts.push(Act::Come(frame));
            }
            // Content as long as a frame can be.
            0x20..=0x27 => {
                let (flags, stream) = (cursor.byte(), cursor.byte());
                let mut frame = vec![0, 0x40, 0, DATA, flags & 1, 0, 0, 0, stream];
                frame.extend_from_slice(&[b'x'; 0x4000]);
                acts.push(Act::Come(frame));
            }
            // Bytes as they are.
            0x28..=0x2f => acts.push(Act::Come(cursor.text().to_vec())),
            code => acts.push(Act::Do(code, cursor.byte().into(), cursor.text())),
        }
    }
    acts
}

/// Events and everything that is sent, as text that can be compared.
fn play(acts: &[Act<'_>], mut dice: Option<&mut Dice>) -> (Vec<Event>, Vec<String>, Vec<u8>) {
    let mut connection = Connection::new(*START, &crate::http::bounds::Bounds::default());
    let mut input = BytesMut::new();
    let (mut events, mut backlog) = (VecDeque::new(), Backlog::default());
    let (mut all_events, mut results) = (Vec::new(), Vec::new());
    let mut client = Client::default();
    let mut sent = Vec::new();
    for act in acts {
        match act {
            Act::Come(bytes) => {
                let pieces = match dice.as_deref_mut() {
                    Some(dice) => dice.pieces(bytes),
                    None => vec![&bytes[..]],
                };
                let (was_over, before) = (connection.is_over(), (connection.pending(), events.len()));
                let most = input.len() + bytes.len();
                for piece in pieces {
                    input.extend_from_slice(piece);
                    connection.receive(&mut input, *START, &mut events);
                }
                let came = (connection.pending() - before.0, events.len() - before.1);
                // The shortest frame has 9 bytes; two answers have 13 each, and a GOAWAY comes once.
                assert!(came.0 <= most / 9 * 30 + 200 && came.1 <= most / 9 + 1, "{most} bytes have {came:?}");
                if was_over {
                    assert_eq!(came, (0, 0), "something happens behind the end");
                }
                if connection.is_over() {
                    assert!(input.is_empty(), "bytes that will not be read are kept");
                }
            }
            Act::Do(code, stream, text) => results.extend(act_on(&mut connection, *code, *stream, text, &mut client)),
        }
        for event in events.drain(..) {
            backlog.push(event.clone());
            all_events.push(event);
        }
        let output = connection.output().split();
        sent.extend_from_slice(&output);
        client.read(&output);
    }
    let mut waiting = 0;
    while backlog.pop().is_some() {
        waiting += 1;
    }
    assert!(waiting <= all_events.len());
    (all_events, results, sent)
}

/// What one of the server's threads does. Only what comes of it is compared.
fn act_on(connection: &mut Connection, code: u8, stream: u32, text: &[u8], client: &mut Client) -> Option<String> {
    let mut cursor = Cursor(text);
    let end = code & 0x80 != 0;
    let fields = |cursor: &mut Cursor<'_>| -> Vec<Field> {
        let mut fields = Vec::new();
        if code & 0x40 != 0 {
            fields.push((Bytes::from_static(b":status"), Bytes::from_static(b"200")));
        }
        while !cursor.is_empty() {
            fields.push((cursor.text().to_vec().into(), cursor.text().to_vec().into()));
        }
        fields
    };
    let result = match code & 0x0f {
        0 | 1 => format!("{:?}", connection.headers(stream, &fields(&mut cursor), end)),
        2 | 3 => {
            let mut content = Bytes::copy_from_slice(text);
            let window = connection.window(stream);
            let result = connection.content(stream, &mut content, end);
            let count = (text.len() - content.len()) as i64;
            assert!(
                count == 0 || window.clone().is_ok_and(|window| count <= window),
                "{count} bytes exceed {window:?}"
            );
            format!("{result:?} {}", content.len())
        }
        4 => {
            let window = connection.window(stream);
            let result = connection.frame(stream, text, end);
            let is_sent = matches!(result, Ok(Some(())));
            assert!(!is_sent || text.is_empty() || window.is_ok_and(|window| text.len() as i64 <= window));
            format!("{result:?}")
        }
        5 => format!("{:?}", connection.end(stream)),
        6 => {
            let promised = (cursor.byte() > 127).then(|| u32::from(cursor.byte()));
            format!("{:?}", connection.push(stream, promised, &fields(&mut cursor)))
        }
        7 => {
            client.is_raw = true;
            let kind = match cursor.byte() % 4 {
                0 => RawKind::Headers(fields(&mut cursor)),
                1 => RawKind::Continuation(fields(&mut cursor)),
                2 => RawKind::Data(Bytes::copy_from_slice(cursor.0)),
                _ => RawKind::Bytes(Bytes::copy_from_slice(cursor.0)),
            };
            format!("{:?}", connection.raw(stream, &kind, end, code & 0x40 != 0))
        }
        8 => {
            connection.used(stream, u32::from(cursor.byte()) << 8);
            return None;
        }
        9 => {
            connection.drain(stream);
            return None;
        }
        10 => {
            connection.settle(stream);
            return None;
        }
        11 => {
            connection.release(stream);
            assert_eq!(connection.progress(stream), Progress::Gone);
            return None;
        }
        12 => {
            connection.reset(stream, ErrorCode(u32::from(cursor.byte())));
            return None;
        }
        13 => format!("{:?} {:?}", connection.room(stream), connection.window(stream)),
        14 => format!("{:?} {} {}", connection.progress(stream), connection.is_done(), connection.is_over()),
        _ if text.is_empty() => {
            connection.close();
            return None;
        }
        _ => return None,
    };
    Some(result)
}

/// A client that reads what is sent to it.
#[derive(Debug, Default)]
struct Client {
    decoder: Decoder,
    block: Option<Vec<u8>>,
    rest: Vec<u8>,
    /// A handler has sent raw frames: nothing is known about what comes.
    is_raw: bool,
}

impl Client {
    fn read(&mut self, output: &[u8]) {
        if self.is_raw {
            return;
        }
        self.rest.extend_from_slice(output);
        let rest = std::mem::take(&mut self.rest);
        let mut rest = &rest[..];
        while !rest.is_empty() {
            let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
            let (head, behind) = rest.split_at(9);
            let (mut payload, behind) = behind.split_at(length);
            rest = behind;
            // No client has asked for more: a payload of SETTINGS is at most a byte long here, 255 bytes.
            assert!(length < 1 << 24);
            let (kind, flags) = (head[3], head[4]);
            assert!(self.block.is_none() || kind == CONTINUATION, "a header block is interrupted");
            if kind == PUSH_PROMISE {
                payload.advance(4);
            }
            if matches!(kind, HEADERS | PUSH_PROMISE | CONTINUATION) {
                let mut block = self.block.take().unwrap_or_default();
                block.extend_from_slice(payload);
                if flags & END_HEADERS == 0 {
                    self.block = Some(block);
                } else {
                    self.decoder.decode(&block, usize::MAX).expect("a header block that can be decoded");
                }
            }
        }
    }
}
