//! Requests whose end two readers could see in different places: they are refused, or answered once, and the connection closes. The
//! bytes behind them are never served.
//!
//! The rules are those of RFC 9112, sections 6.1, 6.3 and 7.1; the tests in `src/http` check them one by one. These tests check the
//! whole server: handlers that read the body in different ways, or not at all, and the next bytes on the socket.

use std::sync::Arc;

use crate::util::{Server, Shared, get};

const FILES: &[(&str, &str)] = &[
    ("smuggled.py", "def main(request, response):\n    return b'SMUGGLED'\n"),
    ("body.py", "def main(request, response):\n    return request.body\n"),
    ("post.py", "def main(request, response):\n    return repr(list(request.POST.items()))\n"),
    ("lines.py", "def main(request, response):\n    return b''.join(line for line in request.raw_input)\n"),
    ("length.py", "def main(request, response):\n    return str(request.raw_input.length)\n"),
    ("quick.py", "def main(request, response):\n    return b'quick'\n"),
    (
        "again.py",
        "def main(request, response):\n    seen = []\n    \
         for read in [lambda: request.raw_input.read(), lambda: request.body, lambda: request.POST, \
         lambda: request.raw_input.readline(), lambda: request.raw_input.read(1)]:\n        try:\n            \
         seen.append(repr(read()))\n        except OSError as error:\n            seen.append('refused')\n    \
         return ' '.join(seen)\n",
    ),
    (
        "first.py",
        "def main(request, response):\n    response.writer.write(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok')\n",
    ),
    ("sized.txt", "sized"),
    ("sized.txt.headers", "Content-Length: 5\n"),
];

static SHARED: Shared = Shared::new();

fn server() -> Arc<Server> {
    SHARED.get(|| super::start(FILES))
}

/// Sends a request and another one behind it. The result must be one answer with one of these codes, and the end.
#[track_caller]
fn one_answer(target: &str, version: &str, fields: &str, body: &str, codes: &[u16]) -> String {
    let method = if target.ends_with(".txt") { "GET" } else { "POST" };
    let mut client = server().connect();
    client.send(
        [
            format!("{method} {target} HTTP/{version}\r\nConnection: keep-alive\r\n{fields}\r\n{body}"),
            get("/smuggled.py"),
            get("/smuggled.py"),
        ]
        .concat(),
    );
    let text = client.rest_text();
    assert!(!text.contains("SMUGGLED"), "{target} {fields:?} {body:?}: {text}");
    assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{target} {fields:?} {body:?}: {text}");
    let code: u16 = text[9..12].parse().unwrap();
    assert!(codes.contains(&code), "{target} {fields:?} {body:?}: {text}");
    text
}

#[test]
fn what_follows_a_broken_chunk_is_never_served() {
    const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
    for body in [
        "zz\r\n0\r\n\r\n",
        "\r\n0\r\n\r\n",
        "0x0\r\n\r\n",
        "3\nabc\n0\n\n",
        "3\r\nabc\n0\r\n\r\n",
        "1\r\nab\r\n0\r\n\r\n",
        "3;a=\"\\\"\r\nabc\r\n0\r\n\r\n",
        "3;a=\"\r\nabc\r\n0\r\n\r\n",
        "3 \r\nabc\r\n0\r\n\r\n",
        "10000000000000000\r\n0\r\n\r\n",
        "0\r\n\n",
        "0\r\nno field\r\n\r\n",
        "0\r\n folded: x\r\n\r\n",
    ] {
        for target in ["/body.py", "/post.py", "/lines.py", "/length.py"] {
            one_answer(target, "1.1", CHUNKED, body, &[500]);
        }
        for target in ["/quick.py", "/first.py", "/sized.txt"] {
            one_answer(target, "1.1", CHUNKED, body, &[200]);
        }
        one_answer("/absent.py", "1.1", CHUNKED, body, &[404]);
    }
    let text = one_answer("/again.py", "1.1", CHUNKED, "zz\r\n0\r\n\r\n", &[200]);
    assert!(text.ends_with("\r\n\r\nrefused refused refused refused refused"), "{text}");
    // The handler may read the bytes before the broken chunk, but never those behind it.
    let text = one_answer("/again.py", "1.1", CHUNKED, "3\r\nabc\r\nzz\r\n3\r\nBAD\r\n0\r\n\r\n", &[200]);
    assert!(!text.contains("BAD"), "{text}");
}

#[test]
fn a_chunked_body_that_is_cut_off_is_no_whole_one() {
    for body in ["3\r\nabc\r\n", "3\r\nab", "3", "3\r\nabc\r\n0\r\n"] {
        let mut client = server().connect();
        client.send(format!("POST /body.py HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}"));
        client.half_close();
        assert!(client.answer().error(500).contains("has no end"), "{body:?}");
        client.expect_close();
    }
}

#[test]
fn doubtful_framing_is_refused() {
    const BOTH: &str = "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n";
    for target in ["/body.py", "/quick.py", "/sized.txt", "/absent"] {
        for (version, fields, code, part) in [
            ("1.1", BOTH, 400, "both Transfer-Encoding and Content-Length"),
            ("1.1", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400, "both"),
            ("1.0", "Transfer-Encoding: chunked\r\n", 400, "before HTTP/1.1"),
            ("1.0", BOTH, 400, "both"),
            ("1.1", "Transfer-Encoding: gzip, chunked\r\n", 501, "is not known"),
            ("1.1", "Transfer-Encoding: gzip\r\n", 400, "end cannot be known"),
            ("1.1", "Transfer-Encoding: identity\r\n", 400, "end cannot be known"),
            ("1.1", "Transfer-Encoding: chunked, gzip\r\n", 400, "end cannot be known"),
            ("1.1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400, "once and alone"),
            ("1.1", "Transfer-Encoding: \u{b}chunked\r\n", 400, "end cannot be known"),
            ("1.1", "Content-Length: 5\r\nContent-Length: 6\r\n", 400, "two different Content-Length fields"),
            ("1.1", "Transfer-Encoding : chunked\r\n", 400, "not every server reads the header line"),
            ("1.1", "Content-Length : 5\r\n", 400, "not every server reads the header line"),
            ("1.1", "Transfer-Encoding:\r\n chunked\r\n", 400, "not every server reads the header line"),
            ("1.1", "A: b\r\n Content-Length: 5\r\n", 400, "not every server reads the header line"),
            ("1.1", "A: b\rContent-Length: 5\r\n", 400, "not every server reads the header line"),
            ("1.1", "no header\r\nContent-Length: 5\r\n", 400, "not every server reads the header line"),
        ] {
            let text = one_answer(target, version, fields, "0\r\n\r\n", &[code]);
            assert!(text.contains(part) && text.contains("\r\nContent-Type: application/json\r\n"), "{fields}: {text}");
        }
    }
    // The server does not ask the client for such a body either.
    one_answer("/body.py", "1.1", &format!("{BOTH}Expect: 100-continue\r\n"), "", &[400]);
}

#[test]
fn what_everybody_reads_alike_is_served() {
    let mut client = server().connect();
    for (fields, body) in [
        ("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
        ("Content-Length: +5 \r\n", "hello"),
        ("Transfer-Encoding: Chunked \r\n", "5;a=\"b c\";d\r\nhello\r\n0\r\nE: f\r\n\r\n"),
    ] {
        client.send(format!("POST /body.py HTTP/1.1\r\n{fields}\r\n{body}"));
        assert_eq!(client.answer().ok(), "hello", "{fields:?}");
    }
    client.send(get("/quick.py"));
    assert_eq!(client.answer().ok(), "quick");
}
