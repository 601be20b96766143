//! URLs as Python's `urllib.parse` sees them: split, unquote, quote.
//!
//! Follows CPython 3.11. This is not a WHATWG URL parser and does not normalise: handlers see the parts exactly as in wptserve's
//! `request.url_parts`.

use std::{
    borrow::Cow,
    net::{Ipv4Addr, Ipv6Addr},
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

pub use super::text::latin1;
use super::text::repr;

/// Why CPython raises `ValueError` for a URL. The text is that of the exception.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// One of `[` and `]` is missing.
    #[error("Invalid IPv6 URL")]
    Brackets,
    /// Brackets around an IPv4 address.
    #[error("An IPv4 address cannot be in brackets")]
    BracketedIpv4,
    /// Brackets around a malformed `v1.something`.
    #[error("IPvFuture address is invalid")]
    IpvFuture,
    /// Brackets around something else.
    #[error("{} does not appear to be an IPv4 or IPv6 address", repr(.0))]
    NoAddress(String),
    /// The host has a character that normalises to one that would end the host.
    #[error("netloc '{0}' contains invalid characters under NFKC normalization")]
    Nfkc(String),
    /// The port is not made of digits.
    #[error("Port could not be cast to integer value as {}", repr(.0))]
    PortText(String),
    /// The port is larger than any port.
    #[error("Port out of range 0-65535")]
    PortRange,
}

/// The parts of a URL, `urllib.parse.SplitResult`. Parts that are missing are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SplitUrl {
    /// In lower case, without its colon.
    pub scheme: String,
    /// Between `//` and the path: user, host and port.
    pub netloc: String,
    /// Still percent-encoded.
    pub path: String,
    /// Without its question mark.
    pub query: String,
    /// Without its hash sign.
    pub fragment: String,
}

/// `urllib.parse.urlsplit(url)`.
pub fn urlsplit(url: &str) -> Result<SplitUrl, UrlError> {
    let url = url.trim_start_matches(|c| c <= ' ');
    let is_dirty = url.bytes().any(|byte| matches!(byte, b'\t' | b'\r' | b'\n'));
    let url = if is_dirty { Cow::Owned(url.replace(['\t', '\r', '\n'], "")) } else { Cow::Borrowed(url) };
    let (scheme, rest) = split_scheme(&url);
    let (netloc, rest) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(memchr::memchr3(b'/', b'?', b'#', rest.as_bytes()).unwrap_or(rest.len())),
        None => ("", rest),
    };
    check_brackets(netloc)?;
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if !netloc.is_ascii() && netloc.contains(NORMALISES_TO_DELIMITER) {
        return Err(UrlError::Nfkc(netloc.to_owned()));
    }
    Ok(SplitUrl {
        scheme: scheme.to_ascii_lowercase(),
        netloc: netloc.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        fragment: fragment.to_owned(),
    })
}

/// Every character whose NFKC form has one of `/?#@:` in it without being one.
const NORMALISES_TO_DELIMITER: [char; 19] = [
    '\u{2047}', '\u{2048}', '\u{2049}', '\u{2100}', '\u{2101}', '\u{2105}', '\u{2106}', '\u{2a74}', '\u{fe13}',
    '\u{fe16}', '\u{fe55}', '\u{fe56}', '\u{fe5f}', '\u{fe6b}', '\u{ff03}', '\u{ff0f}', '\u{ff1a}', '\u{ff1f}',
    '\u{ff20}',
];

fn split_scheme(url: &str) -> (&str, &str) {
    match url.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')) =>
        {
            (scheme, rest)
        }
        _ => ("", url),
    }
}

fn check_brackets(netloc: &str) -> Result<(), UrlError> {
    match (netloc.contains('['), netloc.contains(']')) {
        (false, false) => return Ok(()),
        (true, true) => {}
        _ => return Err(UrlError::Brackets),
    }
    let after = netloc.split_once('[').map_or("", |(_, after)| after);
    let host = after.split_once(']').map_or(after, |(host, _)| host);
    if let Some(future) = host.strip_prefix('v') {
        let valid = future.split_once('.').is_some_and(|(version, rest)| {
            !version.is_empty() && version.bytes().all(|b| b.is_ascii_hexdigit()) && !rest.is_empty()
        });
        return if valid { Ok(()) } else { Err(UrlError::IpvFuture) };
    }
    if host.parse::<Ipv4Addr>().is_ok() {
        return Err(UrlError::BracketedIpv4);
    }
    let address = match host.split_once('%') {
        Some((address, zone)) if !zone.is_empty() && !zone.contains('%') => Some(address),
        Some(_) => None,
        None => Some(host),
    };
    match address.map(str::parse::<Ipv6Addr>) {
        Some(Ok(_)) => Ok(()),
        _ => Err(UrlError::NoAddress(host.to_owned())),
    }
}

impl SplitUrl {
    /// `urllib.parse.urlunsplit(parts)`, for schemes that have hosts. An empty query loses its question mark.
    pub fn unsplit(&self) -> String {
        let mut url = String::new();
        if !self.scheme.is_empty() {
            url = format!("{}:", self.scheme);
        }
        if !self.netloc.is_empty() || (!self.scheme.is_empty() && !self.path.starts_with("//")) {
            let slash = if self.path.is_empty() || self.path.starts_with('/') { "" } else { "/" };
            url = format!("{url}//{}{slash}", self.netloc);
        }
        url.push_str(&self.path);
        for (mark, part) in [('?', &self.query), ('#', &self.fragment)] {
            if !part.is_empty() {
                url.push(mark);
                url.push_str(part);
            }
        }
        url
    }

    fn host_and_port(&self) -> (&str, &str) {
        let host_info = self.netloc.rsplit_once('@').map_or(self.netloc.as_str(), |(_, host_info)| host_info);
        match host_info.split_once('[') {
            Some((_, bracketed)) => {
                let (host, rest) = bracketed.split_once(']').unwrap_or((bracketed, ""));
                (host, rest.split_once(':').map_or("", |(_, port)| port))
            }
            None => host_info.split_once(':').unwrap_or((host_info, "")),
        }
    }

    /// The host in lower case and without brackets, except for the zone of an IPv6 address, which keeps its case.
    pub fn hostname(&self) -> Option<String> {
        let (host, _) = self.host_and_port();
        if host.is_empty() {
            return None;
        }
        Some(match host.split_once('%') {
            Some((address, zone)) => format!("{}%{zone}", address.to_lowercase()),
            None => host.to_lowercase(),
        })
    }

    /// The port, if there is one.
    pub fn port(&self) -> Result<Option<u16>, UrlError> {
        let (_, port) = self.host_and_port();
        if port.is_empty() {
            return Ok(None);
        }
        if !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(UrlError::PortText(port.to_owned()));
        }
        let significant = port.trim_start_matches('0');
        if significant.is_empty() {
            return Ok(Some(0));
        }
        significant.parse().map(Some).map_err(|_| UrlError::PortRange)
    }
}

/// `urllib.parse.unquote(text)`: percent escapes are UTF-8, and bytes that are not become U+FFFD.
pub fn unquote(text: &str) -> Cow<'_, str> {
    unquote_with(text, |bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// `urllib.parse.unquote(text, encoding="iso-8859-1")`.
pub fn unquote_latin1(text: &str) -> Cow<'_, str> {
    unquote_with(text, latin1)
}

/// Percent escapes are decoded per run of ASCII characters: a character beyond ASCII is never combined with the bytes around it.
fn unquote_with(text: &str, decode: impl Fn(&[u8]) -> String) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (run, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii()).unwrap_or(rest.len()));
        out.push_str(&decode(&percent_decode_str(run).collect::<Vec<u8>>()));
        let (plain, tail) = tail.split_at(tail.find(|c: char| c.is_ascii()).unwrap_or(tail.len()));
        out.push_str(plain);
        rest = tail;
    }
    Cow::Owned(out)
}

/// The characters that `urllib.parse.quote` escapes.
const QUOTED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'/');

/// `urllib.parse.quote(text)`: all characters except letters, digits and `_.-~/` are escaped as UTF-8.
pub fn quote(text: &str) -> String {
    utf8_percent_encode(text, QUOTED).to_string()
}

/// [`quote`] for bytes that need not be UTF-8.
pub fn quote_bytes(bytes: &[u8]) -> String {
    percent_encoding::percent_encode(bytes, QUOTED).to_string()
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
