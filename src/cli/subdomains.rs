//! `check_subdomains`: does every domain of the tests lead to this server?
//!
//! wptserve asks one after the other over http. Here all are asked at once: the system's resolver is asked for the domain, and
//! a connection to a port taken for the purpose has to bring the word that only this process knows.

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

/// Asks for all domains.
///
/// # Errors
/// One of them does not lead here; it and the cause are named.
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

/// Gives the word to everybody who connects.
async fn answer(listener: TcpListener, word: Uuid) -> std::convert::Infallible {
    loop {
        match listener.accept().await {
            Ok((mut stream, _)) => {
                // Sixteen bytes always find room; whoever is gone needs none.
                let _ = stream.write_all(word.as_bytes()).await;
            }
            // Such as too many open files: those that ask hear of it.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn leads_here(domain: &str, port: u16, word: Uuid) -> Result<(), String> {
    let addresses: Vec<SocketAddr> = match timeout(PATIENCE, lookup_host((ascii(domain), port))).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Err(format!("it does not resolve: {error}")),
        Err(_) => return Err(format!("it does not resolve within {} s", PATIENCE.as_secs())),
    };
    let mut cause = "it resolves to no address".to_owned();
    for address in addresses {
        match timeout(PATIENCE, hears(address, word)).await {
            Ok(Ok(true)) => return Ok(()),
            Ok(Ok(false)) => cause = format!("it resolves to {}, where another server is", address.ip()),
            Ok(Err(error)) => cause = format!("it resolves to {}, where this server is not: {error}", address.ip()),
            Err(_) => cause = format!("it resolves to {}, from where no answer comes", address.ip()),
        }
    }
    Err(cause)
}

async fn hears(address: SocketAddr, word: Uuid) -> io::Result<bool> {
    let mut heard = [0; 16];
    TcpStream::connect(address).await?.read_exact(&mut heard).await?;
    Ok(heard == *word.as_bytes())
}
