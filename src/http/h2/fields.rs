//! The header fields that a request may have, and the form of those of an answer.
//!
//! Requests are judged by RFC 9113, section 8. Answers follow hyper-h2 4.1.0 (`utilities.py`: `normalize_outbound_headers` and
//! `validate_outbound_headers`), whose texts handlers see.

use bytes::Bytes;

use super::{Field, SendError};

/// Fields that belong to an HTTP/1 connection and not to a message.
const CONNECTION: [&[u8]; 5] = [b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"];

fn is_pseudo(name: &[u8]) -> bool {
    name.first() == Some(&b':')
}

/// A name without upper case, spaces and control characters.
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| matches!(byte, 0x21..=0x40 | 0x5b..=0x7e)) && !name.contains(&b':')
}

/// A value without line ends and NUL, and with no white space around it.
fn is_value(value: &[u8]) -> bool {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    !value.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) && !blank(value.first()) && !blank(value.last())
}

/// The fault of a request's fields, if they have one.
pub(super) fn fault_of_request(fields: &[Field]) -> Option<&'static str> {
    if let Some(fault) = fault_of_any(fields) {
        return Some(fault);
    }
    let value = |wanted: &[u8]| fields.iter().find(|(name, _)| &name[..] == wanted).map(|(_, value)| &value[..]);
    let mut seen: Vec<&[u8]> = Vec::new();
    let mut is_over = false;
    for (name, _) in fields {
        if !is_pseudo(name) {
            is_over = true;
            continue;
        }
        if is_over {
            return Some("a pseudo-header field stands behind another field");
        }
        if !matches!(&name[..], b":method" | b":scheme" | b":authority" | b":path" | b":protocol") {
            return Some("there is an unknown pseudo-header field");
        }
        if seen.contains(&&name[..]) {
            return Some("a pseudo-header field is there twice");
        }
        seen.push(name);
    }
    let method = value(b":method").unwrap_or_default();
    if method.is_empty() {
        return Some("there is no :method");
    }
    if method == b"CONNECT" && value(b":protocol").is_none() {
        return (value(b":authority").is_none() || value(b":path").is_some() || value(b":scheme").is_some())
            .then_some("a CONNECT has an :authority and neither :path nor :scheme");
    }
    if value(b":protocol").is_some() && method != b"CONNECT" {
        return Some("there is a :protocol without CONNECT");
    }
    if value(b":scheme").is_none() {
        return Some("there is no :scheme");
    }
    if value(b":path").unwrap_or_default().is_empty() {
        return Some("there is no :path");
    }
    match (value(b":authority"), value(b"host")) {
        (None, None) => Some("there is neither :authority nor host"),
        (Some(authority), Some(host)) if authority != host => Some(":authority and host differ"),
        _ => None,
    }
}

/// The fault of the fields behind a request's body, if they have one.
pub(super) fn fault_of_trailers(fields: &[Field]) -> Option<&'static str> {
    if fields.iter().any(|(name, _)| is_pseudo(name)) {
        return Some("there is a pseudo-header field in trailers");
    }
    fault_of_any(fields)
}

fn fault_of_any(fields: &[Field]) -> Option<&'static str> {
    fields.iter().find_map(|(name, value)| {
        if !is_name(name.strip_prefix(b":").unwrap_or(name)) {
            return Some("the name of a field is malformed");
        }
        if !is_value(value) {
            return Some("the value of a field is malformed");
        }
        if CONNECTION.contains(&&name[..]) {
            return Some("there is a field that belongs to an HTTP/1 connection");
        }
        (&name[..] == b"te" && !value.eq_ignore_ascii_case(b"trailers")).then_some("te is not trailers")
    })
}

/// A request's fields as handlers see them: the cookies joined, and last (hyper-h2, `_combine_cookie_fields`).
pub(super) fn with_joined_cookies(fields: Vec<Field>) -> Vec<Field> {
    let (cookies, mut others): (Vec<Field>, Vec<Field>) =
        fields.into_iter().partition(|(name, _)| &name[..] == b"cookie");
    if !cookies.is_empty() {
        let crumbs: Vec<&[u8]> = cookies.iter().map(|(_, crumb)| &crumb[..]).collect();
        others.push((Bytes::from_static(b"cookie"), crumbs.join(&b"; "[..]).into()));
    }
    others
}

/// The purpose of a block of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Answer,
    Trailers,
    Promise,
}

/// The fields as they are sent: names in lower case, no white space around names and values, no fields of HTTP/1 connections.
pub(super) fn outbound(fields: &[Field], block: Block) -> Result<Vec<Field>, SendError> {
    let tidy = |(name, value): &Field| (lower(name), value.slice_ref(value.trim_ascii()));
    let fields: Vec<Field> = fields.iter().map(tidy).filter(|(name, _)| !CONNECTION.contains(&&name[..])).collect();
    check(&fields, block).map_err(SendError::Protocol)?;
    Ok(fields)
}

/// In lower case, as Python's `str.lower` has it, if it is text.
fn lower(name: &Bytes) -> Bytes {
    let name = name.slice_ref(name.trim_ascii());
    match std::str::from_utf8(&name) {
        Ok(text) if !text.is_ascii() => text.to_lowercase().into(),
        _ if name.iter().any(u8::is_ascii_uppercase) => name.to_ascii_lowercase().into(),
        _ => name,
    }
}

fn check(fields: &[Field], block: Block) -> Result<(), String> {
    let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut seen: Vec<&[u8]> = Vec::new();
    let mut is_over = false;
    for (name, value) in fields {
        if &name[..] == b"te" && !value.eq_ignore_ascii_case(b"trailers") {
            return Err(format!("Invalid value for TE header: {}", show(value)));
        }
        if !is_pseudo(name) {
            is_over = true;
            continue;
        }
        if seen.contains(&&name[..]) {
            return Err(format!("Received duplicate pseudo-header field {}", show(name)));
        }
        seen.push(name);
        if is_over {
            return Err(format!("Received pseudo-header field out of sequence: {}", show(name)));
        }
        if !matches!(&name[..], b":method" | b":scheme" | b":authority" | b":path" | b":status" | b":protocol") {
            return Err(format!("Received custom pseudo-header field {}", show(name)));
        }
    }
    // Python prints a set here, whose order is random when it has more than one element.
    let set = |names: &[&[u8]]| {
        let names: Vec<String> = names.iter().map(|name| format!("'{}'", show(name))).collect();
        format!("{{{}}}", names.join(", "))
    };
    let missing = |wanted: &[u8]| format!("Header block missing mandatory {} header", show(wanted));
    match block {
        Block::Trailers if !seen.is_empty() => Err(format!("Received pseudo-header in trailer {}", set(&seen))),
        Block::Trailers => Ok(()),
        Block::Answer => {
            if !seen.contains(&&b":status"[..]) {
                return Err(missing(b":status"));
            }
            seen.retain(|name| *name != b":status");
            if seen.is_empty() { Ok(()) } else { Err(format!("Encountered request-only headers {}", set(&seen))) }
        }
        Block::Promise => {
            for wanted in [&b":path"[..], b":method", b":scheme"] {
                if !seen.contains(&wanted) {
                    return Err(missing(wanted));
                }
            }
            if seen.contains(&&b":status"[..]) {
                return Err(format!("Encountered response-only headers {}", set(&[b":status"])));
            }
            let value = |wanted: &[u8]| fields.iter().rfind(|(name, _)| &name[..] == wanted).map(|(_, value)| value);
            if seen.contains(&&b":protocol"[..]) && value(b":method").is_some_and(|method| &method[..] != b"CONNECT") {
                return Err(format!("Encountered connect-request-only headers {}", set(&[b":protocol"])));
            }
            match (value(b":authority"), value(b"host")) {
                (None, None) => Err("Request header block does not have an :authority or Host header.".to_owned()),
                (Some(authority), Some(host)) if authority != host => Err(format!(
                    "Request header block has mismatched :authority and Host headers: '{}' / '{}'",
                    show(authority),
                    show(host)
                )),
                _ if value(b":path").is_some_and(Bytes::is_empty) => {
                    Err("An empty :path header is forbidden".to_owned())
                }
                _ => Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<Field> {
        let line = |line: &str| {
            let at = line.char_indices().skip(1).find(|(_, sign)| *sign == ':').unwrap().0;
            (line[..at].to_owned().into(), line[at + 1..].to_owned().into())
        };
        text.split('|').map(line).collect()
    }

    #[test]
    fn requests() {
        for good in [
            ":method:GET|:scheme:https|:path:/|:authority:a|x:y",
            ":method:get|:scheme:https|:path:*|host:a",
            ":method:CONNECT|:authority:a",
            ":method:CONNECT|:protocol:websocket|:scheme:https|:path:/|:authority:a",
            ":method:GET|:scheme:https|:path:/|:authority:a|te:Trailers|empty:|x:\u{e9}",
        ] {
            assert_eq!(fault_of_request(&fields(good)), None, "{good}");
        }
        for bad in [
            ":method:GET|:scheme:https|:path:/",
            ":method:GET|:scheme:https|:path:/|:authority:a|host:b",
            ":method:GET|:scheme:https|:path:/|x:y|:authority:a",
            ":method:GET|:method:GET|:scheme:https|:path:/|:authority:a",
            ":method:GET|:scheme:https|:path:|:authority:a",
            ":method:GET|:scheme:https|:authority:a",
            ":method:GET|:path:/|:authority:a",
            ":scheme:https|:path:/|:authority:a",
            ":method:GET|:scheme:https|:path:/|:authority:a|:status:200",
            ":method:GET|:scheme:https|:path:/|:authority:a|:protocol:websocket",
            ":method:GET|:scheme:https|:path:/|:authority:a|X:y",
            ":method:GET|:scheme:https|:path:/|:authority:a|x y:z",
            ":method:GET|:scheme:https|:path:/|:authority:a|x: y",
            ":method:GET|:scheme:https|:path:/|:authority:a|x:a\nb",
            ":method:GET|:scheme:https|:path:/|:authority:a|connection:close",
            ":method:GET|:scheme:https|:path:/|:authority:a|te:gzip",
            ":method:CONNECT|:authority:a|:path:/",
        ] {
            assert!(fault_of_request(&fields(bad)).is_some(), "{bad}");
        }
        assert!(fault_of_trailers(&fields("x:y")).is_none());
        assert!(fault_of_trailers(&fields("x:y|:path:/")).is_some());
    }

    #[test]
    fn cookies_are_joined_at_the_end() {
        let joined = with_joined_cookies(fields("cookie:a=1|x:y|cookie:b=2"));
        assert_eq!(joined, fields("x:y|cookie:a=1; b=2"));
    }

    #[test]
    fn answers_are_tidied() {
        let sent = outbound(&fields(":status:200| X-Name : value |Connection:close|upgrade:x|a:"), Block::Answer);
        assert_eq!(sent.unwrap(), fields(":status:200|x-name:value|a:"));
    }

    #[test]
    fn refusals_are_worded_as_in_hyper_h2() {
        for (text, block, message) in [
            ("a:b", Block::Answer, "Header block missing mandatory :status header"),
            (":status:200|:status:200", Block::Answer, "Received duplicate pseudo-header field :status"),
            (":path:/|:status:200", Block::Answer, "Encountered request-only headers {':path'}"),
            (":status:200|a:b|:path:/", Block::Answer, "Received pseudo-header field out of sequence: :path"),
            (":status:200|:foo:/", Block::Answer, "Received custom pseudo-header field :foo"),
            (":status:200|te:gzip", Block::Answer, "Invalid value for TE header: gzip"),
            (":status:200", Block::Trailers, "Received pseudo-header in trailer {':status'}"),
            ("a:b", Block::Promise, "Header block missing mandatory :path header"),
        ] {
            assert_eq!(outbound(&fields(text), block), Err(SendError::Protocol(message.to_owned())));
        }
        assert!(outbound(&fields(":method:GET|:scheme:https|:path:/|:authority:a"), Block::Promise).is_ok());
        assert!(outbound(&fields("a:b"), Block::Trailers).is_ok());
    }
}
