//! HTTP/2 as plain values: frames, header compression, and the state of one connection with its streams.
//!
//! No code here reads a socket, sleeps or looks at a clock: bytes go in, [`Event`]s come out, and bytes to send collect in a buffer. The
//! rules are those of RFC 9113 and RFC 7541. Where a handler can see the difference, the rules for sending and the texts of errors are
//! those of hyper-h2 4.1.0, which `wpt serve` uses. This is our own code instead of the crate `h2`, because handlers write raw frames,
//! and header fields in an order and with names that the crate does not allow.

mod backlog;
mod connection;
mod error;
mod fields;
mod frame;
mod hpack;
mod huffman;
mod limit;
mod receive;
mod send;

pub use backlog::Backlog;
pub use connection::{Connection, Event, Progress};
pub use error::{ErrorCode, SendError};
pub use frame::Priority;
pub use hpack::{BadBlock, Decoder, Encoder};
pub use send::{CommandResult, RawKind, StreamCommand};

use bytes::Bytes;

/// A header field: name and value.
pub type Field = (Bytes, Bytes);

#[cfg(test)]
mod tests;
