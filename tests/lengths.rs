//! Answers whose length is announced have that length, or the connection ends: files that change while they are sent, and lengths
//! that are wrong from the beginning. Their bytes never become a part of the next answer on the connection.

use std::{fs, sync::Arc};

use crate::{
    h2,
    util::{Launch, Server, get},
};

/// More bytes than the system buffers for a client that does not read.
const LARGE: u64 = 48 << 20;

const FILES: &[(&str, &str)] = &[
    ("large.bin.headers", "Content-Type: text/plain\nContent-Length: 50331648\n"),
    ("next.txt", "next"),
    ("next.txt.headers", "Content-Length: 4\n"),
    (
        "file.py",
        "import os\ndef main(request, response):\n    path = os.path.join(request.doc_root, 'large.bin')\n    \
         response.headers.set(b'Content-Length', str(os.path.getsize(path)))\n    return open(path, 'rb')\n",
    ),
    ("short.txt", "01234"),
    ("short.txt.headers", "Content-Length: 7\n"),
    ("long.txt", "0123456789"),
    ("long.txt.headers", "Content-Length: 7\n"),
    ("odd.txt", "01234"),
    ("odd.txt.headers", "Content-Length: 5\nContent-Length: 6\n"),
];

/// Sets the size of the large file, all NUL.
fn resize(server: &Server, length: u64) {
    let path = server.site.path().join("large.bin");
    fs::File::options().create(true).truncate(false).write(true).open(path).unwrap().set_len(length).unwrap();
}

/// Asks for a large file, and for another one behind it. Sets the size of the first one before the client reads on.
fn change_while_sending(server: &Arc<Server>, target: &str, length: u64) -> crate::util::Client {
    resize(server, LARGE);
    let mut client = server.connect();
    client.send([get(target), get("/next.txt")].concat());
    assert_eq!(client.head().header("Content-Length"), Some(&*LARGE.to_string()), "{target}");
    resize(server, length);
    client
}

#[test]
fn a_file_that_grows_while_it_is_sent_has_the_length_that_was_announced() {
    let server = Server::start(FILES);
    let mut client = change_while_sending(&server, "/large.bin", LARGE + (8 << 20));
    assert!(client.take(LARGE as usize).iter().all(|byte| *byte == 0));
    assert_eq!(client.answer().ok(), "next");
    client.expect_quiet();
    // A handler's file: content beyond the announced length closes the connection.
    let mut client = change_while_sending(&server, "/file.py", LARGE + (8 << 20));
    client.take(LARGE as usize);
    assert!(client.rest().iter().all(|byte| *byte == 0));
}

#[test]
fn a_file_that_shrinks_while_it_is_sent_ends_the_connection() {
    let server = Server::start(FILES);
    for target in ["/large.bin", "/file.py"] {
        let rest = change_while_sending(&server, target, 4).rest();
        assert!(rest.len() < LARGE as usize, "{target}: {}", rest.len());
        assert!(rest.iter().all(|byte| *byte == 0), "{target}: something follows the beginning of a file");
    }
    let mut client = server.connect();
    client.send(get("/next.txt"));
    assert_eq!(client.answer().ok(), "next");
}

#[test]
fn a_length_that_is_wrong_ends_the_connection() {
    let server = Server::start(FILES);
    for (target, body) in [
        ("/short.txt", "01234"),
        ("/long.txt", "0123456789"),
        ("/odd.txt", "01234"),
        ("/next.txt?pipe=slice(1)|header(Content-Length,4)", "ext"),
        ("/next.txt?pipe=trickle(2)|header(Content-Length,3)", "next"),
        ("/next.txt?pipe=header(Content-Length,x)", "next"),
    ] {
        let mut client = server.connect();
        client.send([get(target), get("/next.txt")].concat());
        client.head();
        assert_eq!(client.rest_text(), body, "{target}");
    }
    // HEAD has no body, and a range has the length that it has.
    let mut client = server.connect();
    client.send(get("/short.txt").replace("GET", "HEAD"));
    assert_eq!(client.head().header("Content-Length"), Some("7"));
    client.send(get("/next.txt?pipe=header(Content-Length,2)").replace("\r\n\r\n", "\r\nRange: bytes=1-2\r\n\r\n"));
    assert_eq!(client.answer().text(), "ex");
    client.send(get("/next.txt"));
    assert_eq!(client.answer().ok(), "next");
}

#[test]
fn over_http2_a_file_that_changes_keeps_its_length_or_its_stream_is_reset() {
    let launch = Launch::new(FILES);
    let root = launch.site().path().to_owned();
    let server = launch.with_root(&root).start();
    for length in [LARGE + (1 << 20), 4] {
        resize(&server, LARGE);
        let mut connection = h2::client::Connection::new(server.h2);
        // The window of the stream is 16 MiB, so that the server has to wait.
        let stream = connection.get("/large.bin");
        let first = connection.next_of_stream().unwrap();
        assert_eq!(first.kind, h2::client::HEADERS);
        resize(&server, length);
        connection.send(h2::client::WINDOW_UPDATE, 0, 0, &(1u32 << 27).to_be_bytes());
        connection.send(h2::client::WINDOW_UPDATE, 0, stream, &(1u32 << 27).to_be_bytes());
        if length > LARGE {
            assert_eq!(connection.data_of(stream).len() as u64, LARGE);
        } else {
            assert_eq!(connection.reset_of(stream), 2, "INTERNAL_ERROR");
        }
    }
}
