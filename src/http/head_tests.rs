//! Unit tests of the head reader. The expectations hold for CPython 3.11 under wptserve 4.0.3.

use proptest::prelude::*;

use super::*;

fn step(input: &[u8]) -> HeadStep {
    HeadReader::default().step(input, true)
}

fn head(input: &str) -> Head {
    match step(input.as_bytes()) {
        HeadStep::Head { head, .. } => head,
        other => panic!("{input:?}: {other:?}"),
    }
}

/// Status and message of a rejection, and whether it has a response head.
fn rejection(input: &[u8]) -> (String, bool) {
    let HeadStep::Reject { answer, close: true, .. } = step(input) else { panic!("{:?}", latin1(input)) };
    let has_head = answer.starts_with(b"HTTP/1.1 ");
    let text = latin1(&answer);
    if let Some(body) =
        text.split_once("\r\n\r\n").map_or(Some(text.as_str()), |(_, body)| Some(body)).filter(|b| !b.is_empty())
    {
        let code = body.split_once("<p>Error code: ").unwrap().1.split_once("</p>").unwrap().0;
        let message = body.split_once("<p>Message: ").unwrap().1.split_once(".</p>").unwrap().0;
        return (format!("{code} {message}"), has_head);
    }
    (text, has_head)
}

#[test]
fn a_head_is_taken_apart() {
    let input = b"GET //a?b HTTP/1.1\r\nHost: h\r\n\r\nBODY";
    let HeadStep::Head { head, consumed } = step(input) else { panic!() };
    assert_eq!(&input[consumed..], b"BODY");
    assert_eq!(head.request_line, "GET //a?b HTTP/1.1\r\n");
    assert_eq!((&head.method[..], &head.target[..], &head.version[..]), (&b"GET"[..], &b"/a?b"[..], &b"HTTP/1.1"[..]));
    assert_eq!(head.headers.get("host").unwrap(), "h");
    assert!(head.keep_alive && !head.expect_continue && !head.line_too_long);
}

#[test]
fn request_lines_are_split_like_python_does() {
    for (line, method, target, version) in [
        ("get /a HTTP/1.0", "get", "/a", "HTTP/1.0"),
        ("  GET \t /a\x0b HTTP/1.1 \t", "GET", "/a", "HTTP/1.1"),
        ("G@T *  HTTP/01.1", "G@T", "*", "HTTP/01.1"),
        ("GET ///a//b HTTP/1.10", "GET", "/a//b", "HTTP/1.10"),
        ("GET /a", "GET", "/a", "HTTP/0.9"),
        ("GET /\x01\x7f\0 HTTP/0.9", "GET", "/\x01\x7f\0", "HTTP/0.9"),
        ("GET\rX /a HTTP/1.1", "", "", ""),
    ] {
        if method.is_empty() {
            assert_eq!(rejection(format!("{line}\n\n").as_bytes()).0, "400 Bad request syntax ('GET\\rX /a HTTP/1.1')");
            continue;
        }
        let head = head(&format!("{line}\r\n\r\n"));
        let got = (latin1(&head.method), latin1(&head.target), latin1(&head.version));
        assert_eq!(got, (method.into(), target.into(), version.into()), "{line:?}");
    }
    let HeadStep::Head { head, .. } = step(b"\xe9\x85/\xe8\xa0HTTP/1.1\n\n") else { panic!() };
    assert_eq!((&head.method[..], &head.target[..]), (&b"\xe9"[..], &b"/\xe8"[..]));
}

#[test]
fn refused_request_lines_get_the_page_of_cpython() {
    for (input, expected, has_head) in [
        (&b"GET\r\n"[..], "400 Bad request syntax ('GET')", false),
        (b"POST /\r\n", "400 Bad HTTP/0.9 request type ('POST')", false),
        (b"GET / b HTTP/1.1\r\n", "400 Bad request syntax ('GET / b HTTP/1.1')", true),
        (b"GET / b HTTP/0.9\r\n", "400 Bad request syntax ('GET / b HTTP/0.9')", false),
        (b"GET / b HTTP/0.8\r\n", "400 Bad request syntax ('GET / b HTTP/0.8')", true),
        (b"GET / HTTP/1.1 x\r\n", "400 Bad request version ('x')", false),
        (b"GET / http/1.1\r\n", "400 Bad request version ('http/1.1')", false),
        (b"GET / HTTP/1\r\n", "400 Bad request version ('HTTP/1')", false),
        (b"GET / HTTP/1.1.1\r\n", "400 Bad request version ('HTTP/1.1.1')", false),
        (b"GET / HTTP/1.\xb2\r\n", "400 Bad request version ('HTTP/1.\u{c2}\u{b2}')", false),
        (b"GET / HTTP/-1.1\r\n", "400 Bad request version ('HTTP/-1.1')", false),
        (b"GET / HTTP/1.12345678901\r\n", "400 Bad request version ('HTTP/1.12345678901')", false),
        (b"GET / HTTP/2.0\r\n", "505 Invalid HTTP version (2.0)", false),
        (b"GET / b HTTP/002.0\r\n", "505 Invalid HTTP version (002.0)", false),
        (b"<&'\"> \r\n", "400 Bad request syntax ('&lt;&amp;\\'\"&gt; ')", false),
    ] {
        assert_eq!(rejection(input), (expected.to_owned(), has_head));
    }
}

#[test]
fn a_page_is_complete() {
    let HeadStep::Reject { answer, consumed, .. } = step(b"GET / b HTTP/1.1\r\nrest") else { panic!() };
    assert_eq!(consumed, 18);
    let text = latin1(&answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let lines: Vec<&str> = head.split("\r\n").collect();
    assert_eq!(lines[0], "HTTP/1.1 400 Bad request syntax ('GET / b HTTP/1.1')");
    assert_eq!(lines[1], format!("Server: {}", crate::http::SERVER));
    assert!(lines[2].starts_with("Date: ") && lines[2].ends_with(" GMT"));
    assert_eq!(lines[3], "Connection: close");
    assert_eq!(lines[4], "Content-Type: text/html;charset=utf-8");
    assert_eq!(lines[5], format!("Content-Length: {}", body.len()));
    assert_eq!(lines.len(), 6);
    assert!(body.starts_with("<!DOCTYPE HTML>\n<html lang=\"en\">\n    <head>\n        <meta charset"));
    assert!(body.ends_with(
        "        <p>Error code explanation: 400 - Bad request syntax or unsupported method.</p>\n    </body>\n</html>\n"
    ));
}

#[test]
fn blank_lines_and_silence_close() {
    for input in [&b"\r\n"[..], b"\n", b" \t\x85\r\nGET / HTTP/1.1\r\n\r\n", b"", b"\r\r\r\n"] {
        assert_eq!(step(input), HeadStep::Close);
    }
}

#[test]
fn the_end_of_input_ends_the_head() {
    assert!(head("GET / HTTP/1.1").headers.is_empty());
    assert_eq!(head("GET / HTTP/1.1\r\nA: b\r\nC: d").headers.len(), 2);
    for part in ["GET / HTTP/1.1", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nA: b\r\n", "GET / HTTP/1.1\n\r"] {
        assert_eq!(HeadReader::default().step(part.as_bytes(), false), HeadStep::More);
    }
}

#[test]
fn connection_and_expect_are_read() {
    for (text, keep_alive, expect_continue) in [
        ("GET / HTTP/1.1\n", true, false),
        ("GET / HTTP/1.0\n", false, false),
        ("GET /\n", false, false),
        ("GET / HTTP/01.1\nExpect: 100-continue\n", true, false),
        ("GET / HTTP/1.10\nExpect: 100-Continue\n", true, true),
        ("GET / HTTP/1.1\nExpect: 100-continue, x\n", true, false),
        ("GET / HTTP/1.0\nExpect: 100-continue\n", false, false),
        ("GET / HTTP/1.1\nConnection: Close\n", false, false),
        ("GET / HTTP/1.1\nConnection: x, close\n", true, false),
        ("GET / HTTP/1.1\nConnection: close \n", true, false),
        ("GET / HTTP/1.0\nConnection: Keep-Alive\n", true, false),
        ("GET /\nConnection: keep-alive\n", true, false),
        ("GET / HTTP/1.1\nConnection: x\nConnection: close\n", true, false),
    ] {
        let head = head(&format!("{text}\n"));
        assert_eq!((head.keep_alive, head.expect_continue), (keep_alive, expect_continue), "{text:?}");
    }
}

#[test]
fn long_lines_and_many_lines_are_431() {
    let line = |len: usize| format!("A: {}\r\n", "x".repeat(len - 5));
    let ok = format!("GET / HTTP/1.1\r\n{}\r\n", line(65536));
    assert_eq!(head(&ok).headers.len(), 1);
    let long = format!("GET / HTTP/1.1\r\n{}\r\n", line(65537));
    assert_eq!(rejection(long.as_bytes()), ("431 Line too long".into(), true));
    let endless = format!("HEAD / HTTP/1.1\r\n{}", "x".repeat(65537));
    let HeadStep::Reject { answer, .. } = HeadReader::default().step(endless.as_bytes(), false) else { panic!() };
    assert!(answer.starts_with(b"HTTP/1.1 431 Line too long\r\n") && answer.ends_with(b"\r\n\r\n"));

    let many = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(count));
    assert_eq!(head(&many(511)).headers.len(), 511);
    assert_eq!(rejection(many(512).as_bytes()), ("431 Too many headers".into(), true));
    let old = format!("GET /\r\n{}\r\n", "A: b\r\n".repeat(512));
    assert_eq!(rejection(old.as_bytes()), ("431 Too many headers".into(), false));
}

#[test]
fn a_long_request_line_is_cut() {
    let fits = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(65536 - 16));
    assert!(!head(&fits).line_too_long);
    let full = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(65537 - 16));
    let cut = head(&full);
    assert!(cut.line_too_long && cut.keep_alive);
    let long = format!("GET /{} HTTP/1.1\r\nA: b\r\n\r\n", "a".repeat(70000));
    let cut = head(&long);
    assert!(cut.line_too_long && !cut.keep_alive && cut.headers.is_empty());
    assert_eq!((cut.request_line.len(), &cut.version[..]), (65537, &b"HTTP/0.9"[..]));
    let post = format!("POST /{} HTTP/1.1\r\n\r\n", "a".repeat(70000));
    assert_eq!(rejection(post.as_bytes()), ("400 Bad HTTP/0.9 request type ('POST')".into(), false));
}

#[test]
fn pipelined_heads_come_one_by_one() {
    let mut reader = HeadReader::default();
    let mut input = &b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"[..];
    for target in ["/1", "/2"] {
        let HeadStep::Head { head, consumed } = reader.step(input, false) else { panic!() };
        assert_eq!(head.target, target);
        input = &input[consumed..];
    }
    assert_eq!(reader.step(input, true), HeadStep::Close);
}

fn request_text() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(b'\r'), Just(b'\n'), Just(b' '), Just(b'/'), Just(b':'), Just(0x85u8), any::<u8>()];
    let noise = proptest::collection::vec(byte, 0..40);
    let good = "(GET|POST|HEAD) /{0,3}[a ]{0,3} ?(HTTP/[0-2](\\.[0-9]))?\r?\n([A-C]: ?[a-c]{0,3}\r?\n){0,4}\r?\n.{0,4}";
    prop_oneof![noise, good.prop_map(String::into_bytes)]
}

/// The date may change between two answers.
fn settled(step: HeadStep) -> HeadStep {
    match step {
        HeadStep::Reject { answer, close, consumed } => {
            let text = latin1(&answer);
            let kept: String = text.split_inclusive("\r\n").filter(|line| !line.starts_with("Date: ")).collect();
            HeadStep::Reject { answer: Bytes::from(kept), close, consumed }
        }
        other => other,
    }
}

proptest! {
    #[test]
    fn pieces_make_no_difference(input in request_text(), sizes in proptest::collection::vec(1usize..6, 1..40)) {
        let whole = settled(step(&input));
        if let HeadStep::Head { consumed, .. } | HeadStep::Reject { consumed, .. } = &whole {
            prop_assert!(*consumed <= input.len());
        }
        let mut reader = HeadReader::default();
        let mut end = 0;
        let mut sizes = sizes.iter().cycle();
        let piecewise = loop {
            end = (end + sizes.next().unwrap()).min(input.len());
            match reader.step(&input[..end], false) {
                HeadStep::More if end == input.len() => break reader.step(&input, true),
                HeadStep::More => {}
                other => break other,
            }
        };
        prop_assert_eq!(settled(piecewise), whole);
    }
}

#[test]
fn a_head_has_at_most_so_many_bytes_however_it_comes() {
    let head = b"GET / HTTP/1.1\r\nA: 1234567890\r\n\r\n";
    let step = |most: u64, bytes: &[u8]| HeadReader::bounded(Some(most)).step(bytes, false);
    let is_refused = |step: &HeadStep| matches!(step, HeadStep::Reject { answer, close: true, .. } if answer.starts_with(b"HTTP/1.1 431 Request Header Fields Too Large\r\n"));
    let length = head.len() as u64;
    // What follows a head does not count.
    assert!(matches!(step(length, &[&head[..], &[b'x'; 99]].concat()), HeadStep::Head { .. }));
    assert!(is_refused(&step(length - 1, head)));
    assert!(is_refused(&step(20, &head[..25])), "no line ends there yet");
    assert!(is_refused(&step(5, &head[..9])), "not even the request line");
    assert_eq!(step(20, &head[..20]), HeadStep::More);
    assert!(matches!(HeadReader::bounded(None).step(head, false), HeadStep::Head { .. }));
    // The bound stays for the next head.
    let mut reader = HeadReader::bounded(Some(length));
    assert!(matches!(reader.step(head, false), HeadStep::Head { .. }));
    assert!(is_refused(&reader.step(&[&head[..length as usize - 2], b"B: 1\r\n"].concat(), false)));
}
