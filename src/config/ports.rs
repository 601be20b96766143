//! Ports by scheme: what the configuration asks for, and what each scheme speaks.

use serde_json::Value;

use super::errors::ConfigError;
use crate::http::Scheme;

/// What is served on a port, by the name that it has under `ports`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// http, http-local, http-public.
    Http,
    /// https, https-local, https-public.
    Https,
    /// HTTP/2, over TLS.
    Http2,
    /// WebSocket.
    Ws,
    /// WebSocket over TLS.
    Wss,
    /// WebTransport over HTTP/3: the port has a number, for templates, but nothing is served there.
    WebTransport,
    /// WebSocket over HTTP/3 (RFC 238 of web-platform-tests): the port is bound, but nothing is served there.
    Http3,
    /// The DNS server, on UDP.
    Dns,
}

impl Service {
    /// The service behind a name under `ports`, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "http" | "http-local" | "http-public" => Self::Http,
            "https" | "https-local" | "https-public" => Self::Https,
            "h2" => Self::Http2,
            "ws" => Self::Ws,
            "wss" => Self::Wss,
            "webtransport-h3" => Self::WebTransport,
            "h3" => Self::Http3,
            "dns" => Self::Dns,
            _ => return None,
        })
    }

    /// Whether the service needs a certificate.
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::Https | Self::Http2 | Self::Wss | Self::WebTransport | Self::Http3)
    }

    /// The scheme of `request.url` there.
    pub fn scheme(self) -> Scheme {
        if self.is_encrypted() { Scheme::Https } else { Scheme::Http }
    }

    /// Whether the service uses a TCP port.
    pub fn is_tcp(self) -> bool {
        !matches!(self, Self::WebTransport | Self::Http3 | Self::Dns)
    }
}

/// A port as the configuration wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// `null`: no server; its place in the list is kept.
    Skip,
    /// "auto" or 0: any free port that browsers do not block.
    Auto,
    /// This one.
    Number(u16),
}

impl Wanted {
    fn read(name: &str, value: &Value) -> Result<Self, ConfigError> {
        let number = match value {
            Value::Null => return Ok(Self::Skip),
            Value::String(text) if text == "auto" => return Ok(Self::Auto),
            Value::Number(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
            _ => None,
        };
        match number {
            Some(0) => Ok(Self::Auto),
            Some(number) => Ok(Self::Number(number)),
            None => Err(ConfigError::Port { scheme: name.to_owned(), value: value.to_string() }),
        }
    }
}

/// The ports of one scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemePorts {
    /// Its name under `ports`: http-local.
    pub name: String,
    /// What is served there.
    pub service: Service,
    /// Its ports, in order.
    pub wanted: Vec<Wanted>,
}

impl SchemePorts {
    /// Whether the scheme has at least one port.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.iter().any(|wanted| *wanted != Wanted::Skip)
    }
}

/// Reads `ports` and keeps those of the services that are wanted. Without a certificate no encrypted service is wanted.
/// (wptserve 4.0.3, config.py, `_get_ports`, leaves out only https and wss then; its other encrypted ports fail to start.)
pub(crate) fn read(ports: &Value, is_wanted: impl Fn(Service) -> bool) -> Result<Vec<SchemePorts>, ConfigError> {
    let mut schemes = Vec::new();
    let Value::Object(ports) = ports else {
        return Err(ConfigError::kind("ports", "an object of lists", ports));
    };
    for (name, list) in ports {
        let Some(service) = Service::named(name) else { continue };
        let Value::Array(list) = list else {
            return Err(ConfigError::kind(&format!("ports.{name}"), "a list of ports", list));
        };
        let wanted = list.iter().map(|value| Wanted::read(name, value)).collect::<Result<_, _>>()?;
        // The list of a service that is not wanted is checked too: the next start may want it.
        if is_wanted(service) {
            schemes.push(SchemePorts { name: name.clone(), service, wanted });
        }
    }
    Ok(schemes)
}

/// Refuses a number that occurs twice: the second listener would find the port taken by the first.
pub(crate) fn check(schemes: &[SchemePorts]) -> Result<(), ConfigError> {
    let mut seen: Vec<(u16, &SchemePorts)> = Vec::new();
    for scheme in schemes {
        for wanted in &scheme.wanted {
            let Wanted::Number(port) = *wanted else { continue };
            if let Some((_, first)) =
                seen.iter().find(|(number, first)| *number == port && first.service.is_tcp() == scheme.service.is_tcp())
            {
                return Err(ConfigError::PortTwice { port, first: first.name.clone(), second: scheme.name.clone() });
            }
            seen.push((port, scheme));
        }
    }
    Ok(())
}

/// The numbers of the bound ports: scheme by scheme in the order of the configuration, `None` for a port that is `null`.
pub type Numbers = Vec<(String, Vec<Option<u16>>)>;

/// The ports that fetch() refuses: <https://fetch.spec.whatwg.org/#port-blocking>. Sorted.
const BLOCKED: [u16; 83] = [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531,
    532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060,
    5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

/// Whether browsers refuse to fetch from this port.
pub fn is_blocked(port: u16) -> bool {
    BLOCKED.binary_search(&port).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blocked_ports_are_found() {
        assert!(BLOCKED.is_sorted());
        for (port, blocked) in
            [(0, true), (1, true), (22, true), (80, false), (6000, true), (8000, false), (10080, true)]
        {
            assert_eq!(is_blocked(port), blocked, "{port}");
        }
        // Those that came last (wpt#54227).
        for port in [0, 989, 990, 4190, 6679] {
            assert!(is_blocked(port), "{port}");
        }
        // What `wpt serve` and WebKit's, Chromium's and wptrunner's configurations ask for.
        for port in [8000, 8001, 8443, 8444, 8800, 8801, 8802, 8803, 9000, 9443, 9444, 11000] {
            assert!(!is_blocked(port), "{port}");
        }
    }

    #[test]
    fn ports_are_read() {
        let read =
            |value| read(&value, |_| true).map(|schemes| schemes.into_iter().map(|s| s.wanted).collect::<Vec<_>>());
        assert_eq!(
            read(json!({"http": [8000, "auto", null, 0], "ws": []})).unwrap(),
            [vec![Wanted::Number(8000), Wanted::Auto, Wanted::Skip, Wanted::Auto], vec![]]
        );
        for (value, part) in [
            (json!([]), "ports must be an object of lists"),
            (json!({"http": 8000}), "ports.http must be a list of ports, not 8000"),
            (json!({"ws": ["8000"]}), "\"8000\" in ports.ws"),
            (json!({"ws": [65536]}), "65536 in ports.ws"),
            (json!({"ws": [-1]}), "-1 in ports.ws"),
            (json!({"ws": [true]}), "true in ports.ws"),
            (json!({"ws": [80.5]}), "80.5 in ports.ws"),
        ] {
            let error = read(value.clone()).unwrap_err().to_string();
            assert!(error.contains(part), "{value}: {error}");
        }
    }

    #[test]
    fn without_a_certificate_nothing_is_encrypted() {
        let ports = json!({"http": [1], "https": [2], "https-local": [3], "ws": [4], "wss": [5], "h2": [6]});
        let read = read(&ports, |service| !service.is_encrypted()).unwrap();
        assert_eq!(read.into_iter().map(|scheme| scheme.name).collect::<Vec<_>>(), ["http", "ws"]);
    }
}
