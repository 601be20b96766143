//! The parts of a form in a request body, as wptserve's `cgi.FieldStorage` finds them: urlencoded or multipart.
//!
//! The form is read as a stream, and large values go into temporary files. The parser follows wptserve 4.0.3, cgi/cgi.py, even where
//! that loses data.

use std::io;

use bytes::Bytes;

use super::{
    reader::{BodyError, BodyReader},
    spill::Spill,
};
use crate::http::{
    Headers,
    query::parse_qsl,
    text::{encode_latin1, latin1, parse_int},
};

/// Larger values are kept in a file (cgi.py, `FieldStorage.__write`).
const IN_MEMORY: usize = 1000;
/// Longer lines are read in pieces.
const MAX_LINE: usize = 1 << 16;
/// The deepest nesting of multipart forms. CPython raises a RecursionError at a much deeper level.
const MAX_DEPTH: usize = 50;

/// Why a form cannot be read.
#[derive(Debug)]
pub enum FormError {
    /// `multipart/…` with this boundary, or none.
    Boundary(Vec<u8>),
    /// Forms are nested too deeply.
    TooDeep,
    /// A body that is not a form: wptserve fails on its own file when it tries to keep the body.
    NoForm,
    /// The body could not be read.
    Body(BodyError),
}

impl From<BodyError> for FormError {
    fn from(failure: BodyError) -> Self {
        FormError::Body(failure)
    }
}

impl From<io::Error> for FormError {
    fn from(error: io::Error) -> Self {
        FormError::Body(BodyError::Io(error))
    }
}

/// A header such as `text/plain; charset=x`: the value, and its options in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// The text in front of the first semicolon.
    pub value: String,
    /// Names in lower case and values without quotes.
    pub options: Vec<(String, String)>,
}

/// The content of a part.
#[derive(Debug)]
pub enum Content {
    /// The content of a field or of a file.
    Bytes(Spill),
    /// An urlencoded form: names and values.
    Fields(Vec<(Vec<u8>, Vec<u8>)>),
    /// A multipart form.
    Parts(Vec<FormPart>),
}

/// One part of a multipart form.
#[derive(Debug)]
pub struct FormPart {
    /// All headers except `Content-Length`.
    pub headers: Headers,
    /// `Content-Disposition`, whose options name the field and the file.
    pub disposition: Parameters,
    /// `Content-Type`, `text/plain` without one.
    pub kind: Parameters,
    /// The content of the part.
    pub content: Content,
    /// 1 at the last boundary, -1 at the end of the body, 0 otherwise.
    pub done: i32,
    read: u64,
}

impl Parameters {
    /// cgi.py, `parse_header`.
    pub fn parse(line: &str) -> Self {
        let mut parts = split_parameters(line).into_iter();
        let value = parts.next().unwrap_or_default().to_owned();
        let mut options: Vec<(String, String)> = Vec::new();
        for part in parts {
            let Some((name, value)) = part.split_once('=') else { continue };
            let name = strip(name).to_lowercase();
            let value = strip(value);
            let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let value = match inner {
                Some(inner) => inner.replace("\\\\", "\\").replace("\\\"", "\""),
                None => value.to_owned(),
            };
            match options.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = value,
                None => options.push((name, value)),
            }
        }
        Parameters { value, options }
    }

    /// The value of an option.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn of(headers: &Headers, name: &str) -> Option<Self> {
        headers.get(name).map(|value| Parameters::parse(&latin1(value)))
    }
}

/// cgi.py, `_parseparam`: splits at semicolons outside of quotes.
fn split_parameters(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut quotes = 0_usize;
    let mut before = None;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            // A semicolon right at the start of a part ends it, even after an odd number of quotes.
            b';' if quotes.is_multiple_of(2) || at == start => {
                parts.push(strip(line.get(start..at).unwrap_or_default()));
                (start, quotes, before) = (at + 1, 0, None);
                continue;
            }
            b'"' if before != Some(b'\\') => quotes += 1,
            _ => {}
        }
        before = Some(byte);
    }
    parts.push(strip(line.get(start..).unwrap_or_default()));
    parts
}

/// `str.strip()`
fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}

/// `bytes.strip()`
fn strip_bytes(line: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b'\t'..=b'\r' | b' ');
    let start = line.iter().position(|byte| !is_space(byte)).unwrap_or(line.len());
    strip_end(line.get(start..).unwrap_or_default())
}

/// `bytes.rstrip()`
fn strip_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b'\t'..=b'\r' | b' ')).map_or(0, |last| last + 1);
    line.get(..end).unwrap_or_default()
}

/// The parts of a form; `None` for a body that is not a form.
///
/// GET and HEAD requests have empty forms: wptserve looks at the query instead of the body, and finds none.
///
/// # Errors
/// See [`FormError`].
pub fn parse(state: &mut BodyReader, headers: &Headers, method: &str) -> Result<Option<Content>, FormError> {
    let method = method.to_uppercase();
    let has_body = method != "GET" && method != "HEAD";
    let kind = Parameters::of(headers, "content-type").unwrap_or_else(|| {
        let value = if method == "POST" { "application/x-www-form-urlencoded" } else { "text/plain" };
        Parameters { value: value.to_owned(), options: Vec::new() }
    });
    let length = headers.get("content-length").and_then(|length| parse_int(length));
    let length = length.and_then(|length| u64::try_from(length).ok());
    let mut reader = Reader { state: has_body.then_some(state), ahead: Vec::new(), at: 0, ended: false };
    if kind.value == "application/x-www-form-urlencoded" {
        let query = reader.read(length)?;
        return Ok(Some(Content::Fields(parse_qsl(&latin1(&query)))));
    }
    if kind.value.starts_with("multipart/") {
        let mut scan = Scan { reader };
        let (parts, _) = scan.parts(&kind, length, length, MAX_DEPTH)?;
        return Ok(Some(Content::Parts(parts)));
    }
    // cgi.py, `FieldStorage.read_binary`, writes bytes into a file for text, unless the request itself claims to be a file.
    let is_file = Parameters::of(headers, "content-disposition").is_some_and(|it| it.option("filename").is_some());
    match length {
        Some(length) if !is_file && !reader.read(Some(length.min(1)))?.is_empty() => Err(FormError::NoForm),
        _ => Ok(None),
    }
}

/// Reads lines of a body.
struct Reader<'a> {
    state: Option<&'a mut BodyReader>,
    ahead: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Reader<'_> {
    /// The next line with its line feed, or a piece of `max` bytes of it. Empty at the end.
    fn line(&mut self, max: usize) -> Result<Vec<u8>, BodyError> {
        let mut looked_at = 0;
        loop {
            let rest = self.ahead.get(self.at..).unwrap_or_default();
            let fresh = rest.get(looked_at..rest.len().min(max)).unwrap_or_default();
            let end = match memchr::memchr(b'\n', fresh) {
                Some(found) => Some(looked_at + found + 1),
                None if rest.len() >= max => Some(max),
                None if self.ended => Some(rest.len()),
                None => None,
            };
            if let Some(end) = end {
                let line = rest.get(..end).unwrap_or_default().to_vec();
                self.at += end;
                return Ok(line);
            }
            looked_at = rest.len();
            self.more()?;
        }
    }

    fn more(&mut self) -> Result<(), BodyError> {
        self.ahead.drain(..self.at.min(self.ahead.len()));
        self.at = 0;
        let more = match &mut self.state {
            Some(state) => state.some(MAX_LINE as u64)?,
            None => Vec::new(),
        };
        self.ended = more.is_empty();
        self.ahead.extend_from_slice(&more);
        Ok(())
    }

    /// `read(length)`, which reads all that follows when there is no length.
    fn read(&mut self, length: Option<u64>) -> Result<Vec<u8>, BodyError> {
        let mut data = self.ahead.split_off(self.at.min(self.ahead.len()));
        if let Some(state) = &mut self.state {
            let count = length.map_or(-1, |length| i64::try_from(length).unwrap_or(i64::MAX));
            data.extend(state.read(count)?);
        }
        Ok(data)
    }
}

struct Scan<'a> {
    reader: Reader<'a>,
}

impl Scan<'_> {
    /// cgi.py, `FieldStorage.read_multi` without its last step: the parts, and their size in bytes.
    fn parts(
        &mut self,
        kind: &Parameters,
        length: Option<u64>,
        limit: Option<u64>,
        depth: usize,
    ) -> Result<(Vec<FormPart>, u64), FormError> {
        let depth = depth.checked_sub(1).ok_or(FormError::TooDeep)?;
        let boundary = encode_latin1(kind.option("boundary").unwrap_or_default()).unwrap_or_default();
        if !is_valid_boundary(&boundary) {
            return Err(FormError::Boundary(boundary));
        }
        let opening = [b"--", boundary.as_slice()].concat();
        let mut read = 0;
        loop {
            let line = self.reader.line(usize::MAX)?;
            read += line.len() as u64;
            if line.is_empty() || strip_bytes(&line) == opening {
                break;
            }
        }
        let mut parts = Vec::new();
        loop {
            let mut head = Vec::new();
            loop {
                let line = self.reader.line(usize::MAX)?;
                head.extend_from_slice(&line);
                if strip_bytes(&line).is_empty() {
                    break;
                }
            }
            if head.is_empty() {
                break;
            }
            read += head.len() as u64;
            // In cgi.py a limit that is used up counts as no limit.
            let limit = limit.and_then(|limit| limit.checked_sub(read));
            let part = self.part(&Bytes::from(head), &boundary, limit, depth)?;
            read += part.read;
            let done = part.done != 0;
            parts.push(part);
            if done || length.is_some_and(|length| length > 0 && read >= length) {
                break;
            }
        }
        Ok((parts, read))
    }

    /// cgi.py, `FieldStorage.__init__` for a part.
    fn part(&mut self, head: &Bytes, outer: &[u8], limit: Option<u64>, depth: usize) -> Result<FormPart, FormError> {
        let headers = Headers::parse(head);
        let fields = headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(b"content-length"));
        let headers: Headers = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
        let disposition = Parameters::of(&headers, "content-disposition").unwrap_or_default();
        let kind = Parameters::of(&headers, "content-type")
            .unwrap_or_else(|| Parameters { value: "text/plain".to_owned(), options: Vec::new() });
        let mut part =
            FormPart { headers, disposition, kind, content: Content::Bytes(Spill::new(IN_MEMORY)), done: 0, read: 0 };
        if part.kind.value == "application/x-www-form-urlencoded" {
            // A part has no length, so all following bytes are taken for its content.
            let query = self.reader.read(None)?;
            part.content = Content::Fields(parse_qsl(&latin1(&query)));
            self.skip(&mut part, outer)?;
        } else if part.kind.value.starts_with("multipart/") {
            let (parts, read) = self.parts(&part.kind, None, limit, depth)?;
            part.content = Content::Parts(parts);
            part.read = read;
            self.skip(&mut part, outer)?;
        } else {
            self.lines(&mut part, outer, limit)?;
        }
        Ok(part)
    }

    /// cgi.py, `FieldStorage.read_lines_to_outerboundary`.
    fn lines(&mut self, part: &mut FormPart, outer: &[u8], limit: Option<u64>) -> Result<(), FormError> {
        let mut content = Spill::new(IN_MEMORY);
        let mut end_before: &[u8] = b"";
        let mut at_line_start = true;
        while limit.is_none_or(|limit| part.read < limit) {
            let mut line = self.reader.line(MAX_LINE)?;
            part.read += line.len() as u64;
            if line.is_empty() {
                part.done = -1;
                break;
            }
            if end_before == b"\r" {
                // The piece before ended between CR and LF.
                line.insert(0, b'\r');
                end_before = b"";
            }
            if at_line_start && let Some(done) = boundary_kind(strip_end(&line), outer) {
                part.done = done;
                break;
            }
            content.append(end_before)?;
            let text;
            (text, end_before) = match line.as_slice() {
                [text @ .., b'\r', b'\n'] => (text, b"\r\n".as_slice()),
                [text @ .., b'\n'] => (text, b"\n".as_slice()),
                [text @ .., b'\r'] => (text, b"\r".as_slice()),
                text => (text, b"".as_slice()),
            };
            at_line_start = end_before.ends_with(b"\n");
            content.append(text)?;
        }
        part.content = Content::Bytes(content);
        Ok(())
    }

    /// cgi.py, `FieldStorage.skip_lines`. It recognises a boundary only in a last line without a line feed.
    fn skip(&mut self, part: &mut FormPart, outer: &[u8]) -> Result<(), FormError> {
        let mut at_line_start = true;
        loop {
            let line = self.reader.line(MAX_LINE)?;
            part.read += line.len() as u64;
            if line.is_empty() {
                part.done = -1;
                return Ok(());
            }
            if line.ends_with(b"--")
                && at_line_start
                && let Some(done) = boundary_kind(strip_bytes(&line), outer)
            {
                part.done = done;
                return Ok(());
            }
            at_line_start = line.ends_with(b"\n");
        }
    }
}

/// 0 for a line that separates parts, 1 for the one that ends them.
fn boundary_kind(line: &[u8], boundary: &[u8]) -> Option<i32> {
    match line.strip_prefix(b"--")?.strip_prefix(boundary)? {
        b"" => Some(0),
        b"--" => Some(1),
        _ => None,
    }
}

/// cgi.py, `valid_boundary`: at most 201 printable characters, the last of which is not a space.
fn is_valid_boundary(boundary: &[u8]) -> bool {
    boundary.len() <= 201
        && boundary.iter().all(|byte| matches!(byte, b' '..=b'~'))
        && boundary.last().is_some_and(|byte| *byte != b' ')
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
