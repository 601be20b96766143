//! The bounds of WebSockets and HTTP/2.

use std::{io::Write as _, sync::Arc};

use flate2::{Compression, write::DeflateEncoder};
use serde_json::json;

use super::{FILES, get};
use crate::{
    h2::client::{Connection, request},
    util::{Client, Launch, Server},
    websocket::{frame, handlers, opening},
};

/// ENHANCE_YOUR_CALM.
const CALM: u32 = 11;

fn websocket(bounds: serde_json::Value) -> Arc<Server> {
    Launch::new(FILES).scheme("ws").bounds(bounds).arg("--ws_doc_root").arg(handlers()).start()
}

/// An open WebSocket with permessage-deflate.
fn open(server: &Arc<Server>) -> Client {
    let mut client = server.connect();
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    client.send(opening("/echo").replace("\r\n\r\n", &format!("\r\n{offer}")));
    let head = client.head();
    assert!(head.header("Sec-WebSocket-Extensions").is_some(), "{head:?}");
    client
}

/// A Close with this code comes next, and then the end.
#[track_caller]
fn expect_1009(client: &mut Client) {
    let head = client.take(2);
    let body = client.take((head[1] & 0x7f).into());
    assert_eq!((head[0], u16::from_be_bytes([body[0], body[1]])), (0x88, 1009));
    client.expect_close();
}

/// The raw deflate of a message, as a frame.
fn compressed(message: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(message).unwrap();
    encoder.flush().unwrap();
    let mut frame = frame(2, encoder.get_ref().strip_suffix(b"\x00\x00\xff\xff").unwrap());
    frame[0] |= 0x40;
    frame
}

#[test]
fn a_long_message_is_closed_with_1009() {
    let server = websocket(json!({"websocket_message_bytes": 100_000}));
    let mut other = open(&server);
    let mut announced = open(&server);
    announced.send(&frame(2, &vec![0; 100_001])[..20]);
    expect_1009(&mut announced);
    let mut fragments = open(&server);
    let mut first = frame(2, &vec![0; 60_000]);
    first[0] &= 0x7f;
    let mut second = frame(0, &vec![0; 60_000]);
    second[0] &= 0x7f;
    fragments.send([first, second].concat());
    expect_1009(&mut fragments);
    let mut inflated = open(&server);
    let bomb = compressed(&vec![0; 10_000_000]);
    assert!(bomb.len() < 100_000);
    inflated.send(bomb);
    expect_1009(&mut inflated);
    server.logged("(bounds.websocket_message_bytes)");
    for message in [vec![0; 100_000], Vec::new(), b"short".to_vec()] {
        other.send(compressed(&message));
        let head = other.take(2);
        assert_eq!(head[0], 0xc2, "a compressed message comes back");
        let length = match head[1] {
            126 => usize::from(u16::from_be_bytes(other.take(2).try_into().unwrap())),
            length => length.into(),
        };
        other.take(length);
    }
}

#[test]
fn messages_of_any_length_are_decompressed_whole() {
    // Around the size of a step of the decompression.
    let server = websocket(json!({}));
    for length in [(4 << 20) - 1, 4 << 20, (4 << 20) + 1, 8 << 20, (12 << 20) + 5] {
        let mut client = server.connect();
        client.send(opening("/echo").replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"));
        client.head();
        let message: Vec<u8> = (0..length).map(|at: u32| (at / 1000) as u8).collect();
        client.send(compressed(&message));
        let head = client.take(2);
        let size = match head[1] {
            127 => u64::from_be_bytes(client.take(8).try_into().unwrap()),
            126 => u16::from_be_bytes(client.take(2).try_into().unwrap()).into(),
            size => size.into(),
        };
        let mut deflated = client.take(usize::try_from(size).unwrap());
        deflated.extend(b"\x00\x00\xff\xff");
        let mut whole = flate2::write::DeflateDecoder::new(Vec::new());
        whole.write_all(&deflated).unwrap();
        whole.flush().unwrap();
        assert!(*whole.get_ref() == message, "{length}");
    }
}

#[test]
fn messages_count_among_what_all_hold() {
    let server = websocket(json!({"buffered_bytes": 1_000_000}));
    let mut clients: Vec<Client> = (0..4).map(|_| open(&server)).collect();
    for client in &mut clients {
        let mut fragment = frame(2, &vec![0; 300_000]);
        fragment[0] &= 0x7f;
        client.send(fragment);
    }
    server.logged("a connection that holds");
    let mut other = open(&server);
    other.send(frame(2, b"hi"));
    assert_eq!(other.take(2)[0], 0xc2);
}

fn http2(bounds: serde_json::Value) -> Arc<Server> {
    Launch::new(FILES).tls().bounds(bounds).start()
}

#[track_caller]
fn goes_on(connection: &mut Connection) {
    let stream = connection.get("/quick.py");
    assert_eq!(connection.text(stream), ("200".into(), "quick".into()));
}

#[test]
fn long_bodies_of_http2() {
    let server = http2(json!({"body_bytes": 10_000}));
    let mut connection = Connection::new(server.h2);
    let mut fields = request("POST", "/length.py");
    fields.push(("content-length".into(), "10001".into()));
    let stream = connection.open(&fields, false);
    let (status, text) = connection.text(stream);
    assert!(status == "413" && text.contains("bounds.body_bytes"), "{status} {text}");
    let stream = connection.post("/length.py");
    connection.data(stream, vec![b'x'; 10_001], false);
    assert_eq!(connection.reset_of(stream), CALM);
    let stream = connection.post("/length.py");
    connection.data(stream, vec![b'x'; 10_000], true);
    assert_eq!(connection.text(stream), ("200".into(), "10000".into()));
}

#[test]
fn slow_bodies_of_http2() {
    let server = http2(json!({"body_rate": 1000, "body_grace_seconds": 0.4}));
    let mut connection = Connection::new(server.h2);
    let stream = connection.post("/length.py");
    connection.data(stream, "slow", false);
    assert_eq!(connection.reset_of(stream), CALM);
    goes_on(&mut connection);
}

#[test]
fn idle_connections_of_http2() {
    let server = http2(json!({"idle_seconds": 0.4}));
    let mut idle = Connection::new(server.h2);
    let mut asleep = Connection::new(server.h2);
    let stream = asleep.get("/sleep.py");
    assert_eq!(idle.ends_with(), 0);
    assert_eq!(asleep.text(stream), ("200".into(), "awake".into()));
    assert_eq!(asleep.ends_with(), 0);
}

#[test]
fn greetings_of_http2_that_do_not_end() {
    let server = http2(json!({"head_seconds": 0.4}));
    let mut silent = Connection::silent(server.h2);
    silent.raw(b"PRI * HTTP/2.0");
    let mut half = Connection::new(server.h2);
    let block = half.block(&request("GET", "/quick.py"));
    half.send(1, 1, 1, &block);
    assert_eq!(silent.ends_with(), CALM);
    assert_eq!(half.ends_with(), CALM);
    goes_on(&mut Connection::new(server.h2));
}

#[test]
fn answers_behind_a_closed_window() {
    let server = http2(json!({"h2_buffered_bytes": 1_000_000}));
    let mut closed = Connection::greeted(server.h2, &[(4, 0)]);
    for _ in 0..3 {
        closed.get("/large.py?size=400000");
    }
    assert_eq!(closed.ends_with(), CALM);
    // One answer may be as long as it likes.
    let mut open = Connection::new(server.h2);
    let stream = open.get("/large.py?size=3000000");
    assert_eq!(open.data_of(stream).len(), 3_000_000);
}

#[test]
fn answers_behind_closed_windows_count_among_what_all_hold() {
    let server = http2(json!({"buffered_bytes": 1_000_000}));
    let mut closed: Vec<Connection> = (0..3).map(|_| Connection::greeted(server.h2, &[(4, 0)])).collect();
    let sizes = [300_000, 500_000, 300_000];
    for (connection, size) in closed.iter_mut().zip(sizes) {
        connection.get(&format!("/large.py?size={size}"));
    }
    server.logged("a connection that holds");
    assert_eq!(closed[1].ends_with(), CALM);
    goes_on(&mut Connection::new(server.h2));
    assert_eq!(server.ask(get("/quick.py")).ok(), "quick");
}

#[test]
fn frames_that_are_remembered() {
    let server = http2(json!({"h2_frames": 50}));
    let mut other = Connection::new(server.h2);
    for _ in 0..3 {
        // What belonged to a request that is over counts no longer.
        let stream = other.post("/length.py");
        (0..40).for_each(|_| other.data(stream, "x", false));
        other.data(stream, "x", true);
        assert_eq!(other.text(stream), ("200".into(), "41".into()));
    }
    let mut many = Connection::new(server.h2);
    let streams = [many.post("/length.py"), many.post("/length.py")];
    (0..30).for_each(|_| streams.iter().for_each(|stream| many.data(*stream, "x", false)));
    assert_eq!(many.ends_with(), CALM);
    goes_on(&mut other);
}
