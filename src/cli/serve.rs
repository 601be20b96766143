//! `wptserve serve`: configuration, ports, interpreter, readiness; serve until a signal comes.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{announce, bind, logger};
use crate::{
    config::{Config, Flags, Service, StartupError, find_root},
    python::{ImportPolicy, Python},
    route::Router,
    server::{self, Listener, Protocol, Site},
    tls,
};

/// Serve a checkout as `wpt serve` does, from one process; with --port, one plain http port.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The directory to serve, instead of the checkout that the server is started in
    #[arg(long, alias = "doc_root", value_name = "DIR")]
    doc_root: Option<PathBuf>,

    /// A JSON file of configuration, read after config.json of the checkout; it may be a pipe, /dev/stdin
    #[arg(long, value_name = "FILE", conflicts_with = "port")]
    config: Option<PathBuf>,

    /// Serve this one http port and nothing else, without config.json; 0 takes any free one
    #[arg(long, value_name = "N", requires = "doc_root")]
    port: Option<u16>,

    /// The name or address to listen on, instead of server_host; with --port 127.0.0.1 unless given
    #[arg(long, value_name = "ADDRESS")]
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
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,

    /// A file whose text is put into the HTML that is served, such as a polyfill in its script element
    #[arg(long, alias = "inject_script", value_name = "FILE")]
    inject_script: Option<PathBuf>,

    /// Serve HTTP/2, as is the default
    #[arg(long, overrides_with = "no_h2", hide = true)]
    h2: bool,

    /// Do not serve HTTP/2
    #[arg(long, overrides_with = "h2")]
    no_h2: bool,

    /// Accepted for compatibility: WebTransport is not served
    #[arg(long, alias = "webtransport_h3")]
    webtransport_h3: bool,

    /// Exit with code 0 as soon as every port answers
    #[arg(long, alias = "exit_after_start")]
    exit_after_start: bool,

    /// Log everything
    #[arg(long)]
    verbose: bool,

    /// What an import of a package directory without __init__.py does: warn allows it, as CPython does, with one warning;
    /// strict, the default with --port, refuses and names the file to create
    #[arg(long, value_name = "POLICY", value_enum, env = "WPTSERVE_IMPORT_POLICY")]
    import_policy: Option<Policy>,

    /// Write a line of JSON with pid, host, ports and URLs to this file as soon as every port answers
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

impl Args {
    /// `script` is the `wpt` script that a Python would have been started with.
    fn config(self, script: Option<&Path>) -> Result<Config, StartupError> {
        let flags = Flags {
            config: self.config,
            doc_root: self.doc_root,
            ws_doc_root: self.ws_doc_root,
            ws_extra: self.ws_extra,
            alias_file: self.alias_file,
            inject_script: self.inject_script,
            latency: Duration::from_millis(self.latency),
            h2: !self.no_h2,
            verbose: self.verbose,
            host: self.host,
            import_policy: self.import_policy.map(Policy::into),
            ready_file: self.ready_file,
        };
        match (self.port, flags.doc_root.clone()) {
            (Some(port), Some(doc_root)) => Config::plain(&doc_root, port, flags),
            (_, doc_root) => Config::wpt(&find_root(script, doc_root.as_deref())?, flags),
        }
    }
}

pub(super) fn run(args: Args, script: Option<&Path>) -> Result<(), StartupError> {
    let (exit_after_start, webtransport) = (args.exit_after_start, args.webtransport_h3);
    let config = args.config(script)?;
    log::set_max_level(config.log_level);
    for warning in &config.warnings {
        log::warn!("{warning}");
    }
    if webtransport {
        log::warn!("WebTransport is not served: --webtransport-h3 has no effect");
    }
    if let Some(file) = &config.ready_file {
        announce::prepare(file).map_err(|source| StartupError::ReadyFile { path: file.clone(), source })?;
    }
    let identity = config.tls.as_ref().map(|source| tls::load(source, &config.hosts.domains_set())).transpose()?;
    for warning in identity.iter().flat_map(|identity| &identity.warnings) {
        log::warn!("{warning}");
    }
    let ports = bind::bind(&config).inspect_err(|error| {
        let process = bind::process(&error.scheme, error.port);
        logger::critical(
            &process,
            format_args!("Failed to start HTTP server on port {}: {}", error.port, error.source),
        );
        logger::critical(&process, format_args!("Socket error on port {}", error.port));
    })?;
    // Handlers open files relative to the checkout.
    std::env::set_current_dir(config.doc_root.path())
        .map_err(|source| StartupError::WorkingDirectory { path: config.doc_root.path().to_owned(), source })?;
    actix_rt::System::new().block_on(serve(config, ports, identity, exit_after_start))
}

async fn serve(
    config: Config,
    ports: bind::Ports,
    identity: Option<tls::Identity>,
    exit_after_start: bool,
) -> Result<(), StartupError> {
    let signals = Signals::new().map_err(StartupError::Signals)?;
    let environment = config.environment(&ports.numbers, identity.as_ref());
    let site_config = Arc::new(environment.config.clone());
    let (python, started) =
        Python::start(config.doc_root.path(), config.import_policy, environment).map_err(StartupError::Threads)?;
    let python = Arc::new(python);
    let router = Router::default();
    let announcement = announce::Announcement::new(&config, &ports);
    let listeners = ports.bound.into_iter().map(|bound| Listener {
        site: Site {
            scheme: bound.service.scheme(),
            // wptserve, too, falls back to the address it is bound to, not to the name it was given.
            host: bound.address.ip().to_string(),
            port: bound.address.port(),
            root: config.doc_root.clone(),
            config: Arc::clone(&site_config),
            router: router.clone(),
            python: Arc::clone(&python),
        },
        socket: bound.socket,
        protocol: match bound.service {
            Service::Http2 => Protocol::Http2,
            Service::Ws | Service::Wss => Protocol::WebSocket,
            _ => Protocol::Http1,
        },
        tls: identity.as_ref().filter(|_| bound.service.is_encrypted()).map(|identity| match bound.service {
            Service::Http2 => Arc::clone(&identity.h2),
            _ => Arc::clone(&identity.https),
        }),
    });
    let mut failure = None;
    let stop = async {
        let ready = async {
            match announcement.make(started).await {
                Ok(()) if exit_after_start => {}
                Ok(()) => std::future::pending().await,
                Err(cause) => failure = Some(cause),
            }
        };
        tokio::select! {
            () = signals.wait() => {}
            () = ready => {}
        }
    };
    let served = server::run(listeners.collect(), stop).await;
    python.stop();
    match failure {
        Some(cause) => Err(cause.into()),
        None => served.map_err(StartupError::Serve),
    }
}

/// SIGINT and SIGTERM.
struct Signals(Signal, Signal);

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self(signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}
