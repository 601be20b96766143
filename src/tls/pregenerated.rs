//! Files that are there, and fresh certificates from the CA that lies beside them.
//!
//! WPT, Deno and undici keep the CA that signed their certificate in the same folder, with its key. A leaf that is
//! minted at every start never expires, and it is for the hosts that are configured.

use std::path::Path;

use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::{crypto::CryptoProvider, sign::CertifiedKey};

use super::{
    DEFAULT_PASSWORD, TlsError,
    facts::{Facts, list},
    host::Host,
    mint,
    pem::Paths,
};

/// Chromium takes no certificate that is valid for 398 days or more.
const LIFETIME: Duration = Duration::days(390);
/// How long before the end of a certificate the warnings begin.
const NOTICE: Duration = Duration::days(14);
const NEXT: &str = "make new files, or set ssl.type to \"openssl\" so that the server makes them";

/// What to serve with, and what to say about it.
pub(super) struct Loaded {
    pub(super) pair: CertifiedKey,
    pub(super) warnings: Vec<String>,
}

/// Reads the configured pair and, if `may_mint`, replaces it by a fresh one.
///
/// # Errors
/// The pair cannot be read or does not belong together.
pub(super) fn load(
    paths: &Paths,
    may_mint: bool,
    hosts: &[Host],
    now: OffsetDateTime,
    provider: &CryptoProvider,
) -> Result<Loaded, TlsError> {
    let pair = paths.read(None, provider)?;
    let facts = leaf_facts(&pair, &paths.cert)?;
    let mut warnings = Vec::new();
    let folder = paths.cert.parent().unwrap_or(Path::new(""));
    let ca_paths = Paths::new(folder, "cacert");
    if may_mint && ca_paths.key.exists() && ca_paths.cert.exists() {
        match mint_beside(&ca_paths, &pair, &facts, hosts, now, provider) {
            Ok(loaded) => return Ok(loaded),
            Err(NotMinted::OtherIssuer) => {
                log::debug!("{} was not issued by {}", paths.cert.display(), ca_paths.cert.display());
            }
            Err(NotMinted::Foreign) => {}
            Err(NotMinted::Failed(error)) => {
                warnings.push(format!("no fresh certificate is minted for {}: {error}", paths.cert.display()));
            }
        }
    }
    let cert = paths.cert.display();
    if let Some(dates) = facts.dates(now, NOTICE) {
        warnings.push(format!("the certificate {cert} {dates}; {NEXT}"));
    }
    let missing: Vec<&Host> = hosts.iter().filter(|host| !facts.covers(host)).collect();
    if !missing.is_empty() {
        warnings.push(format!("the certificate {cert} is not for {}; clients refuse it there; {NEXT}", list(&missing)));
    }
    Ok(Loaded { pair, warnings })
}

/// Why the configured certificate is served.
enum NotMinted {
    /// The CA beside it has nothing to do with it.
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

fn mint_beside(
    ca_paths: &Paths,
    configured: &CertifiedKey,
    leaf: &Facts<'_>,
    hosts: &[Host],
    now: OffsetDateTime,
    provider: &CryptoProvider,
) -> Result<Loaded, NotMinted> {
    let ca = ca_paths.read(Some(DEFAULT_PASSWORD), provider)?;
    let facts = leaf_facts(&ca, &ca_paths.cert)?;
    if !facts.is_ca() || !leaf.is_issued_by(&facts) {
        return Err(NotMinted::OtherIssuer);
    }
    let can_name = |host: &&Host| facts.permits(host) && host.subject_alt_name().is_some();
    let (hosts, missing): (Vec<&Host>, Vec<&Host>) = hosts.iter().partition(can_name);
    if hosts.is_empty() {
        return Err(NotMinted::Foreign);
    }
    let hosts: Vec<Host> = hosts.into_iter().cloned().collect();
    let minted = mint::leaf(&ca, &facts, &hosts, LIFETIME, now)?;
    let cert = ca_paths.cert.display();
    let mut warnings = Vec::new();
    // Some clients (rustls, for one) do not look at the dates of what they trust, so that minting helps all the same.
    if let Some(dates) = facts.dates(now, NOTICE) {
        warnings.push(format!("the CA certificate {cert} {dates}: most clients refuse what it has signed; {NEXT}"));
    }
    if !missing.is_empty() {
        let missing = list(&missing);
        warnings.push(format!("the CA certificate {cert} may not sign for {missing}; clients refuse it there; {NEXT}"));
    }
    Ok(Loaded { pair: minted.certified(configured.cert.get(1..).unwrap_or_default(), provider)?, warnings })
}

fn leaf_facts<'a>(pair: &'a CertifiedKey, path: &Path) -> Result<Facts<'a>, TlsError> {
    Facts::new(pair.end_entity_cert().map_err(TlsError::make)?, path)
}
