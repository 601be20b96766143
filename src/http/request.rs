//! A request as wptserve's handlers see it, before any of its body is read.
//!
//! Follows wptserve 4.0.3, `request.py`, `Request.__init__`. Plain data that can cross threads. The body is described by
//! [`Framing`] and read elsewhere; nothing but [`Head`] is tied to HTTP/1.

use super::framing::{BadLength, Framing, framing};
use super::head::Head;
use super::text::latin1;
use super::url::{SplitUrl, UrlError, urlsplit};

/// How the client reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// As it stands in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

/// Why a head is no request. wptserve drops such requests without an answer; we say what is wrong with them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Host header and target do not make a URL.
    #[error("{url:?} is not a URL ({source}): check the Host header and the request target")]
    Url {
        /// What was tried.
        url: String,
        /// What is wrong with it.
        source: UrlError,
    },
    /// The length of the body cannot be known.
    #[error(transparent)]
    Length(#[from] BadLength),
}

impl RequestError {
    /// The status code to answer with.
    pub fn status(&self) -> u16 {
        400
    }
}

/// A request without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What came over the wire.
    pub head: Head,
    /// How the client reached the server.
    pub scheme: Scheme,
    /// The host the server is known by, for requests that name none.
    pub server_host: String,
    /// The port the request came to.
    pub server_port: u16,
    /// Address and port of the client.
    pub client: (String, u16),
    /// The absolute URL: wptserve's `request.url`.
    pub url: String,
    /// The parts of `url`: wptserve's `request.url_parts`.
    pub url_parts: SplitUrl,
    /// Where the body ends.
    pub framing: Framing,
}

impl Request {
    /// Puts the URL together and finds out how the body is framed.
    ///
    /// The host is what the `Host` header says before its first colon and the port what it says after it, unchecked. A target
    /// that starts with the scheme of the server is taken as the URL.
    pub fn new(
        head: Head,
        scheme: Scheme,
        server_host: String,
        server_port: u16,
        client: (String, u16),
    ) -> Result<Request, RequestError> {
        let target = latin1(&head.target);
        let absolute = target.strip_prefix(scheme.as_str()).is_some_and(|rest| rest.starts_with("://"));
        let url = if absolute {
            target
        } else {
            let host = head.headers.get("Host").map(|value| latin1(value));
            let host = host.as_deref().unwrap_or(&server_host);
            let port = if head.headers.get("Host").is_some() { host.split_once(':') } else { None };
            match port {
                Some((host, port)) => format!("{}://{host}:{port}{target}", scheme.as_str()),
                None => format!("{}://{host}:{server_port}{target}", scheme.as_str()),
            }
        };
        let url_parts = urlsplit(&url).map_err(|source| RequestError::Url { url: url.clone(), source })?;
        let framing = framing(&head.headers)?;
        Ok(Request { head, scheme, server_host, server_port, client, url, url_parts, framing })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{HeadReader, Step};

    fn request(text: &str) -> Result<Request, RequestError> {
        let Step::Head { head, .. } = HeadReader::default().step(text.as_bytes(), true) else { panic!("{text}") };
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
