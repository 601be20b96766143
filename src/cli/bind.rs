//! Binding the ports: each is bound once and kept, so that no other program can take it in between.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs as _, UdpSocket},
};

use socket2::{Domain, Socket, Type};

use super::dns::Zone;
use crate::{
    config::{BindError, Config, Dns, Numbers, Service, StartupError, Wanted, ascii, is_blocked},
    server::BACKLOG,
};

/// The number of free ports to try until one is found that browsers can use.
const ATTEMPTS: usize = 100;

/// A bound TCP port.
pub(super) struct Bound {
    /// The scheme's name under `ports`.
    pub(super) name: String,
    pub(super) service: Service,
    pub(super) socket: TcpListener,
    pub(super) address: SocketAddr,
}

impl Bound {
    /// wptserve's name for the process of this port.
    pub(super) fn process(&self) -> String {
        process(&self.name, self.address.port())
    }
}

/// wptserve's name for the process of a port.
pub(super) fn process(name: &str, port: u16) -> String {
    format!("{name} on port {port}")
}

/// All ports of a configuration.
pub(super) struct Ports {
    /// In the order of the configuration.
    pub(super) bound: Vec<Bound>,
    /// For the DNS server.
    pub(super) dns: Vec<UdpSocket>,
    /// The numbers, for handlers.
    pub(super) numbers: Numbers,
    /// Ports on which nothing is served and no other program shall serve either.
    _held: Vec<UdpSocket>,
}

/// Binds every port of the configuration. Ports with a number come first, so that no automatic port takes one of them.
pub(super) fn bind(config: &Config) -> Result<Ports, StartupError> {
    let binder = Binder { addresses: addresses(config)?, webtransport: config.webtransport };
    let mut places: Vec<Vec<Place>> =
        config.ports.iter().map(|scheme| scheme.wanted.iter().map(|_| Place::None).collect()).collect();
    for automatic in [false, true] {
        for (scheme, places) in config.ports.iter().zip(&mut places) {
            for (wanted, place) in scheme.wanted.iter().zip(places) {
                let (port, taken) = match (wanted, automatic) {
                    (Wanted::Number(port), false) => (*port, binder.take(scheme.service, *port)),
                    (Wanted::Auto, true) => (0, binder.take_any(scheme.service)),
                    _ => continue,
                };
                *place = taken.map_err(|source| BindError {
                    host: config.server_host.clone(),
                    port,
                    scheme: scheme.name.clone(),
                    source,
                })?;
            }
        }
    }
    let mut ports = Ports { bound: Vec::new(), dns: Vec::new(), numbers: Vec::new(), _held: Vec::new() };
    for (scheme, places) in config.ports.iter().zip(places) {
        ports.numbers.push((scheme.name.clone(), places.iter().map(Place::number).collect()));
        for place in places {
            match place {
                Place::None | Place::Number(_) => {}
                Place::Udp(socket, _) if scheme.service == Service::Dns => ports.dns.push(socket),
                Place::Udp(socket, _) => ports._held.push(socket),
                Place::Tcp(socket, address) => {
                    ports.bound.push(Bound { name: scheme.name.clone(), service: scheme.service, socket, address });
                }
            }
        }
    }
    Ok(ports)
}

enum Place {
    None,
    /// Only a number: nothing is served there.
    Number(u16),
    Tcp(TcpListener, SocketAddr),
    Udp(UdpSocket, SocketAddr),
}

impl Place {
    fn number(&self) -> Option<u16> {
        match self {
            Self::None => None,
            Self::Number(port) => Some(*port),
            Self::Tcp(_, address) | Self::Udp(_, address) => Some(address.port()),
        }
    }
}

/// The addresses to try, as port 0. wptserve knows IPv4 only, so that comes first.
fn addresses(config: &Config) -> Result<Vec<SocketAddr>, StartupError> {
    if !config.bind_address {
        return Ok(vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))]);
    }
    let host = config.server_host.trim_start_matches('[').trim_end_matches(']');
    match (ascii(host).as_str(), 0).to_socket_addrs() {
        Ok(addresses) => {
            let mut addresses: Vec<SocketAddr> = addresses.collect();
            addresses.sort_by_key(|address| !address.is_ipv4());
            Ok(addresses)
        }
        // Only our own DNS server has to know the name.
        Err(_) if is_own(config, host) => Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]),
        Err(source) => Err(StartupError::Resolve { host: config.server_host.clone(), source }),
    }
}

/// Whether the DNS server of this configuration leads a name to this server.
fn is_own(config: &Config, host: &str) -> bool {
    config.dns.is_some_and(|dns| {
        Zone::new(&config.hosts, dns == Dns::Wildcards, Ipv4Addr::LOCALHOST.into()).has(&ascii(host))
    })
}

struct Binder {
    addresses: Vec<SocketAddr>,
    /// Whether to bind the port of WebTransport.
    webtransport: bool,
}

impl Binder {
    fn take(&self, service: Service, port: u16) -> io::Result<Place> {
        if service == Service::WebTransport && !self.webtransport && port != 0 {
            return Ok(Place::Number(port));
        }
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in &self.addresses {
            match take(service, SocketAddr::new(address.ip(), port)) {
                Ok(place) => return Ok(place),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// A free port that browsers do not refuse. The refused ports stay bound until one is found, so that the system does not
    /// give them again.
    fn take_any(&self, service: Service) -> io::Result<Place> {
        let mut refused = Vec::new();
        while refused.len() < ATTEMPTS {
            let place = self.take(service, 0)?;
            match place.number() {
                Some(port) if is_blocked(port) => refused.push(place),
                Some(port) if service == Service::WebTransport && !self.webtransport => return Ok(Place::Number(port)),
                _ => return Ok(place),
            }
        }
        Err(io::Error::other("the system offers only free ports that browsers refuse"))
    }
}

fn take(service: Service, address: SocketAddr) -> io::Result<Place> {
    if service.is_tcp() {
        let listener = listen(address)?;
        let address = listener.local_addr()?;
        Ok(Place::Tcp(listener, address))
    } else {
        let socket = UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        Ok(Place::Udp(socket, address))
    }
}

/// As in wptserve, the port of a server that has ended can be bound again at once.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
