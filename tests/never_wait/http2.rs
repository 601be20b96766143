//! The same handlers over HTTP/2, and those that use its own writer.

use super::{files, launch};
use crate::h2::client::{Connection, request};

#[test]
fn over_http_2() {
    let files = files();
    let server = launch(&files).tls().start();
    for method in ["GET", "HEAD"] {
        for (target, text, _) in &files {
            let mut connection = Connection::new(server.h2);
            // The client panics when nothing comes.
            let stream = connection.open(&request(method, &format!("/{target}")), true);
            let frames = connection.answer(stream);
            assert!(!frames.is_empty(), "{text}");
        }
        let mut connection = Connection::new(server.h2);
        let stream = connection.get("/quick.py");
        assert_eq!(connection.text(stream), ("200".to_owned(), "quick".to_owned()));
    }
}

/// Bodies of `main` that use the writer for HTTP/2 and stop half-way.
const HTTP2: &[&str] = &[
    "response.writer.write_headers([('a', 'b')], 200)",
    "response.writer.write_headers([('content-length', '9')], 200)\nresponse.writer.write_data('abc')",
    "response.writer.write_headers([('content-length', '1')], 200)\nresponse.writer.write_data('abc')",
    "response.writer.write_headers([('a', 'b')], 200)\nreturn 1 / 0",
    "response.writer.write_headers([('a', None)], 'x')",
    "response.writer.write_data('abc')",
    "response.writer.write_raw_header_frame([(':status', '200')])",
    "response.writer.write_raw_header_frame([(':status', '200')])\nreturn 1 / 0",
    "response.writer.write_raw_data_frame(b'abc')",
    "response.writer.write_push([(':path', '/x'), (':method', 'GET'), (':scheme', 'https'), (':authority', 'localhost')])",
    "response.writer.content_written = True",
    "response.writer.stream_ended = True",
    "response.writer.content_written = response.writer.stream_ended = True",
    "response.writer.write_data = None\nreturn 'x'",
    "response.writer.write_headers = lambda *args: None\nreturn 'x'",
];

#[test]
fn over_http_2_with_its_own_writer() {
    let files: Vec<(String, String, String)> = HTTP2
        .iter()
        .enumerate()
        .map(|(number, lines)| {
            let text = format!("def main(request, response):\n    {}\n", lines.replace('\n', "\n    "));
            (format!("h{number}.py"), text, String::new())
        })
        .collect();
    let server = launch(&files).tls().start();
    for (target, text, _) in &files {
        let mut connection = Connection::new(server.h2);
        let stream = connection.get(&format!("/{target}"));
        let frames = connection.answer(stream);
        assert!(!frames.is_empty(), "{text}");
        let mut connection = Connection::new(server.h2);
        let stream = connection.get("/quick.py");
        assert_eq!(connection.text(stream), ("200".to_owned(), "quick".to_owned()), "behind {text}");
    }
}
