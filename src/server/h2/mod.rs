//! The port for HTTP/2: a service of its own beside actix's dispatcher.
//!
//! The protocol is `http::h2`, which uses no sockets. This module runs it: one task reads and writes the socket (`wire`), and a task for
//! every stream answers its request (`answer`) or carries a WebSocket (`tunnel`). All tasks run on the thread of their connection.

mod answer;
mod patience;
mod reply;
mod tunnel;
mod wire;

use std::{io, sync::Arc};

use actix_service::{ServiceFactory, fn_service};
use actix_web::web;
use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConfig;

use super::{admission, site::Site, stream::ByteStream, wire::peer_text};

/// The service for a connection on the port.
pub(super) fn service(
    site: web::Data<Site>,
    tls: Option<Arc<ServerConfig>>,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = io::Error, InitError = ()> {
    fn_service(move |stream: TcpStream| {
        let (site, tls) = (site.clone().into_inner(), tls.clone());
        async move {
            let peer = peer_text(stream.peer_addr().ok());
            let (stream, _admitted) = admission::admit(stream, tls.is_none(), site.bounds.connections).await?;
            let stream = ByteStream::accept(stream, tls, site.bounds.tls_time).await?;
            wire::serve(stream, peer, site, answer::begin, patience::watched).await;
            Ok(())
        }
    })
}
