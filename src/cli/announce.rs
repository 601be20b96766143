//! The announcement that every port answers: lines of the log, and the ready file.

use std::{
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
};

use super::{
    bind::{self, Bound, Ports},
    logger,
};
use crate::{
    config::{Config, Service},
    handover::NotStarted,
};

/// The name of the DNS server's port under `ports`.
const DNS: &str = "dns";

/// The announcement of one server.
pub(super) struct Announcement {
    ports: Vec<Port>,
    dns: Vec<SocketAddr>,
    ready: Value,
    ready_file: Option<PathBuf>,
}

struct Port {
    process: String,
    text: String,
    service: Service,
    address: SocketAddr,
}

impl Announcement {
    pub(super) fn new(config: &Config, ports: &Ports) -> Self {
        let host = if config.server_host.contains(':') {
            format!("[{}]", config.server_host.trim_matches(['[', ']']))
        } else {
            config.server_host.clone()
        };
        let url = |bound: &Bound| format!("{}://{host}:{}", bound.service.scheme().as_str(), bound.address.port());
        let describe = |bound: &Bound| Port {
            process: bound.process(),
            // The words of wptserve and pywebsocket3, because undici's runner looks for them.
            text: match bound.service {
                Service::Ws | Service::Wss => format!("Listen on: {}", bound.address),
                Service::Http2 => format!("Starting http2 server on {}", url(bound)),
                service => format!("Starting {} server on {}", service.scheme().as_str(), url(bound)),
            },
            service: bound.service,
            address: bound.address,
        };
        let numbers: Map<String, Value> = ports
            .numbers
            .iter()
            .filter(|(name, _)| name == DNS || ports.bound.iter().any(|bound| bound.name == *name))
            .map(|(name, numbers)| (name.clone(), json!(numbers)))
            .collect();
        let serves_pages = |bound: &&Bound| matches!(bound.service, Service::Http | Service::Https | Service::Http2);
        let urls: Vec<String> =
            ports.bound.iter().filter(serves_pages).map(|bound| format!("{}/", url(bound))).collect();
        Self {
            ports: ports.bound.iter().map(describe).collect(),
            dns: ports.dns.iter().filter_map(|socket| socket.local_addr().ok()).collect(),
            ready: json!({"pid": std::process::id(), "host": config.server_host, "ports": numbers, "urls": urls}),
            ready_file: config.ready_file.clone(),
        }
    }

    /// A guard that removes the ready file when it is dropped.
    pub(super) fn ready_file(&self) -> Option<ReadyFile> {
        self.ready_file.clone().map(|path| ReadyFile { path, text: self.text() })
    }

    fn text(&self) -> String {
        format!("{}\n", self.ready)
    }

    /// Waits for the interpreter, asks the ports until all of them answer, then announces it.
    ///
    /// # Errors
    /// The interpreter does not start.
    pub(super) async fn make(self, interpreter: oneshot::Receiver<Result<(), NotStarted>>) -> Result<(), NotStarted> {
        started(interpreter).await?;
        for port in &self.ports {
            while let Err(error) = port.answers().await {
                log::debug!("{} does not answer yet: {error}", port.process);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        for port in &self.ports {
            logger::info(&port.process, format_args!("{}", port.text));
        }
        for address in &self.dns {
            logger::info(&bind::process(DNS, address.port()), format_args!("Starting DNS server on {address}"));
        }
        Ok(())
    }
}

/// Waits for the interpreter.
///
/// # Errors
/// It does not start.
pub(super) async fn started(interpreter: oneshot::Receiver<Result<(), NotStarted>>) -> Result<(), NotStarted> {
    interpreter.await.unwrap_or(Ok(()))
}

/// The ready file of a server. The drop removes the file, unless another server has written its own there.
pub(super) struct ReadyFile {
    path: PathBuf,
    text: String,
}

impl ReadyFile {
    /// Says that every port answers.
    pub(super) fn write(&self) {
        if let Err(error) = write_whole(&self.path, &self.text) {
            log::error!("cannot write the ready file {}: {error}; the server runs nevertheless", self.path.display());
        }
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        if std::fs::read_to_string(&self.path).is_ok_and(|text| text == self.text) {
            // If the server may no longer write there, the file stays.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Port {
    /// Succeeds when the port takes a connection and, if it is a plain http port, answers a request.
    async fn answers(&self) -> io::Result<()> {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let mut stream = TcpStream::connect(SocketAddr::new(ip, self.address.port())).await?;
        if self.service == Service::Http {
            stream.write_all(b"HEAD / HTTP/1.0\r\n\r\n").await?;
            stream.read_u8().await?;
        }
        Ok(())
    }
}

/// Removes a ready file of an earlier run, and checks that a new one can be written. Otherwise a script that waits for the
/// file would see the old one, or wait for ever.
pub(super) fn prepare(file: &Path) -> io::Result<()> {
    beside(file)?;
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A temporary file in the folder of another file.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::NamedTempFile::new_in(folder)
}

/// Writes a file so that no reader ever sees a part of it.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
