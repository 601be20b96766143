//! The facts in a certificate: its dates, its hosts, its issuer.

use std::{net::IpAddr, path::Path};

use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::pki_types::CertificateDer;
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, GeneralSubtree},
    prelude::FromDer as _,
};

use super::{TlsError, host::Host};

/// How many names a message lists.
const LISTED: usize = 3;

/// A parsed certificate.
#[derive(Debug)]
pub(super) struct Facts<'a>(X509Certificate<'a>);

impl<'a> Facts<'a> {
    /// Parses a certificate that was read from `path`.
    ///
    /// # Errors
    /// The bytes are not a certificate.
    pub(super) fn new(der: &'a CertificateDer<'_>, path: &Path) -> Result<Self, TlsError> {
        match X509Certificate::from_der(der) {
            Ok((_, certificate)) => Ok(Self(certificate)),
            Err(error) => Err(TlsError::Content {
                what: "certificate",
                path: path.to_owned(),
                cause: error.to_string(),
                next: "make a new certificate",
            }),
        }
    }

    pub(super) fn not_after(&self) -> OffsetDateTime {
        self.0.validity().not_after.to_datetime()
    }

    /// The public key alone, without the name of its algorithm.
    pub(super) fn public_key(&self) -> &[u8] {
        &self.0.public_key().subject_public_key.data
    }

    /// Whether the certificate may sign other certificates.
    pub(super) fn is_ca(&self) -> bool {
        let signs = self.0.key_usage().ok().flatten().is_none_or(|usage| usage.value.key_cert_sign());
        self.0.is_ca() && signs
    }

    /// Whether this CA has signed the certificate.
    pub(super) fn is_issued_by(&self, ca: &Facts<'_>) -> bool {
        self.0.issuer().as_raw() == ca.0.subject().as_raw() && self.0.verify_signature(Some(ca.0.public_key())).is_ok()
    }

    /// Whether clients accept the certificate for this host.
    pub(super) fn covers(&self, host: &Host) -> bool {
        let Ok(Some(names)) = self.0.subject_alternative_name() else {
            return false;
        };
        names.value.general_names.iter().any(|name| match (name, host) {
            (GeneralName::DNSName(pattern), Host::Name(name)) => is_matched(pattern, name),
            (GeneralName::IPAddress(bytes), Host::Address(address)) => octets(*address) == *bytes,
            _ => false,
        })
    }

    /// Whether the certificate, as a CA, may sign for this host. RFC 5280, 4.2.1.10.
    pub(super) fn permits(&self, host: &Host) -> bool {
        let Ok(constraints) = self.0.name_constraints() else {
            return false;
        };
        let Some(constraints) = constraints.map(|extension| extension.value) else {
            return true;
        };
        let contains = |subtree: &GeneralSubtree<'_>| contains(&subtree.base, host);
        let permitted = constraints.permitted_subtrees.as_deref().unwrap_or_default();
        let of_this_kind = permitted.iter().any(|subtree| {
            matches!(
                (&subtree.base, host),
                (GeneralName::DNSName(_), Host::Name(_)) | (GeneralName::IPAddress(_), Host::Address(_))
            )
        });
        let excluded = constraints.excluded_subtrees.as_deref().unwrap_or_default();
        (!of_this_kind || permitted.iter().any(contains)) && !excluded.iter().any(contains)
    }

    /// A fault of the certificate's dates, now or within `notice`: the end of a sentence that begins with the certificate.
    pub(super) fn dates(&self, now: OffsetDateTime, notice: Duration) -> Option<String> {
        let begins = self.0.validity().not_before.to_datetime();
        let ends = self.not_after();
        if now < begins {
            Some(format!("is not valid before {} UTC; is the clock of this machine right?", begins.date()))
        } else if ends <= now {
            Some(format!("expired {} ago, on {}", days(now - ends), ends.date()))
        } else if ends <= now + notice {
            Some(format!("expires in {}, on {}", days(ends - now), ends.date()))
        } else {
            None
        }
    }
}

/// The names of these hosts for a message, the shortest first.
pub(super) fn list(hosts: &[&Host]) -> String {
    let mut names: Vec<String> = hosts.iter().map(|host| host.to_string()).collect();
    names.sort_by_key(String::len);
    let more = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    let names = names.join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}

fn days(span: Duration) -> String {
    match span.whole_days() {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

/// A name in a certificate may have `*` as its first label.
fn is_matched(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => name.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)),
        None => pattern.eq_ignore_ascii_case(name),
    }
}

/// Whether the host is in a subtree of name constraints.
fn contains(base: &GeneralName<'_>, host: &Host) -> bool {
    match (base, host) {
        (GeneralName::DNSName(parent), Host::Name(name)) => {
            let (parent, name) = (parent.to_ascii_lowercase(), name.to_ascii_lowercase());
            name.strip_suffix(&parent).is_some_and(|rest| {
                rest.is_empty() || parent.is_empty() || rest.ends_with('.') || parent.starts_with('.')
            })
        }
        (GeneralName::IPAddress(bytes), Host::Address(address)) => {
            let own = octets(*address);
            let (network, mask) = bytes.split_at(bytes.len() / 2);
            network.len() == own.len()
                && own.iter().zip(mask).zip(network).all(|((own, mask), network)| own & mask == *network)
        }
        _ => false,
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}
