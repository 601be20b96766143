//! Answers: made as values, encoded as bytes, and followed until the client has all bytes of one.

pub mod delivery;
pub mod encoder;
pub mod error_page;
pub mod reply;
pub mod shortage;
pub mod status;
pub mod trickle;

pub use delivery::{Delivery, Outcome};
pub use encoder::Encoder;
pub use reply::{Body, Reply, error_body};
pub use trickle::Trickle;

/// The value of the `Server` header.
pub const SERVER: &str = concat!("wptserve-rs/", env!("CARGO_PKG_VERSION"));
