//! Host names and addresses, as certificates carry them.

use std::{fmt, net::IpAddr};

use rcgen::{CidrSubnet, GeneralSubtree, SanType};

/// The host that a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// A name, in the ASCII form of IDNA.
    Name(String),
    Address(IpAddr),
}

impl Host {
    pub(super) fn new(host: &str) -> Self {
        match host.parse() {
            Ok(address) => Self::Address(address),
            // A name that has no ASCII form stays as it is; no certificate covers it.
            Err(_) => Self::Name(idna::domain_to_ascii(host).unwrap_or_else(|_| host.to_owned())),
        }
    }

    /// For `subjectAltName`. `None` when a certificate, or the file that is named after the host, cannot hold the name.
    pub(super) fn subject_alt_name(&self) -> Option<SanType> {
        match self {
            Self::Address(address) => Some(SanType::IpAddress(*address)),
            Self::Name(name) => {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
                let good = !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain);
                good.then(|| name.as_str().try_into().ok().map(SanType::DnsName)).flatten()
            }
        }
    }

    /// For the name constraints of a CA: this host and the names below it.
    pub(super) fn subtree(&self) -> GeneralSubtree {
        match self {
            Self::Name(name) => GeneralSubtree::DnsName(name.clone()),
            Self::Address(address) => {
                let bits = if address.is_ipv4() { 32 } else { 128 };
                GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*address, bits))
            }
        }
    }
}

/// The host that gives a certificate and its files their name: the shortest, as wptserve 4.0.3, sslutils/openssl.py,
/// `OpenSSLEnvironment.host_cert_path`.
pub(super) fn primary(hosts: &[Host]) -> Option<String> {
    hosts.iter().map(Host::to_string).min_by_key(String::len)
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Address(address) => address.fmt(formatter),
        }
    }
}
