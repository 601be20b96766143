//! A server that may open no more files: requests that need one are answered with 503 and work later, and the log says what to do.

use std::sync::Arc;

use crate::util::{Client, Launch, Server, get, post};

const FILES: &[(&str, &str)] = &[
    ("static.txt", "static"),
    ("with.txt", "with"),
    ("with.txt.headers", "Content-Length: 4\n"),
    ("page.html", "<p>"),
    ("x.asis", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("t.window.js", "test(() => {});\n"),
    ("dir/a.txt", "a"),
    ("new.py", "def main(request, response):\n    return b'new'\n"),
    ("helpers/__init__.py", ""),
    ("helpers/new.py", "VALUE = b'helper'\n"),
    ("helped.py", "def main(request, response):\n    from helpers import new\n    return new.VALUE\n"),
    ("top.py", "from helpers import new\ndef main(request, response):\n    return new.VALUE\n"),
    (
        "opens.py",
        "import os\ndef main(request, response):\n    with open(os.path.join(request.doc_root, 'static.txt'), 'rb') as f:\n        \
         return f.read()\n",
    ),
    ("body.py", "def main(request, response):\n    return str(len(request.body))\n"),
    (
        "twice.py",
        "def main(request, response):\n    try:\n        request.body\n    except OSError:\n        pass\n    \
         return str(len(request.body))\n",
    ),
    ("quick.py", "def main(request, response):\n    return b'quick'\n"),
];

/// More than is kept in memory.
const UPLOAD: usize = 3 << 20;

/// Takes all descriptors of a server with this limit. The accepted connections come first in the result.
fn exhausted(limit: usize) -> (Arc<Server>, Vec<Client>) {
    let limited = format!("ulimit -n {limit}; exec \"$@\"");
    let server = Launch::with_program(FILES, &["sh", "-c", &limited, "sh"]).start();
    let mut client = server.connect();
    // The scripts are compiled before the descriptors run out. One connection is used for all, because each that closes later
    // would free a descriptor.
    for target in ["/opens.py", "/body.py", "/twice.py", "/quick.py"] {
        client.send(get(target));
        assert_eq!(client.answer().code(), 200, "{target}");
    }
    let mut crowd = vec![client];
    crowd.extend((0..limit + 10).map(|_| server.connect()));
    server.logged("Too many open files");
    // Connections of the start may have freed descriptors, which waiting connections take.
    let mut busy = 0;
    crate::util::until("a server without descriptors", || {
        crowd[0].send(get("/with.txt"));
        busy = if crowd[0].answer().code() == 503 { busy + 1 } else { 0 };
        (busy == 20).then_some(())
    });
    (server, crowd)
}

#[track_caller]
fn expect_busy(client: &mut Client, target: &str) {
    let answer = client.answer();
    let message = answer.error(503);
    assert!(message.contains("Too many open files"), "{target}: {message}");
    assert_eq!(answer.header("Retry-After"), Some("1"), "{target}");
}

#[test]
fn what_cannot_be_opened_is_a_503_and_no_404() {
    const TARGETS: [&str; 11] = [
        "/static.txt",
        "/with.txt",
        "/page.html",
        "/page.html?pipe=sub",
        "/x.asis",
        "/t.window.html",
        "/dir/",
        "/new.py",
        "/top.py",
        "/helped.py",
        "/opens.py",
    ];
    for limit in [64, 256] {
        let (server, mut crowd) = exhausted(limit);
        let client = &mut crowd[0];
        for target in TARGETS {
            client.send(get(target));
            expect_busy(client, target);
        }
        for target in ["/body.py", "/twice.py"] {
            client.send(post(target, &"x".repeat(UPLOAD)));
            expect_busy(client, target);
        }
        // A missing file is still a 404, and answers that need no file work.
        for (target, code) in [("/absent", 404), ("/quick.py", 200)] {
            client.send(get(target));
            assert_eq!(client.answer().code(), code, "{target}");
        }
        let log = server.log();
        let lines: Vec<&str> = log.lines().filter(|line| line.contains("LimitNOFILE")).collect();
        assert!((1..=4).contains(&lines.len()), "{lines:?}");
        assert!(lines[0].contains(": Too many open files"), "{lines:?}");
        assert!(lines[0].contains("ulimit -n"), "{lines:?}");
        // The server tries to accept the waiting connections only from time to time, and does not spin.
        let attempts = log.lines().filter(|line| line.contains("ccept")).count();
        assert!(attempts < 200, "{attempts} attempts to accept: {log}");
        // Every request works when descriptors are free again.
        crowd.truncate(1);
        let mut client = crowd.remove(0);
        for target in TARGETS {
            let code = crate::util::until(target, || {
                let mut client = server.connect();
                client.send(get(target));
                Some(client.head().code()).filter(|code| *code != 503)
            });
            assert_eq!(code, 200, "{target}");
        }
        client.send(post("/twice.py", &"x".repeat(UPLOAD)));
        assert_eq!(client.answer().ok(), UPLOAD.to_string());
    }
}
