//! `fixtures/cases`: for every folder the exact request goes to the real binary, and the exact answer must come back.
//!
//! The answers were recorded from wptserve 4.0.3 by `tests/differential/record.py`, which also says what a case's files
//! are. Adding a case needs no Rust. A case whose `case.json` names a `difference` has our own answer as well, in
//! `ours.http` and `ours-ends.txt`. That answer must come, and when it becomes wptserve's, the note has to go.

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    path::PathBuf,
    sync::OnceLock,
    time::Duration,
};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::{
    reduced::{Side, difference, find_last},
    util::{Launch, Shared},
};

/// The deadline for the first byte of an answer, and the silence that ends the waiting behind it. Only failures wait so long.
const SLOW: Duration = Duration::from_secs(20);
const QUIET: Duration = Duration::from_secs(3);
/// How long to wait where no byte is expected. The probe sees bytes that come later.
const NOTHING: Duration = Duration::from_millis(250);
/// Asks whether a connection is still open.
const PROBE: &[u8] = b"GET /probe.txt HTTP/1.1\r\nHost: probe\r\n\r\n";

static SERVER: Shared = Shared::new();

pub fn trials() -> Vec<Trial> {
    let run = |name: String| crate::trial(name.clone(), move || Case::load(&name)?.run());
    names().into_iter().map(run).collect()
}

/// Writes our own answers of the cases that differ.
pub fn recordings() -> Vec<Trial> {
    let differing = names().into_iter().map(|name| Case::load_requests(&name)).filter(|case| case.differs.is_some());
    differing.map(|case| crate::trial(case.name.clone(), move || case.record())).collect()
}

/// `AREA/NAME` of every folder with a `case.json`.
fn names() -> Vec<String> {
    let root = crate::fixtures("cases");
    let folders = |path: PathBuf| -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        found.retain(|path| path.is_dir());
        found.sort();
        found
    };
    let all = folders(root.clone()).into_iter().flat_map(folders).filter(|folder| folder.join("case.json").exists());
    all.map(|folder| folder.strip_prefix(&root).unwrap().to_str().unwrap().to_owned()).collect()
}

/// The answers to the requests of a case.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Answers {
    pub answers: Vec<Vec<u8>>,
    /// A word for each connection.
    pub ends: Vec<String>,
}

/// Whether the answers are right: those of the reference or, if the case differs on purpose, our own.
pub fn judge(reference: &Answers, ours: Option<&Answers>, got: &Answers) -> Result<(), String> {
    if ours.is_some() && got == reference {
        return Err("it no longer differs from wptserve: take out `difference` and the files ours*".to_owned());
    }
    let expected = ours.unwrap_or(reference);
    for (number, (expected, got)) in expected.answers.iter().zip(&got.answers).enumerate() {
        if expected != got {
            return Err(format!("answer {}: {}", number + 1, difference(expected, got)));
        }
    }
    if expected.ends != got.ends {
        return Err(format!("the connections should be {:?}, and are {:?}", expected.ends, got.ends));
    }
    if expected == got { Ok(()) } else { Err("the number of answers is not that of the requests".to_owned()) }
}

/// One folder.
pub struct Case {
    name: String,
    folder: PathBuf,
    shows: String,
    differs: Option<String>,
    masks: Vec<String>,
    same_connection: bool,
    half_close: bool,
    requests: Vec<Vec<u8>>,
    reference: Answers,
    pub ours: Option<Answers>,
}

impl Case {
    pub fn load(name: &str) -> Result<Self, String> {
        let mut case = Self::load_requests(name);
        case.ours = match (&case.differs, case.folder.join(case.file("ours", 0)).exists()) {
            (Some(_), true) => Some(case.answers("ours", "ours-ends.txt")),
            (None, false) => None,
            (Some(_), false) => {
                return Err("it has a `difference`, and no answer of ours: `make record-ours` writes it".to_owned());
            }
            (None, true) => return Err("it has an answer of ours, and no `difference` in case.json".to_owned()),
        };
        Ok(case)
    }

    /// All but our own answers.
    fn load_requests(name: &str) -> Self {
        let folder = crate::fixtures("cases").join(name);
        let text = fs::read(folder.join("case.json")).unwrap();
        let options: Value = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = |key: &str| options[key].as_str().map(str::to_owned);
        let masks = options["mask"].as_array().into_iter().flatten();
        let mut case = Self {
            name: name.to_owned(),
            shows: text("shows").unwrap_or_else(|| panic!("{name}/case.json: `shows` is missing")),
            differs: text("difference"),
            masks: masks.map(|mask| mask.as_str().unwrap().to_owned()).collect(),
            same_connection: options["connection"] == "same",
            half_close: options["half_close"] == true,
            requests: Vec::new(),
            reference: Answers::default(),
            ours: None,
            folder,
        };
        case.requests = if case.folder.join("request.http").exists() {
            vec![case.read("request.http")]
        } else {
            let files = (1..).map(|number| format!("request-{number}.http"));
            files.take_while(|file| case.folder.join(file).exists()).map(|file| case.read(&file)).collect()
        };
        case.reference = case.answers("answer", "ends.txt");
        case
    }

    fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.folder.join(file)).unwrap_or_else(|error| panic!("{}/{file}: {error}", self.name))
    }

    /// The file beside the request of this index.
    fn file(&self, stem: &str, index: usize) -> String {
        if self.folder.join("request.http").exists() {
            format!("{stem}.http")
        } else {
            format!("{stem}-{}.http", index + 1)
        }
    }

    fn answers(&self, stem: &str, ends: &str) -> Answers {
        let ends = String::from_utf8(self.read(ends)).unwrap();
        Answers {
            answers: (0..self.requests.len()).map(|index| self.read(&self.file(stem, index))).collect(),
            ends: ends.lines().map(str::to_owned).collect(),
        }
    }

    pub fn run(&self) -> Result<(), String> {
        let got = self.ask(Some(self.ours.as_ref().unwrap_or(&self.reference)));
        let outcome = judge(&self.reference, self.ours.as_ref(), &got);
        outcome.map_err(|failure| match &self.differs {
            None => format!("{}\n{failure}", self.shows),
            Some(reason) => format!("{}\nours differs: {reason}\n{failure}", self.shows),
        })
    }

    fn record(mut self) -> Result<(), String> {
        let got = self.ask(None);
        if got.ends.iter().any(|end| end == "silent") {
            return Err("the server neither answers nor closes".to_owned());
        }
        judge(&self.reference, Some(&got), &got)?;
        self.ours = Some(got.clone());
        self.run().map_err(|failure| format!("the second time something else came; does it need a mask? {failure}"))?;
        let mut files = vec![("ours-ends.txt".to_owned(), (got.ends.join("\n") + "\n").into_bytes())];
        files.extend(got.answers.into_iter().enumerate().map(|(index, answer)| (self.file("ours", index), answer)));
        for (file, content) in files {
            fs::write(self.folder.join(file), content).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Sends the requests. What is awaited ends the waiting earlier; without it, silence does.
    fn ask(&self, awaited: Option<&Answers>) -> Answers {
        let side = side();
        let reduced = |raw: &[u8]| side.reduced(raw, &self.masks);
        let mut got = Answers::default();
        let mut connection = None;
        for (number, request) in self.requests.iter().enumerate() {
            let last = !self.same_connection || number + 1 == self.requests.len();
            let open = connection.get_or_insert_with(|| Connection::new(side.address));
            open.send(&side.fill(request));
            if self.half_close {
                let _ = open.stream.shutdown(Shutdown::Write);
            }
            let mut raw = Vec::new();
            let end = awaited.filter(|_| last).and_then(|awaited| awaited.ends.get(got.ends.len()));
            match awaited.and_then(|awaited| awaited.answers.get(number)) {
                Some(answer) if end.is_none_or(|end| end != "closed") => {
                    let first = if answer.is_empty() { NOTHING } else { SLOW };
                    open.read(&mut raw, first, |raw| !answer.is_empty() && reduced(raw) == *answer);
                }
                _ => open.read(&mut raw, SLOW, |_| false),
            }
            if last {
                got.ends.push(open.end(&mut raw).to_owned());
                connection = None;
            }
            got.answers.push(reduced(&raw));
        }
        got
    }
}

/// The running server, and its own values in every answer.
fn side() -> Side {
    static NAME: OnceLock<String> = OnceLock::new();
    let root = fs::canonicalize(crate::fixtures("cases")).unwrap().to_str().unwrap().to_owned();
    let launch = || Launch::new(&[]).doc_root(&root).arg("--import-policy").arg("warn");
    let address = SERVER.get(|| crate::start(launch())).address;
    let name = NAME.get_or_init(|| {
        let (mut probe, mut raw) = (Connection::new(address), Vec::new());
        probe.send(PROBE);
        probe.read(&mut raw, SLOW, is_probed);
        let text = String::from_utf8(raw).expect("a plain answer to the probe");
        text.lines().find_map(|line| line.strip_prefix("Server: ")).expect("a Server header").to_owned()
    });
    Side { address, server: name.clone(), root }
}

fn is_probed(raw: &[u8]) -> bool {
    raw.ends_with(b"is still open.\n")
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

    /// A server that has closed may have answered before, so a failure to send is ignored.
    fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// How the connection ends, and what still came.
    fn end(&mut self, raw: &mut Vec<u8>) -> &'static str {
        if self.closed {
            return "closed";
        }
        self.send(PROBE);
        self.read(raw, QUIET, is_probed);
        if is_probed(raw) {
            raw.truncate(find_last(raw, b"HTTP/1.1 200 OK\r\n").expect("the probe's head"));
            return "open";
        }
        if self.closed { "closed" } else { "silent" }
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
