//! The request for a WebSocket, before its handler runs.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;

use crate::http::Headers;

/// The kind of opening handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// RFC 6455: an upgrade on HTTP/1.1. All bytes are written by the handler's thread.
    Http1,
    /// RFC 8441: an extended CONNECT on a stream of HTTP/2. The connection writes the answer's head.
    Http2,
}

/// A request for a resource that has a handler.
#[derive(Debug)]
pub struct Opening {
    /// The handler's file.
    pub handler: PathBuf,
    /// The kind of opening handshake.
    pub handshake: Handshake,
    /// The method, as sent.
    pub method: String,
    /// `request.uri`: path and query as sent.
    pub uri: String,
    /// `request.protocol`: `HTTP/1.1`, `HTTP/2`.
    pub protocol: String,
    /// `request.headers_in`. For HTTP/2 the pseudo-headers as wptserve names them: `authority`, `:protocol`.
    pub headers: Headers,
    /// The lines of the head with their line ends, for `request.connection.get_memorized_lines()`.
    pub lines: Vec<Bytes>,
    /// Whether the connection is encrypted.
    pub secure: bool,
    /// Address and port of the client.
    pub client: (Arc<str>, u16),
    /// Address and port of the server.
    pub server: (Arc<str>, u16),
    /// The most bytes that a message of the client may have; `None` for no bound but that of a frame.
    pub longest_message: Option<u64>,
}
