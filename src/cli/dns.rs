//! `--dns`: a small DNS server on UDP, for users who cannot edit /etc/hosts.
//!
//! Follows tools/serve/dns.py of 2026: the tests' domains have the server's address, valid for an hour; no other name exists.
//! With wildcards, every name below the hosts exists, except names with a label that must not exist. One difference: a query
//! for another type of record of an existing name gets no error. NXDOMAIN would mean that the name itself does not exist, and
//! some resolvers would then forget the address that they have just got.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use simple_dns::{
    CLASS, OPCODE, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE, header_buffer,
    rdata::{A, AAAA, RData},
};
use tokio::net::UdpSocket;

use crate::config::{Hosts, ascii};

/// How long a resolver may keep an answer, in seconds.
const LIFETIME: u32 = 3600;
/// The largest query that is read, in bytes; a longer query is cut off and cannot be parsed.
const QUERY: usize = 4096;

/// The names that exist, and their address.
#[derive(Debug)]
pub(super) struct Zone {
    names: Names,
    address: IpAddr,
}

#[derive(Debug)]
enum Names {
    /// Exactly these names.
    Exactly(HashSet<String>),
    /// These hosts and all names below them, except names with one of these labels.
    Below { hosts: Vec<String>, never: Vec<String> },
}

impl Zone {
    /// `address` is the server's; if the server listens on all interfaces, the names lead to the loopback address.
    pub(super) fn new(hosts: &Hosts, wildcards: bool, address: IpAddr) -> Self {
        let lower = |name: &String| ascii(name).to_lowercase();
        let names = if wildcards {
            Names::Below {
                hosts: hosts.hosts().map(lower).collect(),
                never: hosts.not_subdomains().iter().map(lower).collect(),
            }
        } else {
            Names::Exactly(hosts.domains_set().iter().map(lower).collect())
        };
        let address = match address {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        Self { names, address }
    }

    /// Whether a name leads to the server.
    pub(super) fn has(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_lowercase();
        match &self.names {
            Names::Exactly(names) => names.contains(&name),
            Names::Below { hosts, never } => {
                let below = |host: &String| {
                    name.strip_suffix(host.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                };
                hosts.iter().any(below) && !name.split('.').any(|label| never.iter().any(|never| never == label))
            }
        }
    }

    /// The answer to a packet, if it gets one.
    fn answer(&self, query: &[u8]) -> Option<Vec<u8>> {
        let id = header_buffer::id(query).ok()?;
        // An answer must not be answered: two servers would never stop.
        if header_buffer::has_flags(query, PacketFlag::RESPONSE).ok()? {
            return None;
        }
        let mut reply = Packet::new_reply(id);
        let understood = Packet::parse(query);
        match &understood {
            Ok(query) if query.opcode() == OPCODE::StandardQuery => {
                *reply.opcode_mut() = query.opcode();
                reply.set_flags(PacketFlag::AUTHORITATIVE_ANSWER);
                if query.has_flags(PacketFlag::RECURSION_DESIRED) {
                    reply.set_flags(PacketFlag::RECURSION_DESIRED);
                }
                // No resolver sends more than one question.
                for question in query.questions.iter().take(1) {
                    let (record, data) = match self.address {
                        IpAddr::V4(ip) => (TYPE::A, RData::A(A::from(ip))),
                        IpAddr::V6(ip) => (TYPE::AAAA, RData::AAAA(AAAA::from(ip))),
                    };
                    if !self.has(&question.qname.to_string()) {
                        *reply.rcode_mut() = RCODE::NameError;
                    } else if question.qtype == QTYPE::TYPE(record) || question.qtype == QTYPE::ANY {
                        reply.answers.push(ResourceRecord::new(question.qname.clone(), CLASS::IN, LIFETIME, data));
                    }
                    reply.questions.push(question.clone());
                }
            }
            Ok(query) => {
                *reply.opcode_mut() = query.opcode();
                *reply.rcode_mut() = RCODE::NotImplemented;
            }
            Err(_) => *reply.rcode_mut() = RCODE::FormatError,
        }
        reply.build_bytes_vec_compressed().ok()
    }
}

/// Answers until the end of the process.
pub(super) async fn serve(socket: UdpSocket, zone: Zone) {
    let mut buffer = vec![0; QUERY];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((count, client)) => {
                if let Some(answer) = buffer.get(..count).and_then(|query| zone.answer(query))
                    && let Err(error) = socket.send_to(&answer, client).await
                {
                    log::debug!("a DNS answer to {client} could not be sent: {error}");
                }
            }
            // For example, the client of an earlier answer has closed its port.
            Err(error) => {
                log::debug!("a DNS query could not be received: {error}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use simple_dns::{Name, QCLASS, Question};

    use super::*;

    fn zone(wildcards: bool, address: &str) -> Zone {
        Zone::new(&Hosts::default(), wildcards, address.parse().unwrap())
    }

    /// The error code and the addresses.
    fn asked(zone: &Zone, name: &str, record: TYPE) -> (RCODE, Vec<IpAddr>) {
        let mut query = Packet::new_query(7);
        query.set_flags(PacketFlag::RECURSION_DESIRED);
        query.questions.push(Question::new(Name::new(name).unwrap(), record.into(), QCLASS::CLASS(CLASS::IN), false));
        let answer = zone.answer(&query.build_bytes_vec().unwrap()).unwrap();
        let answer = Packet::parse(&answer).unwrap();
        assert_eq!((answer.id(), answer.questions.len()), (7, 1));
        assert!(answer.has_flags(PacketFlag::RESPONSE | PacketFlag::RECURSION_DESIRED));
        let addresses = answer.answers.iter().map(|record| {
            assert_eq!((record.ttl, record.name.to_string()), (3600, name.to_owned()));
            match &record.rdata {
                RData::A(data) => Ipv4Addr::from(data.address).into(),
                RData::AAAA(data) => Ipv6Addr::from(data.address).into(),
                other => panic!("{other:?}"),
            }
        });
        (answer.rcode(), addresses.collect())
    }

    #[test]
    fn the_domains_of_the_tests_exist() {
        let zone = zone(false, "127.0.0.9");
        let here: Vec<IpAddr> = vec!["127.0.0.9".parse().unwrap()];
        for (name, exists) in [
            ("web-platform.test", true),
            ("WWW1.www.Web-Platform.TEST", true),
            ("xn--n8j6ds53lwwkrqhv28a.not-web-platform.test", true),
            ("nonexistent.web-platform.test", false),
            ("other.web-platform.test", false),
            ("www.www.www.web-platform.test", false),
            ("example.com", false),
            ("test", false),
        ] {
            let expected = if exists { (RCODE::NoError, here.clone()) } else { (RCODE::NameError, Vec::new()) };
            assert_eq!(asked(&zone, name, TYPE::A), expected, "{name}");
            // The name exists, but not this record.
            assert_eq!(asked(&zone, name, TYPE::AAAA), (expected.0, Vec::new()), "{name}");
        }
    }

    #[test]
    fn with_wildcards_everything_below_the_hosts_exists() {
        let zone = zone(true, "::");
        let here: Vec<IpAddr> = vec!["::1".parse().unwrap()];
        for (name, exists) in [
            ("web-platform.test", true),
            ("a.b.c.not-web-platform.test", true),
            ("nonexistent.web-platform.test", false),
            ("a.NonExistent.www.web-platform.test", false),
            ("xweb-platform.test", false),
            ("example.com", false),
        ] {
            let expected = if exists { (RCODE::NoError, here.clone()) } else { (RCODE::NameError, Vec::new()) };
            assert_eq!(asked(&zone, name, TYPE::AAAA), expected, "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_packet_is_too_odd(packet: Vec<u8>) {
            zone(true, "::1").answer(&packet);
        }

        #[test]
        fn nor_one_that_begins_well(rest: Vec<u8>) {
            zone(true, "::1").answer(&[&[0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1][..], &rest].concat());
        }
    }

    #[test]
    fn what_is_no_query_gets_no_address() {
        let zone = zone(false, "127.0.0.1");
        assert_eq!(zone.answer(b""), None);
        assert_eq!(zone.answer(&[0; 11]), None);
        assert_eq!(zone.answer(&Packet::new_reply(1).build_bytes_vec().unwrap()), None);
        let code = |query: &[u8]| Packet::parse(&zone.answer(query).unwrap()).unwrap().rcode();
        // The head announces one question, but the packet has none.
        assert_eq!(code(&[0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]), RCODE::FormatError);
        let mut update = Packet::new_query(1);
        *update.opcode_mut() = OPCODE::Update;
        assert_eq!(code(&update.build_bytes_vec().unwrap()), RCODE::NotImplemented);
        assert_eq!(code(&Packet::new_query(1).build_bytes_vec().unwrap()), RCODE::NoError);
    }
}
