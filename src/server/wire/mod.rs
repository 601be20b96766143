//! The wire: an I/O type under actix-http that owns HTTP/1 on one connection.
//!
//! actix-http parses strictly and keeps neither the order nor the case of headers; its responses cannot be written byte
//! by byte. Handlers need all of that. So this type stands between the socket and actix's dispatcher:
//!
//! - it frames one request at a time by CPython's rules ([`HeadReader`](crate::http::HeadReader)) and keeps the head as it came;
//! - it feeds actix a small head that is always valid, without a body, so that it calls the service: this finds the real
//!   head, the body and the socket in the [`Http1Connection`] of its connection data;
//! - it drops the bytes that actix writes itself; the service leaves a [`RunningAnswer`] here, which writes through
//!   [`Http1Connection`]. For actix the request has then ended, so that a connection that waits holds little memory.
//!
//! The next head is fed only when the answer has ended, so answers keep their order. This relies on the dispatcher calling
//! `poll_read` again when its task is woken, and on no other part of its inner order.

mod connection;
mod io;
mod patience;
mod raw;
mod state;

pub(super) use connection::Http1Connection;
pub(super) use io::{Wire, peer_text};
pub(super) use patience::Refusal;
pub(super) use raw::Raw;
pub(super) use state::{After, RunningAnswer};
