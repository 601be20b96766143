//! Keys and certificates of the encrypted ports: where they come from, and how rustls is to use them.

mod error;
mod pem;

use std::{path::PathBuf, sync::Arc};

use tokio_rustls::rustls::{
    self, InconsistentKeys, ServerConfig,
    crypto::{CryptoProvider, ring},
    server::ResolvesServerCert,
    sign::{CertifiedKey, SingleCertAndKey},
};

pub use error::TlsError;
use pem::Pair;

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
    },
}

/// What the encrypted ports need.
#[derive(Debug, Clone)]
pub struct Identity {
    /// For https and wss. It answers no protocol negotiation (ALPN), as wptserve 4.0.3, server.py, `WebTestServer`.
    pub https: Arc<ServerConfig>,
    /// For HTTP/2: h2 alone is agreed on.
    pub h2: Arc<ServerConfig>,
    /// `ssl_config.key_path` of handlers.
    pub key_path: PathBuf,
    /// `ssl_config.cert_path` of handlers.
    pub cert_path: PathBuf,
    /// `ssl_config.ca_cert_path` of handlers.
    pub ca_cert_path: Option<PathBuf>,
    /// What the log should say about the certificate, a sentence each.
    pub warnings: Vec<String>,
}

/// Reads or makes key and certificate for these host names.
///
/// # Errors
/// There is none that can be used; the message names the file.
pub fn load(source: &Source, _hosts: &[String]) -> Result<Identity, TlsError> {
    let Source::Pregenerated { key, cert, ca_cert } = source;
    let pair = Pair::read(key, cert)?;
    let provider = Arc::new(ring::default_provider());
    let certified = CertifiedKey::from_der(pair.chain, pair.key, &provider).map_err(|source| match source {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            TlsError::Mismatch { key: key.clone(), cert: cert.clone() }
        }
        source => TlsError::Unusable { key: key.clone(), cert: cert.clone(), source },
    })?;
    let resolver: Arc<dyn ResolvesServerCert> = Arc::new(SingleCertAndKey::from(certified));
    let config = |alpn| {
        server_config(&provider, &resolver, alpn).map_err(|source| TlsError::Unusable {
            key: key.clone(),
            cert: cert.clone(),
            source,
        })
    };
    Ok(Identity {
        https: config(Vec::new())?,
        h2: config(vec![b"h2".to_vec()])?,
        key_path: key.clone(),
        cert_path: cert.clone(),
        ca_cert_path: ca_cert.clone(),
        warnings: Vec::new(),
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
