//! WebSocket ports: a request for a resource that has a handler becomes a session, all others are served as files.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::{
    reply::{reply, serve_content},
    site::Site,
    wire::{After, Http1Connection, Raw},
};
use crate::{
    handover::{Command, Handshake, Opening, Read, Session},
    http::{Head, Reply, Request, Scheme, error_page, shortage, text::latin1},
    route::Match,
    websocket,
};

/// The most that is read into a buffer of its own at once.
const READ: usize = 256 * 1024;

/// The next step for a session's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Close the connection.
    Closed,
    /// The handler cannot be loaded: answer the request in another way.
    Declined,
}

/// Answers one request on a WebSocket port.
pub(super) async fn answer(head: Head, connection: &Http1Connection, site: Arc<Site>) -> After {
    let (method, version) = (latin1(&head.method), latin1(&head.version));
    let is_head = head.method == "HEAD";
    if head.line_too_long {
        let _ = reply(connection, is_head, Reply::error(414, "")).await;
        return After::Close;
    }
    if let (Some(handlers), Some(uri)) = (&site.ws, websocket::resource(&latin1(&head.target)))
        && let Some(handler) = handlers.find(&uri)
    {
        // A fragment is refused before the handshake is looked at, as in pywebsocket3.
        if uri.split_once('#').is_some_and(|(_, fragment)| !fragment.is_empty()) {
            let _ = connection.write(&error_page::handshake_error(400, &method, &version)).await;
            return After::Close;
        }
        let opening = Opening {
            handler,
            handshake: Handshake::Http1,
            method: method.clone(),
            uri,
            protocol: version.clone(),
            headers: head.headers.clone(),
            lines: lines(&head),
            secure: site.scheme == Scheme::Https,
            client: connection.peer(),
            server: (site.host.clone(), site.port),
            longest_message: site.bounds.websocket_message_bytes,
        };
        match site.python.open(opening) {
            Ok(session) => {
                connection.watch(session.presence.run());
                if run(session, Raw::new(connection.clone())).await == Ended::Closed {
                    return After::Close;
                }
            }
            Err(error) => {
                log::error!("a WebSocket is refused: {error}");
                let _ = reply(connection, is_head, shortage::busy(&error.to_string())).await;
                return After::Close;
            }
        }
    }
    files(head, connection, &site).await
}

/// Requests other than WebSockets get files: test runners ask for `/` to see whether the port answers.
async fn files(head: Head, connection: &Http1Connection, site: &Arc<Site>) -> After {
    let (method, version) = (latin1(&head.method), latin1(&head.version));
    let is_head = head.method == "HEAD";
    if !is_head && head.method != "GET" {
        let _ = connection.write(&error_page::handshake_error(501, &method, &version)).await;
        return After::Close;
    }
    let made = Request::new(head, site.scheme, site.host.clone(), site.port, connection.peer());
    let sent = match made {
        Ok(request) => serve_content(connection, site, Box::new(request), Match::file()).await,
        Err(error) => reply(connection, is_head, Reply::error(error.status(), &error.to_string())).await,
    };
    sent.unwrap_or(After::Close)
}

/// The lines of a head as they came.
fn lines(head: &Head) -> Vec<Bytes> {
    let fields = head.headers.iter().map(|(name, value)| [name, &b": "[..], value, b"\r\n"].concat().into());
    std::iter::once(head.request_line.clone()).chain(fields).chain([Bytes::from_static(b"\r\n")]).collect()
}

/// Executes a handler's commands until the handler ends. `stream` is any stream of bytes in both directions; it stays open.
///
/// On HTTP/2 the caller deals with [`Command::Accept`] and [`Command::Refuse`] first.
pub(super) async fn run(session: Session, stream: impl AsyncRead + AsyncWrite) -> Ended {
    let Session { mut commands, mut reads, mut evictions, presence: _presence } = session;
    let (mut input, mut output) = tokio::io::split(stream);
    let reading = async {
        while let Some(Read(max, mut answer)) = reads.recv().await {
            let mut buffer = BytesMut::with_capacity(max.min(READ));
            tokio::select! {
                result = input.read_buf(&mut buffer) => {
                    // A thread that no longer waits needs no answer.
                    let _ = answer.send(result.map(|_| buffer.freeze()));
                }
                () = answer.closed() => {}
            }
        }
        std::future::pending().await
    };
    let writing = async {
        loop {
            match commands.recv().await {
                Some(Command::Write(bytes, mut answer)) => {
                    let result = async {
                        output.write_all(&bytes).await?;
                        output.flush().await
                    };
                    tokio::select! {
                        result = result => {
                            let _ = answer.send(result);
                        }
                        // The handler has been ended while the client took its time.
                        () = answer.closed() => return Ended::Closed,
                    }
                }
                Some(Command::Decline) => return Ended::Declined,
                Some(Command::Accept(_) | Command::Refuse(_)) => {
                    log::error!("a WebSocket handler has answered twice");
                    return Ended::Closed;
                }
                // None: the handler's thread died, which has been logged.
                Some(Command::Finish) | None => return Ended::Closed,
            }
        }
    };
    tokio::select! {
        ended = writing => ended,
        () = reading => Ended::Closed,
        Some(()) = evictions.recv() => Ended::Closed,
    }
}
