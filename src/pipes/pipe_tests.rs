//! Pipe strings over one plain reply, as a table of wptserve 4.0.3's results under CPython 3.11.

use std::{io::Read as _, path::Path, time::Duration};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    http::{Body, HeadReader, HeadStep, Reply, Request, Scheme, text::latin1},
    pipes::{Context, Piped, ReplyError},
};

/// Pipes over `0123{{host}}` with the headers `X-A: 1`, `X-A: 2` and `Y: 3`.
fn piped(pipes: &str) -> Result<Reply, (String, Duration)> {
    let text = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    let HeadStep::Head { head, .. } = HeadReader::default().step(text, true) else { panic!() };
    let request = Request::new(head, Scheme::Http, "h".into(), 1, ("c".into(), 2)).unwrap();
    let config = json!({"browser_host": "<h>"});
    let mut reply = Reply::new(200, Body::ReadFile(Bytes::from_static(b"0123{{host}}")));
    for (name, value) in [("X-A", "1"), ("X-A", "2"), ("Y", "3")] {
        reply.push(name, value);
    }
    let context = Context { request: &request, config: &config, doc_root: Path::new("/nowhere"), url_base: "/" };
    let pipeline = Pipeline::parse(pipes).map_err(|error| (error.to_string(), Duration::ZERO))?;
    let mut target = Piped::new(reply, context);
    match pipeline.apply(&mut target) {
        Ok(()) => Ok(target.into_reply()),
        Err(ReplyError::Pipe(error)) => Err((error.to_string(), target.wait())),
        Err(ReplyError::Io(error)) => panic!("{error}"),
    }
}

/// Status, new headers and content, or the exception.
fn outcome(pipes: &str) -> String {
    match piped(pipes) {
        Err((error, _)) => error,
        Ok(reply) => {
            let old = ["X-A: 1", "X-A: 2", "Y: 3"];
            let headers = reply.headers.iter().map(|(name, value)| format!("{}: {}", latin1(name), latin1(value)));
            let headers: Vec<String> = headers.filter(|header| !old.contains(&header.as_str())).collect();
            let content = match reply.body {
                Body::Bytes(bytes) | Body::ReadFile(bytes) => latin1(&bytes),
                Body::Trickle(trickle) => format!("{} steps", trickle.take(100).count()),
                other => panic!("{other:?}"),
            };
            format!("{} [{}] {content}", reply.status, headers.join(", "))
        }
    }
}

#[test]
fn pipes_do_what_they_do_in_wptserve() {
    const UNCACHED: &str = "Cache-Control: no-cache, no-store, must-revalidate, Pragma: no-cache, Expires: 0";
    let trickled = |steps: usize| format!("200 [{UNCACHED}] {steps} steps");
    let table: &[(&str, &str)] = &[
        ("", "200 [] 0123{{host}}"),
        ("x", "KeyError: 'x'"),
        ("(", "KeyError: ''"),
        (" gzip", "KeyError: ' gzip'"),
        ("status(x)|x", "KeyError: 'x'"),
        ("gzip()", "ValueError: Expected between 0 and 0 args, got 1"),
        ("gzip(\\", "TypeError: can only concatenate str (not \"NoneType\") to str"),
        ("sub", "200 [] 0123&lt;h&gt;"),
        ("sub(html)", "200 [] 0123&lt;h&gt;"),
        ("sub(none)", "200 [] 0123<h>"),
        ("sub()", "KeyError: ''"),
        ("sub(Null)", "KeyError: None"),
        ("sub(none)|sub(x)", "200 [] 0123<h>"),
        ("sub(a,b)", "ValueError: Expected between 0 and 1 args, got 2"),
        ("status(404)", "404 [] 0123{{host}}"),
        ("status( +1_0 )", "10 [] 0123{{host}}"),
        ("status(-5)", "-5 [] 0123{{host}}"),
        ("status(x)", "ValueError: invalid literal for int() with base 10: 'x'"),
        ("status", "ValueError: Expected between 1 and 1 args, got 0"),
        ("header(N,v)", "200 [N: v] 0123{{host}}"),
        ("header(x-a,v)", "200 [x-a: v] 0123{{host}}"),
        ("header(x-a,v,TRUE)", "200 [X-A: v] 0123{{host}}"),
        ("header(N,v,1)|header(n,w,true)", "200 [N: v, N: w] 0123{{host}}"),
        ("header(N,v,False)", "200 [N: v] 0123{{host}}"),
        ("header(N,v,yes)", "ValueError: "),
        ("header(N,v,)", "ValueError: "),
        ("header(N)", "ValueError: Expected between 2 and 3 args, got 1"),
        ("header(,\u{e9})", "200 [: \u{e9}] 0123{{host}}"),
        (
            "header(N,\u{100})",
            "UnicodeEncodeError: 'latin-1' codec can't encode character '\\u0100' in position 0: ordinal not in range(256)",
        ),
        ("slice(2)", "200 [Content-Length: 10] 23{{host}}"),
        ("slice(null,NULL)", "200 [Content-Length: 12] 0123{{host}}"),
        ("slice(-2)", "200 [Content-Length: 2] }}"),
        ("slice(1,-8)", "200 [Content-Length: 3] 123"),
        ("slice(3,1)", "200 [Content-Length: 0] "),
        ("slice(99)", "200 [Content-Length: 0] "),
        ("slice(1)|slice(1)", "200 [Content-Length: 10] 23{{host}}"),
        ("slice()", "ValueError: invalid literal for int() with base 10: ''"),
        ("slice(1,)", "ValueError: invalid literal for int() with base 10: ''"),
        ("slice(1,2,3)", "ValueError: Expected between 1 and 2 args, got 3"),
        ("trickle(3)", &trickled(2)),
        ("trickle(3:d1:r2)", &trickled(8)),
        ("trickle( 3 : 4)", "TypeError: 'tuple' object does not support item assignment"),
        ("trickle(d1:d2)", "TypeError: 'tuple' object does not support item assignment"),
        ("trickle(d1:dx)", "ValueError: could not convert string to float: 'x'"),
        ("trickle(r2:r2)", "TypeError: 'tuple' object does not support item assignment"),
        ("trickle(r1)", "ValueError: "),
        ("trickle(r-1)", "ValueError: "),
        ("trickle(r)", "ValueError: invalid literal for int() with base 10: ''"),
        ("trickle()", "ValueError: invalid literal for int() with base 10: ''"),
        ("trickle(d)", "ValueError: could not convert string to float: ''"),
        ("trickle(d1__0)", "ValueError: could not convert string to float: '1__0'"),
        ("trickle(d 1_0.5_0e0_1 )", &trickled(2)),
        ("trickle(d-1)|slice(0)", "ValueError: sleep length must be non-negative"),
        ("trickle(dNan)|slice(0)", "ValueError: Invalid value NaN (not a number)"),
        ("trickle(d1e10)|slice(0)", "OverflowError: timestamp too large to convert to C _PyTime_t"),
        ("header(pragma,x)|trickle(3)", "200 [pragma: x] 2 steps"),
    ];
    for (pipes, expected) in table {
        assert_eq!(outcome(pipes), *expected, "{pipes}");
    }
}

#[test]
fn a_pipe_after_a_trickle_waits_for_it() {
    let reply = piped("trickle(4:d0.5:r2)|slice(0,4)").unwrap();
    assert_eq!(reply.wait, Duration::from_millis(1500));
    assert!(matches!(&reply.body, Body::Bytes(bytes) if bytes == "0123"), "{reply:?}");
    let (error, wait) = piped("trickle(d2)|trickle(d1)|sub()").unwrap_err();
    assert_eq!((error.as_str(), wait), ("KeyError: ''", Duration::from_secs(3)));
    let (error, _) = piped("trickle(d1:r2)|gzip").unwrap_err();
    assert!(error.starts_with("MemoryError: the trickle pipe repeats its content for ever"), "{error}");
}

#[test]
fn gzip_writes_what_python_reads() {
    let reply = piped("gzip").unwrap();
    let Body::Bytes(compressed) = &reply.body else { panic!("{reply:?}") };
    let mut content = String::new();
    flate2::read::GzDecoder::new(compressed.as_ref()).read_to_string(&mut content).unwrap();
    assert_eq!(content, "0123{{host}}");
    assert_eq!((&compressed[..4], &compressed[8..10]), (&b"\x1f\x8b\x08\x00"[..], &b"\x02\xff"[..]));
    let headers: Vec<_> = reply.headers.iter().skip(3).map(|(name, value)| (latin1(name), latin1(value))).collect();
    let length = compressed.len().to_string();
    assert_eq!(headers, [("Content-Encoding".into(), "gzip".into()), ("Content-Length".into(), length)]);
}

proptest! {
    #[test]
    fn never_panics(pipes in r"(sub|trickle|slice|header|status|gzip|\(|\)|\||,|:|d|r|-|1|99|null|\\|\PC){0,20}") {
        if let Ok(Reply { body: Body::Trickle(trickle), .. }) = piped(&pipes) {
            trickle.take(20).count();
        }
    }
}
