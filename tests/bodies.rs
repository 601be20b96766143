//! Request bodies on the socket: they are read when the handler asks, and the rest is read and dropped afterwards.
//!
//! wptserve 4.0.3 cannot decode chunked request bodies; this server can, see docs/differences.md. The decoder itself is tested
//! beside its code. These tests send pieces over a socket, and another request on the same connection.

use std::{sync::Arc, thread, time::Duration};

use crate::util::{Server, Shared, get, post};

const FILES: &[(&str, &str)] = &[
    ("quick.py", "def main(request, response):\n    return b'quick'\n"),
    ("echo.py", "def main(request, response):\n    return request.body\n"),
    ("length.py", "def main(request, response):\n    return str(len(request.raw_input.read()))\n"),
    (
        "pieces.py",
        "def main(request, response):\n    body = request.raw_input\n    \
         return repr([body.read(2), body.read(3), body.read(), body.read()])\n",
    ),
    (
        "first.py",
        "def main(request, response):\n    response.writer.write(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n')\n    \
         response.writer.write(b'ok')\n",
    ),
    (
        "talk.py",
        "def main(request, response):\n    for n in range(3):\n        line = request.raw_input.readline()\n        \
         response.writer.write(b'got ' + line)\n    response.close_connection = True\n",
    ),
    ("static.txt", "static"),
    ("static.txt.headers", "Content-Length: 6\n"),
];

static SHARED: Shared = Shared::new();

fn server() -> Arc<Server> {
    SHARED.get(|| super::start(FILES))
}

#[test]
fn a_body_of_known_length_is_read_to_its_end_and_no_further() {
    let mut client = server().connect();
    client.send([post("/echo.py", "first"), post("/pieces.py", "abcdefgh"), get("/quick.py")].concat());
    assert_eq!(client.answer().ok(), "first");
    assert_eq!(client.answer().ok(), "[b'ab', b'cde', b'fgh', b'']");
    assert_eq!(client.answer().ok(), "quick");
}

#[test]
fn a_handler_runs_before_its_body_has_come() {
    let mut client = server().connect();
    client.send("POST /first.py HTTP/1.1\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(client.answer().ok(), "ok");
    // Only now the body, and behind it the next request.
    client.send(["hello".to_owned(), get("/quick.py")].concat());
    assert_eq!(client.answer().ok(), "quick");
}

#[test]
fn a_handler_reads_while_it_writes() {
    let mut client = server().connect();
    client.send("POST /talk.py HTTP/1.1\r\nContent-Length: 12\r\n\r\n");
    for line in ["one\n", "two\n", "3rd\n"] {
        client.send(line);
        client.expect(&format!("got {line}"));
    }
    client.expect_close();
}

#[test]
fn continue_is_said_before_the_handler_reads() {
    let server = server();
    let mut client = server.connect();
    client.send("POST /echo.py HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    client.expect("HTTP/1.1 100 Continue\r\n\r\n");
    client.expect_quiet();
    client.send("hello");
    assert_eq!(client.answer().ok(), "hello");
    // HTTP/1.0 knows no interim answers.
    client.send("POST /echo.py HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(client.answer().ok(), "hello");
    client.expect_close();
    // A handler that does not read: the interim answer comes first nevertheless.
    let mut client = server.connect();
    client.send("POST /quick.py HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n");
    client.expect("HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.answer().ok(), "quick");
    client.send(["hello".to_owned(), get("/quick.py")].concat());
    assert_eq!(client.answer().ok(), "quick");
}

/// The head of a chunked request.
fn chunked(target: &str) -> String {
    format!("POST {target} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
}

#[test]
fn chunked_bodies_are_decoded() {
    let mut client = server().connect();
    let body = "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n";
    client.send([chunked("/echo.py"), body.into(), chunked("/length.py"), body.into(), get("/quick.py")].concat());
    assert_eq!(client.answer().ok(), "abcde");
    assert_eq!(client.answer().ok(), "5");
    assert_eq!(client.answer().ok(), "quick");
    // In pieces that end anywhere, even inside a chunk's size.
    for byte in [chunked("/echo.py"), body.into()].concat().bytes() {
        client.send([byte]);
    }
    assert_eq!(client.answer().ok(), "abcde");
    // Unread, before the next request.
    client.send(
        [
            chunked("/quick.py"),
            body.into(),
            chunked("/static.txt").replace("POST", "GET"),
            body.into(),
            get("/quick.py"),
        ]
        .concat(),
    );
    for expected in ["quick", "static", "quick"] {
        assert_eq!(client.answer().ok(), expected);
    }
}

#[test]
fn a_chunk_can_be_read_before_the_next_one_comes() {
    let mut client = server().connect();
    client.send(chunked("/talk.py"));
    for line in ["one\n", "two\n", "3rd\n"] {
        client.send(format!("4\r\n{line}\r\n"));
        client.expect(&format!("got {line}"));
    }
    client.expect_close();
}

#[test]
fn malformed_chunks_end_the_connection_and_nothing_else() {
    let server = server();
    for body in ["x\r\n", "3\r\nabcd\r\n0\r\n\r\n", "-1\r\n", "ffffffffffffffffff\r\n"] {
        let mut client = server.connect();
        client.send([chunked("/echo.py"), body.into(), get("/quick.py")].concat());
        let message = client.answer().error(500);
        assert!(message.contains("chunk"), "{body:?}: {message}");
        // The server cannot tell the next request from the body any more.
        client.expect_close();
        // A handler that does not read the body is answered; then the connection ends.
        let mut client = server.connect();
        client.send([chunked("/quick.py"), body.into()].concat());
        assert_eq!(client.answer().ok(), "quick");
        client.expect_close();
        assert_eq!(server.get("/quick.py").ok(), "quick");
    }
}

#[test]
fn unread_bodies_are_no_requests() {
    let mut client = server().connect();
    let trap = get("/echo.py");
    client.send(
        [
            post("/quick.py", &trap),
            post("/static.txt", &trap).replace("POST", "GET"),
            post("/absent", &trap),
            get("/quick.py"),
        ]
        .concat(),
    );
    assert_eq!(client.answer().ok(), "quick");
    assert_eq!(client.answer().ok(), "static");
    client.answer().error(404);
    assert_eq!(client.answer().ok(), "quick");
    client.expect_quiet();
}

#[test]
fn lengths_that_are_none_are_refused() {
    let server = server();
    for length in ["abc", "2.0", "", "0x2", "-5"] {
        let mut client = server.connect();
        client.send(format!("POST /echo.py HTTP/1.1\r\nContent-Length: {length}\r\n\r\nhello"));
        let message = client.answer().error(400);
        assert!(message.contains(&format!("Content-Length is '{length}'")), "{message}");
        client.expect_close();
    }
    let mut client = server.connect();
    client.send(
        ["POST /echo.py HTTP/1.1\r\nContent-Length: +5\r\nContent-Length: 0_5\r\n\r\nhello", &get("/quick.py")]
            .concat(),
    );
    assert_eq!(client.answer().ok(), "hello");
    assert_eq!(client.answer().ok(), "quick");
}

#[test]
fn a_body_that_ends_early_is_short() {
    let server = server();
    let mut client = server.connect();
    client.send("POST /echo.py HTTP/1.1\r\nContent-Length: 10\r\n\r\nhello");
    client.half_close();
    let answer = client.answer();
    // The client gets an answer in each case, and no thread hangs.
    assert!(matches!(answer.code(), 200 | 500), "{answer:?}");
    client.expect_close();
    assert_eq!(server.get("/quick.py").ok(), "quick");
}

#[test]
fn an_upload_that_nobody_reads_does_not_lose_the_answer() {
    let server = server();
    let size = 3 << 20;
    for (target, expected) in [("/quick.py", "quick"), ("/static.txt", "static")] {
        for connection in ["close", "keep-alive"] {
            let mut client = server.connect();
            let head = format!("GET {target} HTTP/1.1\r\nConnection: {connection}\r\nContent-Length: {size}\r\n\r\n");
            let request = client.sealed([head.into_bytes(), vec![b'x'; size]].concat());
            let mut stream = client.stream.try_clone().unwrap();
            let upload = thread::spawn(move || {
                use std::io::Write as _;
                let _ = stream.write_all(&request);
            });
            // The answer is read late, as a browser does that is still sending.
            thread::sleep(Duration::from_millis(50));
            assert_eq!(client.answer().ok(), expected, "{target} {connection}");
            upload.join().unwrap();
            if connection == "keep-alive" {
                client.send(get("/quick.py"));
                assert_eq!(client.answer().ok(), "quick");
            }
        }
    }
    assert_eq!(server.ask(post("/length.py", &"x".repeat(size))).ok(), size.to_string());
    let echo = server.ask(post("/echo.py", &"0123456789abcdef".repeat(size / 16))).ok();
    assert!(echo == "0123456789abcdef".repeat(size / 16));
}
