//! Faults of handlers and clients: after each fault the same process serves the next request. Some figures are printed
//! (`--nocapture`); the asserted bounds are generous, because machines are noisy.
//!
//! The deep structures could abort the process: RustPython recurses natively, and only the large stacks of the handler threads
//! turn that into an exception.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::util::{Launch, Server, get, until};

/// A handler whose `main` consists of these lines.
fn handler(lines: &str) -> String {
    format!("def main(request, response):\n    {}\n", lines.replace('\n', "\n    "))
}

/// A server with a `fault.py` of these lines, and a `quick.py` beside it.
fn with_fault(lines: &str) -> Arc<Server> {
    Server::start(&[("fault.py", &handler(lines)), ("quick.py", "def main(request, response):\n    return b'quick'\n")])
}

/// The fault answers `code`; the next requests, on the same connection where it is open, work.
#[track_caller]
fn survives(lines: &str, code: u16) -> String {
    let server = with_fault(lines);
    let mut client = server.connect();
    let mut text = String::new();
    for round in 0..2 {
        client.send(get("/fault.py"));
        let answer = client.answer();
        assert_eq!(answer.code(), code, "{lines}: round {round}: {}", answer.text());
        text = answer.text();
        client.send(get("/quick.py"));
        assert_eq!(client.answer().ok(), "quick", "{lines}");
    }
    assert!(server.is_alive(), "{lines}");
    text
}

#[test]
fn exceptions_of_every_kind_are_answered_with_500() {
    for (lines, shown) in [
        ("raise SystemExit(3)", "SystemExit"),
        ("import sys\nsys.exit()", "SystemExit"),
        ("raise KeyboardInterrupt()", "KeyboardInterrupt"),
        ("raise RecursionError('deep')", "RecursionError: deep"),
        ("raise MemoryError()", "MemoryError"),
        ("raise 3", "TypeError: exceptions must"),
        ("raise ValueError(u'\\ud800')", "ValueError"),
        ("raise GeneratorExit()", "GeneratorExit"),
        (
            "class Bad(Exception):\n    def __str__(self):\n        raise ValueError('no text')\nraise Bad()",
            "<no traceback>",
        ),
        ("exit()", ""),
    ] {
        let text = survives(lines, 500);
        assert!(text.contains(shown), "{lines}: {text}");
    }
}

#[test]
fn endless_recursion_is_an_exception() {
    for lines in [
        "def f(n):\n    return f(n + 1)\nf(0)",
        "class A:\n    def __eq__(self, other):\n        return self == other\nA() == A()",
        "class A:\n    def __getattr__(self, name):\n        return getattr(self, name + 'x')\nA().a",
        "class A:\n    def __repr__(self):\n        return repr(self)\nrepr(A())",
    ] {
        let text = survives(lines, 500);
        assert!(text.contains("RecursionError"), "{lines}: {text}");
    }
}

#[test]
fn deep_structures_do_not_overflow_the_stack() {
    let nested = |depth: u32| format!("x = []\nfor _ in range({depth}):\n    x = [x]\n");
    // The client gets an answer, whether or not the handler raises.
    let attempt = |lines: &str| {
        format!(
            "try:\n    {}\nexcept Exception as e:\n    return type(e).__name__\nreturn 'fine'",
            lines.replace('\n', "\n    ")
        )
    };
    for lines in [
        nested(100_000) + "repr(x)",
        nested(300_000) + "x = None",
        nested(100_000) + "import json\njson.dumps(x)",
        nested(100_000) + "y = []\nfor _ in range(100000):\n    y = [y]\nx == y",
        "import json\njson.loads('[' * 100000)".into(),
        "eval('(' * 5000 + ')' * 5000)".into(),
        "eval('-' * 5000 + '1')".into(),
        "eval('[' * 5000 + ']' * 5000)".into(),
        "compile('a' + '.b' * 20000, 'x', 'eval')".into(),
        "x = ()\nfor _ in range(300000):\n    x = (x, {})\ndel x".into(),
        "x = {}\nfor _ in range(300000):\n    x = {1: x}\ndel x".into(),
        "import re\nre.compile('(' * 5000 + ')' * 5000)".into(),
    ] {
        let text = survives(&attempt(&lines), 200);
        println!("{:>16} {lines:?}", text);
    }
}

#[test]
fn huge_allocations_are_memory_errors() {
    for lines in
        ["b'x' * 10**15", "'x' * 10**15", "[0] * 10**14", "bytearray(10**15)", "bytes(10**15)", "(0,) * 10**14"]
    {
        let text = survives(lines, 500);
        assert!(text.contains("MemoryError") || text.contains("OverflowError"), "{lines}: {text}");
    }
}

#[test]
#[ignore = "RustPython allocates for these without asking, and Rust ends the process when an allocation fails"]
fn huge_allocations_of_other_kinds_are_memory_errors() {
    for lines in [
        "'%1000000000000000d' % 1",
        "import io\nb = io.BytesIO(b'x')\nb.seek(10**18)\nb.write(b'y')",
        "import random\nrandom.getrandbits(10**15)",
        "import os\nos.urandom(10**15)",
    ] {
        let text = survives(lines, 500);
        assert!(text.contains("MemoryError") || text.contains("OverflowError"), "{lines}: {text}");
    }
}

#[test]
fn blocking_and_looping_handlers_block_nobody() {
    let server = Server::start(&[
        ("loop.py", "def main(request, response):\n    while True:\n        pass\n"),
        ("lock.py", "import threading\ndef main(request, response):\n    threading.Event().wait()\n"),
        (
            "threads.py",
            "import threading, time\ndef main(request, response):\n    \
             threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n    \
             threading.Thread(target=time.sleep, args=(60,)).start()\n    return b'started'\n",
        ),
        (
            "dies.py",
            "import threading\ndef main(request, response):\n    t = threading.Thread(target=lambda: 1 / 0)\n    t.start()\n    t.join()\n    return b'joined'\n",
        ),
        ("quick.py", "def main(request, response):\n    return b'quick'\n"),
        ("static.txt", "static"),
    ]);
    let mut stuck: Vec<_> = (0..3).map(|n| (n, server.connect())).collect();
    for (n, client) in &mut stuck {
        client.send(get(if *n == 0 { "/loop.py" } else { "/lock.py" }));
    }
    assert_eq!(server.get("/threads.py").ok(), "started");
    assert_eq!(server.get("/dies.py").ok(), "joined");
    for _ in 0..20 {
        assert_eq!(server.get("/quick.py").ok(), "quick");
        assert_eq!(server.get("/static.txt").ok(), "static");
    }
    // Endless loops, held locks and running threads do not keep the process from ending.
    server.signal("TERM");
    assert!(server.wait().success());
}

#[test]
fn garbage_on_the_wire_stays_on_its_connection() {
    let server = Server::start(&[
        (
            "garbage.py",
            "import os\ndef main(request, response):\n    response.writer.write(b'\\x00\\xff\\r\\nnonsense')\n    response.close_connection = True\n",
        ),
        (
            "raises.py",
            "def main(request, response):\n    response.writer.write(b'HTTP/1.1 200 OK\\r\\n')\n    response.close_connection = True\n    raise ValueError('late')\n",
        ),
        ("number.py", "def main(request, response):\n    response.writer.write(3)\n"),
        ("quick.py", "def main(request, response):\n    return b'quick'\n"),
    ]);
    let mut client = server.connect();
    client.send(get("/garbage.py"));
    assert_eq!(client.rest(), b"\x00\xff\r\nnonsense");
    let mut client = server.connect();
    client.send(get("/raises.py"));
    let text = client.rest_text();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    server.logged("ValueError: late");
    let mut client = server.connect();
    client.send(get("/number.py"));
    drop(client);
    assert_eq!(server.get("/quick.py").ok(), "quick");
}

#[test]
fn a_small_descriptor_limit_is_survived() {
    let limited = ["sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"];
    let files = [("quick.py", "def main(request, response):\n    return b'quick'\n"), ("static.txt", "static")];
    let server = Launch::with_program(&files, &limited).start();
    let crowd: Vec<_> = (0..120).map(|_| server.connect()).collect();
    // Accepted connections get an answer, although the server cannot open a file for it.
    let mut crowd = crowd.into_iter();
    let mut client = crowd.next().unwrap();
    client.send(get("/quick.py"));
    println!("without descriptors: {}", client.answer().status);
    server.logged("Too many open files");
    drop(crowd);
    until("the server to serve again", || {
        let (tx, rx) = std::sync::mpsc::channel();
        let server = Arc::clone(&server);
        thread::spawn(move || tx.send(server.get("/static.txt").code()));
        (rx.recv_timeout(Duration::from_secs(5)) == Ok(200)).then_some(())
    });
    assert_eq!(server.get("/quick.py").ok(), "quick");
}

/// A server with handlers that sleep.
fn sleepers() -> Arc<Server> {
    Server::start(&[
        (
            "sleep.py",
            "import time\ndef main(request, response):\n    time.sleep(float(request.GET.first(b's')))\n    return b'slept'\n",
        ),
        ("quick.py", "def main(request, response):\n    return b'quick'\n"),
        ("static.txt", "static"),
    ])
}

#[test]
fn three_hundred_sleepers_leave_room_for_others() {
    let server = sleepers();
    let started = Instant::now();
    let sleeping: Vec<_> = (0..300)
        .map(|_| {
            let mut client = server.connect();
            client.send(get("/sleep.py?s=2"));
            client
        })
        .collect();
    let (mut quick, mut files) = (Vec::new(), Vec::new());
    while started.elapsed() < Duration::from_millis(1700) {
        for (target, times) in [("/quick.py", &mut quick), ("/static.txt", &mut files)] {
            let asked = Instant::now();
            server.get(target).ok();
            times.push(asked.elapsed());
        }
    }
    for mut client in sleeping {
        assert_eq!(client.answer().ok(), "slept");
    }
    let all = started.elapsed();
    for (name, times) in [("handler", &mut quick), ("static", &mut files)] {
        times.sort();
        println!(
            "{name}: {} requests beside 300 sleepers, p50 {:?}, p99 {:?}, max {:?}",
            times.len(),
            times[times.len() / 2],
            times[times.len() * 99 / 100],
            times[times.len() - 1]
        );
        assert!(times[times.len() / 2] < Duration::from_millis(200), "{name}: {:?}", times[times.len() / 2]);
    }
    println!("300 sleepers of 2 s: all answered after {all:?}");
    assert!(all < Duration::from_secs(10), "the sleepers waited for each other: {all:?}");
}

#[test]
fn signals_end_the_server_at_once_whatever_runs() {
    for name in ["TERM", "INT"] {
        let server = sleepers();
        let clients: Vec<_> = (0..50)
            .map(|_| {
                let mut client = server.connect();
                client.send(get("/sleep.py?s=60"));
                client
            })
            .collect();
        // The queue has an order, so this request is answered only after the fifty have started.
        assert_eq!(server.get("/quick.py").ok(), "quick");
        let asked = Instant::now();
        server.signal(name);
        let status = server.wait();
        println!("SIG{name} with 50 sleeping handlers: ended after {:?}", asked.elapsed());
        assert!(status.success(), "SIG{name}: {status}: {}", server.log());
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        for mut client in clients {
            client.expect_close();
        }
    }
}
