//! Keys and certificates out of PEM files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _};

use super::TlsError;

/// A private key and the certificates that go with it, leaf first.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) chain: Vec<CertificateDer<'static>>,
}

impl Pair {
    /// Reads both files. The key may be PKCS#8, PKCS#1 (RSA) or SEC1 (EC), and may stand in the same file as the
    /// certificates.
    ///
    /// # Errors
    /// A file cannot be read, or does not hold what it should.
    pub(super) fn read(key: &Path, cert: &Path) -> Result<Self, TlsError> {
        Ok(Self { key: read_key(key)?, chain: read_chain(cert)? })
    }
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { what, path: path.to_owned(), source })
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read("key", path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        let encrypted = is_encrypted(&text);
        TlsError::Content {
            what: "private key that can be used",
            path: path.to_owned(),
            cause: if encrypted { "it is encrypted".to_owned() } else { cause(&error) },
            next: if encrypted {
                "decrypt it (openssl pkey -in FILE -out FILE)"
            } else {
                "a key is a PEM file with a line like BEGIN PRIVATE KEY"
            },
        }
    })
}

/// True for both ways of encrypting a key in a PEM file: PKCS#8, and the older one of OpenSSL.
fn is_encrypted(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

/// The certificates of a file, in its order.
pub(super) fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read("certificate", path)?;
    let wrong = |cause| TlsError::Content {
        what: "certificate",
        path: PathBuf::from(path),
        cause,
        next: "a certificate is a PEM file with a line BEGIN CERTIFICATE",
    };
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(|error| wrong(cause(&error)))?;
    if chain.is_empty() {
        return Err(wrong(cause(&pem::Error::NoItemsFound)));
    }
    Ok(chain)
}

fn cause(error: &pem::Error) -> String {
    match error {
        pem::Error::NoItemsFound => "no such PEM section is in it".to_owned(),
        other => other.to_string(),
    }
}
