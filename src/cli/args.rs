//! The flags of `wptserve serve`: those of `wpt serve` (tools/serve/serve.py, `get_parser`) and our own.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::builder::NonEmptyStringValueParser;

use crate::{
    config::{Config, ConfigError, Dns, Flags, StartupError, absolute, find_root},
    handover::ImportPolicy,
};

/// What the help of the program and of its command ends with.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  stopped by SIGINT or SIGTERM, or the command is done
  1  the server could not start (for example, because a file or value cannot be used), or a listener died; the last line
     on standard error names the cause and the next step
  2  the command line is wrong";

/// Serve a checkout as `wpt serve` does, from one process; with --port, one plain http port.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES, infer_long_args = true)]
pub(super) struct Args {
    /// The directory to serve, instead of the checkout that the server is started in
    #[arg(long, alias = "doc_root", value_name = "DIR")]
    doc_root: Option<PathBuf>,

    /// A JSON file of configuration, read after config.json of the checkout; it may be a pipe, /dev/stdin
    #[arg(long, value_name = "FILE", conflicts_with = "port")]
    config: Option<PathBuf>,

    /// Serve this one http port and nothing else, without config.json; 0 takes any free port
    #[arg(long, value_name = "N", value_parser = port)]
    port: Option<u16>,

    /// The name or address to listen on, instead of server_host; with --port the default is 127.0.0.1
    #[arg(long, value_name = "ADDRESS", value_parser = NonEmptyStringValueParser::new())]
    host: Option<String>,

    /// The directory of the WebSocket handlers
    #[arg(long, alias = "ws_doc_root", value_name = "DIR", conflicts_with = "port")]
    ws_doc_root: Option<PathBuf>,

    /// One more directory of WebSocket handlers; may be given several times
    #[arg(long, alias = "ws_extra", value_name = "DIR", conflicts_with = "port")]
    ws_extra: Vec<PathBuf>,

    /// A file with lines `/ALIAS_NAME/, DOC_ROOT`: more directories to serve
    #[arg(long, alias = "alias_file", value_name = "FILE", conflicts_with = "port")]
    alias_file: Option<PathBuf>,

    /// Milliseconds that every http answer waits
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = milliseconds)]
    latency: u64,

    /// Seconds that a handler may run before it is ended with a RequestCancelled exception; 0 is no limit, as is the default
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    handler_timeout: Option<Duration>,

    /// A file whose text is put into every served HTML page, in a script element, such as a polyfill
    #[arg(long, alias = "inject_script", value_name = "FILE")]
    inject_script: Option<PathBuf>,

    /// Serve HTTP/2, which is the default
    #[arg(long, overrides_with = "no_h2", hide = true)]
    h2: bool,

    /// Do not serve HTTP/2
    #[arg(long, overrides_with = "h2")]
    no_h2: bool,

    /// Accepted for compatibility: WebTransport is not served, its UDP port is only bound
    #[arg(long, alias = "webtransport_h3")]
    webtransport_h3: bool,

    /// Answer DNS queries for the tests' domains with the server's address, on the UDP port ports.dns (8053), so that
    /// /etc/hosts need not be changed. This switches check_subdomains off, and a server_host that only this server knows becomes
    /// 127.0.0.1
    #[arg(long, alias = "enable-dns", conflicts_with = "port")]
    dns: bool,

    /// As --dns, but with every name below the hosts. N, the number of labels, is accepted for compatibility: any number
    /// of labels matches, as in wpt serve
    #[arg(long, aliases = ["dns_wildcards", "wildcard-dns"], value_name = "N", conflicts_with = "port", value_parser = labels)]
    dns_wildcards: Option<u32>,

    /// Exit with code 0 as soon as every port answers
    #[arg(long, alias = "exit_after_start")]
    pub(super) exit_after_start: bool,

    /// Serve from the process that is started, without a supervisor that replaces it when it dies, hangs or grows
    #[arg(long, alias = "no_supervisor")]
    pub(super) no_supervisor: bool,

    /// Log everything
    #[arg(long)]
    verbose: bool,

    /// Whether a handler may import from a package directory without __init__.py: warn allows the import, as CPython does,
    /// with one warning; strict refuses it and names the file to create. Without the flag a web-platform-tests checkout gets
    /// warn, any other directory strict
    #[arg(long, value_name = "POLICY", value_enum, env = "WPTSERVE_IMPORT_POLICY")]
    import_policy: Option<Policy>,

    /// Write a line of JSON with pid, host, ports and URLs to this file as soon as every port answers; the server removes
    /// the file at the start and at the stop
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Policy {
    Strict,
    Warn,
}

impl From<Policy> for ImportPolicy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Strict => Self::Strict,
            Policy::Warn => Self::Warn,
        }
    }
}

fn port(text: &str) -> Result<u16, &'static str> {
    text.parse().map_err(|_| "write a whole number from 0 to 65535; 0 takes any free port")
}

fn milliseconds(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "write a whole number of milliseconds, such as 500")
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().map_err(|_| ());
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).map_err(|_| ()))
        .map_err(|()| "write a number of seconds, such as 60 or 0.5; 0 is no limit")
}

fn labels(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| "write a whole number, such as 2")
}

impl Args {
    /// The file that announces that every port answers; absolute.
    ///
    /// # Errors
    /// The working directory does not exist any more.
    pub(super) fn ready_file(&self) -> Result<Option<PathBuf>, ConfigError> {
        self.ready_file.as_deref().map(absolute).transpose()
    }

    /// `script` is the `wpt` script on a command line for Python.
    pub(super) fn config(self, script: Option<&Path>) -> Result<Config, StartupError> {
        let flags = Flags {
            config: self.config,
            doc_root: self.doc_root,
            ws_doc_root: self.ws_doc_root,
            ws_extra: self.ws_extra,
            alias_file: self.alias_file,
            inject_script: self.inject_script,
            latency: Duration::from_millis(self.latency),
            handler_timeout: self.handler_timeout,
            h2: !self.no_h2,
            webtransport: self.webtransport_h3,
            dns: match (self.dns_wildcards, self.dns) {
                (Some(_), _) => Some(Dns::Wildcards),
                (None, true) => Some(Dns::Domains),
                (None, false) => None,
            },
            verbose: self.verbose,
            host: self.host,
            import_policy: self.import_policy.map(Policy::into),
            ready_file: self.ready_file,
        };
        match (self.port, flags.doc_root.clone()) {
            (Some(port), Some(doc_root)) => Config::plain(&doc_root, port, flags),
            (Some(port), None) => Config::plain(&find_root(script, None)?, port, flags),
            (None, doc_root) => Config::wpt(&find_root(script, doc_root.as_deref())?, flags),
        }
    }
}
