//! HTTP as plain values: requests as they came, and answers to send.
//!
//! This room opens no socket, names no type of actix and runs no Python. The parsers follow CPython 3.11 (`http.server`,
//! `email.feedparser`, `urllib.parse`, `http.cookies`) and the writers wptserve 4.0.3, because tests see both down to the byte: header
//! order and case, reason phrases, and the mistakes that are accepted. Text that Python would hold in a `str` decoded as latin-1 stays
//! raw [`Bytes`](bytes::Bytes) here and becomes a `String` only where a caller asks for one.
//!
//! Below this file, each part names only what its row allows:
//!
//! | part | what it is | what it may name |
//! |---|---|---|
//! | `text` | latin-1, and text as Python, JSON and HTML write it | nothing of ours |
//! | `headers` | the fields of a head, in order | nothing of ours |
//! | `url` | URLs as `urllib.parse` takes them apart | `text` |
//! | `query` | the fields of a query or a form | `text`, `url` |
//! | `cookies` | `http.cookies` | `text` |
//! | `bounds` | what one client may take, and all together: numbers, and the counters of what is shared | nothing of ours |
//! | `answer` | answers as values and as bytes | `text` |
//! | `body` | the body of a request: framing, chunks, forms | `bounds`, `headers`, `query`, `text` |
//! | `head` | the head of a request of HTTP/1, or its refusal | `answer`, `body`, `headers`, `text` |
//! | `h2` | the protocol of HTTP/2 without a socket | `bounds` |
//! | `request` | a request of either version | `body`, `h2`, `head`, `headers`, `text`, `url` |

pub mod answer;
pub mod body;
pub mod bounds;
pub mod cookies;
pub mod h2;
pub mod head;
pub mod headers;
pub mod query;
pub mod request;
pub mod text;
pub mod url;

pub use answer::{Body, Delivery, Encoder, Outcome, Reply, SERVER, Trickle, error_page, shortage, trickle};
pub use body::{
    chunked::{ChunkError, ChunkedDecoder},
    framing::{BadFraming, Framing},
};
pub use head::{Head, HeadReader, HeadStep};
pub use headers::Headers;
pub use request::{H2_HEADERS, HTTP2, Request, RequestError, Scheme};
