//! A request as wptserve's handlers see it, before any of its body is read.
//!
//! Follows wptserve 4.0.3, `request.py`, `Request.__init__`, and for HTTP/2 `server.py`, `H2Headers` and `H2HandlerCopy`. Plain
//! data that can cross threads. [`Framing`] describes the body, which other code reads.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;

use super::{
    body::framing::{BadFraming, Framing},
    head::Head,
    headers::Headers,
    text::latin1,
    url::{SplitUrl, UrlError, urlsplit},
};

/// How the client reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// Over TLS.
    Https,
    /// HTTP/2, over TLS.
    Http2,
}

impl Scheme {
    /// The scheme as in a URL. wptserve has a scheme of its own for HTTP/2 (4.0.3, server.py, `WebTestServer.scheme`).
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::Http2 => "http2",
        }
    }
}

/// Why a head is not a request. wptserve drops such requests without an answer; this server answers with the cause.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Host header and target do not make a URL.
    #[error("{url:?} is not a URL ({source}): check the Host header and the request target")]
    Url {
        /// The text that is not a URL.
        url: String,
        /// The mistake in it.
        source: UrlError,
    },
    /// The end of the body cannot be known.
    #[error(transparent)]
    Framing(#[from] Box<BadFraming>),
}

impl RequestError {
    /// The status code to answer with.
    pub fn status(&self) -> u16 {
        match self {
            RequestError::Url { .. } => 400,
            RequestError::Framing(bad) => bad.status(),
        }
    }
}

/// A request without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The head as it came.
    pub head: Head,
    /// How the client reached the server.
    pub scheme: Scheme,
    /// The server's host, for requests without a `Host` header.
    pub server_host: Arc<str>,
    /// The port that the request came to.
    pub server_port: u16,
    /// Address and port of the client.
    pub client: (Arc<str>, u16),
    /// The absolute URL: wptserve's `request.url`.
    pub url: String,
    /// The parts of `url`: wptserve's `request.url_parts`.
    pub url_parts: SplitUrl,
    /// Where the body ends.
    pub framing: Framing,
    /// The HTTP/2 stream that the request came on.
    pub stream: Option<u32>,
}

/// The version of the requests that [`Request::http2`] makes.
pub const HTTP2: &str = "HTTP/2.0";

impl Request {
    /// Puts the URL together.
    ///
    /// Host and port are the texts before and after the first colon of the `Host` header, unchecked. A target that starts with
    /// the scheme of the server is taken as the URL.
    pub fn new(
        head: Head,
        scheme: Scheme,
        server_host: Arc<str>,
        server_port: u16,
        client: (Arc<str>, u16),
    ) -> Result<Request, RequestError> {
        let framing = head.framing.clone()?;
        let host = head.headers.get("Host").map(|value| latin1(value));
        let (host, port) = match host.as_deref() {
            None => (&server_host[..], None),
            Some(host) => host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port))),
        };
        let url = absolute(scheme, host, port, server_port, latin1(&head.target));
        let url_parts = urlsplit(&url).map_err(|source| RequestError::Url { url: url.clone(), source })?;
        Ok(Request { head, scheme, server_host, server_port, client, url, url_parts, framing, stream: None })
    }

    /// A request over HTTP/2. Handlers see its fields as in wptserve's `H2Headers`: the pseudo-header fields have no colon, and a
    /// repeated field has the place of the first and the value of the last. wptserve looks for a `Host` with a capital letter, so
    /// the URL always has the address of the server.
    ///
    /// # Errors
    /// The path does not make a valid URL.
    pub fn http2(
        fields: &[super::h2::Field],
        stream: u32,
        server_host: Arc<str>,
        server_port: u16,
        client: (Arc<str>, u16),
    ) -> Result<Request, RequestError> {
        let mut named: Vec<super::h2::Field> = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            let name = match name.strip_prefix(b":") {
                Some(pseudo) if H2_HEADERS.contains(&pseudo) => name.slice_ref(pseudo),
                _ => name.clone(),
            };
            match named.iter_mut().find(|(known, _)| *known == name) {
                Some(known) => known.1 = value.clone(),
                None => named.push((name, value.clone())),
            }
        }
        let headers: Headers = named.into_iter().collect();
        let head = Head {
            request_line: Bytes::new(),
            method: headers.get("method").cloned().unwrap_or_default(),
            target: headers.get("path").cloned().unwrap_or_default(),
            version: Bytes::from_static(HTTP2.as_bytes()),
            headers,
            // Handlers over HTTP/2 run when the body is complete, so no length is needed.
            framing: Ok(Framing::Length(0)),
            keep_alive: true,
            expect_continue: false,
            line_too_long: false,
        };
        let scheme = Scheme::Http2;
        let url = absolute(scheme, &server_host, None, server_port, latin1(&head.target));
        let url_parts = urlsplit(&url).map_err(|source| RequestError::Url { url: url.clone(), source })?;
        let (framing, stream) = (Framing::Length(0), Some(stream));
        Ok(Request { head, scheme, server_host, server_port, client, url, url_parts, framing, stream })
    }

    /// Whether this is a HEAD request.
    pub fn is_head(&self) -> bool {
        self.head.method.as_ref() == b"HEAD"
    }

    /// The request target as text: wptserve's `request.request_path`.
    pub fn request_path(&self) -> String {
        latin1(&self.head.target)
    }
}

/// wptserve 4.0.3, constants.py, `h2_headers`: the names that have a colon in front of them on the wire.
pub const H2_HEADERS: [&[u8]; 6] = [b"method", b"scheme", b"host", b"path", b"authority", b"status"];

fn absolute(scheme: Scheme, host: &str, port: Option<&str>, server_port: u16, target: String) -> String {
    let scheme = scheme.as_str();
    if target.strip_prefix(scheme).is_some_and(|rest| rest.starts_with("://")) {
        return target;
    }
    let port = port.map_or_else(|| Cow::Owned(server_port.to_string()), Cow::Borrowed);
    [scheme, "://", host, ":", &port, &target].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{HeadReader, HeadStep};

    #[test]
    fn requests_over_http2() {
        let fields = [
            (":method", "POST"),
            (":path", "/a?b"),
            (":authority", "h:1"),
            (":protocol", "p"),
            ("x", "1"),
            ("host", "h:1"),
            ("x", "2"),
        ];
        let fields = fields.map(|(name, value)| (Bytes::from_static(name.as_bytes()), Bytes::from(value)));
        let request = Request::http2(&fields, 5, "127.0.0.1".into(), 9000, ("c".into(), 1)).unwrap();
        assert_eq!(request.url, "http2://127.0.0.1:9000/a?b");
        let headers: Vec<_> = request.head.headers.iter().map(|(name, value)| (latin1(name), latin1(value))).collect();
        let seen: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("method", "POST"),
            ("path", "/a?b"),
            ("authority", "h:1"),
            (":protocol", "p"),
            ("x", "2"),
            ("host", "h:1"),
        ];
        assert_eq!(seen, expected);
        assert_eq!((request.stream, latin1(&request.head.version).as_str()), (Some(5), HTTP2));
    }

    fn request(text: &str) -> Result<Request, RequestError> {
        let HeadStep::Head { head, .. } = HeadReader::default().step(text.as_bytes(), true) else { panic!("{text}") };
        Request::new(head, Scheme::Http, "web-platform.test".into(), 8000, ("127.0.0.1".into(), 1))
    }

    #[test]
    fn the_url_is_put_together_from_host_and_target() {
        for (text, url) in [
            ("GET /a?b#c HTTP/1.1\n\n", "http://web-platform.test:8000/a?b#c"),
            ("GET /a HTTP/1.1\nHost: h\n\n", "http://h:8000/a"),
            ("GET /a HTTP/1.1\nHost: h:1:2\n\n", "http://h:1:2/a"),
            ("GET /a HTTP/1.1\nHost:\n\n", "http://:8000/a"),
            ("GET /a HTTP/1.1\nHost: [::1]:9\n\n", "http://[::1]:9/a"),
            ("GET //a HTTP/1.1\nHost: h\n\n", "http://h:8000/a"),
            ("GET http://x/a HTTP/1.1\nHost: h\n\n", "http://x/a"),
            ("GET https://x/a HTTP/1.1\nHost: h\n\n", "http://h:8000https://x/a"),
            ("GET * HTTP/1.1\nHost: h\n\n", "http://h:8000*"),
        ] {
            assert_eq!(request(text).unwrap().url, url);
        }
        let parts = request("GET /a?b#c HTTP/1.1\nHost: h\n\n").unwrap().url_parts;
        assert_eq!((parts.path.as_str(), parts.query.as_str(), parts.fragment.as_str()), ("/a", "b", "c"));
    }

    #[test]
    fn errors_name_the_cause() {
        let error = request("GET /a HTTP/1.1\nHost: a]\n\n").unwrap_err();
        assert_eq!(error.status(), 400);
        assert_eq!(
            error.to_string(),
            "\"http://a]:8000/a\" is not a URL (Invalid IPv6 URL): check the Host header and the request target"
        );
        assert!(request("GET /a HTTP/1.1\nContent-Length: x\n\n").unwrap_err().to_string().contains("'x'"));
    }

    #[test]
    fn only_head_is_head() {
        assert!(request("HEAD /a HTTP/1.1\n\n").unwrap().is_head());
        assert!(!request("head /a HTTP/1.1\n\n").unwrap().is_head());
        assert_eq!(request("GET //a HTTP/1.1\n\n").unwrap().request_path(), "/a");
    }
}
