//! The supervisor: whatever becomes of the process that serves, the ports stay open, the stash stays, and nothing outlives the end.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::json;

use crate::{
    h2::client::Connection,
    util::{BINARY, DEADLINE, Launch, Running, Server, Site, children, get, post, signal, until},
};

const FILES: &[(&str, &str)] = &[
    // RustPython allocates for this without asking, and Rust ends the process when an allocation fails.
    ("crash.py", "import random\ndef main(request, response):\n    random.getrandbits(10 ** 15)\n"),
    ("exit.py", "import os\ndef main(request, response):\n    os._exit(3)\n"),
    ("quick.py", "def main(request, response):\n    return b'quick'\n"),
    ("pid.py", "import os\ndef main(request, response):\n    return str(os.getpid())\n"),
    (
        "sleep.py",
        "import time\ndef main(request, response):\n    time.sleep(float(request.GET.first(b's')))\n    return b'slept'\n",
    ),
    (
        "gate.py",
        "import os, time\ndef main(request, response):\n    while not os.path.exists('open'):\n        time.sleep(0.01)\n    return b'through'\n",
    ),
    ("loop.py", "def main(request, response):\n    while True:\n        pass\n"),
    // Native code that takes for ever, and a collection that waits for it with all machines stopped.
    (
        "bomb.py",
        "import re\ndef main(request, response):\n    print('begins')\n    re.match(r'(a+)+$', 'a' * 64 + 'b')\n",
    ),
    ("collect.py", "import gc\ndef main(request, response):\n    gc.collect()\n    return b'collect'\n"),
    (
        "stash.py",
        "KEY = '12345678-1234-5678-1234-567812345678'\n\
         def main(request, response):\n    \
         stash = request.server.stash\n    \
         if request.method == 'POST':\n        \
         queue = stash.get_queue()\n        \
         queue.put(('first', 1))\n        \
         stash.put(KEY, {'queue': queue, 'body': request.body})\n        \
         return b'put'\n    \
         value = stash.take(KEY)\n    \
         return repr(value and (value['body'], value['queue'].get(), value['queue'].qsize()))\n",
    ),
    ("lock.py", "def main(request, response):\n    request.server.stash.lock.acquire()\n    return b'locked'\n"),
    (
        "lock_and_crash.py",
        "import random\ndef main(request, response):\n    \
         request.server.stash.lock.acquire()\n    random.getrandbits(10 ** 15)\n",
    ),
    ("static.txt", "static"),
];

/// A server with these keys of `supervisor` in its configuration.
fn with(keys: &serde_json::Value) -> Arc<Server> {
    Launch::new(FILES).config(&json!({"supervisor": keys})).start()
}

/// A request that kills the process that serves it: its connection ends without an answer.
fn fatal(server: &Arc<Server>, target: &str) {
    server.may_crash();
    let mut client = server.connect();
    client.send(get(target));
    assert_eq!(client.rest(), b"", "{target}");
}

#[test]
fn a_handler_that_aborts_the_process_costs_its_own_request_only() {
    let server = Server::start(FILES);
    assert_eq!(server.ask(post("/stash.py", "kept")).ok(), "put");
    let before = server.get("/pid.py").ok();
    assert_ne!(before, server.pid().to_string());
    fatal(&server, "/crash.py");
    assert_eq!(server.get("/quick.py").ok(), "quick");
    assert_ne!(server.get("/pid.py").ok(), before);
    server.logged(&format!("({before}) died of SIGABRT; running were: {}; ", server.site.show("crash.py")));
    fatal(&server, "/exit.py");
    assert_eq!(server.get("/quick.py").ok(), "quick");
    server.logged(&format!("ended with code 3; running were: {}; ", server.site.show("exit.py")));
    server.logged("(number 2 of these)");
    assert_eq!(server.get("/stash.py").ok(), "(b'kept', ('first', 1), 0)");
    assert_eq!(server.log().matches("Starting http server on").count(), 1, "{}", server.log());
    server.signal("TERM");
    assert!(server.wait().success());
}

/// Clients that ask without a pause, each request on a connection of its own, until they are told to stop.
struct Crowd {
    is_over: Arc<AtomicBool>,
    clients: Vec<thread::JoinHandle<()>>,
    /// Answers, connections that ended without one, connections that were refused.
    counts: Arc<[AtomicUsize; 3]>,
}

impl Crowd {
    fn begin(address: SocketAddr, clients: usize) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let counts: Arc<[AtomicUsize; 3]> = Arc::default();
        let client = |_| {
            let (is_over, counts) = (Arc::clone(&is_over), Arc::clone(&counts));
            thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    counts[ask(address, "quick")].fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        Self { clients: (0..clients).map(client).collect(), is_over, counts }
    }

    fn answers(&self) -> usize {
        self.counts[0].load(Ordering::Relaxed)
    }

    /// Answers, lost requests, refused connections.
    fn end(self) -> [usize; 3] {
        self.is_over.store(true, Ordering::Relaxed);
        self.clients.into_iter().for_each(|client| client.join().unwrap());
        [0, 1, 2].map(|kind| self.counts[kind].load(Ordering::Relaxed))
    }
}

/// One request for a handler whose answer ends with its name: which of the counts it belongs to.
fn ask(address: SocketAddr, name: &str) -> usize {
    let Ok(mut stream) = TcpStream::connect(address) else { return 2 };
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut answer = Vec::new();
    let asked = write!(stream, "GET /{name}.py HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let read = asked.and_then(|()| stream.read_to_end(&mut answer));
    usize::from(read.is_err() || !answer.ends_with(name.as_bytes()))
}

#[test]
fn no_connection_is_refused_while_processes_die_in_a_row() {
    let server = Server::start(FILES);
    let crowd = Crowd::begin(server.address, 4);
    for round in 0..30 {
        fatal(&server, "/crash.py");
        let before = crowd.answers();
        until(&format!("an answer after crash {round}"), || (crowd.answers() > before).then_some(()));
    }
    let [answers, lost, refused] = crowd.end();
    println!("30 crashes: {answers} answers, {lost} requests lost, {refused} connections refused");
    assert_eq!(refused, 0);
    assert_eq!(server.get("/quick.py").ok(), "quick");
    server.logged("(number 30 of these)");
}

#[test]
fn a_renewal_loses_no_request() {
    let server = Server::start(FILES);
    assert_eq!(server.ask(post("/stash.py", "kept")).ok(), "put");
    let crowd = Crowd::begin(server.address, 3);
    for _ in 0..3 {
        let before = server.get("/pid.py").ok();
        let mut sleeping = server.connect();
        sleeping.send(get("/sleep.py?s=1.5"));
        let mut idle = server.connect();
        idle.send(get("/quick.py"));
        assert_eq!(idle.answer().ok(), "quick");
        server.signal("HUP");
        until("another process", || (server.get("/pid.py").ok() != before).then_some(()));
        assert_eq!(sleeping.answer().ok(), "slept");
        idle.expect_close();
        until("the old one's end", || (!Path::new(&format!("/proc/{before}")).exists()).then_some(()));
    }
    let [answers, lost, refused] = crowd.end();
    println!("3 renewals: {answers} answers");
    assert_eq!([lost, refused], [0, 0], "{}", server.log());
    assert_eq!(server.get("/stash.py").ok(), "(b'kept', ('first', 1), 0)");
    assert!(!server.log().contains("ERROR"), "{}", server.log());
}

#[test]
fn a_renewal_lets_streams_end() {
    let server = Launch::new(FILES).tls().start();
    let mut connection = Connection::new(server.h2);
    let waiting = connection.get("/gate.py");
    let quick = connection.get("/quick.py");
    assert_eq!(connection.text(quick), ("200".to_owned(), "quick".to_owned()));
    server.signal("HUP");
    assert!(connection.next_of_stream().is_none(), "a GOAWAY comes first");
    server.site.write("open", "");
    assert_eq!(connection.text(waiting), ("200".to_owned(), "through".to_owned()));
    assert!(connection.next().is_none(), "the connection ends with its last stream");
    assert!(!server.log().contains("ERROR"), "{}", server.log());
}

#[test]
fn a_process_that_has_grown_is_renewed() {
    let server = with(&json!({"memory_limit": 1}));
    server.logged("MiB: a fresh process takes over");
    server.logged("ends what it has begun");
    assert_eq!(server.get("/quick.py").ok(), "quick");
}

#[test]
fn what_is_open_at_the_end_of_the_grace_period_ends() {
    let server = with(&json!({"grace": 1}));
    let mut sleeping = server.connect();
    sleeping.send(get("/sleep.py?s=600"));
    assert_eq!(server.get("/quick.py").ok(), "quick");
    let before = server.serving();
    server.signal("HUP");
    sleeping.expect_close();
    until("the old one's end", || (!Path::new(&format!("/proc/{before}")).exists()).then_some(()));
    assert_eq!(server.get("/quick.py").ok(), "quick");
}

#[test]
fn when_no_handler_can_run_the_process_is_replaced() {
    let server = with(&json!({"heartbeat_limit": 2}));
    server.may_crash();
    let before = server.get("/pid.py").ok();
    // Loops alone are no reason: the collection below comes through.
    let mut loops = server.connect();
    loops.send(get("/loop.py"));
    assert_eq!(server.get("/collect.py").ok(), "collect");
    assert_eq!(server.get("/pid.py").ok(), before);
    let mut bomb = server.connect();
    bomb.send(get("/bomb.py"));
    server.logged("begins");
    // One of these comes while the bomb is inside native code.
    while ask(server.address, "collect") == 0 {}
    bomb.expect_close();
    server.logged(&format!("({before}) was killed: it could not run a handler for 2 s; running were: "));
    for handler in ["bomb.py", "collect.py", "loop.py"] {
        server.logged(&server.site.show(handler));
    }
    assert_eq!(server.get("/quick.py").ok(), "quick");
}

#[test]
fn a_lock_goes_with_its_request_and_with_its_process() {
    for flags in [&[][..], &["--no-supervisor"]] {
        let server = flags.iter().fold(Launch::new(FILES), |launch, flag| launch.arg(flag)).start();
        for _ in 0..3 {
            assert_eq!(server.get("/lock.py").ok(), "locked");
        }
    }
    let server = Launch::new(FILES).tls().start();
    let mut connection = Connection::new(server.h2);
    for _ in 0..3 {
        let stream = connection.get("/lock.py");
        assert_eq!(connection.text(stream), ("200".to_owned(), "locked".to_owned()));
    }
    let server = Server::start(FILES);
    fatal(&server, "/lock_and_crash.py");
    assert_eq!(server.get("/lock.py").ok(), "locked");
}

/// A server as the leader of a group of its own.
fn grouped(site: &Site, ready: &Path) -> (Running, serde_json::Value) {
    let mut command = Command::new(BINARY);
    command.args(["serve", "--port", "0", "--doc-root"]).arg(site.path()).arg("--ready-file").arg(ready);
    let out = fs::File::create(ready.with_extension("log")).unwrap();
    command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out).process_group(0);
    let server = Running(command.spawn().unwrap());
    let text = until("the ready file", || fs::read_to_string(ready).ok());
    (server, serde_json::from_str(&text).unwrap())
}

#[test]
fn whatever_kills_it_nothing_is_left() {
    for (name, is_group, code) in [
        ("TERM", false, Some(0)),
        ("INT", true, Some(0)),
        ("TERM", true, Some(0)),
        ("KILL", false, None),
        ("KILL", true, None),
    ] {
        let (site, folder) = (Site::new(FILES), tempfile::TempDir::new().unwrap());
        let ready = folder.path().join("ready");
        let (mut server, said) = grouped(&site, &ready);
        let pid = server.0.id();
        assert_eq!(said["pid"], pid);
        let port = u16::try_from(said["ports"]["http"][0].as_u64().unwrap()).unwrap();
        let own = until("a child", || children(pid).first().copied());
        let log = || fs::read_to_string(ready.with_extension("log")).unwrap();
        until("the log", || log().contains("Starting http server").then_some(()));
        match is_group {
            false => signal(pid, name),
            true => assert!(
                Command::new("kill").args([&format!("-{name}"), "--", &format!("-{pid}")]).status().unwrap().success()
            ),
        }
        let status = until("the end", || server.0.try_wait().unwrap());
        assert_eq!(status.code(), code, "{name} {is_group}");
        until("the child's end", || (!Path::new(&format!("/proc/{own}")).exists()).then_some(()));
        until("the port to be free", || TcpListener::bind(("127.0.0.1", port)).ok());
        assert_eq!(ready.exists(), name == "KILL");
        assert_eq!(log().lines().count(), 1, "{}", log());
    }
}

#[test]
fn no_signal_ends_it_by_accident() {
    for flags in [&[][..], &["--no-supervisor"]] {
        let server = flags.iter().fold(Launch::new(FILES), |launch, flag| launch.arg(flag)).start();
        let own = children(server.pid());
        assert_eq!(own.len(), usize::from(flags.is_empty()));
        for name in ["USR1", "USR2", "QUIT", "XFSZ", "ALRM", "PROF", "VTALRM", "IO"] {
            own.iter().chain([&server.pid()]).for_each(|pid| signal(*pid, name));
        }
        // What only the supervisor listens to.
        own.iter().for_each(|pid| ["HUP", "INT", "TERM"].iter().for_each(|name| signal(*pid, name)));
        assert_eq!(server.get("/quick.py").ok(), "quick");
        assert_eq!(children(server.pid()), own);
        server.signal("HUP");
        assert_eq!(server.get("/quick.py").ok(), "quick");
        server.signal("TERM");
        assert!(server.wait().success());
    }
}

#[test]
fn a_limit_of_descriptors_that_is_too_low_is_refused_at_the_start() {
    for flags in [&[][..], &["--no-supervisor"]] {
        let site = Site::new(FILES);
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -n 20; exec \"$@\"", "sh", BINARY, "serve", "--port", "0", "--doc-root"]);
        let output = command.arg(site.path()).args(flags).stdin(Stdio::null()).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(
            error.starts_with("wptserve: this process may open 20 files") && error.contains("(ulimit -n)"),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}
