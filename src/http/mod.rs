//! HTTP as plain values: requests as they came, and answers to send.
//!
//! This room opens no socket, names no type of actix and runs no Python. The parsers follow CPython 3.11 (`http.server`,
//! `email.feedparser`, `urllib.parse`, `http.cookies`) and the writers wptserve 4.0.3, because tests see both down to the byte: header
//! order and case, reason phrases, and the mistakes that are accepted. Text that Python would hold in a `str` decoded as latin-1 stays
//! raw [`Bytes`](bytes::Bytes) here and becomes a `String` only where a caller asks for one.

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
