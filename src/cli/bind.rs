//! Taking the ports: each is bound once and kept, so that nobody can take it in between.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs as _, UdpSocket},
};

use socket2::{Domain, Socket, Type};

use crate::{
    config::{BindError, Config, Numbers, SchemePorts, Service, StartupError, Wanted, is_blocked},
    server::BACKLOG,
};

/// How often a free port is asked for before giving up on one that browsers can use.
const ATTEMPTS: usize = 100;

/// A port that is ours.
pub(super) struct Bound {
    /// The scheme's name under `ports`.
    pub(super) name: String,
    pub(super) service: Service,
    pub(super) socket: TcpListener,
    pub(super) address: SocketAddr,
}

impl Bound {
    /// As wptserve calls the process of a port.
    pub(super) fn process(&self) -> String {
        process(&self.name, self.address.port())
    }
}

/// As wptserve calls the process of a port.
pub(super) fn process(name: &str, port: u16) -> String {
    format!("{name} on port {port}")
}

/// All ports of a configuration.
pub(super) struct Ports {
    /// In the order of the configuration.
    pub(super) bound: Vec<Bound>,
    /// The numbers, for handlers.
    pub(super) numbers: Numbers,
}

/// Binds every port of the configuration. Those with a number come first, so that no free port is one of them.
pub(super) fn bind(config: &Config) -> Result<Ports, StartupError> {
    let addresses = addresses(config)?;
    let mut places: Vec<Vec<Place>> =
        config.ports.iter().map(|scheme| scheme.wanted.iter().map(|_| Place::None).collect()).collect();
    for automatic in [false, true] {
        for (scheme, places) in config.ports.iter().zip(&mut places) {
            for (wanted, place) in scheme.wanted.iter().zip(places) {
                let taken = match (wanted, automatic) {
                    (Wanted::Number(port), false) => take(scheme, *port, &addresses),
                    (Wanted::Auto, true) => take_any(scheme, &addresses),
                    _ => continue,
                };
                let port = if let Wanted::Number(port) = wanted { *port } else { 0 };
                *place = taken.map_err(|source| BindError {
                    host: config.server_host.clone(),
                    port,
                    scheme: scheme.name.clone(),
                    source,
                })?;
            }
        }
    }
    let mut ports = Ports { bound: Vec::new(), numbers: Vec::new() };
    for (scheme, places) in config.ports.iter().zip(places) {
        let mut numbers = Vec::new();
        for place in places {
            match place {
                Place::None => numbers.push(None),
                Place::Number(port) => numbers.push(Some(port)),
                Place::Taken(socket, address) => {
                    numbers.push(Some(address.port()));
                    ports.bound.push(Bound { name: scheme.name.clone(), service: scheme.service, socket, address });
                }
            }
        }
        ports.numbers.push((scheme.name.clone(), numbers));
    }
    Ok(ports)
}

enum Place {
    None,
    /// Only a number: nothing is served there.
    Number(u16),
    Taken(TcpListener, SocketAddr),
}

/// The addresses to try, as port 0. wptserve knows IPv4 only, so that comes first.
fn addresses(config: &Config) -> Result<Vec<SocketAddr>, StartupError> {
    if !config.bind_address {
        return Ok(vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))]);
    }
    let host = config.server_host.trim_start_matches('[').trim_end_matches(']');
    match (host, 0).to_socket_addrs() {
        Ok(addresses) => {
            let mut addresses: Vec<SocketAddr> = addresses.collect();
            addresses.sort_by_key(|address| !address.is_ipv4());
            Ok(addresses)
        }
        Err(source) => Err(StartupError::Resolve { host: config.server_host.clone(), source }),
    }
}

fn take(scheme: &SchemePorts, port: u16, addresses: &[SocketAddr]) -> io::Result<Place> {
    if !scheme.service.is_tcp() {
        return Ok(Place::Number(port));
    }
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match listen(SocketAddr::new(address.ip(), port)) {
            Ok(listener) => {
                let address = listener.local_addr()?;
                return Ok(Place::Taken(listener, address));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A free port that browsers do not refuse. The refused ones are held until one is found, so as not to get them again.
fn take_any(scheme: &SchemePorts, addresses: &[SocketAddr]) -> io::Result<Place> {
    if !scheme.service.is_tcp() {
        let address = addresses.first().copied().unwrap_or_else(|| (Ipv4Addr::UNSPECIFIED, 0).into());
        return Ok(Place::Number(UdpSocket::bind(address)?.local_addr()?.port()));
    }
    let mut refused = Vec::new();
    while refused.len() < ATTEMPTS {
        let place = take(scheme, 0, addresses)?;
        match &place {
            Place::Taken(_, address) if is_blocked(address.port()) => refused.push(place),
            _ => return Ok(place),
        }
    }
    Err(io::Error::other("the system has only ports that browsers refuse"))
}

/// As wptserve: the port may be used again at once after an earlier server has ended.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
