//! The server room: the only one that names actix. Takes bound listeners, a site and a stop signal, and serves.

mod dispatch;
mod wire;

use std::{fmt, future::Future, io, net::TcpListener, time::Duration};

use actix_http::{HttpService, KeepAlive, Response, body::BoxBody};
use actix_server::Server;
use actix_service::{IntoServiceFactory as _, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::{App, dev::AppConfig, web};
use tokio::net::TcpStream;

use crate::{docroot::DocRoot, http::Scheme, python::Python, route::Router};
use wire::{Connection, Wire};

/// How long a closing connection waits for the client to close its side.
const DISCONNECT: Duration = Duration::from_secs(1);
/// wptserve 4.0.3, server.py, `WebTestServer.request_queue_size`.
pub const BACKLOG: i32 = 2000;

/// What is served on one port.
pub struct Site {
    /// The scheme of the port, as `request.url` shows it.
    pub scheme: Scheme,
    /// The host of `request.url` when the request names none.
    pub host: String,
    /// The port, likewise.
    pub port: u16,
    /// The files.
    pub root: DocRoot,
    /// The configuration, as templates see it.
    pub config: serde_json::Value,
    /// Which URL is handled how.
    pub router: Router,
    /// Runs the handlers.
    pub python: std::sync::Arc<Python>,
}

impl fmt::Debug for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Site").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// Serves one site per listener until `stop` is ready; then drops all connections and returns.
///
/// # Errors
/// A listener cannot be used, or died.
pub async fn run(sites: Vec<(TcpListener, Site)>, stop: impl Future<Output = ()>) -> io::Result<()> {
    let mut builder = Server::build().disable_signals().shutdown_timeout(0).backlog(BACKLOG.unsigned_abs());
    for (listener, site) in sites {
        let name = format!("{} on port {}", site.scheme.as_str(), site.port);
        let site = web::Data::new(site);
        builder = builder.listen(name, listener, move || service(site.clone()))?;
    }
    let server = builder.run();
    let handle = server.handle();
    let stopped = async {
        stop.await;
        handle.stop(false).await;
    };
    tokio::pin!(stopped);
    tokio::select! {
        result = server => result,
        () = &mut stopped => Ok(()),
    }
}

/// What a worker does with an accepted connection.
fn service(
    site: web::Data<Site>,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = actix_http::error::DispatchError, InitError = ()>
{
    let app = App::new().app_data(site).default_service(web::to(dispatch::dispatch));
    let app =
        app.into_factory().map_err(|error: actix_web::Error| -> Response<BoxBody> { error.error_response().into() });
    let http = HttpService::build()
        // wptserve waits for its clients for ever.
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(DISCONNECT)
        .on_connect_ext(|wire: &Wire, data| {
            data.insert::<Connection>(wire.connection());
        })
        .h1(map_config(app, |()| AppConfig::default()));
    fn_service(|stream: TcpStream| async move {
        // Small writes must not wait for the client's delayed acknowledgement. A socket that refuses is served anyway.
        let _ = stream.set_nodelay(true);
        let peer = stream.peer_addr().ok();
        Ok((Wire::new(stream, peer), peer))
    })
    .and_then(http)
}
