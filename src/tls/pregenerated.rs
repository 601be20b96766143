//! Existing files, and fresh certificates from the CA that lies beside them.
//!
//! WPT, Deno and undici keep the CA that signed their certificate in the same folder, with its key. So the server can make a
//! certificate at every start, which is always valid and is for the configured hosts. It keeps the configured key, because
//! wptrunner and Chromium's own test runner tell the browser that key's fingerprint.

use std::{path::Path, sync::Arc};

use rcgen::SubjectPublicKeyInfo;
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::{crypto::CryptoProvider, sign::CertifiedKey};

use super::{
    TlsError,
    facts::{Facts, list},
    host::Host,
    mint::Order,
    pem::{self, Paths},
};

/// Chromium refuses a certificate that is valid for 398 days or more.
const LIFETIME: Duration = Duration::days(390);
/// How long before the end of a certificate the warnings begin.
const NOTICE: Duration = Duration::days(14);

/// The pair to serve with, and warnings about it.
pub(super) struct Loaded {
    pub(super) pair: CertifiedKey,
    pub(super) warnings: Vec<String>,
}

/// Reads the configured pair and, given the password of a CA that lies beside it, makes a fresh certificate for its key.
///
/// # Errors
/// The pair cannot be read or does not belong together.
pub(super) fn load(
    paths: &Paths,
    password: Option<&str>,
    hosts: &[Host],
    now: OffsetDateTime,
    provider: &CryptoProvider,
) -> Result<Loaded, TlsError> {
    let pair = paths.read(None, provider)?;
    let facts = Facts::new(pair.end_entity_cert().map_err(TlsError::make)?, &paths.cert)?;
    let mut warnings = Vec::new();
    let folder = paths.cert.parent().unwrap_or(Path::new(""));
    let ca_paths = Paths::new(folder, "cacert");
    if let Some(password) = password
        && ca_paths.key.exists()
        && ca_paths.cert.exists()
    {
        match mint(&ca_paths, password, &pair, &facts, &Order { hosts, lifetime: LIFETIME, now, provider }) {
            Ok(loaded) => return Ok(loaded),
            Err(NotMinted::OtherIssuer) => {
                log::debug!("{} was not issued by {}", paths.cert.display(), ca_paths.cert.display());
            }
            Err(NotMinted::Foreign) => {}
            Err(NotMinted::Failed(error)) => {
                warnings.push(format!("cannot make a fresh certificate for {}: {error}", paths.cert.display()));
            }
        }
    }
    let (cert, next) = (paths.cert.display(), remedy(&paths.cert));
    if let Some(dates) = facts.dates(now, NOTICE) {
        warnings.push(format!("the certificate {cert} {dates}; {next}"));
    }
    let missing: Vec<&Host> = hosts.iter().filter(|host| !facts.covers(host)).collect();
    if !missing.is_empty() {
        let missing = list(&missing);
        warnings
            .push(format!("the certificate {cert} is not for {missing}, so clients will refuse these hosts; {next}"));
    }
    Ok(Loaded { pair, warnings })
}

/// Why the configured certificate is served.
enum NotMinted {
    /// The CA beside the certificate has not signed it.
    OtherIssuer,
    /// The CA may not sign for any of the hosts.
    Foreign,
    Failed(TlsError),
}

impl From<TlsError> for NotMinted {
    fn from(error: TlsError) -> Self {
        Self::Failed(error)
    }
}

fn mint(
    ca_paths: &Paths,
    password: &str,
    configured: &CertifiedKey,
    leaf: &Facts<'_>,
    order: &Order<'_>,
) -> Result<Loaded, NotMinted> {
    let chain = pem::read_chain(&ca_paths.cert)?;
    let facts = Facts::new(chain.first().ok_or(NotMinted::OtherIssuer)?, &ca_paths.cert)?;
    if !facts.is_ca() || !leaf.is_issued_by(&facts) {
        return Err(NotMinted::OtherIssuer);
    }
    let can_name = |host: &&Host| facts.permits(host) && host.subject_alt_name().is_some();
    let (hosts, missing): (Vec<&Host>, Vec<&Host>) = order.hosts.iter().partition(can_name);
    if hosts.is_empty() {
        return Err(NotMinted::Foreign);
    }
    let hosts: Vec<Host> = hosts.into_iter().cloned().collect();
    let key = configured.key.public_key().ok_or(rcgen::Error::UnsupportedSignatureAlgorithm).map_err(TlsError::make)?;
    let key = SubjectPublicKeyInfo::from_der(&key).map_err(TlsError::make)?;
    let ca = ca_paths.read(Some(password), order.provider)?;
    let minted = Order { hosts: &hosts, ..*order }.leaf_for(&key, &ca, &facts)?;
    let (cert, next) = (ca_paths.cert.display(), remedy(&ca_paths.cert));
    let mut warnings = Vec::new();
    // Some clients, such as rustls, ignore the dates of a trusted CA, so the fresh certificate helps them nevertheless.
    if let Some(dates) = facts.dates(order.now, NOTICE) {
        warnings.push(format!(
            "the CA certificate {cert} {dates}; most clients refuse the certificates of this CA; {next}"
        ));
    }
    if !missing.is_empty() {
        let missing = list(&missing);
        warnings.push(format!(
            "the CA certificate {cert} may not sign for {missing}, so clients will refuse these hosts; {next}"
        ));
    }
    // The intermediate certificates stay.
    let chain = std::iter::once(minted.der()).chain(configured.cert.iter().skip(1)).cloned().collect();
    Ok(Loaded { pair: CertifiedKey::new(chain, Arc::clone(&configured.key)), warnings })
}

/// The advice about a file that is no longer good.
fn remedy(cert: &Path) -> String {
    let folder = cert.parent().unwrap_or(Path::new("")).display();
    format!(
        "make new files, or set ssl.type to \"openssl\" and ssl.openssl.base_path to \"{folder}\", so that the server makes them"
    )
}
