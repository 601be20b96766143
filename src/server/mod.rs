//! The server room: the only one that names actix. Takes bound listeners, a site and a stop signal, and serves.
//!
//! Below this file, each part names only what its row allows:
//!
//! | part | what it is | what it may name |
//! |---|---|---|
//! | `site` | what is served on one port | nothing of ours |
//! | `stream` | a connection's bytes, plain or encrypted | nothing of ours |
//! | `leaving` | what connections do while another process takes over | nothing of ours |
//! | `watch` | notices a listener that has died | nothing of ours |
//! | `watched` | looks at all connections once in a while | nothing of ours |
//! | `admission` | the number of open connections | `site` |
//! | `wire` | HTTP/1 on one connection, below actix | `admission`, `leaving`, `site`, `stream`, `watched` |
//! | `job` | what is to be done for a request of either version | `site` |
//! | `sink` | content that leaves piece by piece, in either version | nothing of ours |
//! | `reply` | a complete reply over HTTP/1 | `job`, `sink`, `site`, `wire` |
//! | `websocket` | a WebSocket session, and the ports for them | `reply`, `site`, `wire` |
//! | `dispatch` | the services of the HTTP/1 ports: a request from its head to the end of its answer | `job`, `reply`, `sink`, `site`, `websocket`, `wire` |
//! | `h2` | the port for HTTP/2 | `admission`, `job`, `leaving`, `sink`, `site`, `stream`, `watched`, `websocket`, `wire` |

mod admission;
mod dispatch;
mod h2;
mod job;
mod leaving;
mod reply;
mod sink;
mod site;
mod stream;
mod watch;
mod watched;
mod websocket;
mod wire;

pub use site::{PORT_TARGET, Site};

use std::{cell::Cell, future::Future, io, net::TcpListener, sync::Arc, time::Duration};

use actix_http::{HttpService, KeepAlive, Response, body::BoxBody};
use actix_server::Server;
use actix_service::{IntoServiceFactory as _, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::{App, Handler, HttpRequest, HttpResponse, dev::AppConfig, web};
use tokio::net::TcpStream;
use tokio_rustls::rustls;

use site::DISCONNECT;
use stream::ByteStream;
use watch::Watch;
use wire::{Http1Connection, Wire};

/// How long a connection that has been taken may be on its way to its worker.
const HANDED_OVER: Duration = Duration::from_millis(100);
/// wptserve 4.0.3, server.py, `WebTestServer.request_queue_size`.
pub const BACKLOG: i32 = 2000;

/// The protocol of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, over TLS.
    Http2,
    /// WebSocket handshakes; requests without one are served as files.
    WebSocket,
}

/// A bound port, and the handling of its connections.
#[derive(Debug)]
pub struct Listener {
    /// Bound and listening.
    pub socket: TcpListener,
    /// The site that is served there.
    pub site: Site,
    /// The protocol.
    pub protocol: Protocol,
    /// The TLS settings; `None` for plain TCP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// With [`Protocol::Http1`]: a connection is plain until the client has sent a CONNECT, so that the port can act as a
    /// proxy to itself. wptserve 4.0.3, server.py, `handle_connect`.
    pub encrypt_after_connect: bool,
}

/// How to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Drop all connections.
    Now,
    /// Another process serves the same ports: take no more connections, and end what has begun.
    WhenDone,
}

/// Serves one site per listener until `stop` is ready; then returns as that says, after `grace` at the latest.
///
/// # Errors
/// A listener cannot be used, or died.
pub async fn run(listeners: Vec<Listener>, grace: Duration, stop: impl Future<Output = Stop>) -> io::Result<()> {
    let mut builder =
        Server::build().disable_signals().shutdown_timeout(grace.as_secs()).backlog(BACKLOG.unsigned_abs());
    let mut watch = Watch::new(listeners.iter().map(|listener| (listener.site.name.clone(), &listener.socket)))?;
    for Listener { socket, site, protocol, tls, encrypt_after_connect } in listeners {
        let name = site.name.clone();
        let site = web::Data::new(site);
        builder = match protocol {
            Protocol::WebSocket => builder.listen(name, socket, move || {
                http1(site.clone(), tls.clone(), encrypt_after_connect, dispatch::dispatch_websocket)
            }),
            Protocol::Http2 => builder.listen(name, socket, move || h2::service(site.clone(), tls.clone())),
            Protocol::Http1 => builder.listen(name, socket, move || {
                http1(site.clone(), tls.clone(), encrypt_after_connect, dispatch::dispatch)
            }),
        }?;
    }
    let server = builder.run();
    let handle = server.handle();
    let told = Cell::new(false);
    let stopped = async {
        let stop = stop.await;
        told.set(true);
        if stop == Stop::WhenDone {
            handle.pause().await;
            // What has been taken is on its way to a worker.
            tokio::time::sleep(HANDED_OVER).await;
            leaving::begin();
        }
        handle.stop(stop == Stop::WhenDone).await;
    };
    tokio::pin!(stopped);
    tokio::select! {
        result = server => match result {
            Ok(()) if !told.get() => Err(io::Error::other("the listeners have ended")),
            result => result,
        },
        error = watch.death() => Err(error),
        () = &mut stopped => Ok(()),
    }
}

/// The service for a connection of HTTP/1.
fn http1<F>(
    site: web::Data<Site>,
    tls: Option<Arc<rustls::ServerConfig>>,
    encrypt_after_connect: bool,
    dispatch: F,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = actix_http::error::DispatchError, InitError = ()>
where
    F: Handler<(HttpRequest, web::Data<Site>), Output = HttpResponse>,
{
    let bounds = Arc::clone(&site.bounds);
    let app = App::new().app_data(site).default_service(web::to(dispatch));
    let app =
        app.into_factory().map_err(|error: actix_web::Error| -> Response<BoxBody> { error.error_response().into() });
    let http = HttpService::build()
        // No time limit, because wptserve waits for its clients for ever.
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(DISCONNECT)
        .on_connect_ext(|wire: &Wire, data| {
            data.insert::<Http1Connection>(wire.connection());
        })
        .h1(map_config(app, |()| AppConfig::default()));
    let (at_once, after_connect) = if encrypt_after_connect { (None, tls) } else { (tls, None) };
    fn_service(move |stream: TcpStream| {
        let (at_once, after_connect, bounds) = (at_once.clone(), after_connect.clone(), Arc::clone(&bounds));
        async move {
            let peer = stream.peer_addr().ok();
            let (stream, admitted) = admission::admit(stream, at_once.is_none(), bounds.connections).await?;
            let stream = ByteStream::accept(stream, at_once, bounds.tls_time).await?;
            Ok((Wire::new(stream, peer, after_connect, bounds, admitted), peer))
        }
    })
    .and_then(http)
}
