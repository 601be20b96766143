//! Errors of keys and certificates. Every message names the file, the cause and the next step.

use std::{error::Error, io, path::PathBuf};

use tokio_rustls::rustls;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error(
        "cannot read the {what} {path}: {source}; check the file, or name another one in \"ssl\" in the configuration"
    )]
    Read {
        /// The expected content: "key" or "certificate".
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A file does not hold the expected content.
    #[error("{path} holds no {what}: {cause}; {next}")]
    Content {
        /// The expected content.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The mistake in the file.
        cause: String,
        /// The next step.
        next: &'static str,
    },
    /// Key and certificate do not belong together.
    #[error("the key {key} does not belong to the certificate {cert}; name a pair that was made together")]
    Mismatch {
        /// The file of the key.
        key: PathBuf,
        /// The file of the certificate.
        cert: PathBuf,
    },
    /// The TLS library refuses the key.
    #[error(
        "the key {key} cannot be used: {source}; make a key of RSA (2048 bits or more), ECDSA (P-256, P-384) or Ed25519"
    )]
    Unusable {
        /// The file of the key.
        key: PathBuf,
        /// What the library says.
        #[source]
        source: rustls::Error,
    },
    /// An encrypted key cannot be decrypted.
    #[error(
        "cannot decrypt the key {key}: {source}; set ssl.openssl.password to its password, or set ssl.openssl.force_regenerate to make a new CA"
    )]
    Password {
        /// The file of the key.
        key: PathBuf,
        /// What the library says.
        #[source]
        source: pkcs8::Error,
    },
    /// A certificate needs at least one name.
    #[error("cannot make a certificate without a host name; set browser_host")]
    NoHosts,
    /// A host name that a certificate or a file name cannot hold.
    #[error(
        "cannot make a certificate for the host name {name:?}; use only letters, digits, dots and hyphens in a host name"
    )]
    HostName {
        /// As configured.
        name: String,
    },
    /// Making a certificate failed.
    #[error("cannot make a certificate: {0}; this is a bug of wptserve-rs")]
    Make(#[source] Box<dyn Error + Send + Sync>),
    /// A new file cannot be written.
    #[error("cannot write {path}: {source}; set ssl.openssl.base_path to a folder that can be written")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl TlsError {
    pub(super) fn make(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Make(Box::new(error))
    }
}
