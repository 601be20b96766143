//! Reading keys and certificates from PEM files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use tokio_rustls::rustls::{
    self, InconsistentKeys,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem, pem::PemObject as _},
    sign::CertifiedKey,
};

use super::TlsError;

/// The two files of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paths {
    pub(super) key: PathBuf,
    pub(super) cert: PathBuf,
}

impl Paths {
    /// `NAME.key` and `NAME.pem` in a folder.
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        Self { key: folder.join(format!("{name}.key")), cert: folder.join(format!("{name}.pem")) }
    }

    /// Reads both files. The key may be PKCS#8, PKCS#1 (RSA) or SEC1 (EC); with a password also encrypted PKCS#8. It may
    /// stand in the same file as the certificates.
    ///
    /// # Errors
    /// A file cannot be read or has the wrong content, or key and certificate do not belong together.
    pub(super) fn read(&self, password: Option<&str>, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let chain = read_chain(&self.cert)?;
        let key = read_key(&self.key, password)?;
        let unusable = |source| TlsError::Unusable { key: self.key.clone(), source };
        let key = provider.key_provider.load_private_key(key).map_err(unusable)?;
        let pair = CertifiedKey::new(chain, key);
        match pair.keys_match() {
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
                Err(TlsError::Mismatch { key: self.key.clone(), cert: self.cert.clone() })
            }
            // rustls cannot compare every certificate with its key, but can send it.
            _ => Ok(pair),
        }
    }
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { what, path: path.to_owned(), source })
}

fn read_key(path: &Path, password: Option<&str>) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read("key", path)?;
    let error = match PrivateKeyDer::from_pem_slice(&text) {
        Ok(key) => return Ok(key),
        Err(error) => error,
    };
    let wrong = |cause: String, next| TlsError::Content {
        what: "private key that can be used",
        path: path.to_owned(),
        cause,
        next,
    };
    let text = String::from_utf8_lossy(&text);
    match (text.contains("BEGIN ENCRYPTED PRIVATE KEY"), password) {
        (true, Some(password)) => {
            decrypt(&text, password).map_err(|source| TlsError::Password { key: path.to_owned(), source })
        }
        (true, None) => {
            Err(wrong("the key is encrypted".to_owned(), "decrypt the key (openssl pkey -in FILE -out FILE)"))
        }
        // The encryption of OpenSSL before its version 1.0.
        (false, _) if text.contains("Proc-Type: 4,ENCRYPTED") => Err(wrong(
            "the key is encrypted in the format of OpenSSL before 1.0".to_owned(),
            "convert the key (openssl pkcs8 -topk8)",
        )),
        (false, _) => Err(wrong(cause(&error), "name a PEM file with a line such as BEGIN PRIVATE KEY")),
    }
}

fn decrypt(text: &str, password: &str) -> Result<PrivateKeyDer<'static>, pkcs8::Error> {
    let (_, sealed) = SecretDocument::from_pem(text)?;
    let key = EncryptedPrivateKeyInfoRef::try_from(sealed.as_bytes())?.decrypt(password)?;
    Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
}

/// The certificates of a file, in its order; at least one.
///
/// # Errors
/// The file cannot be read, or has no certificate.
pub(super) fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read("certificate", path)?;
    let wrong = |error: &pem::Error| TlsError::Content {
        what: "certificate",
        path: path.to_owned(),
        cause: cause(error),
        next: "name a PEM file with a line BEGIN CERTIFICATE",
    };
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(|error| wrong(&error))?;
    if chain.is_empty() { Err(wrong(&pem::Error::NoItemsFound)) } else { Ok(chain) }
}

fn cause(error: &pem::Error) -> String {
    match error {
        pem::Error::NoItemsFound => "the file has no such PEM section".to_owned(),
        other => other.to_string(),
    }
}
