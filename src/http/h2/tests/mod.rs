//! A connection from the outside: frames in, events and frames out.

mod bounds;

use std::{collections::VecDeque, time::Instant};

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use crate::http::bounds::Bounds;

use super::{
    Connection, ErrorCode, Event, Field, Progress, RawKind, SendError,
    connection::WINDOW,
    frame,
    hpack::{Decoder, Encoder},
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const END: u8 = frame::END_STREAM;
const WHOLE: u8 = frame::END_HEADERS;
const SETTINGS: u8 = 4;
const RESET: u8 = 3;
const GO_AWAY: u8 = 7;
const UPDATE: u8 = 8;

fn fields(text: &str) -> Vec<Field> {
    let pair = |line: &str| {
        let (name, value) = line.split_once('=').unwrap();
        (Bytes::from(name.to_owned()), Bytes::from(value.to_owned()))
    };
    text.split_whitespace().map(pair).collect()
}

fn get() -> Vec<Field> {
    fields(":method=GET :scheme=https :path=/ :authority=a")
}

/// A frame as it left: kind, flags, stream, payload.
type Sent = (u8, u8, u32, Vec<u8>);

struct Client {
    connection: Connection,
    now: Instant,
    encoder: Encoder,
    decoder: Decoder,
    input: BytesMut,
    events: VecDeque<Event>,
}

impl Client {
    /// A connection behind its greetings.
    fn new() -> Self {
        let mut client = Self::silent();
        client.input.extend_from_slice(PREFACE);
        client.send(SETTINGS, 0, 0, b"");
        client.send(SETTINGS, 1, 0, b"");
        client.sent();
        client
    }

    fn silent() -> Self {
        let now = Instant::now();
        Self {
            connection: Connection::new(now, &Bounds::default()),
            now,
            encoder: Encoder::default(),
            decoder: Decoder::default(),
            input: BytesMut::new(),
            events: VecDeque::new(),
        }
    }

    fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        frame::put(&mut self.input, kind, flags, stream, payload);
        self.connection.receive(&mut self.input, self.now, &mut self.events);
    }

    fn request(&mut self, stream: u32, fields: &[Field], flags: u8) {
        let block = self.encoder.encode(fields);
        self.send(frame::HEADERS, flags | WHOLE, stream, &block);
    }

    /// The frames that have been sent since the last call.
    fn sent(&mut self) -> Vec<Sent> {
        let mut wire = self.connection.output().split();
        let mut frames = Vec::new();
        while !wire.is_empty() {
            let length = usize::from(wire[0]) << 16 | usize::from(wire[1]) << 8 | usize::from(wire[2]);
            let rest = wire.split_off(9 + length);
            let stream = u32::from_be_bytes(wire[5..9].try_into().unwrap());
            frames.push((wire[3], wire[4], stream, wire[9..].to_vec()));
            wire = rest;
        }
        frames
    }

    fn kinds(&mut self) -> Vec<(u8, u8, u32)> {
        self.sent().into_iter().map(|(kind, flags, stream, _)| (kind, flags, stream)).collect()
    }

    #[track_caller]
    fn expect_reset(&mut self, stream: u32, code: ErrorCode) {
        let sent = self.sent();
        assert_eq!(sent.last(), Some(&(RESET, 0, stream, code.0.to_be_bytes().to_vec())), "{sent:?}");
        assert!(!self.connection.is_over());
    }

    #[track_caller]
    fn expect_end(&mut self, code: ErrorCode) {
        let sent = self.sent();
        let Some((GO_AWAY, 0, 0, payload)) = sent.last() else { panic!("{sent:?}") };
        assert_eq!(payload[4..8], code.0.to_be_bytes());
        assert!(self.connection.is_over() && self.connection.is_done());
    }
}

#[test]
fn the_greeting_is_that_of_wpt_serve() {
    let mut client = Client::silent();
    let settings = b"\0\x01\0\0\x10\0\0\x02\0\0\0\0\0\x04\0\0\xff\xff\0\x05\0\0\x40\0\0\x08\0\0\0\x01\0\x03\0\0\0\x64\0\x06\0\x01\0\0";
    assert_eq!(client.sent(), [(SETTINGS, 0, 0, settings.to_vec())]);
    client.input.extend_from_slice(&PREFACE[..10]);
    client.connection.receive(&mut client.input, client.now, &mut client.events);
    client.input.extend_from_slice(&PREFACE[10..]);
    client.send(SETTINGS, 0, 0, b"\0\x05\0\0\x50\0");
    assert_eq!(client.kinds(), [(SETTINGS, 1, 0)]);
}

#[test]
fn wrong_greetings() {
    let mut client = Client::silent();
    client.input.extend_from_slice(b"GET / HTTP/1.1\r\n");
    client.connection.receive(&mut client.input, client.now, &mut client.events);
    client.expect_end(ErrorCode::PROTOCOL_ERROR);
    let mut client = Client::silent();
    client.input.extend_from_slice(PREFACE);
    client.send(6, 0, 0, &[0; 8]);
    client.expect_end(ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn a_request_and_its_answer() {
    let mut client = Client::new();
    client.request(1, &get(), END);
    let request = Event::Request { stream: 1, fields: get(), priority: None, end: true };
    assert_eq!(client.events.pop_front(), Some(request));
    assert_eq!(client.connection.progress(1), Progress::Complete);
    let answer = fields(":status=200 Content-Type=text/plain connection=close");
    client.connection.headers(1, &answer, false).unwrap();
    let mut data = Bytes::from_static(b"content");
    client.connection.content(1, &mut data, true).unwrap().unwrap();
    client.connection.release(1);
    let sent = client.sent();
    assert_eq!(client.decoder.decode(&sent[0].3, 1000).unwrap(), fields(":status=200 content-type=text/plain"));
    assert_eq!(sent[1..], [(frame::DATA, END, 1, b"content".to_vec())]);
    assert_eq!(client.connection.end(1), Err(SendError::Closed(1)));
}

#[test]
fn bodies_trailers_and_their_lengths() {
    let mut client = Client::new();
    let mut post = get();
    post.extend(fields("content-length=3"));
    client.request(1, &post, 0);
    client.send(frame::DATA, 8, 1, b"\x01ab\0");
    let trailers = fields("x=y");
    client.send(frame::DATA, 0, 1, b"c");
    client.request(1, &trailers, END);
    client.events.pop_front();
    let data = |data: &'static [u8], flow| Event::Data { stream: 1, data: Bytes::from_static(data), flow, end: false };
    let expected = [data(b"ab", 4), data(b"c", 1), Event::Trailers { stream: 1, fields: trailers, priority: None }];
    assert_eq!(client.events, expected);
    for (stream, length, body, flags) in [(3, "2", "abc", 0), (5, "3", "ab", END)] {
        let mut post = get();
        post.push((Bytes::from_static(b"content-length"), Bytes::from(length)));
        client.request(stream, &post, 0);
        client.send(frame::DATA, flags, stream, body.as_bytes());
        client.expect_reset(stream, ErrorCode::PROTOCOL_ERROR);
    }
    let mut post = get();
    post.extend(fields("content-length=3"));
    client.request(7, &post, END);
    client.expect_reset(7, ErrorCode::PROTOCOL_ERROR);
    client.request(9, &get(), 0);
    client.request(9, &fields("x=y"), 0);
    client.expect_reset(9, ErrorCode::PROTOCOL_ERROR);
}

#[test]
fn what_comes_when_it_must_not() {
    let wrong = |play: &dyn Fn(&mut Client), code: ErrorCode| {
        let mut client = Client::new();
        play(&mut client);
        client.expect_end(code);
    };
    let (protocol, closed) = (ErrorCode::PROTOCOL_ERROR, ErrorCode::STREAM_CLOSED);
    wrong(&|client| client.send(frame::DATA, 0, 1, b"x"), protocol);
    wrong(&|client| client.send(RESET, 0, 1, &[0; 4]), protocol);
    wrong(&|client| client.send(UPDATE, 0, 1, &[0, 0, 0, 1]), protocol);
    wrong(&|client| client.send(frame::CONTINUATION, WHOLE, 1, b""), protocol);
    wrong(&|client| client.request(2, &get(), END), protocol);
    wrong(&|client| client.send(frame::PUSH_PROMISE, WHOLE, 1, &[0; 4]), protocol);
    wrong(&|client| client.send(UPDATE, 0, 0, &[0; 4]), protocol);
    wrong(&|client| client.send(UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]), ErrorCode::FLOW_CONTROL_ERROR);
    wrong(&|client| client.send(SETTINGS, 0, 0, b"\0\x02\0\0\0\x02"), protocol);
    wrong(&|client| client.send(SETTINGS, 0, 0, b"\0\x04\xff\0\0\0"), ErrorCode::FLOW_CONTROL_ERROR);
    wrong(&|client| client.send(SETTINGS, 0, 0, b"\0\x05\0\0\0\x01"), protocol);
    wrong(&|client| client.send(frame::HEADERS, WHOLE | END, 1, b"\xff\xff\xff\xff\xff"), ErrorCode::COMPRESSION_ERROR);
    wrong(
        &|client| {
            client.request(5, &get(), END);
            client.request(3, &get(), END);
        },
        protocol,
    );
    wrong(
        &|client| {
            client.send(frame::HEADERS, 0, 1, b"");
            client.send(6, 0, 0, &[0; 8]);
        },
        protocol,
    );
    wrong(
        &|client| {
            client.request(1, &get(), END);
            client.connection.headers(1, &fields(":status=200"), true).unwrap();
            client.connection.release(1);
            client.request(1, &get(), END);
        },
        closed,
    );
    let resets = |play: &dyn Fn(&mut Client), code: ErrorCode| {
        let mut client = Client::new();
        play(&mut client);
        client.expect_reset(1, code);
    };
    resets(
        &|client| {
            client.request(1, &get(), END);
            client.send(frame::DATA, 0, 1, b"x");
        },
        closed,
    );
    resets(
        &|client| {
            client.request(1, &get(), END);
            client.request(1, &fields("x=y"), END);
        },
        closed,
    );
    resets(
        &|client| {
            client.request(1, &get(), 0);
            client.send(UPDATE, 0, 1, &[0; 4]);
        },
        protocol,
    );
    resets(
        &|client| {
            client.request(1, &get(), 0);
            client.send(UPDATE, 0, 1, &[0x7f, 0xff, 0xff, 0xff]);
        },
        ErrorCode::FLOW_CONTROL_ERROR,
    );
    resets(&|client| client.request(1, &fields("x=y"), END), protocol);
    resets(&|client| client.send(2, 0, 1, &[0, 0, 0, 1, 0]), protocol);
}

#[test]
fn what_was_on_its_way_is_no_fault() {
    let mut client = Client::new();
    client.request(1, &get(), 0);
    client.connection.reset(1, ErrorCode::NO_ERROR);
    client.connection.release(1);
    client.sent();
    client.send(frame::DATA, 0, 1, b"late");
    client.send(UPDATE, 0, 1, &[0, 0, 0, 1]);
    client.request(1, &fields("x=y"), END);
    client.send(RESET, 0, 1, &[0; 4]);
    assert_eq!(client.kinds(), []);
    client.request(3, &get(), END);
    assert!(matches!(client.events.pop_back(), Some(Event::Request { stream: 3, .. })));
}

#[test]
fn resets_reach_the_handler() {
    let mut client = Client::new();
    client.request(1, &get(), 0);
    client.send(RESET, 0, 1, &[0, 0, 0, 8]);
    let reset = Event::Reset { stream: 1, code: ErrorCode(8), remote: true };
    assert_eq!(client.events.pop_back(), Some(reset));
    assert_eq!(client.connection.headers(1, &fields(":status=200"), false), Err(SendError::Closed(1)));
    client.connection.release(1);
    assert_eq!(client.kinds(), []);
}

#[test]
fn a_raw_block_is_not_interrupted() {
    let mut client = Client::new();
    client.request(1, &get(), END);
    client.request(3, &get(), END);
    client.sent();
    let connection = &mut client.connection;
    let raw = |text| RawKind::Headers(fields(text));
    connection.raw(1, &raw(":status=103"), false, true).unwrap();
    connection.raw(1, &raw(":status=200 X=Y"), false, false).unwrap();
    connection.headers(3, &fields(":status=200 a=b"), true).unwrap();
    connection.raw(1, &RawKind::Continuation(fields("z=1")), false, true).unwrap();
    connection.release(3);
    connection.release(1);
    let sent = client.sent();
    let kinds: Vec<_> = sent.iter().map(|(kind, flags, stream, _)| (*kind, *flags, *stream)).collect();
    let (headers, more) = (frame::HEADERS, frame::CONTINUATION);
    let expected =
        [(headers, WHOLE, 1), (headers, 0, 1), (more, WHOLE, 1), (headers, WHOLE | END, 3), (frame::DATA, END, 1)];
    assert_eq!(kinds, expected);
    let mut decode = |block: &[u8]| client.decoder.decode(block, 1000).unwrap();
    assert_eq!(decode(&sent[0].3), fields(":status=103"));
    assert_eq!(decode(&[&sent[1].3[..], &sent[2].3].concat()), fields(":status=200 X=Y z=1"));
    assert_eq!(decode(&sent[3].3), fields(":status=200 a=b"));
}

#[test]
fn long_blocks_are_continued_and_pushes_are_promised() {
    let mut client = Client::new();
    client.request(1, &get(), END);
    client.sent();
    let mut long = fields(":status=200");
    let noise: Vec<u8> = (0..40_000u32).map(|at| b'!' + (at * at % 90) as u8).collect();
    long.push((Bytes::from_static(b"x"), Bytes::from(noise)));
    client.connection.headers(1, &long, true).unwrap();
    let sent = client.sent();
    assert_eq!((sent[0].1, sent.last().unwrap().1), (END, WHOLE));
    let block: Vec<u8> = sent.iter().flat_map(|(_, _, _, payload)| payload.clone()).collect();
    assert_eq!(client.decoder.decode(&block, 100_000).unwrap(), long);

    client.request(3, &get(), END);
    assert_eq!(client.connection.push(3, None, &get()), Ok(2));
    assert_eq!(client.connection.push(3, Some(2), &get()), Err(SendError::TooLow(2, 2)));
    client.connection.headers(2, &fields(":status=204"), true).unwrap();
    client.connection.release(2);
    assert_eq!(client.kinds(), [(frame::PUSH_PROMISE, WHOLE, 3), (frame::HEADERS, WHOLE | END, 2)]);
    client.send(SETTINGS, 0, 0, b"\0\x02\0\0\0\0");
    assert!(matches!(client.connection.push(3, None, &get()), Err(SendError::Protocol(_))));
}

#[test]
fn an_unanswered_stream_is_reset_and_a_begun_one_ended() {
    let mut client = Client::new();
    client.request(1, &get(), END);
    client.connection.release(1);
    client.expect_reset(1, ErrorCode::INTERNAL_ERROR);
    client.request(3, &get(), 0);
    client.connection.headers(3, &fields(":status=200"), false).unwrap();
    client.sent();
    client.connection.settle(3);
    assert_eq!(client.kinds(), [(frame::DATA, END, 3)]);
    client.connection.release(3);
    client.expect_reset(3, ErrorCode::NO_ERROR);
}

#[test]
fn it_closes_when_the_last_stream_is_answered() {
    let mut client = Client::new();
    client.request(1, &get(), END);
    client.connection.close();
    assert!(!client.connection.is_done());
    client.request(3, &get(), END);
    client.expect_reset(3, ErrorCode::REFUSED_STREAM);
    client.connection.release(1);
    assert!(client.connection.is_done());
}

proptest! {
    /// Random frames of a client and calls of a handler never panic, and the windows stay within their limits.
    #[test]
    fn nothing_breaks(steps in prop::collection::vec(
        (0u8..16, any::<u8>(), 0u32..8, prop::collection::vec(any::<u8>(), 0..24), any::<bool>()), 0..60))
    {
        let mut client = Client::new();
        for (kind, flags, stream, payload, is_good) in steps {
            match kind {
                10 => drop(client.connection.headers(stream, &fields(":status=200"), is_good)),
                11 => drop(client.connection.content(stream, &mut Bytes::from(payload), is_good)),
                12 => drop(client.connection.raw(stream, &RawKind::Headers(fields("a=b")), is_good, flags & 1 != 0)),
                13 => client.connection.release(stream),
                14 => drop(client.connection.push(stream, None, &get())),
                15 => client.connection.used(stream, payload.len() as u32),
                1 if is_good => client.request(stream, &get(), flags & END),
                _ => client.send(kind, flags, stream, &payload),
            }
            prop_assert!(client.connection.send_window >= 0);
            prop_assert!(client.connection.receive_window <= i64::from(WINDOW));
        }
        client.sent();
    }

    #[test]
    fn noise_is_no_client(noise: Vec<u8>) {
        let mut client = Client::silent();
        client.input.extend_from_slice(PREFACE);
        client.input.extend_from_slice(&noise);
        client.connection.receive(&mut client.input, client.now, &mut client.events);
    }
}
