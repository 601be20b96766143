//! Random bad input of every kind: headers, queries, cookies, credentials, forms, percent-encoding. The client always gets a
//! complete answer of wptserve's kind (or a 400 where wptserve is silent), and the server keeps running.
//!
//! The parsers have property tests of their own beside the code. These tests ask the whole server, handlers included.

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::util::Server;

/// A handler that reads every attribute that a client can get wrong. The exception of an attribute is part of the answer.
const LOOKS: &str = "
def main(request, response):
    seen = []
    for name in ['GET', 'cookies', 'auth', 'headers', 'body', 'POST', 'url_parts', 'raw_headers']:
        try:
            seen.append(name + ' ' + str(len(repr(getattr(request, name)))))
        except Exception as error:
            seen.append(name + ' ' + type(error).__name__)
    return '\\n'.join(seen)
";

/// Bytes that have a meaning for one of the parsers, and random ones.
fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    let telling = prop::sample::select(b"%&=;+,:\"\\()<>@[]?/{} \t-_.$0aZ\xe9\xff\x00\x01\x7f".to_vec());
    prop::collection::vec(prop_oneof![4 => telling, 1 => any::<u8>()], 0..most)
        .prop_map(|bytes| bytes.into_iter().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect())
}

#[derive(Debug)]
struct Odd {
    query: Vec<u8>,
    cookie: Vec<u8>,
    credentials: Vec<u8>,
    kind: Vec<u8>,
    extra: Vec<u8>,
    body: Vec<u8>,
}

fn odd() -> impl Strategy<Value = Odd> {
    let query = bytes(40).prop_map(|bytes| {
        bytes.into_iter().filter(|byte| !matches!(byte, b' ' | 9..=13 | 28..=31 | 0x85 | 0xa0)).collect()
    });
    let kinds = prop::sample::select(vec![
        &b"application/x-www-form-urlencoded"[..],
        b"multipart/form-data; boundary=b",
        b"multipart/form-data; boundary=\"\"",
        b"multipart/form-data",
        b"text/plain; charset=\xff",
        b"",
    ]);
    let part = prop_oneof![
        bytes(60),
        bytes(30).prop_map(|name| [
            b"--b\r\nContent-Disposition: form-data; name=\"",
            &name[..],
            b"\"\r\n\r\nx\r\n--b--\r\n"
        ]
        .concat()),
        bytes(30).prop_map(|text| [b"--b\r\n", &text[..], b"\r\n\r\n"].concat()),
    ];
    (query, bytes(40), bytes(30), kinds, bytes(40), part).prop_map(|(query, cookie, credentials, kind, extra, body)| {
        Odd { query, cookie, credentials, kind: kind.to_vec(), extra, body }
    })
}

impl Odd {
    fn request(&self) -> Vec<u8> {
        [
            b"POST /looks.py?",
            &self.query[..],
            b" HTTP/1.1\r\nHost: x\r\nCookie: ",
            &self.cookie,
            b"\r\nAuthorization: Basic ",
            &self.credentials,
            b"\r\nContent-Type: ",
            &self.kind,
            format!("\r\nContent-Length: {}\r\nX-", self.body.len()).as_bytes(),
            &self.extra,
            b"\r\n\r\n",
            &self.body,
        ]
        .concat()
    }
}

#[test]
fn bad_input_is_answered_and_never_costs_the_connection() {
    let server = Server::start(&[("looks.py", LOOKS)]);
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&odd(), |odd| {
            let answer = server.ask(odd.request());
            prop_assert!(matches!(answer.code(), 200 | 400), "{}", answer.text());
            if answer.code() == 200 {
                prop_assert_eq!(answer.text().lines().count(), 8, "{}", answer.text());
            }
            prop_assert!(server.is_alive());
            Ok(())
        })
        .unwrap();
}
