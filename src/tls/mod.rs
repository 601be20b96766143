//! Keys and certificates of the encrypted ports: where they come from, and how rustls is to use them.

mod error;
mod facts;
mod host;
mod mint;
mod openssl;
mod pem;
mod pregenerated;

use std::{path::PathBuf, sync::Arc};

use tempfile::TempDir;
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::{
    self, ServerConfig,
    crypto::{CryptoProvider, ring},
    server::ResolvesServerCert,
    sign::{CertifiedKey, SingleCertAndKey},
};

pub use error::TlsError;
use host::Host;
use pem::Paths;

/// The default of `ssl.openssl.password` (wptserve 4.0.3, config.py). It opens the CA keys of WPT, Deno and undici.
pub const DEFAULT_PASSWORD: &str = "web-platform-tests";

/// Where key and certificate come from: `ssl.type` of the configuration. "none" has no source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Files that are there: `ssl.pregenerated`.
    Pregenerated {
        /// PEM file with the private key.
        key: PathBuf,
        /// PEM file with the certificate and, if need be, those that lead from it to the CA.
        cert: PathBuf,
        /// The CA's certificate: only handed on to handlers and clients, never read.
        ca_cert: Option<PathBuf>,
        /// With a password: when `cacert.pem` and `cacert.key` lie beside the certificate and have signed it, and the
        /// password opens that key, serve a fresh certificate from that CA instead, for the same key and all hosts. Ours,
        /// wptserve does not have it.
        mint: Option<String>,
    },
    /// Files that are made and kept: `ssl.openssl`. No OpenSSL is needed.
    OpenSsl {
        /// The folder to keep them in, made if it is not there; `None` for one that goes with the server.
        base_path: Option<PathBuf>,
        /// Encrypts the CA's key; the empty one leaves it in the open.
        password: String,
        /// Make all anew, whatever is there.
        force_regenerate: bool,
        /// For how many days a certificate is made.
        duration: u32,
    },
}

/// What the encrypted ports need. To be kept as long as they are open.
#[derive(Debug, Clone)]
pub struct Identity {
    /// For https and wss. It answers no protocol negotiation (ALPN), as wptserve 4.0.3, server.py, `WebTestServer`.
    pub https: Arc<ServerConfig>,
    /// For HTTP/2: h2 alone is agreed on.
    pub h2: Arc<ServerConfig>,
    /// `ssl_config.key_path` of handlers. Always what is configured, of pregenerated files.
    pub key_path: PathBuf,
    /// `ssl_config.cert_path` of handlers, likewise, even if a fresh certificate is served.
    pub cert_path: PathBuf,
    /// `ssl_config.ca_cert_path` of handlers.
    pub ca_cert_path: Option<PathBuf>,
    /// What the log should say about the certificate, a sentence each.
    pub warnings: Vec<String>,
    /// The folder of the files, if it goes with the server.
    _temporary: Option<Arc<TempDir>>,
}

/// Reads or makes key and certificate for these host names and addresses.
///
/// # Errors
/// There is none that can be used; the message names the file.
pub fn load(source: &Source, hosts: &[String]) -> Result<Identity, TlsError> {
    load_at(source, hosts, OffsetDateTime::now_utc())
}

fn load_at(source: &Source, hosts: &[String], now: OffsetDateTime) -> Result<Identity, TlsError> {
    let hosts: Vec<Host> = hosts.iter().map(|host| Host::new(host)).collect();
    let provider = Arc::new(ring::default_provider());
    match source {
        Source::Pregenerated { key, cert, ca_cert, mint } => {
            let paths = Paths { key: key.clone(), cert: cert.clone() };
            let loaded = pregenerated::load(&paths, mint.as_deref(), &hosts, now, &provider)?;
            Ok(Identity { warnings: loaded.warnings, ..identity(loaded.pair, paths, ca_cert.clone(), &provider)? })
        }
        Source::OpenSsl { base_path, password, force_regenerate, duration } => {
            let settings = openssl::Settings {
                base_path: base_path.as_deref(),
                password,
                force_regenerate: *force_regenerate,
                lifetime: Duration::days((*duration).into()),
            };
            let loaded = openssl::load(&settings, &hosts, now, &provider)?;
            let identity = identity(loaded.pair, loaded.paths, Some(loaded.ca_cert), &provider)?;
            Ok(Identity { _temporary: loaded.temporary.map(Arc::new), ..identity })
        }
    }
}

fn identity(
    pair: CertifiedKey,
    paths: Paths,
    ca_cert_path: Option<PathBuf>,
    provider: &Arc<CryptoProvider>,
) -> Result<Identity, TlsError> {
    let resolver: Arc<dyn ResolvesServerCert> = Arc::new(SingleCertAndKey::from(pair));
    let config = |alpn| {
        let unusable = |source| TlsError::Unusable { key: paths.key.clone(), source };
        server_config(provider, &resolver, alpn).map_err(unusable)
    };
    Ok(Identity {
        https: config(Vec::new())?,
        h2: config(vec![b"h2".to_vec()])?,
        key_path: paths.key,
        cert_path: paths.cert,
        ca_cert_path,
        warnings: Vec::new(),
        _temporary: None,
    })
}

/// TLS 1.2 and 1.3, no client certificates.
fn server_config(
    provider: &Arc<CryptoProvider>,
    resolver: &Arc<dyn ResolvesServerCert>,
    alpn: Vec<Vec<u8>>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(resolver));
    config.alpn_protocols = alpn;
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests;
