//! Request bodies: read while they arrive, kept for those who go back, and taken apart when they are forms.

pub mod chunked;
pub mod form;
pub mod framing;
mod reader;
mod spill;

pub use reader::{BodyError, BodyReader, BodySource, IN_MEMORY};
pub use spill::Spill;
