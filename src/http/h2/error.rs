//! The errors of a connection, as numbers for the client and as reasons for handlers.

/// Why a stream or a connection ends (RFC 9113, section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorCode(pub u32);

#[allow(missing_docs, reason = "the names are those of the RFC")]
impl ErrorCode {
    pub const NO_ERROR: Self = Self(0);
    pub const PROTOCOL_ERROR: Self = Self(1);
    pub const INTERNAL_ERROR: Self = Self(2);
    pub const FLOW_CONTROL_ERROR: Self = Self(3);
    pub const STREAM_CLOSED: Self = Self(5);
    pub const FRAME_SIZE_ERROR: Self = Self(6);
    pub const REFUSED_STREAM: Self = Self(7);
    pub const COMPRESSION_ERROR: Self = Self(9);
    pub const CONNECT_ERROR: Self = Self(10);
    pub const ENHANCE_YOUR_CALM: Self = Self(11);
}

/// The effect of a wrong frame on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection ends with this code; the text helps to debug the client.
    Connection(ErrorCode, &'static str),
    /// Only this stream ends.
    Stream(u32, ErrorCode, &'static str),
}

/// Why a frame cannot be sent. The texts are those of hyper-h2 4.1.0, because handlers see them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The stream has been closed, by either side: `StreamClosedError`.
    #[error("{0}")]
    Closed(u32),
    /// The stream never existed: `NoSuchStreamError`.
    #[error("{0}")]
    NoStream(u32),
    /// A new stream must have a higher number: `StreamIDTooLowError`, with the number and the highest one so far.
    #[error("StreamIDTooLowError: {0} is lower than {1}")]
    TooLow(u32, u32),
    /// The frame is larger than the client accepts: `FrameTooLargeError`, with the size and the largest size.
    #[error("Cannot send frame size {0}, max frame size is {1}")]
    FrameTooLarge(usize, usize),
    /// The frame would break the protocol: `ProtocolError`.
    #[error("{0}")]
    Protocol(String),
    /// The connection is gone: an `OSError`.
    #[error("the client closed the connection")]
    Gone,
}
