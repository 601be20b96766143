//! HTTP/1 on the socket, heads and order: requests in pieces of any size, and the exact bytes of the answers.
//!
//! The rules are those of CPython 3.11's `http.server` under wptserve 4.0.3. The parser itself is tested beside its code
//! (`src/http`); these tests check the whole path through socket, actix and encoder.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::util::{Client, Server, Shared, get};

const FILES: &[(&str, &str)] = &[
    ("quick.py", "def main(request, response):\n    return request.GET.first(b'n', b'-')\n"),
    ("sleep.py", "import time\ndef main(request, response):\n    time.sleep(0.2)\n    return b'slept'\n"),
    (
        "raw.py",
        "def main(request, response):\n    response.writer.write(b'HTTP/1.1 299 r\\xe9w\\r\\nX:1\\r\\nx:2\\r\\n\\r\\nraw')\n",
    ),
    (
        "sized_raw.py",
        "def main(request, response):\n    response.writer.write(b'HTTP/1.1 299 r\\xe9w\\r\\nContent-length:3\\r\\n\\r\\nraw')\n",
    ),
    (
        "stream.py",
        "def main(request, response):\n    def parts():\n        for n in range(3):\n            yield '%d,' % n\n    \
         return [(b'Content-Length', 6)], parts()\n",
    ),
    ("static.txt", "static"),
    // wptserve does not announce the length of a file; with this sidecar it is known, and the connection stays open.
    ("sized.txt", "sized"),
    ("sized.txt.headers", "Content-Length: 5\n"),
    ("page.html", "<p>hello</p>\n"),
    (
        "head.py",
        "def main(request, response):\n    response.status = (298, b'my status text')\n    \
         response.headers.append(b'X-b', b'1')\n    response.headers.append(b'x-A', b'2')\n    return u'caf\\xe9'\n",
    ),
    (
        "seen.py",
        "def main(request, response):\n    return repr([request.method, request.request_path, \
         request.raw_headers.items()])\n",
    ),
    ("target.py", "def main(request, response):\n    return repr([request.request_path, request.url])\n"),
    ("count.py", "def main(request, response):\n    return str(len(request.raw_headers.items()))\n"),
    (
        "trickle.py",
        "import time\ndef main(request, response):\n    for n in range(4):\n        \
         response.writer.write(b'%d' % n)\n        time.sleep(0.15)\n    response.close_connection = True\n",
    ),
];

static SHARED: Shared = Shared::new();

fn server() -> Arc<Server> {
    SHARED.get(|| super::start(FILES))
}

/// An answer's head without the value of Date, which must be there.
fn exact(client: &mut Client) -> String {
    let head = client.head();
    let date = head.header("Date").expect("a date");
    assert!(date.len() == 29 && date.ends_with(" GMT"), "{date}");
    let lines = head.headers.iter().map(|(name, value)| match name.as_str() {
        "Date" => "Date".to_owned(),
        _ => format!("{name}: {value}"),
    });
    std::iter::once(head.status.clone()).chain(lines).collect::<Vec<_>>().join("|")
}

#[test]
fn heads_are_exact() {
    let server = server();
    let product = concat!("Server: wptserve-rs/", env!("CARGO_PKG_VERSION"));
    for (target, head, body) in [
        ("/head.py", "HTTP/1.1 298 my status text|X-b: 1|x-A: 2|SERVER|Date|Content-Length: 5", "caf\u{e9}"),
        ("/quick.py?n=abc", "HTTP/1.1 200 OK|SERVER|Date|Content-Length: 3", "abc"),
        ("/static.txt", "HTTP/1.1 200 OK|Content-Type: text/plain|SERVER|Date", "static"),
        ("/sized.txt", "HTTP/1.1 200 OK|Content-Type: text/plain|Content-Length: 5|SERVER|Date", "sized"),
        ("/page.html", "HTTP/1.1 200 OK|Content-Type: text/html|SERVER|Date", "<p>hello</p>\n"),
        (
            "/absent",
            "HTTP/1.1 404 Not Found|Content-Type: application/json|Content-Length: 42|SERVER|Date",
            r#"{"error": {"code": 404, "message": "404"}}"#,
        ),
    ] {
        let mut client = server.connect();
        client.send(get(target));
        assert_eq!(exact(&mut client), head.replace("SERVER", product), "{target}");
        client.expect(body);
        if head.contains("Content-Length") {
            client.expect_quiet();
        } else {
            client.expect_close();
        }
    }
}

#[test]
fn the_bytes_of_a_raw_writer_are_not_touched() {
    let mut client = server().connect();
    client.send(get("/raw.py"));
    let expected: &[u8] = b"HTTP/1.1 299 r\xe9w\r\nX:1\r\nx:2\r\n\r\nraw";
    let mut bytes = Vec::new();
    while bytes.len() < expected.len() {
        let more = client.some();
        assert!(!more.is_empty());
        bytes.extend(more);
    }
    assert_eq!(bytes, expected);
    // wptserve sees no status and no header here, so it neither adds a header nor closes. But a client cannot know the end.
    client.expect_close();
}

#[test]
fn handlers_see_headers_as_they_came() {
    let seen =
        server().ask("GET /seen.py HTTP/1.1\r\nX-b: 1\r\nhOsT: h\r\nx-A:2\r\nX-B: 3 \r\nX-Bin: \u{e9}\r\n\r\n").ok();
    assert_eq!(
        seen,
        "['GET', '/seen.py', [('X-b', '1'), ('hOsT', 'h'), ('x-A', '2'), ('X-B', '3 '), ('X-Bin', 'Ã©')]]"
    );
}

#[test]
fn five_hundred_and_eleven_headers_pass_and_one_more_is_refused() {
    let server = server();
    let with = |count| format!("GET /count.py HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(count));
    assert_eq!(server.ask(with(511)).ok(), "511");
    let mut client = server.connect();
    client.send(with(512));
    let page = client.rest_text();
    assert!(page.starts_with("HTTP/1.1 431 Too many headers\r\n"), "{page}");
    assert!(page.contains("<p>Message: Too many headers.</p>"), "{page}");
    assert!(page.contains("got more than 512 headers"), "{page}");
}

#[test]
fn lines_are_limited_and_heads_are_not() {
    let server = server();
    let header = |size: usize| format!("X: {}\r\n", "y".repeat(size - 5));
    // Three lines of full length: wptserve has no limit for the whole head.
    let full = header(65536).repeat(3);
    assert_eq!(server.ask(format!("GET /count.py HTTP/1.1\r\n{full}\r\n")).ok(), "3");
    let mut client = server.connect();
    client.send(format!("GET /count.py HTTP/1.1\r\n{}", header(65537)));
    let page = client.rest_text();
    assert!(page.starts_with("HTTP/1.1 431 Line too long\r\n"), "{page}");

    let line = |size: usize| format!("/quick.py?n={}", "n".repeat(size - "GET /quick.py?n= HTTP/1.1\r\n".len()));
    assert_eq!(server.get(&line(65536)).code(), 200);
    let mut client = server.connect();
    client.send(get(&line(65537)));
    assert_eq!(client.answer().error(414), "");
    client.expect_close();
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut client = server().connect();
    let targets =
        ["/quick.py?n=1", "/sleep.py", "/sized_raw.py", "/stream.py", "/sized.txt", "/quick.py?n=22", "/absent"];
    let twenty: Vec<&str> = targets.iter().copied().cycle().take(20).collect();
    client.send(twenty.iter().map(|target| get(target)).collect::<String>());
    for target in twenty {
        if target == "/sized_raw.py" {
            // Latin-1 on the wire, so it cannot be compared as text.
            let head = client.head();
            assert_eq!((head.status.as_str(), head.names()), ("HTTP/1.1 299 r\u{e9}w", vec!["Content-length:3"]));
            client.expect("raw");
            continue;
        }
        let answer = client.answer();
        let expected = match target {
            "/quick.py?n=1" => "1",
            "/sleep.py" => "slept",
            "/stream.py" => "0,1,2,",
            "/sized.txt" => "sized",
            "/quick.py?n=22" => "22",
            _ => r#"{"error": {"code": 404, "message": "404"}}"#,
        };
        assert_eq!(answer.text(), expected, "{target}");
    }
    client.expect_quiet();
}

/// A handler's thread may send the answer itself: then the connection's task notices this with the next request.
#[test]
fn after_an_answer_comes_any_request() {
    let server = server();
    let quick = || {
        let mut client = server.connect();
        client.send(get("/quick.py?n=1"));
        assert_eq!(client.answer().ok(), "1");
        client
    };
    let mut client = quick();
    // In pieces, which must not be taken for the rest of the request before.
    let request = get("/seen.py");
    for byte in request.bytes() {
        client.send([byte]);
    }
    assert!(client.answer().ok().contains("/seen.py"));
    client.send(["1", "2", "3"].map(|n| get(&format!("/quick.py?n={n}"))).concat());
    for n in ["1", "2", "3"] {
        assert_eq!(client.answer().ok(), n);
    }
    client.send("POST /quick.py?n=body HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    client.expect("HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.answer().ok(), "body");
    client.send(["hello".to_owned(), get("/sized.txt"), get("/absent"), get("/quick.py?n=2")].concat());
    assert_eq!(client.answer().ok(), "sized");
    assert_eq!(client.answer().code(), 404);
    assert_eq!(client.answer().ok(), "2");
    client.send("GET /quick.py?n=last HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert_eq!(client.answer().ok(), "last");
    client.expect_close();

    let mut client = quick();
    client.send(get("/static.txt"));
    assert_eq!(client.answer().ok(), "static");
    client.expect_close();
    let mut client = quick();
    client.send("nonsense\r\n\r\n");
    assert!(client.rest_text().contains("<p>Error code: 400</p>"));
    let mut client = quick();
    // The end of the input ends the head of HTTP/0.9.
    client.send("GET /quick.py?n=9");
    client.half_close();
    assert_eq!(client.answer().ok(), "9");
    client.expect_close();
}

#[test]
fn the_connection_stays_open_only_if_both_sides_can() {
    let server = server();
    for (request, open) in [
        ("GET /quick.py HTTP/1.1\r\n\r\n", true),
        ("GET /quick.py HTTP/1.1\r\nConnection: close\r\n\r\n", false),
        ("GET /quick.py HTTP/1.1\r\nConnection: Close\r\n\r\n", false),
        // CPython compares the whole value.
        ("GET /quick.py HTTP/1.1\r\nConnection: x, close\r\n\r\n", true),
        ("GET /quick.py HTTP/1.0\r\n\r\n", false),
        ("GET /quick.py HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true),
        ("GET /quick.py HTTP/1.2\r\n\r\n", true),
        ("GET /sized.txt HTTP/1.1\r\n\r\n", true),
        // No Content-Length, so only the end of the connection ends the answer.
        ("GET /static.txt HTTP/1.1\r\n\r\n", false),
        ("GET /absent HTTP/1.1\r\n\r\n", true),
    ] {
        let mut client = server.connect();
        client.send(request);
        let answer = client.answer();
        assert!(answer.status.starts_with("HTTP/1.1 "), "{request}: always HTTP/1.1");
        if open {
            client.expect_quiet();
            client.send(get("/quick.py?n=again"));
            assert_eq!(client.answer().ok(), "again", "{request}");
        } else {
            client.expect_close();
        }
    }
}

#[test]
fn head_gets_the_head_alone() {
    let mut client = server().connect();
    for (target, length) in [("/quick.py?n=abc", "3"), ("/sized.txt", "5"), ("/absent", "42")] {
        client.send(get(target).replace("GET", "HEAD"));
        assert_eq!(client.head().header("Content-Length"), Some(length), "{target}");
    }
    client.expect_quiet();
}

#[test]
fn odd_targets_reach_the_handler_unchanged() {
    let server = server();
    let port = server.address.port();
    for (target, path) in [
        ("/target.py?a=%zz&%2", "/target.py?a=%zz&%2"),
        ("/target.py#frag?x", "/target.py#frag?x"),
        ("//target.py", "/target.py"),
        ("///target.py", "/target.py"),
        ("/target.py?\"{}|\\^[]<>`", "/target.py?\"{}|\\\\^[]<>`"),
        ("/t%61rget.py", "/t%61rget.py"),
        ("/target.py?\u{1}\u{7f}", "/target.py?\\x01\\x7f"),
    ] {
        let seen = server.get(target).ok();
        let url = format!("{}://localhost:{port}{path}", server.scheme);
        assert_eq!(seen, format!("['{path}', '{url}']"), "{target:?}");
    }
    // Bytes are shown as latin-1 text, as CPython reads the request line.
    let mut client = server.connect();
    client.send(b"GET /target.py?\xe9\xff HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(client.answer().ok().starts_with("['/target.py?\u{e9}\u{ff}', "));
    let other = format!("{}://other.test:81/target.py?x", server.scheme);
    assert_eq!(server.get(&other).ok(), format!("['{other}', '{other}']"));
    for target in ["*", "abc", "?q"] {
        assert_eq!(server.get(target).error(404), "", "{target}");
    }
}

#[test]
fn any_method_is_a_method() {
    let server = server();
    for method in ["PUT", "get", "FOO", "G@T", "#$%&'"] {
        let seen = server.ask(get("/seen.py").replace("GET", method));
        // The router of wptserve knows these methods for handlers: all of them.
        assert_eq!(seen.code(), 200, "{method}: {}", seen.text());
        assert!(seen.text().contains("/seen.py"), "{method}: {}", seen.text());
    }
}

#[test]
fn refused_heads_get_the_page_of_cpython() {
    let server = server();
    let page = |code: &str, message: &str, explain: &str| {
        format!(
            "<!DOCTYPE HTML>\n<html lang=\"en\">\n    <head>\n        <meta charset=\"utf-8\">\n        <title>Error response\
             </title>\n    </head>\n    <body>\n        <h1>Error response</h1>\n        <p>Error code: {code}</p>\n        \
             <p>Message: {message}.</p>\n        <p>Error code explanation: {code} - {explain}.</p>\n    </body>\n</html>\n"
        )
    };
    let syntax = "Bad request syntax or unsupported method";
    // The version is not known to be one that has heads, so there is none.
    for (request, expected) in [
        ("GET / HTTP/2.0\r\n\r\n", page("505", "Invalid HTTP version (2.0)", "Cannot fulfill request")),
        ("GET / FTP/1.1\r\n\r\n", page("400", "Bad request version ('FTP/1.1')", syntax)),
        ("POST /\r\n\r\n", page("400", "Bad HTTP/0.9 request type ('POST')", syntax)),
    ] {
        let mut client = server.connect();
        client.send(request);
        assert_eq!(client.rest_text(), expected);
    }
    let mut client = server.connect();
    client.send("GET /a b HTTP/1.1\r\n\r\n");
    assert_eq!(
        exact(&mut client).split('|').filter(|line| !line.starts_with("Server")).collect::<Vec<_>>().join("|"),
        "HTTP/1.1 400 Bad request syntax ('GET /a b HTTP/1.1')|Date|Connection: close|\
         Content-Type: text/html;charset=utf-8|Content-Length: 372"
    );
    // A blank line gets no answer.
    for request in ["\r\n", "\n", " \r\n"] {
        let mut client = server.connect();
        client.send(request);
        client.expect_close();
    }
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let mut client = server().connect();
    for byte in get("/quick.py?n=slow").bytes() {
        client.send([byte]);
    }
    assert_eq!(client.answer().ok(), "slow");
    // Bare line feeds end lines too, and HTTP/0.9 requests have no version.
    client.send("GET /quick.py?n=lf HTTP/1.1\nX: y\n\n");
    assert_eq!(client.answer().ok(), "lf");
    client.send("GET /quick.py?n=old\r\n\r\n");
    assert_eq!(client.answer().ok(), "old");
    client.expect_close();
}

#[test]
fn trickled_writes_arrive_when_they_are_written() {
    let mut client = server().connect();
    let started = Instant::now();
    client.send(get("/trickle.py"));
    let arrivals: Vec<(String, Duration)> =
        (0..4).map(|_| (String::from_utf8(client.some()).unwrap(), started.elapsed())).collect();
    let texts: Vec<&str> = arrivals.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(texts, ["0", "1", "2", "3"], "{arrivals:?}");
    client.expect_close();
    println!("arrivals of writes 150 ms apart: {arrivals:?}");
    assert!(arrivals[0].1 < Duration::from_millis(450), "the first byte came with the last: {arrivals:?}");
}

#[test]
fn a_half_closed_client_gets_its_answers() {
    let mut client = server().connect();
    client.send([get("/sleep.py"), get("/quick.py?n=last")].concat());
    client.half_close();
    assert_eq!(client.answer().ok(), "slept");
    assert_eq!(client.answer().ok(), "last");
    client.expect_close();
}

#[test]
fn connections_without_a_word_do_no_harm() {
    let server = server();
    let silent: Vec<Client> = (0..100).map(|_| server.connect()).collect();
    assert_eq!(server.get("/quick.py?n=among").ok(), "among");
    drop(silent);
    let half: Vec<Client> = (0..100).map(|_| server.connect()).collect();
    for mut client in half {
        client.send("GET /quick.py HT");
    }
    let askers: Vec<_> = (0..4)
        .map(|_| {
            let server = self::server();
            thread::spawn(move || server.get("/quick.py?n=after").ok())
        })
        .collect();
    for asker in askers {
        assert_eq!(asker.join().unwrap(), "after");
    }
}
