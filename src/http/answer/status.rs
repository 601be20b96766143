//! Reason phrases.
//!
//! The table of wptserve 4.0.3, `constants.py`, `response_codes`: older phrases than the current RFC's ("Request Entity Too
//! Large"), and gaps where wptserve sends none at all.

/// The phrase that wptserve sends with `code` when a handler gives none, or `None` if wptserve leaves the phrase empty.
pub fn reason(code: i64) -> Option<&'static str> {
    Some(match code {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Requested Range Not Satisfiable",
        417 => "Expectation Failed",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn phrases_are_the_old_ones_and_have_gaps() {
        assert_eq!(reason(416), Some("Requested Range Not Satisfiable"));
        for code in [-1, 0, 102, 306, 308, 418, 429, 431, 511, 999] {
            assert_eq!(reason(code), None);
        }
        assert_eq!((-10..1000).filter(|code| reason(*code).is_some()).count(), 40);
    }
}
