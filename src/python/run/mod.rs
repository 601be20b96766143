//! The three runs of a handler: for a request over HTTP/1, for a request over HTTP/2, for a WebSocket.

pub(super) mod http1;
pub(super) mod http2;
mod inject;
pub(super) mod websocket;
