//! The parts that all integration tests share: a doc root made of text, the real binary that serves it, a client of raw bytes.
//!
//! Every wait has a deadline, so no test can hang. The client reads just enough HTTP to find the end of an answer, and checks
//! nothing else. If a server dies while its test runs, the test fails.

mod client;

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

pub use client::Client;
use serde_json::json;
use tempfile::TempDir;
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// The deadline for an answer that should come at once. It is generous, because machines are noisy and only failures wait for it.
pub const DEADLINE: Duration = Duration::from_secs(20);
/// How long silence has to last to count as "nothing comes".
pub const QUIET: Duration = Duration::from_millis(150);

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_wptserve");

/// Asks until the answer is there, or fails.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited too long for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A directory tree made of (path, text) pairs; gone when dropped.
pub struct Site(TempDir);

impl Site {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let site = Self(TempDir::new().expect("a temporary directory"));
        for (path, text) in files {
            site.write(path, text);
        }
        site
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file whole, so that no request ever sees a part of it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = tempfile::NamedTempFile::new_in(self.path().parent().unwrap()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.persist(path).unwrap();
    }

    pub fn remove(&self, path: &str) {
        fs::remove_file(self.path().join(path)).unwrap();
    }

    /// The path of a file of the site as messages show it.
    pub fn show(&self, path: &str) -> String {
        self.path().join(path).display().to_string()
    }
}

/// Flags and surroundings of a server that is about to start.
pub struct Launch {
    command: Command,
    port: u16,
    root: PathBuf,
    site: Site,
    /// The scheme of the port.
    scheme: &'static str,
    /// Keys of the configuration, for a server that has one.
    config: Option<serde_json::Value>,
    /// Ready file, log and certificates, apart from what is served.
    folder: TempDir,
}

impl Launch {
    pub fn new(files: &[(&str, &str)]) -> Self {
        Self::with_program(files, &[])
    }

    /// Starts the binary through another program, given with its arguments: `sh -c 'ulimit …; exec "$@"' sh`.
    pub fn with_program(files: &[(&str, &str)], program: &[&str]) -> Self {
        let (site, folder) = (Site::new(files), TempDir::new().unwrap());
        let mut line = program.iter().copied().chain([BINARY]);
        let mut command = Command::new(line.next().unwrap());
        command.args(line).arg("serve");
        command.arg("--ready-file").arg(folder.path().join("ready"));
        command.env_remove("WPTSERVE_IMPORT_POLICY").stdin(Stdio::null());
        Self { command, root: site.path().to_owned(), site, folder, port: 0, scheme: "http", config: None }
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Serves a directory of the site instead of the whole.
    pub fn doc_root(mut self, path: &str) -> Self {
        self.root = self.site.path().join(path);
        self
    }

    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Another port than any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Serves over TLS, with a certificate of its own for [`HOST`].
    pub fn tls(self) -> Self {
        self.ssl(&json!({}))
    }

    /// Serves a directory that is not made of text over TLS, HTTP/2 among the ports.
    pub fn with_root(mut self, root: &Path) -> Self {
        self.root = root.to_owned();
        self.command.current_dir(root);
        self.tls()
    }

    /// The same, with other keys of `ssl` in the configuration.
    pub fn ssl(mut self, ssl: &serde_json::Value) -> Self {
        let mut all = json!({"type": "openssl", "openssl": {"base_path": self.folder.path().join("certs")}});
        all.as_object_mut().unwrap().extend(ssl.as_object().unwrap().clone());
        self.scheme = "https";
        self.config(&json!({"ssl": all}))
    }

    /// Serves on a port of this scheme, as `wpt serve` does.
    pub fn scheme(mut self, scheme: &'static str) -> Self {
        self = if scheme == "ws" { self.config(&json!({})) } else { self.tls() };
        self.scheme = scheme;
        self
    }

    /// Serves as `wpt serve` does, with these keys of its configuration and those that were given before.
    pub fn config(mut self, keys: &serde_json::Value) -> Self {
        let all = self.config.get_or_insert_with(|| json!({}));
        all.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        self
    }

    /// With this `bounds` section, beside whatever else the configuration has.
    pub fn bounds(mut self, bounds: serde_json::Value) -> Self {
        self.config.get_or_insert_with(|| json!({}))["bounds"] = bounds;
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn current_dir(mut self, path: &Path) -> Self {
        self.command.current_dir(path);
        self
    }

    pub fn start(mut self) -> Arc<Server> {
        let log = self.folder.path().join("log");
        self.command.arg("--doc-root").arg(&self.root);
        match &self.config {
            None => self.command.args(["--port", &self.port.to_string()]),
            Some(keys) => self.command.arg("--config").arg(config_file(self.folder.path(), self.scheme, keys)),
        };
        let out = fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        self.command.stdout(out.try_clone().unwrap()).stderr(out);
        let mut child = self.command.spawn().expect("the binary starts");
        let ready = self.folder.path().join("ready");
        let text = until("the ready file", || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the server ended with {status}: {}", fs::read_to_string(&log).unwrap());
            }
            fs::read_to_string(&ready).ok()
        });
        let ready: serde_json::Value = serde_json::from_str(&text).unwrap();
        let port = ready["ports"][self.scheme][0].as_u64().expect("a port in the ready file");
        let address = SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).unwrap()));
        let h2 = ready["ports"]["h2"][0].as_u64().unwrap_or_default().try_into().unwrap();
        let ca = self.folder.path().join("certs/cacert.pem");
        let client_config = ca.exists().then(|| client_config(&ca));
        Arc::new(Server {
            child: Mutex::new(child),
            address,
            h2,
            scheme: self.scheme,
            client_config,
            site: self.site,
            folder: self.folder,
            may_crash: AtomicBool::new(false),
        })
    }
}

/// The name in the certificate of [`Launch::tls`].
pub const HOST: &str = "web-platform.test";

/// Writes a configuration with one port, for https one for HTTP/2 as well, and what else is needed for that.
fn config_file(folder: &Path, scheme: &str, keys: &serde_json::Value) -> PathBuf {
    let mut config = json!({
        "server_host": "127.0.0.1",
        "browser_host": HOST,
        "check_subdomains": false,
        "import_policy": "strict",
        "ports": {
            "http": [null], "http-local": [null], "http-public": [null],
            "https": [null], "https-local": [null], "https-public": [null],
            "ws": [null], "wss": [null], "webtransport-h3": [null], "h2": [null],
        },
        "ssl": {"type": "none"},
    });
    config["ports"][scheme] = json!(["auto"]);
    if scheme == "https" {
        config["ports"]["h2"] = json!(["auto"]);
    }
    config.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    let path = folder.join("config.json");
    fs::write(&path, config.to_string()).unwrap();
    path
}

/// A client that trusts this CA.
fn client_config(ca: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// A running server; killed when dropped.
pub struct Server {
    child: Mutex<Child>,
    pub address: SocketAddr,
    /// The port for HTTP/2 of a server over TLS.
    pub h2: u16,
    pub scheme: &'static str,
    client_config: Option<Arc<ClientConfig>>,
    pub site: Site,
    folder: TempDir,
    /// Processes that serve may die.
    may_crash: AtomicBool,
}

impl Server {
    pub fn start(files: &[(&str, &str)]) -> Arc<Self> {
        Launch::new(files).start()
    }

    /// A new connection, with the handshake if the port is an encrypted one.
    pub fn connect(self: &Arc<Self>) -> Client {
        let mut client = self.connect_plain();
        if self.client_config.is_some() {
            client.encrypt();
        }
        client
    }

    /// A new connection without a handshake.
    pub fn connect_plain(self: &Arc<Self>) -> Client {
        Client::connect(self)
    }

    /// Sends one request on a connection of its own.
    pub fn ask(self: &Arc<Self>, request: impl AsRef<[u8]>) -> Answer {
        let mut client = self.connect();
        client.send(request);
        client.answer()
    }

    pub fn get(self: &Arc<Self>, target: &str) -> Answer {
        self.ask(get(target))
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.path().join("log")).unwrap()).into_owned()
    }

    /// Waits until the log has this: it is written behind the answers.
    #[track_caller]
    pub fn logged(&self, text: &str) {
        let deadline = Instant::now() + DEADLINE;
        while !self.log().contains(text) {
            assert!(Instant::now() < deadline, "the log has no {text:?}: {}", self.log());
            thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// The process that serves, which the one that was started supervises.
    pub fn serving(&self) -> u32 {
        until("a process that serves", || children(self.pid()).first().copied())
    }

    /// From now on processes that serve may die.
    pub fn may_crash(&self) {
        self.may_crash.store(true, Ordering::Relaxed);
    }

    pub fn is_alive(&self) -> bool {
        self.child.lock().unwrap().try_wait().unwrap().is_none()
    }

    /// Sends a signal by name (`TERM`).
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits for the process to end by itself.
    pub fn wait(&self) -> ExitStatus {
        until("the server's end", || self.child.lock().unwrap().try_wait().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        let ended = child.try_wait();
        let _ = (child.kill(), child.wait());
        if !thread::panicking()
            && let Ok(Some(status)) = ended
        {
            // A test that has ended the server on purpose has seen status 0.
            assert!(status.success(), "the server died in mid-test: {status}");
        }
        if !thread::panicking() && !self.may_crash.load(Ordering::Relaxed) {
            assert!(
                !self.log().contains("; another one takes over (number "),
                "a process died in mid-test: {}",
                self.log()
            );
        }
    }
}

/// A process that does not outlive its test, even if that fails.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = (self.0.kill(), self.0.wait());
    }
}

/// The processes that a process has started and that still run, in the order in which they came.
pub fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().map(|pid| pid.parse().expect("a number")).collect()
}

/// Sends a signal by name to a process.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    assert!(status.expect("kill runs").success());
}

/// One server for several tests at once; it ends with the last of them.
pub struct Shared(Mutex<Weak<Server>>);

impl Shared {
    pub const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    pub fn get(&self, start: impl FnOnce() -> Arc<Server>) -> Arc<Server> {
        let mut slot = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(server) = slot.upgrade().filter(|server| server.is_alive()) {
            return server;
        }
        let server = start();
        *slot = Arc::downgrade(&server);
        server
    }
}

/// A plain request whose connection stays open.
pub fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// A request with a body of known length.
pub fn post(target: &str, body: &str) -> String {
    format!("POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: String,
    /// In order, as sent.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn code(&self) -> u16 {
        self.status.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body of a 200.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code(), 200, "{}", self.text());
        self.text()
    }

    /// The message of wptserve's JSON error, which must have this code.
    #[track_caller]
    pub fn error(&self, code: u16) -> String {
        assert_eq!(self.code(), code, "{}", self.text());
        assert_eq!(self.header("Content-Type"), Some("application/json"));
        let body: serde_json::Value = serde_json::from_slice(&self.body).expect("a JSON body");
        assert_eq!(body["error"]["code"], code);
        body["error"]["message"].as_str().expect("a message").to_owned()
    }

    fn parse(head: &[u8]) -> Self {
        // Latin-1, so that every byte stays visible.
        let head: String = head.iter().map(|byte| char::from(*byte)).collect();
        let mut lines = head.trim_end_matches("\r\n").split("\r\n");
        let status = lines.next().unwrap_or_default().to_owned();
        let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        let headers = lines.map(|line| pair(line).unwrap_or_else(|| (line.to_owned(), String::new()))).collect();
        Self { status, headers, body: Vec::new() }
    }
}
