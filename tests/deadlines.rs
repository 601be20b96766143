//! Handlers that never end by themselves: their time is up, or their client has gone.
//!
//! No test judges a time: each waits for what has to come, and would wait for ever without the limit that it is about.

use std::sync::Arc;

use serde_json::json;

use crate::{
    h2::client::{Connection, RST_STREAM, request},
    util::{Client, Launch, Server, get, until},
};

/// What handlers note, and what others read.
const BOOK: &[(&str, &str)] = &[
    ("notes/__init__.py", ""),
    ("notes/book.py", "seen = []\n"),
    ("read.py", "from notes import book\ndef main(request, response):\n    return ' '.join(book.seen)\n"),
    ("quick.py", "def main(request, response):\n    return 'quick'\n"),
];

/// The body of `main` in a file of its own.
fn handler(lines: &str) -> String {
    format!(
        "import threading, time\nfrom notes import book\ndef main(request, response):\n    {}\n",
        lines.replace('\n', "\n    ")
    )
}

fn launch(bodies: &[(&str, &str)]) -> Launch {
    let files: Vec<(String, String)> =
        bodies.iter().map(|(name, lines)| ((*name).to_owned(), handler(lines))).collect();
    let files = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    Launch::new(&files.chain(BOOK.iter().copied()).collect::<Vec<_>>())
}

fn with_timeout(bodies: &[(&str, &str)]) -> Arc<Server> {
    launch(bodies).arg("--handler-timeout").arg("0.2").start()
}

/// A server whose handlers end soon after their client has gone.
fn with_grace(bodies: &[(&str, &str)]) -> Launch {
    launch(bodies).config(&json!({"client_gone_grace": 0.2}))
}

/// What the client of a handler is told whose time is up.
#[track_caller]
fn expect_timeout(server: &Arc<Server>, target: &str) -> String {
    let message = server.get(target).error(500);
    assert!(message.contains("RequestCancelled: the handler has run for 0.2 s"), "{message}");
    assert!(message.contains("--handler-timeout"), "{message}");
    server.logged(&format!("{}: ended: the handler has run for 0.2 s", server.site.show(&target[1..])));
    message
}

/// Waits until a handler has noted this.
fn noted(server: &Arc<Server>, note: &str) {
    until(&format!("the note {note}"), || {
        server.get("/read.py").ok().split(' ').any(|seen| seen == note).then_some(())
    });
}

/// How many threads run handlers, or wait for some to run.
fn threads(server: &Server) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap().flatten();
    tasks.filter(|task| std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name == "handler\n")).count()
}

#[test]
fn who_computes_for_ever_is_ended() {
    let server = with_timeout(&[
        ("loop.py", "while True: pass"),
        ("exception.py", "while True:\n    try:\n        while True: pass\n    except Exception: pass"),
        ("nested.py", "def deep(n):\n    while True:\n        n and deep(n - 1)\ndeep(50)"),
        ("comprehension.py", "return sum(n for n in iter(int, 1))"),
    ]);
    for target in ["/loop.py", "/exception.py", "/nested.py", "/comprehension.py"] {
        expect_timeout(&server, target);
        assert_eq!(server.get("/quick.py").ok(), "quick");
    }
}

#[test]
fn the_message_says_where_it_was() {
    let server = with_timeout(&[("loop.py", "x = 1\nwhile True:\n    x += 1")]);
    let message = expect_timeout(&server, "/loop.py");
    assert!(message.contains("in main"), "{message}");
    assert!(message.contains("loop.py\", line "), "{message}");
}

#[test]
fn who_catches_everything_is_ended_too() {
    let server = with_timeout(&[
        ("bare.py", "while True:\n    try:\n        while True: pass\n    except: pass"),
        (
            "asleep.py",
            "while True:\n    try:\n        time.sleep(1000)\n    except BaseException: book.seen.append('caught')",
        ),
        ("finally.py", "def again():\n    try:\n        while True: pass\n    finally:\n        again()\nagain()"),
    ]);
    for target in ["/bare.py", "/asleep.py", "/finally.py"] {
        expect_timeout(&server, target);
    }
    noted(&server, "caught");
}

#[test]
fn what_stands_behind_finally_is_done() {
    let server = with_timeout(&[
        ("finally.py", "try:\n    time.sleep(1000)\nfinally:\n    time.sleep(0.1)\n    book.seen.append('finally')"),
        ("with.py", "lock = threading.Lock()\nbook.lock = lock\nwith lock:\n    while True: pass"),
        ("locked.py", "return str(book.lock.locked())"),
        ("except.py", "try:\n    time.sleep(1000)\nexcept BaseException as e:\n    return type(e).__name__"),
    ]);
    expect_timeout(&server, "/finally.py");
    noted(&server, "finally");
    expect_timeout(&server, "/with.py");
    assert_eq!(server.get("/locked.py").ok(), "False");
    // A handler may still answer.
    assert_eq!(server.get("/except.py").ok(), "RequestCancelled");
    server.logged("except.py: ended: ");
}

/// All waits that a handler can get into.
#[test]
fn who_waits_for_ever_is_ended() {
    let waits = [
        ("sleep.py", "time.sleep(1e6)"),
        ("stash_queue.py", "request.server.stash.get_queue().get()"),
        ("queue_timeout.py", "request.server.stash.get_queue().get(timeout=1e6)"),
        ("queue_join.py", "q = request.server.stash.get_queue()\nq.put(1)\nq.join()"),
        (
            "stash_lock.py",
            "request.server.stash.lock.acquire()\ntry:\n    request.server.stash.lock.acquire()\nfinally:\n    request.server.stash.lock.release()",
        ),
        ("w_lock.py", "l = threading.Lock()\nl.acquire()\nl.acquire()"),
        ("lock_timeout.py", "l = threading.Lock()\nl.acquire()\nl.acquire(timeout=1e6)"),
        ("w_with.py", "l = threading.Lock()\nl.acquire()\nwith l:\n    pass"),
        ("w_condition.py", "c = threading.Condition()\nwith c:\n    c.wait()"),
        ("w_event.py", "threading.Event().wait()"),
        ("w_semaphore.py", "threading.Semaphore(0).acquire()"),
        ("w_py_queue.py", "import queue\nqueue.Queue().get()"),
        ("w_simple_queue.py", "import queue\nqueue.SimpleQueue().get()"),
        ("w_join.py", "t = threading.Thread(target=time.sleep, args=(1e6,), daemon=True)\nt.start()\nt.join()"),
        ("w_select.py", "import select\nselect.select([], [], [])"),
        ("w_socket.py", "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen()\ns.accept()"),
        ("w_pipe.py", "import os\nos.read(os.pipe()[0], 1)"),
        ("w_process.py", "import subprocess\nsubprocess.run(['sleep', '1000'])"),
    ];
    let server = with_timeout(&waits);
    for (name, _) in waits {
        expect_timeout(&server, &format!("/{name}"));
    }
    assert_eq!(server.get("/quick.py").ok(), "quick");
}

#[test]
fn a_lock_that_comes_in_time_is_got() {
    let server = launch(&[(
        "lock.py",
        "l = threading.Lock()\nl.acquire()\nt = threading.Timer(0.3, l.release)\nt.start()\n\
         got = [l.acquire(), l.acquire(False), l.acquire(timeout=0.01), l.acquire(True, 0), l.locked()]\n\
         r = threading.RLock()\nwith r, r:\n    got += [r.acquire(), r.acquire(timeout=5)]\nt.join()\ngot += [t.is_alive()]\n\
         for args in [(False, 1), (True, -2), (True, 'x')]:\n    try:\n        l.acquire(*args)\n    except Exception as e:\n        \
         got += [type(e).__name__]\nreturn str(got)",
    )])
    .start();
    assert_eq!(
        server.get("/lock.py").ok(),
        "[True, False, False, False, True, True, True, False, 'ValueError', 'ValueError', 'TypeError']"
    );
}

#[test]
fn a_body_that_never_comes_is_not_waited_for() {
    let server = with_timeout(&[("reads.py", "request.raw_input.read()"), ("body.py", "return request.body")]);
    let mut client = server.connect();
    client.send("POST /body.py HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
    let message = client.answer().error(500);
    assert!(message.contains("RequestCancelled"), "{message}");
    server.logged("body.py: ended: ");
}

#[test]
fn content_without_an_end_ends() {
    let server = with_timeout(&[
        ("silent.py", "def content():\n    yield 'begin'\n    while True: pass\nreturn content()"),
        ("sleeper.py", "def content():\n    yield 'begin'\n    time.sleep(1e6)\nreturn content()"),
        ("endless.py", "def content():\n    while True: yield 'x'\nreturn content()"),
        ("writer.py", "while True:\n    response.writer.write(b'x' * 65536)"),
        ("no_content.py", "def content():\n    while True: pass\n    yield\nreturn content()"),
    ]);
    for target in ["/silent.py", "/sleeper.py"] {
        let mut client = server.connect();
        client.send(get(target));
        assert!(client.rest_text().ends_with("begin"), "{target}");
    }
    // What has begun cannot become an error: the connection ends.
    for target in ["/endless.py", "/writer.py", "/no_content.py"] {
        let mut client = server.connect();
        client.send(get(target));
        client.rest();
        server.logged(&format!("{}: ended: ", server.site.show(&target[1..])));
    }
}

/// A client that takes nothing keeps the socket full.
#[test]
fn who_writes_to_a_closed_window_is_ended() {
    let server = with_timeout(&[(
        "writer.py",
        "while True:\n    response.writer.write(b'x' * 65536)\n    book.seen.append('w')",
    )]);
    let mut client = server.connect();
    client.send(get("/writer.py"));
    server.logged("writer.py: ended: ");
    client.rest();
}

#[test]
fn quick_handlers_are_left_alone() {
    let server = with_timeout(&[]);
    let mut client = server.connect();
    for _ in 0..2000 {
        client.send(get("/quick.py"));
        assert_eq!(client.answer().ok(), "quick");
    }
    assert!(!server.log().contains("ended:"), "{}", server.log());
}

#[test]
fn a_script_that_does_not_end_is_no_helper_either() {
    let server = launch(&[("imports.py", "from helpers import endless")]).arg("--handler-timeout").arg("0.2");
    server.site().write("helpers/__init__.py", "");
    server.site().write("helpers/endless.py", "while True: pass\n");
    server.site().write("module.py", "while True: pass\n");
    let server = server.start();
    expect_timeout(&server, "/imports.py");
    expect_timeout(&server, "/module.py");
    // Nothing half-made is left.
    server.site.write("helpers/endless.py", "end = True\n");
    assert_eq!(server.get("/imports.py").code(), 200);
}

/// Several are ended at the same time, and others are not.
#[test]
fn only_the_right_ones_are_ended() {
    let server = with_timeout(&[
        ("loop.py", "while True: pass"),
        ("short.py", "for n in range(200):\n    time.sleep(0.0001)\nreturn 'short'"),
    ]);
    let mut loops: Vec<Client> = (0..4).map(|_| server.connect()).collect();
    for client in &mut loops {
        client.send(get("/loop.py"));
    }
    let mut quick = server.connect();
    for _ in 0..200 {
        quick.send(get("/quick.py"));
        assert_eq!(quick.answer().ok(), "quick");
    }
    for mut client in loops {
        assert!(client.answer().error(500).contains("RequestCancelled"));
    }
    // The line comes behind the answer.
    let ended = || server.log().matches(": ended: ").count();
    until("four lines", || (ended() >= 4).then_some(()));
    assert_eq!(ended(), 4, "{}", server.log());
}

#[test]
fn without_a_client_a_handler_ends() {
    let bodies = [
        ("sleep.py", "book.seen.append('sleeps')\ntry:\n    time.sleep(1e6)\nfinally:\n    book.seen.append('slept')"),
        ("loop.py", "book.seen.append('loops')\ntry:\n    while True: pass\nfinally:\n    book.seen.append('looped')"),
        (
            "stash_queue.py",
            "book.seen.append('queues')\ntry:\n    request.server.stash.get_queue().get()\nfinally:\n    book.seen.append('queued')",
        ),
    ];
    let targets =
        [("/sleep.py", "sleeps", "slept"), ("/loop.py", "loops", "looped"), ("/stash_queue.py", "queues", "queued")];
    for launch in [with_grace(&bodies), with_grace(&bodies).tls()] {
        let server = launch.start();
        for (number, (target, begin, end)) in targets.into_iter().enumerate() {
            let mut client = server.connect();
            client.send(get(target));
            noted(&server, begin);
            match number {
                0 => drop(client),
                1 => client.reset(),
                _ => {
                    client.half_close();
                    noted(&server, end);
                }
            }
            noted(&server, end);
            server.logged(&format!("{}: ended: the client has gone", server.site.show(&target[1..])));
        }
    }
}

/// As the handlers of beacons do.
#[test]
fn a_handler_may_go_on_for_a_while_without_its_client() {
    let server = launch(&[("beacon.py", "time.sleep(0.5)\nbook.seen.append('beacon')")]).start();
    let mut client = server.connect();
    client.send(get("/beacon.py"));
    drop(client);
    noted(&server, "beacon");
    assert!(!server.log().contains("ended:"), "{}", server.log());
}

#[test]
fn a_client_that_stays_keeps_its_handler() {
    let server = with_grace(&[("wait.py", "time.sleep(0.6)\nreturn 'waited'")]).start();
    let mut client = server.connect();
    client.send(get("/wait.py"));
    client.expect("HTTP/1.1 200 OK\r\n");
    // Nor does one that has half-closed for a shorter time.
    let mut client = server.connect();
    client.send(get("/quick.py"));
    client.half_close();
    assert!(client.rest_text().ends_with("quick"));
}

#[test]
fn all_threads_come_back_when_their_clients_go() {
    let server = with_grace(&[("sleep.py", "book.seen.append('s')\ntime.sleep(1e6)")]).arg("--no-supervisor").start();
    let clients: Vec<Client> = (0..200)
        .map(|_| {
            let mut client = server.connect();
            client.send(get("/sleep.py"));
            client
        })
        .collect();
    until("all to sleep", || (server.get("/read.py").ok().matches('s').count() == 200).then_some(()));
    assert!(threads(&server) >= 200);
    drop(clients);
    until("all to be ended", || (server.log().matches("ended: the client has gone").count() == 200).then_some(()));
    // Idle threads end after ten seconds.
    until("the threads to end", || (threads(&server) < 20).then_some(()));
    assert_eq!(server.get("/quick.py").ok(), "quick");
}

#[test]
fn a_stream_that_is_reset_ends_its_handler() {
    let server = with_grace(&[
        ("sleep.py", "book.seen.append('sleeps')\ntry:\n    time.sleep(1e6)\nfinally:\n    book.seen.append('slept')"),
        ("loop.py", "book.seen.append('loops')\ntry:\n    while True: pass\nfinally:\n    book.seen.append('looped')"),
    ])
    .tls()
    .start();
    let mut connection = Connection::new(server.h2);
    let stream = connection.get("/sleep.py");
    noted(&server, "sleeps");
    connection.send(RST_STREAM, 0, stream, &8u32.to_be_bytes());
    noted(&server, "slept");
    // So does the end of the connection.
    connection.get("/loop.py");
    noted(&server, "loops");
    drop(connection);
    noted(&server, "looped");
    server.logged("loop.py: ended: the client has gone");
}

#[test]
fn time_is_up_over_http_2_as_well() {
    let files = [
        ("sleep.py", "time.sleep(1e6)"),
        ("writer.py", "response.writer.write_headers([('a', 'b')], 200)\nwhile True: pass"),
    ];
    let server = launch(&files).arg("--handler-timeout").arg("0.2").tls().start();
    let mut connection = Connection::new(server.h2);
    let stream = connection.get("/sleep.py");
    let (status, body) = connection.text(stream);
    assert!(status == "500" && body.contains("RequestCancelled"), "{status} {body}");
    let stream = connection.get("/writer.py");
    connection.answer(stream);
    server.logged("writer.py: ended: ");
    // The time between two events does not count.
    let stream = connection.open(&request("POST", "/quick.py"), false);
    let slow = connection.get("/sleep.py");
    assert_eq!(connection.text(slow).0, "500");
    connection.data(stream, "x", true);
    assert_eq!(connection.text(stream), ("200".to_owned(), "quick".to_owned()));
}

#[test]
fn a_websocket_ends_with_its_client_and_not_before() {
    let wsh = |lines: &str| {
        format!(
            "import time\nfrom notes import book\ndef web_socket_do_extra_handshake(request):\n    pass\n\n\
             def web_socket_transfer_data(request):\n    {}\n",
            lines.replace('\n', "\n    ")
        )
    };
    let files = [
        (
            "websockets/handlers/sleep_wsh.py",
            wsh("request.ws_stream.send_message('in')\ntry:\n    time.sleep(1e6)\nfinally:\n    book.seen.append('slept')"),
        ),
        (
            "websockets/handlers/read_wsh.py",
            wsh("request.ws_stream.send_message('in')\ntry:\n    while request.ws_stream.receive_message() is not None:\n        pass\nfinally:\n    book.seen.append('read')\n    open(FILE, 'w').close()")
                .replace("FILE", "__file__ + '.end'"),
        ),
        (
            "websockets/handlers/flood_wsh.py",
            wsh("request.ws_stream.send_message('in')\nwhile True: request.ws_stream.send_message('x' * 65536)"),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let files: Vec<(&str, &str)> = files.into_iter().chain(BOOK.iter().copied()).collect();
    let config = json!({"client_gone_grace": 0.2, "handler_timeout": 0.2});
    let server = Launch::new(&files).scheme("ws").config(&config).start();
    for target in ["sleep", "flood"] {
        let mut client = server.connect();
        client.send(format!(
            "GET /{target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ));
        assert_eq!(client.head().code(), 101);
        assert_eq!(client.take(4), b"\x81\x02in");
        if target == "sleep" {
            client.expect_quiet();
            client.expect_quiet();
        }
        assert!(!server.log().contains(&format!("{target}_wsh.py: ended")), "{}", server.log());
        drop(client);
    }
    server.logged("sleep_wsh.py: ended: the client has gone");
}

/// Native code that does not come back.
#[test]
fn who_cannot_be_ended_is_named() {
    let launch = launch(&[("bomb.py", "import re\nreturn str(re.match('(a+)+$', 'a' * 60 + 'b'))")]);
    let server = launch.config(&json!({"handler_timeout": 0.2, "handler_kill": 0.2})).start();
    let mut client = server.connect();
    client.send(get("/bomb.py"));
    server.logged("bomb.py: this handler does not end");
    assert_eq!(server.get("/quick.py").ok(), "quick");
    client.expect_quiet();
}
