//! What to serve and where, checked: whoever has a [`Config`] has a doc root that can be read.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::json;

use crate::{
    docroot::{DocRoot, DocRootError},
    python::{Environment, ImportPolicy, NotStarted},
    stash::Stash,
};

/// Why the server does not start, or did not go on. The message names the cause and the next step.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// The doc root cannot be served.
    #[error(transparent)]
    DocRoot(#[from] DocRootError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}; stop what uses the port, or choose another with --port (0: any free one)"
    )]
    Bind {
        /// Host and port.
        address: String,
        /// What the system says.
        #[source]
        source: io::Error,
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

/// See the module.
#[derive(Debug, Clone)]
pub struct Config {
    /// The checkout.
    pub doc_root: DocRoot,
    /// The address to listen on, as given.
    pub host: String,
    /// The port to listen on; 0 takes any free one.
    pub port: u16,
    /// What happens to imports that break the rules.
    pub import_policy: ImportPolicy,
    /// Where to announce that every port answers; absolute.
    pub ready_file: Option<PathBuf>,
}

impl Config {
    /// Checks what was asked for.
    ///
    /// # Errors
    /// The doc root cannot be served, or the ready file has no place.
    pub fn new(
        doc_root: &Path,
        host: String,
        port: u16,
        import_policy: ImportPolicy,
        ready_file: Option<PathBuf>,
    ) -> Result<Self, StartupError> {
        let doc_root = DocRoot::new(doc_root)?;
        let absolute =
            |path: PathBuf| std::path::absolute(&path).map_err(|source| StartupError::ReadyFile { path, source });
        let ready_file = ready_file.map(absolute).transpose()?;
        Ok(Self { doc_root, host, port, import_policy, ready_file })
    }

    /// What handlers see of the server: `request.server.config` with the keys and defaults of wptserve 4.0.3,
    /// config.py, `ConfigBuilder`, for one http port.
    pub fn environment(&self, port: u16) -> Environment {
        let doc_root = self.doc_root.path().to_string_lossy().into_owned();
        let config = json!({
            "browser_host": self.host,
            "alternate_hosts": {},
            "doc_root": doc_root,
            "server_host": self.host,
            "ports": {"http": [port]},
            "check_subdomains": true,
            "bind_address": true,
            "ssl": {
                "type": "none",
                "encrypt_after_connect": false,
                "none": {},
                "openssl": {
                    "openssl_binary": "openssl",
                    "base_path": "_certs",
                    "password": "web-platform-tests",
                    "force_regenerate": false,
                    "duration": 30,
                    "base_conf_path": null,
                },
                "pregenerated": {"host_key_path": null, "host_cert_path": null},
            },
            "aliases": [],
            "logging": {"level": "DEBUG", "suppress_handler_traceback": false},
            "subdomains": [],
            "not_subdomains": [],
            "paths": {"doc_root": doc_root},
            "domains": {"": {"": self.host}},
            "not_domains": {"": {}},
            "all_domains": {"": {"": self.host}},
            "domains_set": [self.host],
            "not_domains_set": [],
            "all_domains_set": [self.host],
            "ssl_config": null,
        });
        Environment { config, stash: Arc::new(Stash::default()) }
    }
}
