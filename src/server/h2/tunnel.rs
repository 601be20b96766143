//! WebSocket on a stream (RFC 8441): a CONNECT with the protocol `websocket` makes a stream of bytes in both directions.

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc::UnboundedReceiver,
};

use super::{reply, wire::H2Wire};
use crate::{
    handover::{Command, Handshake, Opening, Session},
    http::{
        Reply, Request,
        h2::{Field, SendError},
        shortage,
        text::latin1,
    },
    server::{site::Site, websocket as session},
    websocket,
};

/// How much may be on its way between the stream and the session, in each direction.
const BUFFER: usize = 64 * 1024;

/// Whether this is the beginning of a WebSocket.
pub(super) fn is_wanted(request: &Request) -> bool {
    request.head.method == "CONNECT"
        && request.head.headers.get(":protocol").is_some_and(|protocol| protocol == "websocket")
}

/// The session that a request opens.
///
/// # Errors
/// The answer to send when no session can be opened.
pub(super) fn open(site: &Site, request: Request) -> Result<Session, Box<Reply>> {
    let uri = websocket::resource(&latin1(&request.head.target));
    let found = uri.and_then(|uri| Some((site.ws.as_ref()?.find(&uri)?, uri)));
    let Some((handler, uri)) = found else { return Err(Box::new(Reply::error(404, ""))) };
    let opening = Opening {
        handler,
        handshake: Handshake::Http2,
        method: latin1(&request.head.method),
        uri,
        protocol: "HTTP/2".to_owned(),
        headers: request.head.headers,
        lines: Vec::new(),
        secure: true,
        client: request.client,
        server: (request.server_host, request.server_port),
        longest_message: site.bounds.websocket_message_bytes,
    };
    site.python.open(opening).map_err(|error| {
        log::error!("a WebSocket is refused: {error}");
        Box::new(shortage::busy(&error.to_string()))
    })
}

/// Runs a session on a stream, from its handshake to its end. `received` has the bytes of the client.
pub(super) async fn run(
    wire: &H2Wire,
    stream: u32,
    mut opened: Session,
    mut received: UnboundedReceiver<Bytes>,
) -> Result<(), SendError> {
    let headers = match opened.commands.recv().await {
        Some(Command::Accept(headers)) => headers,
        Some(Command::Refuse(reply)) => return reply::send(wire, stream, false, reply).await,
        Some(Command::Decline) => return reply::send(wire, stream, false, Reply::error(404, "")).await,
        Some(Command::Write(..) | Command::Finish) | None => return Ok(()),
    };
    let status: Field = (Bytes::from_static(b":status"), Bytes::from_static(b"200"));
    let fields: Vec<Field> = std::iter::once(status).chain(headers).collect();
    wire.headers(stream, &fields, false).await?;

    let (near, far) = tokio::io::duplex(BUFFER);
    let (mut from, mut to) = tokio::io::split(near);
    let session = async {
        session::run(opened, far).await;
        Ok(())
    };
    // Ends when the session has dropped its side and all bytes have been sent.
    let outgoing = async {
        loop {
            let mut bytes = BytesMut::with_capacity(BUFFER);
            match from.read_buf(&mut bytes).await {
                Ok(count) if count > 0 => wire.content(stream, bytes.freeze(), false).await?,
                _ => return Ok(()),
            }
        }
    };
    let incoming = async {
        while let Some(bytes) = received.recv().await {
            let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            if to.write_all(&bytes).await.is_err() {
                break;
            }
            wire.used(stream, count);
        }
        let _ = to.shutdown().await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        result = async { tokio::try_join!(session, outgoing) } => result.map(drop),
        () = incoming => Ok(()),
        // Later calls of the handler fail.
        () = wire.abandoned(stream) => Ok(()),
    }
}
