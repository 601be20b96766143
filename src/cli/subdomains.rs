//! `check_subdomains`: whether every domain of the tests leads to this server.
//!
//! wptserve checks one domain after the other over http. This server checks all at once: it asks the system's resolver for the
//! address, and connects to a port that was opened for this check. The connection has to bring a word that only this process
//! knows.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};
use uuid::Uuid;

use crate::config::{Config, StartupError, ascii};

/// How long a resolver or a connection may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Checks all domains.
///
/// # Errors
/// A domain does not lead here; the error names the domain and the cause.
pub(super) async fn check(config: &Config, address: SocketAddr) -> Result<(), StartupError> {
    let refused =
        |domain: &str, cause: String, others| StartupError::Domain { domain: domain.to_owned(), cause, others };
    let word = Uuid::new_v4();
    let probe = async {
        let listener = TcpListener::bind(SocketAddr::new(address.ip(), 0)).await?;
        let port = listener.local_addr()?.port();
        io::Result::Ok((listener, port))
    };
    let (listener, port) = probe.await.map_err(|error| refused(&config.server_host, error.to_string(), 0))?;
    let mut tasks = JoinSet::new();
    let domains = config.hosts.domains_set();
    for (index, domain) in domains.iter().cloned().enumerate() {
        tasks.spawn(async move { (index, leads_here(&domain, port, word).await) });
    }
    let answering = answer(listener, word);
    let asking = async {
        let mut failed = Vec::new();
        while let Some(asked) = tasks.join_next().await {
            if let Ok((index, Err(cause))) = asked {
                failed.push((index, cause));
            }
        }
        failed.sort_unstable_by_key(|(index, _)| *index);
        failed
    };
    let failed = tokio::select! {
        never = answering => match never {},
        failed = asking => failed,
    };
    let others = failed.len().saturating_sub(1);
    match failed.into_iter().next() {
        None => Ok(()),
        Some((index, cause)) => Err(refused(domains.get(index).map_or("", String::as_str), cause, others)),
    }
}

/// Sends the word to every client that connects.
async fn answer(listener: TcpListener, word: Uuid) -> std::convert::Infallible {
    loop {
        match listener.accept().await {
            Ok((mut stream, _)) => {
                // A socket always has room for sixteen bytes. A client that has disconnected does not need them.
                let _ = stream.write_all(word.as_bytes()).await;
            }
            // For example too many open files: the check that connects gets an error then.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn leads_here(domain: &str, port: u16, word: Uuid) -> Result<(), String> {
    let addresses: Vec<SocketAddr> = match timeout(PATIENCE, lookup_host((ascii(domain), port))).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Err(format!("the name does not resolve: {error}")),
        Err(_) => return Err(format!("the name does not resolve within {} s", PATIENCE.as_secs())),
    };
    let mut cause = "the name has no address".to_owned();
    for address in addresses {
        match timeout(PATIENCE, hears(address, word)).await {
            Ok(Ok(true)) => return Ok(()),
            Ok(Ok(false)) => cause = format!("the name resolves to {}, where another server answers", address.ip()),
            Ok(Err(error)) => {
                cause = format!("the name resolves to {}, where this server does not listen: {error}", address.ip());
            }
            Err(_) => cause = format!("the name resolves to {}, from where no answer comes", address.ip()),
        }
    }
    Err(cause)
}

async fn hears(address: SocketAddr, word: Uuid) -> io::Result<bool> {
    let mut heard = [0; 16];
    TcpStream::connect(address).await?.read_exact(&mut heard).await?;
    Ok(heard == *word.as_bytes())
}
