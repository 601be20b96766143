//! The three runs of a handler: for a request over HTTP/1, for a request over HTTP/2, for a WebSocket. They share the steps of a handler
//! and the meaning of its failures. Below them is one [`super::runtime`].

mod failure;
mod handler;
pub(super) mod http1;
pub(super) mod http2;
mod inject;
pub(super) mod websocket;

pub(super) use http1::Call;
pub use http2::Conversation;
