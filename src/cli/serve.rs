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

use tokio::{net::UdpSocket, task::JoinSet};

use super::{announce, args::Args, bind, dns, logger, subdomains, supervised};
use crate::{
    config::{BindError, Config, Dns, Service, StartupError},
    python::Python,
    route::Router,
    server::{self, Listener, Protocol, Site},
    stash::Remote,
    supervisor::Link,
    tls,
    websocket::Handlers,
};

/// Serves until the end; the exit code of this process.
pub(super) fn run(args: Args, script: Option<&Path>) -> Result<u8, StartupError> {
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

fn start(args: Args, script: Option<&Path>) -> Result<u8, StartupError> {
    let (exit_after_start, has_supervisor) = (args.exit_after_start, !args.no_supervisor);
    if !has_supervisor {
        logger::start();
    }
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
    supervised::check_descriptors(&ports)?;
    let router = Router::wpt(&config.aliases());
    // Handlers open files relative to the checkout.
    std::env::set_current_dir(config.doc_root.path())
        .map_err(|source| StartupError::WorkingDirectory { path: config.doc_root.path().to_owned(), source })?;
    let announcement = announce::Announcement::new(&config, &ports);
    let guide = if has_supervisor {
        match supervised::split(&config.supervisor, exit_after_start, announcement.ready_file())? {
            supervised::Role::Child(link) => Guide::Supervisor(link),
            supervised::Role::Supervisor(code) => return Ok(code),
        }
    } else {
        Guide::Own { exit_after_start, ready_file: announcement.ready_file() }
    };
    supervised::check_threads()?;
    // Never dropped: that would wait for every name that is being resolved and every file that is being read.
    let system = std::mem::ManuallyDrop::new(actix_rt::System::new());
    system.block_on(serve(config, router, ports, identity, announcement, guide)).map(|()| 0)
}

/// What tells the server to stop, and has to know how far it is.
enum Guide {
    /// This process alone.
    Own { exit_after_start: bool, ready_file: Option<announce::ReadyFile> },
    /// Another process.
    Supervisor(Link),
}

async fn serve(
    config: Config,
    router: Router,
    ports: bind::Ports,
    identity: Option<tls::Identity>,
    announcement: announce::Announcement,
    guide: Guide,
) -> Result<(), StartupError> {
    let link = match &guide {
        Guide::Own { .. } => None,
        Guide::Supervisor(link) => Some(link.clone()),
    };
    let is_first = link.as_ref().is_none_or(Link::is_first);
    let mut stops = supervised::Stops::new(link.clone()).map_err(StartupError::Signals)?;
    let mut environment = config.environment(&ports.numbers, identity.as_ref().map(Into::into));
    if let Some(link) = link.clone() {
        environment.stash = Arc::new(Remote::new(move || link.dial()));
    }
    let bounds = Arc::new(config.bounds.clone());
    bounds.apply();
    let site_config = Arc::new(environment.config.clone());
    let (python, started) = Python::start(
        config.doc_root.path(),
        config.import_policy,
        environment,
        config.limits,
        Box::new(unstoppable),
        link.clone(),
    )
    .map_err(StartupError::Threads)?;
    let python = Arc::new(python);
    let handlers = Handlers::new(&config.ws_doc_root, &config.ws_extra);
    if config.check_subdomains
        && is_first
        && let Some(first) = ports.bound.first()
    {
        tokio::select! {
            _ = stops.next() => return Ok(()),
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
            bounds: Arc::clone(&bounds),
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
            let ready = if is_first { announcement.make(started).await } else { announce::started(started).await };
            match (ready, &guide) {
                (Ok(()), Guide::Own { exit_after_start, ready_file }) => {
                    ready_file.iter().for_each(announce::ReadyFile::write);
                    if *exit_after_start {
                        return;
                    }
                }
                (Ok(()), Guide::Supervisor(link)) => link.ready(),
                (Err(cause), _) => {
                    failure = Some(cause);
                    return;
                }
            }
            std::future::pending().await
        };
        let stop = tokio::select! {
            stop = stops.next() => stop,
            () = ready => server::Stop::Now,
        };
        // The first thing of the stop, so that nobody takes the server for one that answers.
        drop(guide);
        stop
    };
    let served = server::run(listeners.collect(), config.supervisor.grace, stop).await;
    python.stop();
    if let Some(cause) = failure {
        return Err(cause.into());
    }
    if let (Err(_), Some(link)) = (&served, &link) {
        link.failed();
    }
    served.map_err(StartupError::Serve)
}

/// Says that a handler cannot be ended from inside the process.
fn unstoppable(script: &Path) {
    log::error!(
        "{}: this handler does not end, because it is in native code such as a regular expression or a huge number: its thread \
         is lost until the server is started again",
        script.display()
    );
}
