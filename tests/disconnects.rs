//! Clients that disconnect, and clients that are slow: a handler that writes notices, other handlers do not.
//!
//! `response.writer.write()` returns False once the client has disconnected. CPython sees this at the second or third write,
//! because the kernel takes the first write after a reset. The handlers here note the results in a helper module.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::util::{Server, Shared, get, until};

const FILES: &[(&str, &str)] = &[
    ("notes/__init__.py", ""),
    ("notes/book.py", "seen = {}\n"),
    (
        "read.py",
        "from notes import book\ndef main(request, response):\n    return book.seen.get(request.GET.first(b'key'), '')\n",
    ),
    (
        "writes.py",
        "import time\nfrom notes import book\ndef main(request, response):\n    key = request.GET.first(b'key')\n    \
         response.writer.write(b'begin')\n    for n in range(2000):\n        \
         if response.writer.write(b'.') is False:\n            book.seen[key] = 'gone after %d' % n\n            return\n        \
         time.sleep(0.01)\n    book.seen[key] = 'never noticed'\n",
    ),
    (
        "generates.py",
        "import time\nfrom notes import book\ndef main(request, response):\n    key = request.GET.first(b'key')\n    def parts():\n        \
         try:\n            while True:\n                yield b'part'\n                time.sleep(0.01)\n        finally:\n            \
         book.seen[key] = 'closed'\n    return parts()\n",
    ),
    (
        "floods.py",
        "from notes import book\ndef main(request, response):\n    key = request.GET.first(b'key')\n    sent = 0\n    \
         while response.writer.write(b'x' * 65536) is not False:\n        sent += 1\n        book.seen[key] = str(sent)\n    \
         book.seen[key] = 'stopped'\n",
    ),
    (
        "waits.py",
        "from notes import book\ndef main(request, response):\n    key = request.GET.first(b'key')\n    try:\n        \
         request.raw_input.read()\n    except BaseException as e:\n        book.seen[key] = 'raised ' + type(e).__name__\n        \
         raise\n    book.seen[key] = 'read'\n",
    ),
    ("big.py", "def main(request, response):\n    return b'0123456789abcdef' * (1 << 18)\n"),
    ("quick.py", "def main(request, response):\n    return b'quick'\n"),
];

static SHARED: Shared = Shared::new();

fn server() -> Arc<Server> {
    SHARED.get(|| super::start(FILES))
}

/// Waits until the note that a handler has left under this key passes the check.
fn note(server: &Arc<Server>, key: &str, mut pass: impl FnMut(&str) -> bool) -> String {
    until(&format!("a note under {key}"), || {
        let text = server.get(&format!("/read.py?key={key}")).ok();
        pass(&text).then_some(text)
    })
}

#[test]
fn a_writer_learns_that_the_client_has_gone() {
    let server = server();
    for key in ["close", "reset"] {
        let mut client = server.connect();
        client.send(get(&format!("/writes.py?key={key}")));
        client.expect("begin");
        let left = Instant::now();
        if key == "reset" {
            client.reset();
        } else {
            drop(client);
        }
        let text = note(&server, key, |text| !text.is_empty());
        println!("{key}: {text}, known {:?} after the client left", left.elapsed());
        assert!(text.starts_with("gone after"), "{key}: {text}");
        assert!(left.elapsed() < Duration::from_secs(5), "{:?}", left.elapsed());
    }
}

#[test]
fn an_endless_generator_ends_with_its_client() {
    let server = server();
    let mut client = server.connect();
    client.send(get("/generates.py?key=generator"));
    assert!(!client.some().is_empty());
    client.reset();
    assert_eq!(note(&server, "generator", |text| !text.is_empty()), "closed");
}

#[test]
fn a_reader_of_the_body_learns_that_the_client_has_gone() {
    let server = server();
    for key in ["body-close", "body-reset"] {
        let mut client = server.connect();
        client.send(format!("POST /waits.py?key={key} HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"));
        thread::sleep(Duration::from_millis(20));
        if key == "body-reset" {
            client.reset();
        } else {
            drop(client);
        }
        let text = note(&server, key, |text| !text.is_empty());
        println!("{key}: {text}");
    }
}

#[test]
fn a_flood_waits_for_a_client_that_does_not_read() {
    let server = server();
    let mut client = server.connect();
    client.send(get("/floods.py?key=flood"));
    // The writer stops when the socket buffers are full, before it fills the memory.
    let mut last = String::new();
    let mut since = Instant::now();
    note(&server, "flood", |text| {
        if text != last {
            (last, since) = (text.to_owned(), Instant::now());
        }
        !text.is_empty() && since.elapsed() > Duration::from_millis(300)
    });
    let written: usize = last.parse().expect("a count");
    println!("a writer whose client does not read stops after {} KiB", written * 64);
    assert!(written < 1024, "{written} times 64 KiB without a reader");
    assert!(!client.some().is_empty());
    client.reset();
    assert_eq!(note(&server, "flood", |text| text == "stopped"), "stopped");
}

#[test]
fn a_slow_reader_gets_everything() {
    let mut client = server().connect();
    client.send(get("/big.py"));
    let head = client.head();
    let length: usize = head.header("Content-Length").unwrap().parse().unwrap();
    let mut body = Vec::new();
    while body.len() < length {
        thread::sleep(Duration::from_millis(5));
        let some = client.some();
        assert!(!some.is_empty(), "closed after {} of {length} bytes", body.len());
        body.extend(some);
    }
    assert!(body == b"0123456789abcdef".repeat(1 << 18));
    client.send(get("/quick.py"));
    assert_eq!(client.answer().ok(), "quick");
}

#[test]
fn clients_that_go_without_waiting_do_no_harm() {
    let server = server();
    for target in ["/quick.py", "/big.py", "/absent", "/"] {
        for _ in 0..20 {
            let mut client = server.connect();
            client.send(get(target));
            client.reset();
            let mut client = server.connect();
            client.send(get(target));
            drop(client);
        }
    }
    assert_eq!(server.get("/quick.py").ok(), "quick");
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
}
