//! The body of a Close frame.

/// Why the body of a client's Close frame is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadClose {
    /// One byte is too short for a code.
    #[error("the body of the close frame has one byte, but its code needs two")]
    Short,
    /// A code that no endpoint may send (RFC 6455, section 7.4; IANA's registry for 1012 to 1014).
    #[error("the close frame has the code {0}, which an endpoint may not send")]
    Code(u16),
    /// The reason is not UTF-8.
    #[error("the reason of the close frame is not UTF-8")]
    Reason,
}

/// Reads a body: `None` for an empty one, or code and reason.
///
/// pywebsocket3 accepts any code and any reason and closes normally. The Autobahn test suite expects a failure for a wrong code
/// or reason, and no browser can send one.
///
/// # Errors
/// See [`BadClose`].
pub fn parse(body: &[u8]) -> Result<Option<(u16, &str)>, BadClose> {
    let Some((code, reason)) = body.split_first_chunk() else {
        return if body.is_empty() { Ok(None) } else { Err(BadClose::Short) };
    };
    let code = u16::from_be_bytes(*code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(BadClose::Code(code));
    }
    std::str::from_utf8(reason).map(|reason| Some((code, reason))).map_err(|_| BadClose::Reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_one_that_may_be_sent() {
        assert_eq!(parse(b""), Ok(None));
        assert_eq!(parse(b"\x03\xe8"), Ok(Some((1000, ""))));
        assert_eq!(parse(b"\x0f\xa0bye"), Ok(Some((4000, "bye"))));
        assert_eq!(parse(b"\x03"), Err(BadClose::Short));
        assert_eq!(parse(b"\x03\xe8\xff"), Err(BadClose::Reason));
        for code in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
            assert_eq!(parse(&code.to_be_bytes()), Err(BadClose::Code(code)));
        }
        for code in [1001u16, 1002, 1003, 1007, 1011, 1012, 1014, 3000, 3999, 4999] {
            assert_eq!(parse(&code.to_be_bytes()), Ok(Some((code, ""))));
        }
    }
}
