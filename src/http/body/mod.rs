//! Request bodies: read while they arrive, kept so that handlers can go back, and parsed when they are forms.

pub mod chunked;
pub mod form;
pub mod framing;
mod reader;
mod spill;

pub use reader::{BodyError, BodyReader, BodySource, IN_MEMORY};
pub use spill::Spill;
