//! Forms as wptserve reads them.

use std::sync::Arc;

use parking_lot::Mutex;
use proptest::prelude::*;

use super::*;
use crate::http::body::BodySource;

/// Results of wptserve 4.0.3's `cgi.parse_header`.
#[test]
fn parameters_as_in_cgi() {
    type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);
    let table: &[Row] = &[
        ("text/plain", "text/plain", &[]),
        ("Text/Plain ; A=b", "Text/Plain", &[("a", "b")]),
        ("x; a=\"b;c\"; d=e", "x", &[("a", "b;c"), ("d", "e")]),
        ("x; a=\"b\\\";c\"", "x", &[("a", "b\";c")]),
        ("x; a=\"b\\\\\"", "x", &[("a", "b\\")]),
        ("x; a=\"", "x", &[("a", "\"")]),
        ("x; a=\"b; c=d", "x", &[("a", "\"b; c=d")]),
        ("x;; ;a=1;a=2;=3; b", "x", &[("a", "2"), ("", "3")]),
        ("", "", &[]),
        (";a=b", "", &[("a", "b")]),
        ("a=b", "a=b", &[]),
    ];
    for (line, value, options) in table {
        let options = options.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        assert_eq!(Parameters::parse(line), Parameters { value: value.to_string(), options }, "{line}");
    }
}

/// A body that comes in pieces of these sizes, over and over.
#[derive(Debug)]
struct Pieces(Mutex<(Bytes, usize)>, Vec<usize>);

impl BodySource for Pieces {
    fn read(&self, max: usize) -> io::Result<Bytes> {
        let mut rest = self.0.lock();
        let size = self.1[rest.1 % self.1.len()].min(max).min(rest.0.len());
        rest.1 += 1;
        Ok(rest.0.split_to(size))
    }
}

fn parsed(kind: &str, body: &[u8], sizes: Vec<usize>) -> String {
    let block = format!("Content-Type: {kind}\r\nContent-Length: {}", body.len());
    let source = Pieces(Mutex::new((Bytes::copy_from_slice(body), 0)), sizes);
    let mut reader = BodyReader::new(Arc::new(source), Some(body.len() as u64));
    format!("{:?}", parse(&mut reader, &Headers::parse(&Bytes::from(block)), "POST"))
}

#[test]
fn a_form_of_two_parts() {
    let body = b"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\none\r\n\
        --b\r\nContent-Disposition: form-data; name=y; filename=f\r\n\r\ntwo\r\nlines\r\n--b--\r\n";
    let source = Pieces(Mutex::new((Bytes::from_static(body), 0)), vec![7]);
    let mut reader = BodyReader::new(Arc::new(source), Some(body.len() as u64));
    let headers = Headers::parse(&Bytes::from(format!(
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}",
        body.len()
    )));
    let Ok(Some(Content::Parts(parts))) = parse(&mut reader, &headers, "POST") else { panic!("no parts") };
    let shown: Vec<_> = parts
        .iter()
        .map(|part| {
            let Content::Bytes(kept) = &part.content else { panic!("no bytes") };
            (part.disposition.option("name").unwrap(), part.disposition.option("filename"), kept.read(0, 100).unwrap())
        })
        .collect();
    assert_eq!(shown, [("x", None, b"one".to_vec()), ("y", Some("f"), b"two\r\nlines".to_vec())]);
}

proptest! {
    /// The sizes of the pieces do not change the result, even for malformed forms.
    #[test]
    fn pieces_make_no_difference(
        lines in proptest::collection::vec(
            prop_oneof![
                Just("--b\r\n"), Just("--b--\r\n"), Just("--b--"), Just("\r\n"), Just("\n"), Just("x\r"), Just("a=1&b=%20"),
                Just("Content-Disposition: form-data; name=n\r\n"), Just("Content-Type: multipart/mixed; boundary=c\r\n"),
                Just("--c\r\n"), Just("--c--\r\n"), Just("Content-Type: application/x-www-form-urlencoded\r\n"), Just("text"),
            ],
            0..30,
        ),
        sizes in proptest::collection::vec(1usize..9, 1..8),
    ) {
        let body = lines.concat();
        for kind in ["multipart/form-data; boundary=b", "application/x-www-form-urlencoded", "text/plain"] {
            let whole = parsed(kind, body.as_bytes(), vec![usize::MAX]);
            prop_assert_eq!(parsed(kind, body.as_bytes(), sizes.clone()), whole);
        }
    }
}
