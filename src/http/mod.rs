//! HTTP as plain values: what came over the wire, and what will go out.
//!
//! Nothing here opens a socket, knows actix or runs Python. The parsers keep to CPython 3.11 (`http.server`, `email.feedparser`,
//! `urllib.parse`, `http.cookies`) and the writers to wptserve 4.0.3, because both are visible to tests down to the byte: header
//! order and case, reason phrases, which mistakes are forgiven and which are not. Text that Python would hold in a `str` decoded
//! as latin-1 stays raw [`Bytes`](bytes::Bytes) here and becomes a `String` only where one is asked for.

pub mod answer;
pub mod body;
pub mod cookies;
pub mod h2;
pub mod head;
pub mod headers;
pub mod query;
pub mod request;
pub mod text;
pub mod url;

pub use answer::{Body, Delivery, Encoder, Outcome, Reply, Trickle, error_page, shortage, trickle};
pub use body::{
    chunked::{ChunkError, ChunkedDecoder},
    framing::{BadFraming, Framing},
};
pub use head::{Head, HeadReader, Step};
pub use headers::Headers;
pub use request::{H2_HEADERS, HTTP2, Request, RequestError, Scheme};

/// The value of the `Server` header.
pub const SERVER: &str = concat!("wptserve-rs/", env!("CARGO_PKG_VERSION"));
