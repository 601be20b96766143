//! `fixtures/cases`: for every folder the exact request goes to the real binary, and the exact answer must come back.
//!
//! The answers were recorded from wptserve 4.0.3 by `tests/differential/record.py`, which also says what a case's files
//! are. Adding a case needs no Rust. A case whose `case.json` names a `difference` must differ: when it stops to, this
//! test fails and the note goes. To run some of them, name them: `CASES=stash,post/file cargo test cases`.

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

mod reduced; // answers without what no two runs have in common
use reduced::{Side, difference, find_last};

const START: Duration = Duration::from_secs(60);
/// How long the first byte of an answer may take, and how long nothing may come behind it. Only failures wait for these.
const SLOW: Duration = Duration::from_secs(20);
const QUIET: Duration = Duration::from_secs(3);
/// How long nothing may come where nothing is expected. What comes later is seen by the probe.
const NOTHING: Duration = Duration::from_millis(250);
const JOBS: usize = 16;
/// Asks whether a connection is still open.
const PROBE: &[u8] = b"GET /probe.txt HTTP/1.1\r\nHost: probe\r\n\r\n";

#[test]
fn cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases");
    let wanted = std::env::var("CASES").unwrap_or_default();
    let wanted: Vec<&str> = wanted.split(',').filter(|name| !name.is_empty()).collect();
    let mut cases = Case::all(&root);
    cases.retain(|case| wanted.is_empty() || wanted.iter().any(|start| case.name.starts_with(start)));
    assert!(!cases.is_empty(), "no case of fixtures/cases is named like {wanted:?}");
    let server = Server::start(&root);
    let side = server.side();
    let total = cases.len();
    let queue = Mutex::new(cases.into_iter());
    let failures = Mutex::new(Vec::new());
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..JOBS {
            scope.spawn(|| {
                loop {
                    let Some(case) = queue.lock().unwrap().next() else { break };
                    if let Err(failure) = case.run(&side) {
                        failures.lock().unwrap().push(format!("--- {}: {}\n{failure}", case.name, case.shows));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    let took = started.elapsed().as_secs_f32();
    let count = format!("{} of {total} cases as recorded, {took:.1} s", total - failures.len());
    assert!(failures.is_empty(), "\n{}\n{count}", failures.join("\n"));
    println!("{count}");
}

/// One folder.
struct Case {
    name: String,
    shows: String,
    differs: Option<String>,
    masks: Vec<String>,
    same_connection: bool,
    half_close: bool,
    /// Requests and the answers recorded for them.
    exchanges: Vec<(Vec<u8>, Vec<u8>)>,
    /// A word for each connection.
    ends: Vec<String>,
}

impl Case {
    fn all(root: &Path) -> Vec<Self> {
        let folders = |path: &Path| -> Vec<PathBuf> {
            let mut found: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
            found.retain(|path| path.is_dir());
            found.sort();
            found
        };
        let all = folders(root).into_iter().flat_map(|area| folders(&area));
        all.filter(|folder| folder.join("case.json").exists()).map(|folder| Self::load(root, &folder)).collect()
    }

    fn load(root: &Path, folder: &Path) -> Self {
        let name = folder.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let read = |file: &str| fs::read(folder.join(file)).unwrap_or_else(|error| panic!("{name}/{file}: {error}"));
        let options: Value =
            serde_json::from_slice(&read("case.json")).unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = |key: &str| options[key].as_str().map(str::to_owned);
        let exchanges = if folder.join("request.http").exists() {
            vec![(read("request.http"), read("answer.http"))]
        } else {
            let numbers = (1..).take_while(|number| folder.join(format!("request-{number}.http")).exists());
            numbers.map(|n| (read(&format!("request-{n}.http")), read(&format!("answer-{n}.http")))).collect()
        };
        Self {
            shows: text("shows").unwrap_or_else(|| panic!("{name}/case.json: `shows` is missing")),
            differs: text("difference"),
            masks: options["mask"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|mask| mask.as_str().unwrap().to_owned())
                .collect(),
            same_connection: options["connection"] == "same",
            half_close: options["half_close"] == true,
            exchanges,
            ends: String::from_utf8(read("ends.txt")).unwrap().lines().map(str::to_owned).collect(),
            name,
        }
    }

    fn run(&self, side: &Side) -> Result<(), String> {
        match (self.compare(side), &self.differs) {
            (Ok(()), Some(reason)) => Err(format!("it no longer differs; take out the note: {reason}\n")),
            (Err(_), Some(_)) => Ok(()),
            (outcome, None) => outcome,
        }
    }

    fn compare(&self, side: &Side) -> Result<(), String> {
        let mut connection = None;
        let mut ends = self.ends.iter();
        for (number, (request, expected)) in self.exchanges.iter().enumerate() {
            let last = !self.same_connection || number + 1 == self.exchanges.len();
            let end = last.then(|| ends.next().expect("a word for each connection").as_str());
            let open = connection.get_or_insert_with(|| Connection::new(side.address));
            open.send(&side.fill(request));
            if self.half_close {
                let _ = open.stream.shutdown(Shutdown::Write);
            }
            let reduced = |raw: &[u8]| side.reduced(raw, &self.masks);
            let (raw, ended) = open.answer(end, expected.is_empty(), |raw| reduced(raw) == *expected);
            let got = reduced(&raw);
            let which = if self.exchanges.len() > 1 { format!("answer {}: ", number + 1) } else { String::new() };
            if got != *expected {
                return Err(format!("{which}{}", difference(expected, &got)));
            }
            if let Some(end) = end
                && end != ended
            {
                return Err(format!("{which}the connection should be {end}, and is {ended}\n"));
            }
            if last {
                connection = None;
            }
        }
        Ok(())
    }
}

/// A connection of raw bytes with a deadline.
struct Connection {
    stream: TcpStream,
    closed: bool,
}

impl Connection {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, SLOW).expect("the port accepts");
        stream.set_nodelay(true).unwrap();
        stream.set_write_timeout(Some(SLOW)).unwrap();
        Self { stream, closed: false }
    }

    /// A server that has closed may still have answered before: a failure to send is none of ours.
    fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// What comes until it is as expected, and then how the connection ends, where that is asked for.
    fn answer(
        &mut self,
        end: Option<&str>,
        nothing: bool,
        expected: impl Fn(&[u8]) -> bool,
    ) -> (Vec<u8>, &'static str) {
        let mut raw = Vec::new();
        if end == Some("closed") {
            self.read(&mut raw, SLOW, |_| false);
        } else if nothing {
            self.read(&mut raw, NOTHING, |_| false);
        } else {
            self.read(&mut raw, SLOW, expected);
        }
        if end.is_none() || self.closed {
            return (raw, if self.closed { "closed" } else { "open" });
        }
        self.send(PROBE);
        let probed = |raw: &[u8]| raw.ends_with(b"is still open.\n");
        self.read(&mut raw, QUIET, probed);
        if probed(&raw) {
            raw.truncate(find_last(&raw, b"HTTP/1.1 200 OK\r\n").expect("the probe's head"));
            return (raw, "open");
        }
        (raw, if self.closed { "closed" } else { "silent" })
    }

    /// Reads until it is complete, closed, or nothing more comes; the first byte may take longer.
    fn read(&mut self, raw: &mut Vec<u8>, first: Duration, complete: impl Fn(&[u8]) -> bool) {
        let mut buffer = vec![0; 1 << 16];
        let mut wait = first;
        while !self.closed && !complete(raw) {
            self.stream.set_read_timeout(Some(wait)).unwrap();
            match self.stream.read(&mut buffer) {
                Ok(0) => self.closed = true,
                Ok(count) => raw.extend_from_slice(&buffer[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return,
                Err(_) => self.closed = true,
            }
            wait = QUIET;
        }
    }
}

/// The binary, serving the cases; it ends with the test.
struct Server {
    child: Child,
    address: SocketAddr,
    root: PathBuf,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(root: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ready, log) = (folder.path().join("ready"), folder.path().join("log"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_wptserve"));
        command.args(["serve", "--port", "0", "--import-policy", "warn", "--doc-root"]).arg(root);
        command.arg("--ready-file").arg(&ready).stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(fs::File::create(&log).unwrap()).spawn().expect("the binary starts");
        let started = Instant::now();
        let text = loop {
            if let Ok(text) = fs::read_to_string(&ready) {
                break text;
            }
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the server ended with {status}: {}", fs::read_to_string(&log).unwrap());
            }
            assert!(started.elapsed() < START, "the server did not come up");
            thread::sleep(Duration::from_millis(2));
        };
        let ready: Value = serde_json::from_str(&text).unwrap();
        let port = ready["ports"]["http"][0].as_u64().expect("a port in the ready file");
        let address = SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).unwrap()));
        Self { child, address, root: fs::canonicalize(root).unwrap(), _folder: folder }
    }

    fn side(&self) -> Side {
        let mut probe = Connection::new(self.address);
        probe.send(PROBE);
        let (raw, _) = probe.answer(None, false, |raw| raw.ends_with(b"is still open.\n"));
        let text = String::from_utf8(raw).expect("a plain answer to the probe");
        let server = text.lines().find_map(|line| line.strip_prefix("Server: ")).expect("a Server header");
        Side { address: self.address, server: server.to_owned(), root: self.root.to_str().unwrap().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let ended = self.child.try_wait();
        let _ = (self.child.kill(), self.child.wait());
        if !thread::panicking() {
            assert!(matches!(ended, Ok(None)), "the server died in mid-test: {ended:?}");
        }
    }
}
