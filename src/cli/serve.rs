//! `wptserve serve`: configuration, ports, interpreter, readiness; serve until a signal comes.

use std::{
    fs::File,
    io::{self, IsTerminal as _},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::MetadataExt as _,
    },
    path::Path,
    sync::Arc,
};

use tokio::{
    net::UdpSocket,
    signal::unix::{Signal, SignalKind, signal},
    task::JoinSet,
};

use super::{announce, args::Args, bind, dns, logger, subdomains};
use crate::{
    config::{BindError, Config, Dns, Service, StartupError},
    python::Python,
    route::Router,
    server::{self, Listener, Protocol, Site},
    tls,
    websocket::Handlers,
};

pub(super) fn run(args: Args, script: Option<&Path>) -> Result<(), StartupError> {
    start(args, script).inspect_err(log_refusal)
}

/// Logs why the server does not start, in wptserve's words where test runners may look for them. A mistake in the
/// configuration is named on standard error only, as by wptserve. Standard error names every other cause as well, so the log
/// leaves it out when both streams are the same file.
fn log_refusal(error: &StartupError) {
    let is_same = is_same_place(io::stdout().as_fd(), io::stderr().as_fd());
    match error {
        StartupError::Config(_) | StartupError::DocRoot(_) => {}
        StartupError::Bind(_) if is_same && io::stdout().is_terminal() => {}
        StartupError::Bind(BindError { port, scheme, source, .. }) => {
            let process = bind::process(scheme, *port);
            logger::critical(&process, format_args!("Failed to start HTTP server on port {port}: {source}"));
            logger::critical(&process, format_args!("Socket error on port {port}"));
        }
        _ if is_same => {}
        StartupError::Domain { domain, .. } => {
            logger::critical(logger::MAIN, format_args!("Failed probing domain {domain}. {error}"));
        }
        other => logger::critical(logger::MAIN, format_args!("{other}")),
    }
}

fn is_same_place(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> bool {
    let place = |file: BorrowedFd<'_>| {
        let metadata = File::from(file.try_clone_to_owned()?).metadata()?;
        io::Result::Ok((metadata.dev(), metadata.ino()))
    };
    matches!((place(one), place(other)), (Ok(one), Ok(other)) if one == other)
}

fn start(args: Args, script: Option<&Path>) -> Result<(), StartupError> {
    let exit_after_start = args.exit_after_start;
    // This comes before anything can fail, because a script that waits for the file must not see one of an earlier run.
    if let Some(file) = args.ready_file()? {
        announce::prepare(&file).map_err(|source| StartupError::ReadyFile { path: file.clone(), source })?;
    }
    let config = args.config(script)?;
    log::set_max_level(config.log_level);
    for warning in &config.warnings {
        log::warn!("{warning}");
    }
    if config.webtransport {
        log::warn!(
            "WebTransport is not served: --webtransport-h3 only binds the port, and tests that need WebTransport fail"
        );
    }
    let identity = config.tls.as_ref().map(|source| tls::load(source, &config.hosts.domains_set())).transpose()?;
    for warning in identity.iter().flat_map(|identity| &identity.warnings) {
        log::warn!("{warning}");
    }
    let ports = bind::bind(&config)?;
    let router = Router::wpt(&config.aliases());
    // Handlers open files relative to the checkout.
    std::env::set_current_dir(config.doc_root.path())
        .map_err(|source| StartupError::WorkingDirectory { path: config.doc_root.path().to_owned(), source })?;
    // Never dropped, because the drop would wait until every name is resolved and every file is read.
    let system = std::mem::ManuallyDrop::new(actix_rt::System::new());
    system.block_on(serve(config, router, ports, identity, exit_after_start))
}

async fn serve(
    config: Config,
    router: Router,
    ports: bind::Ports,
    identity: Option<tls::Identity>,
    exit_after_start: bool,
) -> Result<(), StartupError> {
    let mut signals = Signals::new().map_err(StartupError::Signals)?;
    let environment = config.environment(&ports.numbers, identity.as_ref().map(Into::into));
    let site_config = Arc::new(environment.config.clone());
    let (python, started) =
        Python::start(config.doc_root.path(), config.import_policy, environment).map_err(StartupError::Threads)?;
    let python = Arc::new(python);
    let handlers = Handlers::new(&config.ws_doc_root, &config.ws_extra);
    let announcement = announce::Announcement::new(&config, &ports);
    let ready_file = announcement.ready_file();
    if config.check_subdomains
        && let Some(first) = ports.bound.first()
    {
        tokio::select! {
            () = signals.wait() => return Ok(()),
            checked = subdomains::check(&config, first.address) => checked?,
        }
    }
    let listeners = ports.bound.into_iter().map(|bound| Listener {
        site: Site {
            name: bound.process(),
            scheme: bound.service.scheme(),
            // wptserve, too, uses the address that it is bound to and not the configured name.
            host: bound.address.ip().to_string().into(),
            port: bound.address.port(),
            root: config.doc_root.clone(),
            config: Arc::clone(&site_config),
            router: router.clone(),
            latency: config.latency,
            inject_script: config.inject_script.as_ref().map(|(_, content)| content.clone()),
            python: Arc::clone(&python),
            ws: match bound.service {
                Service::Ws | Service::Wss | Service::Http2 => Some(handlers.clone()),
                _ => None,
            },
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
        encrypt_after_connect: config.encrypt_after_connect && bound.service == Service::Https,
    });
    let mut servers = JoinSet::new();
    for socket in ports.dns {
        let socket = UdpSocket::from_std(socket).map_err(StartupError::Serve)?;
        let address = socket.local_addr().map_err(StartupError::Serve)?;
        servers
            .spawn(dns::serve(socket, dns::Zone::new(&config.hosts, config.dns == Some(Dns::Wildcards), address.ip())));
    }
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
        // The stop begins with this, so that the file never announces a server that no longer answers.
        drop(ready_file);
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

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}
