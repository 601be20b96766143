//! Why a port cannot be encrypted: the file, the cause, the next step.

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
        /// What it should hold: "key" or "certificate".
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{path} holds no {what}: {cause}; {next}")]
    Content {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
        /// What to do about it.
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
        "the key {key} cannot be used: {source}; make one of RSA (2048 bits or more), ECDSA (P-256, P-384) or Ed25519"
    )]
    Unusable {
        /// The file of the key.
        key: PathBuf,
        /// What the library says.
        #[source]
        source: rustls::Error,
    },
    /// An encrypted key does not open.
    #[error(
        "cannot decrypt the key {key}: {source}; set ssl.openssl.password to its password, or have a new CA made with ssl.openssl.force_regenerate"
    )]
    Password {
        /// The file of the key.
        key: PathBuf,
        /// What the library says.
        #[source]
        source: pkcs8::Error,
    },
    /// A certificate needs at least one name.
    #[error("no host name is configured that a certificate could be made for; set browser_host")]
    NoHosts,
    /// A host name that no certificate and no file name can carry.
    #[error("no certificate can be made for the host name {name:?}; a host name has letters, digits, dots and hyphens")]
    HostName {
        /// As configured.
        name: String,
    },
    /// Making a certificate failed.
    #[error("cannot make a certificate: {0}; this is a bug of wptserve-rs")]
    Make(#[source] Box<dyn Error + Send + Sync>),
    /// A file that was made cannot be kept.
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
