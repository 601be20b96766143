//! `ssl.type` "openssl" without OpenSSL: a CA and a certificate that are kept in a folder and used again until they expire.
//!
//! File names and reuse are those of wptserve 4.0.3, sslutils/openssl.py, `OpenSSLEnvironment`. Unlike wptserve, this code
//! also makes a certificate anew that is not for the configured hosts or not from the CA. Keys are ECDSA instead of RSA.

use std::{
    fs::{self, Permissions},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::{Builder, TempDir};
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::{crypto::CryptoProvider, pki_types::CertificateDer, sign::CertifiedKey};

use super::{
    TlsError,
    facts::Facts,
    host::{Host, primary},
    mint::Order,
    pem::{self, Paths},
};

/// A certificate that expires sooner is made anew: `CERT_EXPIRY_BUFFER`.
const BUFFER: Duration = Duration::hours(6);
/// The modes of the files, before the process's umask.
const SECRET: u32 = 0o600;
const PUBLIC: u32 = 0o666;

/// `ssl.openssl` of the configuration.
pub(super) struct Settings<'a> {
    pub(super) base_path: Option<&'a Path>,
    pub(super) password: &'a str,
    pub(super) force_regenerate: bool,
    pub(super) lifetime: Duration,
}

/// The pair to serve with, and its files.
pub(super) struct Loaded {
    pub(super) pair: CertifiedKey,
    pub(super) paths: Paths,
    pub(super) ca_cert: PathBuf,
    /// The folder, if it is a temporary one.
    pub(super) temporary: Option<TempDir>,
}

/// Finds or makes CA and certificate.
///
/// # Errors
/// No host is configured, the folder cannot be written, or the CA's key cannot be used.
pub(super) fn load(
    settings: &Settings<'_>,
    hosts: &[Host],
    now: OffsetDateTime,
    provider: &CryptoProvider,
) -> Result<Loaded, TlsError> {
    let name = primary(hosts).ok_or(TlsError::NoHosts)?;
    if let Some(host) = hosts.iter().find(|host| host.subject_alt_name().is_none()) {
        return Err(TlsError::HostName { name: host.to_string() });
    }
    let (folder, temporary) = folder(settings.base_path)?;
    let (paths, ca_paths) = (Paths::new(&folder, &name), Paths::new(&folder, "cacert"));
    let ca_cert = ca_paths.cert.clone();
    let order = Order { hosts, lifetime: settings.lifetime, now, provider };
    let kept = if settings.force_regenerate { None } else { kept_ca(&ca_paths, hosts, now) };
    let ca = match kept {
        Some(ca) => {
            if let Some(pair) = kept_leaf(&paths, &ca, hosts, now, provider) {
                return Ok(Loaded { pair, paths, ca_cert, temporary });
            }
            ca_paths.read(Some(settings.password), provider)?
        }
        None => {
            let ca = order.ca()?;
            write(&ca_paths.key, &order.sealed(&ca.key, settings.password)?, SECRET)?;
            write(&ca_paths.cert, &ca.cert.pem(), PUBLIC)?;
            ca.certified(provider)?
        }
    };
    let facts = Facts::new(ca.end_entity_cert().map_err(TlsError::make)?, &ca_paths.cert)?;
    let leaf = order.leaf(&ca, &facts)?;
    write(&paths.key, &leaf.key.serialize_pem(), SECRET)?;
    write(&paths.cert, &leaf.cert.pem(), PUBLIC)?;
    Ok(Loaded { pair: leaf.certified(provider)?, paths, ca_cert, temporary })
}

/// Makes the folder and returns its absolute path.
fn folder(base_path: Option<&Path>) -> Result<(PathBuf, Option<TempDir>), TlsError> {
    let failed = |path: &Path, source| TlsError::Write { path: path.to_owned(), source };
    match base_path {
        Some(path) => {
            let folder = std::path::absolute(path).map_err(|source| failed(path, source))?;
            fs::create_dir_all(&folder).map_err(|source| failed(&folder, source))?;
            Ok((folder, None))
        }
        None => {
            let folder = TempDir::new().map_err(|source| failed(&std::env::temp_dir(), source))?;
            Ok((folder.path().to_owned(), Some(folder)))
        }
    }
}

fn lasts(facts: &Facts<'_>, now: OffsetDateTime) -> bool {
    facts.not_after() >= now + BUFFER
}

/// The certificate of the existing CA, if it may sign for all hosts.
fn kept_ca(paths: &Paths, hosts: &[Host], now: OffsetDateTime) -> Option<CertificateDer<'static>> {
    let cert = pem::read_chain(&paths.cert).ok()?.into_iter().next()?;
    let facts = Facts::new(&cert, &paths.cert).ok()?;
    let good = facts.is_ca() && lasts(&facts, now) && hosts.iter().all(|host| facts.permits(host));
    (good && paths.key.exists()).then_some(cert)
}

/// The existing pair, if it is for all hosts and from this CA.
fn kept_leaf(
    paths: &Paths,
    ca: &CertificateDer<'_>,
    hosts: &[Host],
    now: OffsetDateTime,
    provider: &CryptoProvider,
) -> Option<CertifiedKey> {
    let pair = paths.read(None, provider).ok()?;
    let good = {
        let facts = Facts::new(pair.end_entity_cert().ok()?, &paths.cert).ok()?;
        let ca = Facts::new(ca, &paths.cert).ok()?;
        lasts(&facts, now) && facts.is_issued_by(&ca) && hosts.iter().all(|host| facts.covers(host))
    };
    good.then_some(pair)
}

/// Writes a file so that no reader ever sees a part of it. Only the owner may read a key.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let written = || -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = Builder::new().permissions(Permissions::from_mode(mode)).tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    written().map_err(|source| TlsError::Write { path: path.to_owned(), source })
}
