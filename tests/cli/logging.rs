//! The log: its format, its levels, and a pipe that is not read.

use std::io::Read as _;

use serde_json::json;

use super::wpt::{Start, ask, checkout, config, with};
use crate::util::until;

#[test]
fn lines_have_pythons_form() {
    let site = checkout(&[("bad.py", "def main(request, response):\n    raise ValueError('said')\n")]);
    let server = Start::new(site.path()).config(&config()).start();
    assert!(ask(server.ports("http")[0], "/bad.py").contains(" 500 "));
    server.logged("ValueError: said");
    for line in server.log().lines().filter(|line| line.starts_with('[')) {
        let (stamp, rest) = line[1..].split_at(23);
        let shape: String = stamp.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert_eq!(shape, "9999-99-99 99:99:99,999", "{line}");
        let (process, message) = rest.split_once("] ").unwrap();
        assert!(process == " MainProcess" || process.contains(" on port "), "{line}");
        assert!(message.starts_with("INFO - ") || message.starts_with("WARNING - "), "{line}");
    }
}

#[test]
fn the_time_is_local() {
    let site = checkout(&[]);
    let hour = |zone: &str| {
        let server = Start::new(site.path()).config(&config()).start_with(|command| {
            command.env("TZ", zone);
        });
        server.logged(" on port ");
        server.log()[1..11].to_owned()
    };
    // More than a day lies between these two: the date differs whenever the test runs.
    assert_ne!(hour("<+14>-14"), hour("<-12>12"));
}

#[test]
fn the_level_decides_what_is_said() {
    let site = checkout(&[("a.txt", "a")]);
    let server = Start::new(site.path()).config(&with(json!({"logging": {"level": "error"}}))).start();
    server.get("/a.txt");
    assert_eq!(server.log(), "");
    let server =
        Start::new(site.path()).config(&with(json!({"logging": {"level": "error"}}))).args(["--verbose"]).start();
    server.get("/a.txt");
    server.logged("DEBUG - ");
    server.logged("INFO - Starting http server");
}

#[test]
fn a_pipe_that_nobody_reads_stops_nothing() {
    let site = checkout(&[
        ("loud.py", "def main(request, response):\n    raise ValueError('x' * 200000)\n"),
        ("loop.py", "def main(request, response):\n    while True: pass\n"),
        ("quick.py", "def main(request, response):\n    return 'quick'\n"),
    ]);
    let mut server = Start::new(site.path()).config(&config()).start_piped();
    let mut out = server.process().stdout.take().unwrap();
    let port = server.ports("http")[0];
    // Far more than a pipe and the queue hold.
    for _ in 0..20 {
        assert!(ask(port, "/loud.py").contains(" 500 "));
    }
    assert_eq!(server.get("/quick.py"), "quick");
    // Once the pipe is read, the rest comes, with the number of lost lines.
    let mut log = Vec::new();
    let mut chunk = [0; 64 * 1024];
    until("the number of lost lines", || {
        let count = out.read(&mut chunk).unwrap();
        log.extend_from_slice(&chunk[..count]);
        String::from_utf8_lossy(&log).contains("lines of the log were lost").then_some(())
    });
    // Blocked again, a handler that never ends: the end does not wait for them.
    for _ in 0..20 {
        ask(port, "/loud.py");
    }
    let _busy = std::net::TcpStream::connect(("127.0.0.1", port)).map(|mut stream| {
        std::io::Write::write_all(&mut stream, crate::util::get("/loop.py").as_bytes()).unwrap();
        stream
    });
    let started = std::time::Instant::now();
    assert!(server.stop("INT").success());
    println!("ended after {:?}", started.elapsed());
}
