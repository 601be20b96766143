//! The request line and the header fields, read piece by piece as they arrive.
//!
//! Follows CPython 3.11 (`http/server.py`, `parse_request`; `http/client.py`, `_read_headers`) under wptserve 4.0.3 (`server.py`:
//! `get_request_line`, 512 header lines). A request that CPython refuses is answered with CPython's own page. This module reads only
//! `Connection`, `Expect` and the headers that frame the body; it does not read the body.

use std::ops::Range;

use bytes::Bytes;

use super::{
    answer::error_page::{ErrorPage, Parts},
    body::framing::{BadFraming, Framing, framing},
    headers::Headers,
    text::{is_space, latin1, repr},
};

/// The longest line CPython accepts, with its line end.
const MAX_LINE: usize = 65536;
/// The most header lines wptserve accepts, the empty one included.
const MAX_LINES: usize = 512;

/// The head of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The request line as it came, with its line end: wptserve's `request.request_line`.
    pub request_line: Bytes,
    /// The first word of the request line, in the case it came in.
    pub method: Bytes,
    /// The second word. Slashes at its start are reduced to one.
    pub target: Bytes,
    /// The third word, or `HTTP/0.9` when there is none.
    pub version: Bytes,
    /// The header fields.
    pub headers: Headers,
    /// Where the body ends. On an error the request has to be refused, and its connection closed.
    pub framing: Result<Framing, Box<BadFraming>>,
    /// Whether the request allows the connection to stay open.
    pub keep_alive: bool,
    /// Whether `100 Continue` has to be sent now.
    pub expect_continue: bool,
    /// The request line was too long and has been cut: wptserve answers 414 instead of serving the request.
    pub line_too_long: bool,
}

/// The result of reading the bytes so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadStep {
    /// Not enough yet: read more and ask again with the longer buffer.
    More,
    /// A head.
    Head {
        /// The head itself.
        head: Head,
        /// The number of bytes to drop from the buffer.
        consumed: usize,
    },
    /// CPython refuses the request.
    Reject {
        /// The whole answer.
        answer: Bytes,
        /// Whether the connection closes afterwards.
        close: bool,
        /// The number of bytes to drop from the buffer.
        consumed: usize,
    },
    /// Close without an answer.
    Close,
}

/// Reads heads from the front of a growing buffer. It searches every byte only once for the end of a line.
#[derive(Debug, Default)]
pub struct HeadReader {
    /// The current line does not end before this offset.
    scanned: usize,
    /// The offset at which the current line starts.
    line_start: usize,
    /// The number of header lines that have been read.
    lines: usize,
    start: Option<Start>,
    /// The most bytes of a head; none where there is no bound.
    most: Option<usize>,
}

/// The request line, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Start {
    len: usize,
    method: Range<usize>,
    target: Range<usize>,
    version: Option<Range<usize>>,
    /// The version is 1.1 or later, as numbers.
    persistent: bool,
    /// Whether the answer has a head: it has none for HTTP/0.9, named or implied.
    has_response_head: bool,
    is_head: bool,
}

impl Start {
    /// What a refusal consists of.
    fn parts(&self) -> Parts {
        match (self.has_response_head, self.is_head) {
            (false, _) => Parts::Body,
            (true, true) => Parts::Head,
            (true, false) => Parts::HeadAndBody,
        }
    }
}

/// Why a request line is refused.
enum Refusal {
    /// Nothing but white space: CPython closes without an answer.
    Blank,
    Page(ErrorPage, Parts),
}

enum Line {
    More,
    /// The input has ended and no byte is left.
    End,
    Complete(Range<usize>),
}

/// The answer to a head that does not come to its end in time: 408.
pub fn too_slow() -> Bytes {
    let page = ErrorPage {
        code: 408,
        message: "Request Timeout".to_owned(),
        explain: "The request line and the headers did not come in time",
    };
    page.encode(Parts::HeadAndBody)
}

impl HeadReader {
    /// A reader of heads with at most so many bytes. wptserve has no such bound: its lines may have 32 MiB together.
    pub fn bounded(most: Option<u64>) -> Self {
        Self { most: most.map(|most| usize::try_from(most).unwrap_or(usize::MAX)), ..Self::default() }
    }

    /// Reads `buf`, whose first byte is the first one that has not been consumed; `eof` says that no more will come. After any
    /// other result than [`HeadStep::More`] the reader starts over.
    pub fn step(&mut self, buf: &[u8], eof: bool) -> HeadStep {
        let step = self.advance(buf, eof);
        if step != HeadStep::More {
            *self = Self { most: self.most, ..Self::default() };
        }
        step
    }

    /// Whether so many bytes are more than a head may have.
    fn is_too_long(&self, length: usize) -> bool {
        self.most.is_some_and(|most| length > most)
    }

    fn advance(&mut self, buf: &[u8], eof: bool) -> HeadStep {
        let start = match self.start.take() {
            Some(start) => start,
            None => {
                let line = match self.next_line(buf, eof) {
                    Line::More if self.is_too_long(buf.len()) => return self.reject_length(Parts::HeadAndBody),
                    Line::More => return HeadStep::More,
                    Line::End => return HeadStep::Close,
                    Line::Complete(line) => line,
                };
                match parse_request_line(buf.get(line).unwrap_or_default()) {
                    Ok(start) => start,
                    Err(Refusal::Blank) => return HeadStep::Close,
                    Err(Refusal::Page(page, parts)) => return self.reject(&page, parts),
                }
            }
        };
        loop {
            let line = match self.next_line(buf, eof) {
                Line::More if self.is_too_long(buf.len()) => return self.reject_length(start.parts()),
                Line::More => {
                    self.start = Some(start);
                    return HeadStep::More;
                }
                // CPython counts the empty read at the end of the input as a line.
                Line::End => buf.len()..buf.len(),
                Line::Complete(line) => line,
            };
            if self.is_too_long(self.line_start) {
                return self.reject_length(start.parts());
            }
            if line.len() > MAX_LINE {
                return self.reject_headers(
                    &start,
                    "Line too long",
                    "got more than 65536 bytes when reading header line",
                );
            }
            self.lines += 1;
            if self.lines > MAX_LINES {
                return self.reject_headers(&start, "Too many headers", "got more than 512 headers");
            }
            if let Some(b"" | b"\n" | b"\r\n") = buf.get(line) {
                return self.finish(&start, buf);
            }
        }
    }

    /// Python's `readline(65537)`.
    fn next_line(&mut self, buf: &[u8], eof: bool) -> Line {
        let limit = self.line_start + MAX_LINE + 1;
        let window = buf.get(self.scanned..buf.len().min(limit)).unwrap_or_default();
        let end = match memchr::memchr(b'\n', window) {
            Some(at) => self.scanned + at + 1,
            None if buf.len() >= limit => limit,
            None if !eof => {
                self.scanned = buf.len();
                return Line::More;
            }
            None if buf.len() > self.line_start => buf.len(),
            None => return Line::End,
        };
        let line = self.line_start..end;
        self.scanned = end;
        self.line_start = end;
        Line::Complete(line)
    }

    fn reject_length(&self, parts: Parts) -> HeadStep {
        let message = "Request Header Fields Too Large".to_owned();
        self.reject(&ErrorPage { code: 431, message, explain: "More bytes than bounds.head_bytes allows" }, parts)
    }

    fn reject_headers(&self, start: &Start, message: &str, explain: &'static str) -> HeadStep {
        self.reject(&ErrorPage { code: 431, message: message.to_owned(), explain }, start.parts())
    }

    fn reject(&self, page: &ErrorPage, parts: Parts) -> HeadStep {
        HeadStep::Reject { answer: page.encode(parts), close: true, consumed: self.line_start }
    }

    fn finish(&self, start: &Start, buf: &[u8]) -> HeadStep {
        let consumed = self.line_start;
        let bytes = Bytes::copy_from_slice(buf.get(..consumed).unwrap_or_default());
        let block = cut(&bytes, start.len..consumed);
        let headers = Headers::parse(&block);
        let framing = framing(&block, &headers, start.persistent).map_err(Box::new);
        let version = match &start.version {
            Some(range) => cut(&bytes, range.clone()),
            None => Bytes::from_static(b"HTTP/0.9"),
        };
        let keep_alive = match headers.get("Connection") {
            Some(value) if value.eq_ignore_ascii_case(b"close") => false,
            Some(value) if value.eq_ignore_ascii_case(b"keep-alive") => true,
            _ => start.persistent,
        };
        // The version is compared as text here, as CPython does: HTTP/1.10 gets a 100, HTTP/01.1 does not.
        let expect_continue = headers.get("Expect").is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"))
            && version.as_ref() >= b"HTTP/1.1".as_ref()
            // A refused request does not need its body.
            && framing.is_ok();
        let head = Head {
            request_line: cut(&bytes, 0..start.len),
            method: cut(&bytes, start.method.clone()),
            target: cut(&bytes, start.target.clone()),
            version,
            headers,
            framing,
            keep_alive,
            expect_continue,
            line_too_long: start.len > MAX_LINE,
        };
        HeadStep::Head { head, consumed }
    }
}

/// Part of `bytes`, empty if the range is outside: a caller that passes a shorter buffer than before must not cause a panic.
fn cut(bytes: &Bytes, range: Range<usize>) -> Bytes {
    if range.start <= range.end && range.end <= bytes.len() { bytes.slice(range) } else { Bytes::new() }
}

fn parse_request_line(raw: &[u8]) -> Result<Start, Refusal> {
    let end = raw.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |at| at + 1);
    let line = raw.get(..end).unwrap_or_default();
    let words = split_words(line);
    let word = |range: &Range<usize>| line.get(range.clone()).unwrap_or_default();

    let mut version = None;
    let mut persistent = false;
    if let ([_, _, ..], Some(last)) = (words.as_slice(), words.get(2..).and_then(<[_]>::last)) {
        let numbers = parse_version(word(last)).ok_or_else(|| {
            let message = format!("Bad request version ({})", repr(&latin1(word(last))));
            Refusal::Page(bad_request(message), Parts::Body)
        })?;
        if numbers >= (2, 0) {
            let number = word(last).get(b"HTTP/".len()..).unwrap_or_default();
            let message = format!("Invalid HTTP version ({})", latin1(number));
            let page = ErrorPage { code: 505, message, explain: "Cannot fulfill request" };
            return Err(Refusal::Page(page, Parts::Body));
        }
        persistent = numbers >= (1, 1);
        version = Some(last.clone());
    }
    let has_response_head = version.as_ref().is_some_and(|range| word(range) != b"HTTP/0.9");
    let (method, target) = match words.as_slice() {
        [] => return Err(Refusal::Blank),
        [method, target] if word(method) == b"GET" => (method, target),
        [method, _] => {
            let message = format!("Bad HTTP/0.9 request type ({})", repr(&latin1(word(method))));
            return Err(Refusal::Page(bad_request(message), Parts::Body));
        }
        [method, target, _] => (method, target),
        _ => {
            let parts = if has_response_head { Parts::HeadAndBody } else { Parts::Body };
            let message = format!("Bad request syntax ({})", repr(&latin1(line)));
            return Err(Refusal::Page(bad_request(message), parts));
        }
    };
    let slashes = word(target).iter().take_while(|byte| **byte == b'/').count();
    Ok(Start {
        len: raw.len(),
        target: target.start + slashes.saturating_sub(1)..target.end,
        is_head: word(method) == b"HEAD",
        method: method.clone(),
        version,
        persistent,
        has_response_head,
    })
}

fn bad_request(message: String) -> ErrorPage {
    ErrorPage { code: 400, message, explain: "Bad request syntax or unsupported method" }
}

/// Python's `str.split()` on latin-1 text.
fn split_words(line: &[u8]) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, byte) in line.iter().enumerate() {
        match (is_space(*byte), start) {
            (true, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    if let Some(from) = start {
        words.push(from..line.len());
    }
    words
}

/// Major and minor number of `HTTP/x.y`. Superscript digits pass CPython's `isdigit()`, but then fail its `int()`.
fn parse_version(word: &[u8]) -> Option<(u64, u64)> {
    let number = word.strip_prefix(b"HTTP/")?;
    let mut parts = number.split(|byte| *byte == b'.');
    let (Some(major), Some(minor), None) = (parts.next(), parts.next(), parts.next()) else { return None };
    Some((version_number(major)?, version_number(minor)?))
}

fn version_number(digits: &[u8]) -> Option<u64> {
    if !(1..=10).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
