//! `wptserve serve`: bind, start the interpreter, say when every port answers, serve until a signal comes.

use std::{
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde_json::json;
use socket2::{Domain, Socket, Type};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

use crate::{
    config::{Config, StartupError},
    http::Scheme,
    python::{ImportPolicy, NotStarted, Python},
    route::Router,
    server::{self, BACKLOG, Listener, Protocol, Site},
};

/// Serve a checkout: static files as they are, *.py files by running their main(request, response).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The directory to serve: the root of a web-platform-tests checkout
    #[arg(long, visible_alias = "doc_root", value_name = "DIR")]
    doc_root: PathBuf,

    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: String,

    /// The port to listen on; 0 takes any free one
    #[arg(long, value_name = "N", default_value_t = 8000)]
    port: u16,

    /// What an import of a package directory without __init__.py does: strict refuses and names the file to create,
    /// warn allows it, as CPython does, with one warning
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = Policy::Strict, env = "WPTSERVE_IMPORT_POLICY")]
    import_policy: Policy,

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

pub(super) fn run(args: Args) -> Result<(), StartupError> {
    let config = Config::new(&args.doc_root, args.host, args.port, args.import_policy.into(), args.ready_file)?;
    if let Some(file) = &config.ready_file {
        let refused = |source| StartupError::ReadyFile { path: file.clone(), source };
        // Whoever waits for the file must not wait in vain: its place has to take one.
        beside(file).map_err(refused)?;
        // Left over from an earlier run it would announce the wrong ports.
        match std::fs::remove_file(file) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(refused(source)),
            _ => {}
        }
    }
    let listener = bind(&config.host, config.port)?;
    let address =
        listener.local_addr().map_err(|source| StartupError::Bind { address: config.host.clone(), source })?;
    actix_rt::System::new().block_on(serve(config, listener, address))
}

async fn serve(config: Config, listener: TcpListener, address: SocketAddr) -> Result<(), StartupError> {
    let signals = Signals::new().map_err(StartupError::Signals)?;
    let environment = config.environment(address.port());
    let site_config = environment.config.clone();
    // Handlers open files relative to the checkout.
    std::env::set_current_dir(config.doc_root.path())
        .map_err(|source| StartupError::WorkingDirectory { path: config.doc_root.path().to_owned(), source })?;
    let (python, started) =
        Python::start(config.doc_root.path(), config.import_policy, environment).map_err(StartupError::Threads)?;
    let python = Arc::new(python);
    let site = Site {
        scheme: Scheme::Http,
        // wptserve, too, falls back to the address it is bound to, not to the name it was given.
        host: address.ip().to_string(),
        port: address.port(),
        root: config.doc_root.clone(),
        config: site_config,
        router: Router::default(),
        python: Arc::clone(&python),
    };
    let mut failure = None;
    let stop = async {
        tokio::select! {
            () = signals.wait() => {}
            cause = announce(config, address, started) => failure = Some(cause),
        }
    };
    let served =
        server::run(vec![Listener { socket: listener, site, protocol: Protocol::Http1, tls: None }], stop).await;
    python.stop();
    match failure {
        Some(cause) => Err(cause.into()),
        None => served.map_err(StartupError::Serve),
    }
}

/// Binds as wptserve does: the port may be used again at once after an earlier server has ended.
fn bind(host: &str, port: u16) -> Result<TcpListener, StartupError> {
    let name = format!("{host}:{port}");
    let refused = |source| StartupError::Bind { address: name.clone(), source };
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(refused)?.collect();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match listen(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(refused(last))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Waits for the interpreter, asks the port until it answers, then says so on standard output and in the ready file.
/// Returns only if the interpreter does not come up.
async fn announce(
    config: Config,
    address: SocketAddr,
    started: oneshot::Receiver<Result<(), NotStarted>>,
) -> NotStarted {
    if let Ok(Err(cause)) = started.await {
        return cause;
    }
    let probe = SocketAddr::new(
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        },
        address.port(),
    );
    while let Err(error) = answers(probe).await {
        log::debug!("{probe} does not answer yet: {error}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let port = address.port();
    let url = format!(
        "http://{}:{port}/",
        if config.host.contains(':') { format!("[{}]", config.host) } else { config.host.clone() }
    );
    let text = format!("Serving {} on {url}\n", config.doc_root.path().display());
    let _ = io::stdout().write_all(text.as_bytes());
    if let Some(file) = &config.ready_file {
        let ready = json!({
            "pid": std::process::id(),
            "host": config.host,
            "ports": {"http": [port]},
            "urls": [url],
        });
        if let Err(error) = write_whole(file, &format!("{ready}\n")) {
            log::error!("cannot write the ready file {}: {error}; the server runs nevertheless", file.display());
        }
    }
    std::future::pending().await
}

async fn answers(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"HEAD / HTTP/1.0\r\n\r\n").await?;
    stream.read_u8().await?;
    Ok(())
}

/// A temporary file in the folder of another file.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::NamedTempFile::new_in(folder)
}

/// Writes a file so that nobody ever sees a part of it.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
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
