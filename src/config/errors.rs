//! Why the server does not start. Every message names the cause and the next step.

use std::{io, path::PathBuf};

use serde_json::Value;

use crate::{docroot::DocRootError, handover::NotStarted, tls::TlsError};

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}; name a file that exists and can be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The file is no JSON.
    #[error("the configuration {path} is no JSON: {source}; correct it there")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where, and what was expected.
        #[source]
        source: serde_json::Error,
    },
    /// What is wrong in a file of configuration.
    #[error("in {path}: {source}")]
    In {
        /// The file.
        path: PathBuf,
        /// What is wrong there.
        #[source]
        source: Box<Self>,
    },
    /// A top-level key that does not exist. The beginning is that of wptserve's exception: jsdom looks for it.
    #[error(
        "KeyError: \"unknown config override '{key}'\"{meant}; take the key out of the configuration, or correct it"
    )]
    UnknownKey {
        /// The key.
        key: String,
        /// A hint at the key that is likely meant, or nothing.
        meant: String,
    },
    /// An entry of `aliases` lacks a key, perhaps because it is misspelt.
    #[error(
        "aliases[{index}] has no \"{key}\"{meant}; an alias is {{\"url-path\": \"/gen/\", \"local-dir\": \"out/gen\"}}"
    )]
    Alias {
        /// Counted from 0.
        index: usize,
        /// What it lacks.
        key: &'static str,
        /// What it has instead, or nothing.
        meant: String,
    },
    /// A value of the wrong kind.
    #[error("{key} must be {expected}, not {found}")]
    Kind {
        /// The key, with dots.
        key: String,
        /// What it has to be.
        expected: &'static str,
        /// What it is, as JSON.
        found: String,
    },
    /// Not a port.
    #[error("{value} in ports.{scheme} is no port: write a number up to 65535, \"auto\", or null for none")]
    Port {
        /// The scheme.
        scheme: String,
        /// What is there, as JSON.
        value: String,
    },
    /// The same number twice.
    #[error("port {port} is asked for twice, for {first} and for {second}; give one of them another number")]
    PortTwice {
        /// The number.
        port: u16,
        /// A scheme.
        first: String,
        /// Another one, or the same.
        second: String,
    },
    /// `ssl.type` is unknown.
    #[error("{0} is not a valid SSL type. ssl.type is \"pregenerated\", \"openssl\" or \"none\"")]
    SslType(String),
    /// A directory given with a flag is not there.
    #[error("{title} path {path} does not exist; name a directory")]
    Missing {
        /// What it is for.
        title: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// A line of the alias file is none.
    #[error("line {line} of the alias file {path} is no alias: write /ALIAS_NAME/, DOC_ROOT")]
    AliasLine {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// No checkout was found.
    #[error(
        "{0} is no web-platform-tests checkout (it has no resources/testharness.js and no wpt script): start the server in \
         one, or name one with --doc-root"
    )]
    NoCheckout(PathBuf),
    /// A path cannot be made absolute.
    #[error("cannot make the path {path} absolute: {source}")]
    Absolute {
        /// The path.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// `; did you mean "…"?` with the name that is likely meant by one that does not exist, or nothing.
pub(super) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let distances = known.into_iter().map(|known| (strsim::osa_distance(name, known), known));
    match distances.min().filter(|(distance, _)| distance * 3 <= name.chars().count()) {
        Some((_, known)) => format!("; did you mean \"{known}\"?"),
        None => String::new(),
    }
}

impl ConfigError {
    pub(super) fn kind(key: &str, expected: &'static str, found: &Value) -> Self {
        Self::Kind { key: key.to_owned(), expected, found: found.to_string() }
    }
}

/// Why the server does not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The doc root cannot be served.
    #[error(transparent)]
    DocRoot(#[from] DocRootError),
    /// There is no certificate for the encrypted ports.
    #[error("{0}; without encrypted ports: \"ssl\": {{\"type\": \"none\"}} in the configuration")]
    Tls(#[from] TlsError),
    /// `server_host` has no address.
    #[error(
        "cannot find the address of {host}: {source}; append what make-hosts-file prints to /etc/hosts, start with --dns, or choose another \
         server_host (or --host)"
    )]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver says.
        #[source]
        source: io::Error,
    },
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A domain of the tests does not lead here.
    #[error(
        "{domain} does not lead to this server: {cause}{}; append what make-hosts-file prints to /etc/hosts, or set \
         check_subdomains to false",
        and_others(*.others)
    )]
    Domain {
        /// The domain.
        domain: String,
        /// What was found instead.
        cause: String,
        /// How many others there are.
        others: usize,
    },
    /// The ready file cannot be replaced.
    #[error("cannot replace the ready file {path}: {source}; choose another place with --ready-file")]
    ReadyFile {
        /// The path.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The doc root cannot become the working directory.
    #[error("cannot work in {path}: {source}; check the permissions of the doc root")]
    WorkingDirectory {
        /// The path.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The system gives no thread to the interpreter.
    #[error("cannot start the interpreter's thread: {0}; raise the limit of processes (ulimit -u)")]
    Threads(#[source] io::Error),
    /// The interpreter does not come up.
    #[error("{0}; this is a bug of wptserve-rs")]
    Interpreter(#[from] NotStarted),
    /// SIGINT and SIGTERM cannot be received.
    #[error("cannot wait for signals: {0}")]
    Signals(#[source] io::Error),
    /// A listener died.
    #[error("the server has failed: {0}")]
    Serve(#[source] io::Error),
}

/// Why a port cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {host}:{port} for {scheme}: {source}; {}", advice(source))]
pub struct BindError {
    /// Where, as configured.
    pub host: String,
    /// The port; 0 for any.
    pub port: u16,
    /// Its name under `ports`.
    pub scheme: String,
    /// What the system says.
    #[source]
    pub source: io::Error,
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "stop what uses the port, or choose another under ports in the configuration or with --port (\"auto\", 0: any \
             free one)"
        }
        io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege: choose another, or give it",
        io::ErrorKind::AddrNotAvailable => {
            "that address is not one of this machine's: choose server_host (or --host) among them, or set bind_address to false"
        }
        _ => "check server_host and the port",
    }
}

fn and_others(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " (and one other does not)".to_owned(),
        count => format!(" (and {count} others do not)"),
    }
}
