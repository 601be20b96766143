//! Keys and certificates of the encrypted ports: their source, and the settings of rustls.

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

/// The source of key and certificate: `ssl.type` of the configuration. "none" has no source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Existing files: `ssl.pregenerated`.
    Pregenerated {
        /// PEM file with the private key.
        key: PathBuf,
        /// PEM file with the certificate and, if there are any, the intermediate certificates up to the CA.
        cert: PathBuf,
        /// The CA's certificate: only passed on to handlers and clients, never read.
        ca_cert: Option<PathBuf>,
        /// The password of the key in `cacert.key`. When `cacert.pem` and `cacert.key` lie beside the certificate and have
        /// signed it, the server makes a fresh certificate from that CA, for the same key and all hosts, and serves that one
        /// instead. wptserve does not do this.
        mint: Option<String>,
    },
    /// Files that the server makes and keeps: `ssl.openssl`. OpenSSL is not needed.
    OpenSsl {
        /// The folder of the files, made if it does not exist; `None` for a temporary folder.
        base_path: Option<PathBuf>,
        /// Encrypts the CA's key; with an empty password the key is not encrypted.
        password: String,
        /// Make all files anew, even if usable ones exist.
        force_regenerate: bool,
        /// For how many days a certificate is made.
        duration: u32,
    },
}

/// Keys and certificates of the encrypted ports. Keep it as long as the ports are open.
#[derive(Debug, Clone)]
pub struct Identity {
    /// For https and wss. It does not answer a protocol negotiation (ALPN), as wptserve 4.0.3, server.py, `WebTestServer`.
    pub https: Arc<ServerConfig>,
    /// For HTTP/2: only h2 is negotiated.
    pub h2: Arc<ServerConfig>,
    /// `ssl_config.key_path` of handlers. With pregenerated files always the configured file.
    pub key_path: PathBuf,
    /// `ssl_config.cert_path` of handlers. With pregenerated files always the configured file, even if a fresh certificate is
    /// served.
    pub cert_path: PathBuf,
    /// `ssl_config.ca_cert_path` of handlers.
    pub ca_cert_path: Option<PathBuf>,
    /// Warnings about the certificate for the log, a sentence each.
    pub warnings: Vec<String>,
    /// The temporary folder of the files, if there is one.
    _temporary: Option<Arc<TempDir>>,
}

/// Reads or makes key and certificate for these host names and addresses.
///
/// # Errors
/// Key or certificate cannot be used; the message names the file.
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
