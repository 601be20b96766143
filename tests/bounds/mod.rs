//! What one client may take, and all of them together: docs/bounds.md. Each bound is made small here, met by one client, and
//! another client goes on.
//!
//! The times are bounds of the server, not of the tests: a test waits until the server has acted.

mod streams;

use std::sync::Arc;

use serde_json::json;

use crate::util::{Client, Launch, Server, get, post, until};

const FILES: &[(&str, &str)] = &[
    ("quick.py", "def main(request, response):\n    return b'quick'\n"),
    ("length.py", "def main(request, response):\n    return str(len(request.body))\n"),
    ("unread.py", "def main(request, response):\n    return b'unread'\n"),
    ("sleep.py", "import time\n\ndef main(request, response):\n    time.sleep(1.5)\n    return b'awake'\n"),
    (
        "late.py",
        "def main(request, response):\n    response.writer.write(b'HTTP/1.1 200 OK\\r\\n\\r\\nbegun')\n    \
         request.raw_input.read()\n    response.writer.write(b'never')\n",
    ),
    (
        "caught.py",
        "def main(request, response):\n    try:\n        request.raw_input.read()\n    except OSError as error:\n        \
         request.server.stash.put('b6c2cf2f-4b42-4d2b-8d5b-95a4f1f1a5f7', str(error), '/')\n    return b'caught'\n",
    ),
    (
        "word.py",
        "def main(request, response):\n    return \
         request.server.stash.take('b6c2cf2f-4b42-4d2b-8d5b-95a4f1f1a5f7', '/') or b''\n",
    ),
    (
        "part.py",
        "def main(request, response):\n    request.raw_input.read(3999000)\n    \
         request.server.stash.put('b6c2cf2f-4b42-4d2b-8d5b-95a4f1f1a5f7', 'read', '/')\n    \
         return str(len(request.body))\n",
    ),
    ("large.py", "def main(request, response):\n    return b'x' * int(request.GET.first(b'size'))\n"),
];

fn bounded(bounds: serde_json::Value) -> Arc<Server> {
    Launch::new(FILES).bounds(bounds).start()
}

/// A body of unknown length in chunks of 1,000 bytes, without its end.
fn chunks(target: &str, count: usize) -> String {
    let chunk = format!("3e8\r\n{}\r\n", "x".repeat(1000));
    format!("POST {target} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(count))
}

#[test]
fn a_long_head_is_a_431() {
    let server = bounded(json!({"head_bytes": 1000}));
    let mut other = server.connect();
    other.send("GET /quick.py HTTP/1.1\r\n");
    let line = format!("X-Long: {}\r\n", "x".repeat(100));
    for complete in [false, true] {
        let mut client = server.connect();
        let head = format!("GET /quick.py HTTP/1.1\r\n{}", line.repeat(10));
        client.send(head + if complete { "\r\n" } else { "" });
        let answer = client.answer();
        assert_eq!(answer.status, "HTTP/1.1 431 Request Header Fields Too Large");
        client.expect_close();
    }
    other.send(format!("{}\r\n", line.repeat(8)));
    assert_eq!(other.answer().ok(), "quick");
}

#[test]
fn a_slow_head_is_a_408() {
    let server = bounded(json!({"head_seconds": 0.4}));
    let mut idle = server.connect();
    let mut slow = server.connect();
    slow.send("GET /quick.py HTTP/1.1\r\nX-");
    assert_eq!(slow.answer().status, "HTTP/1.1 408 Request Timeout");
    slow.expect_close();
    // A connection on which nothing has begun may wait, and a handler may take its time.
    idle.send(get("/sleep.py"));
    assert_eq!(idle.answer().ok(), "awake");
    idle.send(get("/quick.py"));
    assert_eq!(idle.answer().ok(), "quick");
}

#[test]
fn an_idle_connection_is_closed_and_a_sleeping_handler_is_not() {
    let server = bounded(json!({"idle_seconds": 0.4}));
    let mut sleeping = server.connect();
    sleeping.send(get("/sleep.py"));
    let mut unused = server.connect();
    let mut used = server.connect();
    used.send(get("/quick.py"));
    assert_eq!(used.answer().ok(), "quick");
    unused.expect_close();
    used.expect_close();
    assert_eq!(sleeping.answer().ok(), "awake");
    sleeping.expect_close();
}

#[test]
fn a_handshake_that_does_not_end_is_closed() {
    let server = Launch::new(FILES).tls().bounds(json!({"tls_seconds": 0.4})).start();
    let mut other = server.connect();
    let mut silent = server.connect_plain();
    let mut half = server.connect_plain();
    let hello = half.hello();
    std::io::Write::write_all(&mut half.stream, &hello[..hello.len() / 2]).unwrap();
    silent.expect_close();
    half.expect_close();
    other.send(get("/sleep.py"));
    assert_eq!(other.answer().ok(), "awake");
}

#[test]
fn a_long_body_is_a_413() {
    let server = bounded(json!({"body_bytes": 10_000}));
    let mut other = server.connect();
    let mut announced = server.connect();
    // Nobody has to send it to hear that it is too long.
    announced.send("POST /length.py HTTP/1.1\r\nHost: a\r\nContent-Length: 10001\r\nExpect: 100-continue\r\n\r\n");
    assert!(announced.answer().error(413).contains("bounds.body_bytes"));
    announced.expect_close();
    let mut endless = server.connect();
    endless.send(chunks("/length.py", 20));
    assert!(endless.answer().error(413).contains("bounds.body_bytes"));
    endless.expect_close();
    // An answer that has begun ends there.
    let mut late = server.connect();
    late.send(chunks("/late.py", 20));
    assert_eq!(late.rest_text(), "HTTP/1.1 200 OK\r\n\r\nbegun");
    // A body that no handler wants is read away no further.
    let mut unread = server.connect();
    unread.send(chunks("/unread.py", 20));
    assert_eq!(unread.answer().ok(), "unread");
    unread.expect_close();
    // The handler hears of it, but its answer comes too late.
    let mut caught = server.connect();
    caught.send(chunks("/caught.py", 20));
    assert!(caught.answer().error(413).contains("bounds.body_bytes"));
    until("the handler's word", || {
        let what = server.get("/word.py").ok();
        (!what.is_empty()).then(|| assert!(what.contains("longer than bounds.body_bytes"), "{what}"))
    });
    other.send(post("/length.py", &"x".repeat(10_000)));
    assert_eq!(other.answer().ok(), "10000");
    other.send(chunks("/length.py", 10) + "0\r\n\r\n");
    assert_eq!(other.answer().ok(), "10000");
}

#[test]
fn a_slow_body_is_a_408() {
    let server = bounded(json!({"body_rate": 1000, "body_grace_seconds": 0.4}));
    let mut slow = server.connect();
    slow.send("POST /length.py HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\nslow");
    let mut unread = server.connect();
    unread.send("POST /unread.py HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\nslow");
    // A handler that does not read yet does not count as one that waits.
    let mut sleeping = server.connect();
    sleeping.send("POST /sleep.py HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
    assert!(slow.answer().error(408).contains("bounds.body_rate"));
    slow.expect_close();
    assert_eq!(unread.answer().ok(), "unread");
    unread.expect_close();
    assert_eq!(sleeping.answer().ok(), "awake");
    sleeping.send(["abc".to_owned(), get("/quick.py")].concat());
    assert_eq!(sleeping.answer().ok(), "quick");
}

#[test]
fn a_connection_too_many_is_a_503() {
    let server = bounded(json!({"connections": 3}));
    // The connection with which the server has found its port ready may take a moment to end.
    let mut clients: Vec<Client> = (0..3).map(|_| until("a place", || admitted(&server))).collect();
    let mut refused = server.connect();
    refused.send(get("/quick.py"));
    let answer = refused.answer();
    assert_eq!((answer.code(), answer.header("Retry-After")), (503, Some("1")));
    assert!(answer.error(503).contains("bounds.connections"));
    refused.expect_close();
    server.logged("raise bounds.connections");
    clients[0].send(get("/quick.py"));
    assert_eq!(clients[0].answer().ok(), "quick");
    drop(clients.pop());
    until("the place of a connection that has ended", || admitted(&server));
}

/// A connection that has its place.
fn admitted(server: &Arc<Server>) -> Option<Client> {
    let mut client = server.connect();
    client.send(get("/quick.py"));
    (client.answer().code() == 200).then_some(client)
}

#[test]
fn a_connection_too_many_is_closed_before_its_handshake() {
    let server = Launch::new(FILES).tls().bounds(json!({"connections": 1})).start();
    // The connection with which the server has found its port ready may take a moment to end.
    let mut first = until("a place", || {
        let mut client = server.connect_plain();
        client.encrypts().then_some(client)
    });
    let mut refused = server.connect_plain();
    refused.expect_close();
    first.send(get("/quick.py"));
    assert_eq!(first.answer().ok(), "quick");
}

#[test]
fn temporary_files_have_a_quota() {
    let server = bounded(json!({"temporary_bytes": 5_000_000}));
    // Four megabytes lie there while this one waits for its end.
    let mut first = server.connect();
    first.send(chunks("/part.py", 4000));
    until("most of the body", || (!server.get("/word.py").ok().is_empty()).then_some(()));
    let large = "x".repeat(2_000_000);
    let answer = server.ask(post("/length.py", &large));
    assert_eq!((answer.code(), answer.header("Retry-After")), (503, Some("1")), "{}", answer.text());
    server.logged("bounds.temporary_bytes");
    // What fits into memory needs no file.
    assert_eq!(server.ask(post("/length.py", "small")).ok(), "5");
    first.send("0\r\n\r\n");
    assert_eq!(first.answer().ok(), "4000000");
    until("the room that it leaves", || (server.ask(post("/length.py", &large)).code() == 200).then_some(()));
}

#[test]
fn the_connection_that_holds_most_is_ended_when_all_hold_too_much() {
    // A socket takes up to ten megabytes of an answer that nobody reads.
    let server = bounded(json!({"buffered_bytes": 150_000_000}));
    let ask = |size: usize| {
        let mut client = server.connect();
        client.send(get(&format!("/large.py?size={size}")));
        client.take(17);
        client
    };
    // Answers of which the socket takes a part only.
    let mut small = ask(60_000_000);
    let mut largest = ask(80_000_000);
    let mut third = ask(60_000_000);
    server.logged("a connection that holds");
    assert!(largest.rest().len() < 80_000_000, "it has been ended");
    for client in [&mut small, &mut third] {
        let head = "Content-Length: 60000000\r\n";
        let rest = client.take(60_000_000 + head.len());
        assert!(rest.ends_with(b"xxx"));
    }
    assert_eq!(server.get("/quick.py").ok(), "quick");
}

#[test]
fn large_heads_count_as_well() {
    let server = bounded(json!({"buffered_bytes": 500_000, "head_bytes": 0}));
    let mut clients: Vec<Client> = (0..10).map(|_| server.connect()).collect();
    let line = format!("X: {}\r\n", "x".repeat(50_000));
    for client in &mut clients {
        client.send(format!("GET /quick.py HTTP/1.1\r\n{}", line.repeat(3)));
    }
    server.logged("a connection that holds");
    assert_eq!(server.get("/quick.py").ok(), "quick");
}

#[test]
fn without_bounds_there_are_none() {
    let server = bounded(json!({
        "head_bytes": 0, "head_seconds": null, "idle_seconds": 0, "body_bytes": 0, "body_rate": 0, "connections": 0,
        "temporary_bytes": null, "buffered_bytes": 0,
    }));
    let mut client = server.connect();
    let line = format!("X: {}\r\n", "x".repeat(60_000));
    client.send(format!("POST /length.py HTTP/1.1\r\nContent-Length: 3000000\r\n{}\r\n", line.repeat(100)));
    client.send("x".repeat(3_000_000));
    assert_eq!(client.answer().ok(), "3000000");
}

#[test]
fn a_key_that_is_misspelt_is_said() {
    let server = bounded(json!({"head_byte": 1}));
    server.logged("bounds.head_byte in config is not known and has no effect; did you mean \"head_bytes\"?");
}
