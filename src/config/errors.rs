//! Errors that keep the server from starting. Every message names the cause and the next step.

use std::{io, path::PathBuf};

use serde_json::Value;

use crate::{docroot::DocRootError, handover::NotStarted, supervisor::NoThreads, tls::TlsError};

/// A mistake in the configuration.
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
    /// The file is not JSON.
    #[error("the configuration {path} is not valid JSON: {source}; correct the file there")]
    Json {
        /// The file.
        path: PathBuf,
        /// The place of the mistake, and what the parser expected.
        #[source]
        source: serde_json::Error,
    },
    /// A mistake in a file of configuration.
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
        "KeyError: \"unknown config override '{key}'\"{meant}; take the key out of the configuration, or correct its name"
    )]
    UnknownKey {
        /// The key.
        key: String,
        /// A hint at the key that is likely meant, or empty.
        meant: String,
    },
    /// An entry of `aliases` lacks a key, perhaps because it is misspelt.
    #[error(
        "aliases[{index}] has no \"{key}\"{meant}; an alias is {{\"url-path\": \"/gen/\", \"local-dir\": \"out/gen\"}}"
    )]
    Alias {
        /// The index of the alias, from 0.
        index: usize,
        /// The key that is missing.
        key: &'static str,
        /// A hint at a misspelt key, or empty.
        meant: String,
    },
    /// A value of the wrong kind.
    #[error("{key} must be {expected}, not {found}")]
    Kind {
        /// The key, with dots.
        key: String,
        /// The right form.
        expected: &'static str,
        /// The value, as JSON.
        found: String,
    },
    /// A value that is not a port.
    #[error("{value} in ports.{scheme} is not a port: write a number up to 65535, \"auto\", or null for no port")]
    Port {
        /// The scheme.
        scheme: String,
        /// The value, as JSON.
        value: String,
    },
    /// The same port number twice.
    #[error("port {port} is configured twice, for {first} and for {second}; give one of them another number")]
    PortTwice {
        /// The number.
        port: u16,
        /// A scheme.
        first: String,
        /// Another one, or the same.
        second: String,
    },
    /// `ssl.type` is unknown.
    #[error("{0} is not a valid SSL type. Set ssl.type to \"pregenerated\", \"openssl\" or \"none\"")]
    SslType(String),
    /// A directory given with a flag does not exist.
    #[error("{title} path {path} does not exist; name a directory")]
    Missing {
        /// The directory's purpose.
        title: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// A line of the alias file is not an alias.
    #[error("line {line} of the alias file {path} is not an alias: write /ALIAS_NAME/, DOC_ROOT")]
    AliasLine {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
    },
    /// No checkout was found.
    #[error(
        "{0} is not a web-platform-tests checkout (the directory has no resources/testharness.js and no wpt script): start the \
         server in a checkout, or name one with --doc-root"
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

/// `; did you mean "…"?` with the known name that is most like an unknown one, or an empty text.
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

/// Why the server does not start, or has stopped.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The doc root cannot be served.
    #[error(transparent)]
    DocRoot(#[from] DocRootError),
    /// There is no certificate for the encrypted ports.
    #[error("{0}; or switch encrypted ports off: \"ssl\": {{\"type\": \"none\"}} in the configuration")]
    Tls(#[from] TlsError),
    /// `server_host` has no address.
    #[error(
        "cannot find the address of {host}: {source}; append the output of make-hosts-file to /etc/hosts, start with --dns, or choose another \
         server_host (or --host)"
    )]
    Resolve {
        /// The name.
        host: String,
        /// The resolver's error.
        #[source]
        source: io::Error,
    },
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A domain of the tests does not lead here.
    #[error(
        "{domain} does not lead to this server: {cause}{}; append the output of make-hosts-file to /etc/hosts, or set \
         check_subdomains to false",
        and_others(*.others)
    )]
    Domain {
        /// The domain.
        domain: String,
        /// Where the domain leads instead.
        cause: String,
        /// The number of other domains that do not lead here.
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
    #[error("cannot change the working directory to {path}: {source}; check the permissions of the doc root")]
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
    /// The system gives fewer threads than are needed.
    #[error("{0}; raise the limit of processes (ulimit -u)")]
    FewThreads(#[from] NoThreads),
    /// The process may open fewer descriptors than are needed.
    #[error(
        "this process may open {allowed} files and connections, and needs at least {needed} to serve these ports; raise the limit (ulimit -n)"
    )]
    FewDescriptors {
        /// The limit.
        allowed: u64,
        /// What is needed at least.
        needed: u64,
    },
    /// No process that serves can be started, or none lives.
    #[error("the supervisor gives up: {0}; --no-supervisor serves without one")]
    Supervisor(#[source] io::Error),
    /// The interpreter does not start.
    #[error("{0}; this is a bug of wptserve-rs")]
    Interpreter(#[from] NotStarted),
    /// SIGINT and SIGTERM cannot be received.
    #[error("cannot receive SIGINT and SIGTERM: {0}; raise the limit of open files (ulimit -n)")]
    Signals(#[source] io::Error),
    /// A listener died.
    #[error("the server has stopped: {0}; start it again")]
    Serve(#[source] io::Error),
}

/// Why a port cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {host}:{port} for {scheme}: {source}; {}", advice(source))]
pub struct BindError {
    /// The host, as configured.
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
            "stop the program that uses the port, or choose another port under ports in the configuration or with --port \
             (\"auto\" or 0: any free port)"
        }
        io::ErrorKind::PermissionDenied => {
            "a port below 1024 needs a privilege: choose a higher port, or give the server CAP_NET_BIND_SERVICE"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have that address: choose one of its addresses as server_host (or --host), or set \
             bind_address to false"
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
