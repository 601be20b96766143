//! `?pipe=` over sockets: the times at which the parts of a trickle arrive, their cost, and trickles that never end.
//!
//! `tests/differential` and the tables of `src/pipes` compare the bytes with wptserve.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::util::{Server, Shared, get};

const FILES: &[(&str, &str)] = &[
    ("digits.txt", "0123456789"),
    ("filled.py", "def main(request, response):\n    response.content = b'0123456789'\n"),
    ("returned.py", "def main(request, response):\n    return b'0123456789'\n"),
    (
        "sends.py",
        "from wptserve.pipes import trickle\ndef main(request, response):\n    response.content = b'0123456789'\n    \
         trickle(request, response, '5:d0.3')\n    response.write()\n",
    ),
];

static SHARED: Shared = Shared::new();

fn server() -> Arc<Server> {
    SHARED.get(|| Server::start(FILES))
}

fn about(elapsed: Duration, seconds: f64) {
    let elapsed = elapsed.as_secs_f64();
    assert!((seconds - 0.01..seconds + 1.0).contains(&elapsed), "{elapsed} s instead of {seconds} s");
}

#[test]
fn parts_arrive_when_they_are_due() {
    let server = server();
    for target in ["/digits.txt?pipe=trickle(5:d0.3)", "/filled.py?pipe=trickle(5:d0.3)", "/sends.py"] {
        let mut client = server.connect();
        let start = Instant::now();
        client.send(get(target));
        assert_eq!(client.head().header("Content-Length"), None);
        client.expect("01234");
        assert!(start.elapsed() < Duration::from_millis(280), "{target}: the first part waited");
        client.expect("56789");
        about(start.elapsed(), 0.3);
        client.expect_close();
    }
}

#[test]
fn an_announced_length_keeps_the_connection() {
    let server = server();
    let mut client = server.connect();
    client.send(get("/digits.txt?pipe=slice(1,5)|trickle(2:d0.1)"));
    assert_eq!(client.answer().text(), "1234");
    client.expect_quiet();
}

/// wptserve has two layers for handlers, and the second trickle pulls the first one's content before the head goes out.
#[test]
fn a_trickle_on_a_returned_value_waits_before_and_after_the_head() {
    let server = server();
    let mut client = server.connect();
    let start = Instant::now();
    client.send(get("/returned.py?pipe=trickle(5:d0.3)"));
    client.head();
    about(start.elapsed(), 0.3);
    assert_eq!(client.rest_text(), "0123456789");
    about(start.elapsed(), 0.6);
}

#[test]
fn head_requests_wait_for_nothing() {
    let server = server();
    for target in ["/digits.txt?pipe=trickle(d5)", "/filled.py?pipe=trickle(d5)"] {
        let start = Instant::now();
        let mut client = server.connect();
        client.send(get(target).replacen("GET", "HEAD", 1));
        client.head();
        client.expect_close();
        assert!(start.elapsed() < Duration::from_secs(2), "{target}");
    }
}

#[test]
fn waiting_trickles_need_no_threads() {
    let server = Server::start(FILES);
    let threads = || fs::read_dir(format!("/proc/{}/task", server.serving())).map_or(0, Iterator::count);
    let start = Instant::now();
    let mut clients: Vec<_> = (0..100)
        .map(|number| {
            let mut client = server.connect();
            let path = ["filled.py", "returned.py", "digits.txt"][number % 3];
            client.send(get(&format!("/{path}?pipe=trickle(3:d1)")));
            if number % 10 == 9 {
                // A busy machine would start a thread for each handler that comes at the same time.
                server.get("/returned.py").ok();
            }
            client
        })
        .collect();
    for client in &mut clients {
        client.head();
    }
    assert!(threads() < 60, "{} threads", threads());
    for client in &mut clients {
        assert_eq!(client.rest_text(), "0123456789");
    }
    about(start.elapsed(), 2.0);
}

#[test]
fn what_never_ends_ends_with_its_client() {
    let server = server();
    for target in ["/digits.txt?pipe=trickle(5:r0)", "/filled.py?pipe=trickle(5:r0)"] {
        let mut client = server.connect();
        client.send(get(target));
        client.head();
        client.expect("01234");
        client.expect_quiet();
        client.half_close();
        client.expect_close();
    }
    for target in ["/digits.txt?pipe=trickle(5:r0)|gzip", "/returned.py?pipe=trickle(d1:r2)"] {
        let message = server.get(target).error(500);
        assert!(message.contains("MemoryError: the trickle pipe repeats its content for ever"), "{message}");
    }
}

/// As in wptserve, the bytes that have been sent stay, and the client is not told that no more will come.
#[test]
fn a_delay_that_is_none_breaks_the_answer_off() {
    let server = server();
    for target in ["/digits.txt?pipe=trickle(5:d-1)", "/filled.py?pipe=trickle(5:d-1)"] {
        let mut client = server.connect();
        client.send(get(target));
        client.head();
        client.expect("01234");
        client.expect_close();
    }
}
