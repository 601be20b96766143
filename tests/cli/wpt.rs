//! A checkout of a few files, and `wptserve serve` in it with a configuration, as `wpt serve` is started.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::LazyLock,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::util::{BINARY, Running, Site, get, signal, until};

/// Key and certificate, PEM.
pub static CERTIFICATE: LazyLock<(String, String)> = LazyLock::new(|| {
    // All the names, or the log warns.
    let names = include_str!("hosts.txt").lines().filter_map(|line| line.split_once('\t'));
    let made = rcgen::generate_simple_self_signed(names.map(|(_, name)| name.to_owned()).collect::<Vec<_>>()).unwrap();
    (made.signing_key.serialize_pem(), made.cert.pem())
});

/// What `wpt serve` looks for in a checkout, and these files.
pub fn checkout(files: &[(&str, &str)]) -> Site {
    let site = Site::new(files);
    site.write("wpt", "");
    site.write("resources/testharness.js", "");
    site.write("tools/certs/web-platform.test.key", &CERTIFICATE.0);
    site.write("tools/certs/web-platform.test.pem", &CERTIFICATE.1);
    site
}

/// Only free ports, only this machine.
pub fn config() -> Value {
    json!({
        "server_host": "127.0.0.1",
        "check_subdomains": false,
        "ports": {
            "http": ["auto", "auto"], "http-local": ["auto"], "http-public": ["auto"],
            "https": ["auto", "auto"], "https-local": ["auto"], "https-public": ["auto"],
            "ws": ["auto"], "wss": ["auto"], "h2": ["auto"],
        },
    })
}

/// A configuration with some keys changed.
pub fn with(changes: Value) -> Value {
    let mut config = config();
    for (key, value) in changes.as_object().unwrap() {
        match (&mut config[key], value) {
            (Value::Object(base), Value::Object(over)) => base.extend(over.clone()),
            (base, value) => *base = value.clone(),
        }
    }
    config
}

/// A command line, its working directory and its environment.
pub struct Start {
    program: PathBuf,
    before: Vec<OsString>,
    after: Vec<OsString>,
    directory: PathBuf,
    folder: TempDir,
}

impl Start {
    /// `wptserve serve` in this directory.
    pub fn new(directory: &Path) -> Self {
        Self {
            program: BINARY.into(),
            before: Vec::new(),
            after: Vec::new(),
            directory: directory.to_owned(),
            folder: TempDir::new().unwrap(),
        }
    }

    /// With `--config`.
    pub fn config(self, config: &Value) -> Self {
        let path = self.folder.path().join("config.json");
        fs::write(&path, config.to_string()).unwrap();
        self.args(["--config"]).args([path])
    }

    /// Arguments behind `serve`.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.after.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Another program, and arguments before `serve`.
    pub fn program(mut self, program: &Path, arguments: &[&str]) -> Self {
        self.program = program.to_owned();
        self.before = arguments.iter().map(OsString::from).collect();
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.before).arg("serve").args(&self.after).current_dir(&self.directory);
        command.env_remove("WPTSERVE_IMPORT_POLICY").stdin(Stdio::null());
        command
    }

    /// Starts it and waits until it is ready; standard output goes to a file.
    pub fn start(self) -> Wpt {
        let out = fs::File::create(self.folder.path().join("out")).unwrap();
        let mut command = self.command();
        command.stdout(out);
        self.launch(command)
    }

    /// The same with a standard output that is a pipe.
    pub fn start_piped(self) -> Wpt {
        let mut command = self.command();
        command.stdout(Stdio::piped());
        self.launch(command)
    }

    /// The same with a command that was changed.
    pub fn start_with(self, change: impl FnOnce(&mut Command)) -> Wpt {
        let out = fs::File::create(self.folder.path().join("out")).unwrap();
        let mut command = self.command();
        command.stdout(out);
        change(&mut command);
        self.launch(command)
    }

    fn launch(self, mut command: Command) -> Wpt {
        let file = self.folder.path().join("ready");
        let errors = self.folder.path().join("err");
        command.arg("--ready-file").arg(&file).stderr(fs::File::create(&errors).unwrap());
        let mut child = Running(command.spawn().expect("the program starts"));
        let text = until("the ready file", || {
            if let Some(status) = child.0.try_wait().unwrap() {
                panic!("it ended with {status}: {}", fs::read_to_string(&errors).unwrap());
            }
            fs::read_to_string(&file).ok()
        });
        Wpt { child, ready: serde_json::from_str(&text).unwrap(), folder: self.folder }
    }

    /// Runs it to its end: exit code, standard output, standard error.
    pub fn run(self) -> (i32, String, String) {
        let mut command = self.command();
        let path = |name: &str| self.folder.path().join(name);
        command.stdout(fs::File::create(path("out")).unwrap()).stderr(fs::File::create(path("err")).unwrap());
        let mut child = Running(command.spawn().expect("the program starts"));
        let status = until("the end", || child.0.try_wait().unwrap());
        let read = |name: &str| fs::read_to_string(path(name)).unwrap();
        (status.code().unwrap_or(-1), read("out"), read("err"))
    }

    /// The server does not start; both outputs together have all these parts.
    #[track_caller]
    pub fn refused(self, code: i32, parts: &[&str]) {
        let (actual, out, err) = self.run();
        assert_eq!(actual, code, "{out}{err}");
        for part in parts {
            assert!(out.contains(part) || err.contains(part), "no {part:?} in {out}{err}");
        }
    }
}

/// A running server.
pub struct Wpt {
    pub child: Running,
    /// The content of the ready file.
    pub ready: Value,
    folder: TempDir,
}

impl Wpt {
    /// The ports of a scheme.
    pub fn ports(&self, scheme: &str) -> Vec<u16> {
        let ports = self.ready["ports"][scheme].as_array().map(Vec::as_slice).unwrap_or_default();
        ports.iter().filter_map(|port| port.as_u64().and_then(|port| u16::try_from(port).ok())).collect()
    }

    /// The body of a plain answer with status 200 from the first http port.
    pub fn get(&self, target: &str) -> String {
        let answer = ask(self.ports("http")[0], target);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
        assert!(head.starts_with("HTTP/1.1 200 "), "{target}: {answer}");
        body.to_owned()
    }

    pub fn ready_file(&self) -> PathBuf {
        self.folder.path().join("ready")
    }

    /// The log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("out")).unwrap()
    }

    /// Waits until the log has this.
    #[track_caller]
    pub fn logged(&self, text: &str) {
        until(&format!("{text:?} in the log {}", self.log()), || self.log().contains(text).then_some(()));
    }

    /// Ends it with a signal.
    pub fn stop(&mut self, name: &str) -> ExitStatus {
        signal(self.child.0.id(), name);
        until("the server's end", || self.child.0.try_wait().unwrap())
    }

    pub fn process(&mut self) -> &mut Child {
        &mut self.child.0
    }
}

/// A whole answer as text, from a connection of its own.
pub fn ask(port: u16, target: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(crate::util::DEADLINE)).unwrap();
    stream.write_all(get(target).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
