//! Cookies as Python's `http.cookies` reads and writes them.
//!
//! Follows CPython 3.11 (`BaseCookie.load`, `Morsel`) with wptserve's rule for values (4.0.3, `request.py`,
//! `BinaryCookieParser`: bytes as sent, quotes included). This is not a cookie jar and does not follow RFC 6265: the parser stops where
//! CPython stops.

use std::{
    ops::Range,
    time::{Duration, SystemTime},
};

use super::text::{encode_latin1, repr};

/// Why CPython raises `CookieError`. The text is that of the exception.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CookieError {
    /// The name has a character that names must not have, or is empty.
    #[error("Illegal key {}", repr(.0))]
    IllegalKey(String),
    /// The name is that of an attribute.
    #[error("Attempt to set a reserved key {}", repr(.0))]
    ReservedKey(String),
    /// Cookies have no attribute of this name.
    #[error("Invalid attribute {}", repr(.0))]
    InvalidAttribute(String),
}

/// The value of a cookie attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// Text.
    Text(String),
    /// A number: seconds for `max-age`, seconds from now for `expires`.
    Int(i64),
    /// Whether a flag is set.
    Flag(bool),
    /// Python's `None`, which `$Path` without a value leaves behind.
    None,
}

/// Attribute names in Python's sorted order, and their spelling in the header.
const ATTRIBUTES: [(&str, &str); 9] = [
    ("comment", "Comment"),
    ("domain", "Domain"),
    ("expires", "expires"),
    ("httponly", "HttpOnly"),
    ("max-age", "Max-Age"),
    ("path", "Path"),
    ("samesite", "SameSite"),
    ("secure", "Secure"),
    ("version", "Version"),
];

/// One cookie with its attributes: CPython's `Morsel`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Morsel {
    /// The name.
    pub key: String,
    /// The value as bytes.
    pub value: Vec<u8>,
    /// The value as written in the header.
    pub coded_value: String,
    /// Attributes that have been set, by their lower-case name. All others are Python's empty string.
    attributes: Vec<(&'static str, Attribute)>,
}

impl Morsel {
    /// `Morsel.set(key, value, coded_value)` on a fresh morsel.
    pub fn new(key: &str, value: &[u8], coded_value: &str) -> Result<Morsel, CookieError> {
        if attribute_name(key).is_some() {
            return Err(CookieError::ReservedKey(key.to_owned()));
        }
        if !is_legal_key(key) {
            return Err(CookieError::IllegalKey(key.to_owned()));
        }
        Ok(Morsel {
            key: key.to_owned(),
            value: value.to_vec(),
            coded_value: coded_value.to_owned(),
            attributes: Vec::new(),
        })
    }

    /// `morsel[name] = value`, where the case of `name` does not matter.
    pub fn set(&mut self, name: &str, value: Attribute) -> Result<(), CookieError> {
        let known = attribute_name(name).ok_or_else(|| CookieError::InvalidAttribute(name.to_lowercase()))?;
        self.attributes.retain(|(other, _)| *other != known);
        self.attributes.push((known, value));
        Ok(())
    }

    /// `morsel[name]`, or `None` where Python has its initial empty string.
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// `Morsel.OutputString()`: the value of a `Set-Cookie` header.
    pub fn output_string(&self) -> String {
        let mut out = format!("{}={}", self.key, self.coded_value);
        for (name, written) in ATTRIBUTES {
            let Some(value) = self.get(name) else { continue };
            let text = match (name, value) {
                (_, Attribute::Text(text)) if text.is_empty() => continue,
                ("secure" | "httponly", Attribute::Flag(false) | Attribute::None | Attribute::Int(0)) => continue,
                ("secure" | "httponly", _) => {
                    out.push_str("; ");
                    out.push_str(written);
                    continue;
                }
                ("expires", Attribute::Int(seconds)) => date_in(*seconds),
                ("comment", Attribute::Text(text)) => quote(text),
                (_, Attribute::Text(text)) => text.clone(),
                (_, Attribute::Int(number)) => number.to_string(),
                (_, Attribute::Flag(true)) => "True".to_owned(),
                (_, Attribute::Flag(false)) => "False".to_owned(),
                (_, Attribute::None) => "None".to_owned(),
            };
            out.push_str("; ");
            out.push_str(written);
            out.push('=');
            out.push_str(&text);
        }
        out
    }
}

/// Reads the value of a `Cookie` header, which is latin-1 text.
///
/// The cookies come in the order of their first appearance; a repeated name replaces the value and keeps the attributes. The parser
/// stops at the first text that is not a cookie. Some mistakes (an attribute before any cookie, a cookie without a value) make the
/// whole header invalid, and the result empty.
pub fn load(text: &str) -> Result<Vec<Morsel>, CookieError> {
    let mut morsels: Vec<Morsel> = Vec::new();
    let mut current = 0;
    for item in parse(text).unwrap_or_default() {
        match item {
            Item::Attribute(name, value) => {
                if let Some(morsel) = morsels.get_mut(current) {
                    morsel.set(name, value)?;
                }
            }
            Item::Cookie(key, coded_value) => {
                let value = encode_latin1(coded_value).unwrap_or_else(|| coded_value.as_bytes().to_vec());
                let morsel = Morsel::new(key, &value, coded_value)?;
                match morsels.iter_mut().enumerate().find(|(_, other)| other.key == key) {
                    Some((at, other)) => {
                        current = at;
                        *other = Morsel { attributes: std::mem::take(&mut other.attributes), ..morsel };
                    }
                    None => {
                        current = morsels.len();
                        morsels.push(morsel);
                    }
                }
            }
        }
    }
    Ok(morsels)
}

enum Item<'a> {
    Cookie(&'a str, &'a str),
    Attribute(&'a str, Attribute),
}

/// `BaseCookie.__parse_string` up to the point where the cookies are applied. `None` if the header is invalid as a whole.
fn parse(text: &str) -> Option<Vec<Item<'_>>> {
    let mut items = Vec::new();
    let mut at = 0;
    let mut cookie_seen = false;
    while at < text.len() {
        let Some(pair) = match_pair(text, at) else { break };
        at = pair.end;
        let key = text.get(pair.key)?;
        let value = pair.value.and_then(|range| text.get(range));
        if let Some(name) = key.strip_prefix('$') {
            if cookie_seen {
                let value = value.map_or(Attribute::None, |value| Attribute::Text(value.to_owned()));
                items.push(Item::Attribute(name, value));
            }
        } else if let Some(name) = attribute_name(key) {
            let value = match value {
                _ if !cookie_seen => return None,
                Some(value) => Attribute::Text(unquote(value)),
                None if matches!(name, "secure" | "httponly") => Attribute::Flag(true),
                None => return None,
            };
            items.push(Item::Attribute(name, value));
        } else {
            items.push(Item::Cookie(key, value?));
            cookie_seen = true;
        }
    }
    Some(items)
}

struct Pair {
    key: Range<usize>,
    value: Option<Range<usize>>,
    end: usize,
}

/// Matches CPython's cookie pattern at `start`: `key`, perhaps `= value`, and white space, a semicolon or the end.
///
/// The key is the shortest that matches, because `=` may be part of a key as well. The alternatives of the pattern are tried in its
/// order; those that cannot match at their position are left out.
fn match_pair(text: &str, start: usize) -> Option<Pair> {
    let bytes = text.as_bytes();
    let key_start = skip_space(bytes, start);
    let mut value_run = 0..0;
    let mut key_end = key_start;
    while bytes.get(key_end).is_some_and(|byte| is_key_byte(*byte)) {
        key_end += 1;
        let equals = skip_space(bytes, key_end);
        if bytes.get(equals) == Some(&b'=')
            && let Some((value, end)) = match_value(bytes, equals + 1, &mut value_run)
        {
            return Some(Pair { key: key_start..key_end, value: Some(value), end });
        }
        if let Some(end) = match_end(bytes, key_end) {
            return Some(Pair { key: key_start..key_end, value: None, end });
        }
    }
    None
}

/// Matches the text behind the equals sign. `run` remembers the last run of value characters, so that a long text of equals signs is
/// not scanned again for each of them.
fn match_value(bytes: &[u8], after_equals: usize, run: &mut Range<usize>) -> Option<(Range<usize>, usize)> {
    let start = skip_space(bytes, after_equals);
    let finish = |end: usize| Some((start..end, match_end(bytes, end)?));
    if let Some(found) = quoted_end(bytes, start).and_then(finish) {
        return Some(found);
    }
    if let Some(found) = date_ends(bytes, start).into_iter().flatten().find_map(finish) {
        return Some(found);
    }
    if !run.contains(&start) {
        let len = bytes.get(start..).unwrap_or_default().iter().take_while(|byte| is_value_byte(**byte)).count();
        *run = start..start + len;
    }
    if let Some(found) = finish(run.end.max(start)) {
        return Some(found);
    }
    // If the value does not match, the white space before it can end an empty value.
    (start > after_equals).then(|| (start - 1..start - 1, start))
}

/// `\s*(\s+|;|$)`
fn match_end(bytes: &[u8], at: usize) -> Option<usize> {
    let end = skip_space(bytes, at);
    match bytes.get(end) {
        None => Some(end),
        Some(b';') => Some(end + 1),
        Some(_) if end > at => Some(end),
        Some(_) => None,
    }
}

/// `"(?:[^\\"]|\\.)*"`
fn quoted_end(bytes: &[u8], start: usize) -> Option<usize> {
    if bytes.get(start) != Some(&b'"') {
        return None;
    }
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' if matches!(bytes.get(at + 1)?, b'\n') => return None,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Where `\w{3},\s[\w\d\s-]{9,11}\s[\d:]{8}\sGMT` may end, longest first.
fn date_ends(bytes: &[u8], start: usize) -> [Option<usize>; 3] {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let all = |from: usize, len: usize, test: &dyn Fn(&u8) -> bool| {
        bytes.get(from..from + len).is_some_and(|part| part.iter().all(test))
    };
    let space = |at: usize| bytes.get(at).is_some_and(|byte| is_ascii_space(*byte));
    if !all(start, 3, &is_word) || bytes.get(start + 3) != Some(&b',') || !space(start + 4) {
        return [None; 3];
    }
    [11, 10, 9].map(|len| {
        let day = start + 5;
        let time = day + len + 1;
        let fits = all(day, len, &|byte| is_word(byte) || is_ascii_space(*byte) || *byte == b'-')
            && space(time - 1)
            && all(time, 8, &|byte| byte.is_ascii_digit() || *byte == b':')
            && space(time + 8)
            && bytes.get(time + 9..time + 12) == Some(b"GMT");
        fits.then_some(time + 12)
    })
}

fn skip_space(bytes: &[u8], at: usize) -> usize {
    at + bytes.get(at..).unwrap_or_default().iter().take_while(|byte| is_ascii_space(**byte)).count()
}

/// `\s` in a pattern with `re.ASCII`.
fn is_ascii_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_!#%&'~`><@,:/$*+-.^|)(?}{=".contains(&byte)
}

fn is_value_byte(byte: u8) -> bool {
    is_key_byte(byte) || matches!(byte, b'[' | b']')
}

fn attribute_name(key: &str) -> Option<&'static str> {
    ATTRIBUTES.iter().map(|(name, _)| *name).find(|name| name.eq_ignore_ascii_case(key))
}

fn is_legal_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:".contains(&b))
}

/// `http.cookies._unquote`.
fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = escaped.chars();
        match (escaped.as_bytes(), chars.next()) {
            ([a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..], _) => {
                out.push(char::from((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0')));
                rest = escaped.get(3..).unwrap_or_default();
            }
            (_, Some(c)) if c != '\n' => {
                out.push(c);
                rest = chars.as_str();
            }
            _ => {
                out.push('\\');
                rest = escaped;
            }
        }
    }
    out.push_str(rest);
    out
}

/// `http.cookies._quote`.
fn quote(text: &str) -> String {
    if is_legal_key(text) {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            _ if c > '\u{ff}' => out.push(c),
            _ if c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~: ()/<=>?@[]{}".contains(c) => out.push(c),
            _ => out.push_str(&format!("\\{:03o}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// The date this many seconds from now, or the nearest date that can be written.
fn date_in(seconds: i64) -> String {
    let span = Duration::from_secs(seconds.unsigned_abs());
    let now = SystemTime::now();
    let then = if seconds < 0 { now.checked_sub(span) } else { now.checked_add(span) };
    // The formatter cannot write a date after the year 9999.
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    httpdate::fmt_http_date(then.unwrap_or(last).clamp(SystemTime::UNIX_EPOCH, last))
}

#[cfg(test)]
#[path = "cookies_tests.rs"]
mod tests;
