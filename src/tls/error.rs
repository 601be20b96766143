//! Why a port cannot be encrypted: the file, the cause, the next step.

use std::{io, path::PathBuf};

use tokio_rustls::rustls;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of the configuration cannot be read.
    #[error("cannot read the {what} {path}: {source}; set ssl.pregenerated in the configuration to files that exist")]
    Read {
        /// Which one: "key" or "certificate".
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
    /// The TLS library refuses the key or the certificate.
    #[error(
        "the key {key} and the certificate {cert} cannot be used: {source}; make new ones, of RSA (2048 bits or more), ECDSA (P-256, P-384) or Ed25519"
    )]
    Unusable {
        /// The file of the key.
        key: PathBuf,
        /// The file of the certificate.
        cert: PathBuf,
        /// What the library says.
        #[source]
        source: rustls::Error,
    },
}
