//! Answers without the values that differ from run to run, in the form that `tests/differential/record.py` records.
//!
//! Port, doc root, and the server's own Date and Server become placeholders, and so does what a case masks. A 5xx answer
//! with wptserve's JSON body is reduced to its head, its code, the first line of its message, the frames inside the
//! cases and the last lines: the rest of a traceback runs through files that only one of the two servers has.

use std::net::SocketAddr;

use serde_json::Value;

/// A server's own values, which are replaced by placeholders.
pub struct Side {
    pub address: SocketAddr,
    pub server: String,
    pub root: String,
}

impl Side {
    /// A recorded request with this server's address in it.
    pub fn fill(&self, request: &[u8]) -> Vec<u8> {
        let filled = replaced(request, b"<host>", self.address.to_string().as_bytes());
        replaced(&filled, b"<port>", self.address.port().to_string().as_bytes())
    }

    /// An answer as it is written down.
    pub fn reduced(&self, raw: &[u8], masks: &[String]) -> Vec<u8> {
        let mut masked = self.masked(raw);
        for mask in masks {
            masked = match mask.as_str() {
                "length" => lengths(&masked),
                "expires" => expiries(&masked),
                "uuid" => uuids(&masked),
                "address" => addresses(&masked),
                other => panic!("no mask is named {other}"),
            };
        }
        failure(&masked).unwrap_or(masked)
    }

    fn masked(&self, raw: &[u8]) -> Vec<u8> {
        let masked = numbers(raw, self.address.port().to_string().as_bytes(), b"<port>");
        let masked = lines(&masked, |line| {
            if starts_with(line, b"date: ") && is_date(&line[6..]) {
                Some([&line[..6], b"<date>"].concat())
            } else if starts_with(line, b"server: ") && line[8..] == *self.server.as_bytes() {
                Some([&line[..8], b"<server>"].concat())
            } else {
                None
            }
        });
        replaced(&masked, self.root.as_bytes(), b"<root>")
    }
}

fn starts_with(line: &[u8], prefix: &[u8]) -> bool {
    line.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Rewrites the lines for which there is something else; a line ends before CR LF or LF.
fn lines(text: &[u8], rewrite: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        out.extend(rewrite(content).as_deref().unwrap_or(content));
        out.extend(&line[content.len()..]);
    }
    out
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn is_date(text: &[u8]) -> bool {
    let form = b"Aaa, 00 Aaa 0000 00:00:00 GMT";
    text.len() == form.len()
        && text.iter().zip(form).all(|(byte, wanted)| match wanted {
            b'A' => byte.is_ascii_uppercase(),
            b'a' => byte.is_ascii_lowercase(),
            b'0' => byte.is_ascii_digit(),
            exact => byte == exact,
        })
}

fn lengths(text: &[u8]) -> Vec<u8> {
    let name = b"content-length: ";
    lines(text, |line| {
        let digits = line.get(name.len()..).filter(|value| !value.is_empty() && value.iter().all(u8::is_ascii_digit));
        digits.filter(|_| starts_with(line, name)).map(|_| [&line[..name.len()], b"<length>"].concat())
    })
}

fn expiries(text: &[u8]) -> Vec<u8> {
    let name = b"expires=";
    lines(text, |line| {
        let start = line.windows(name.len()).position(|part| part.eq_ignore_ascii_case(name))? + name.len();
        let end = line[start..].iter().position(|byte| *byte == b';').map_or(line.len(), |length| start + length);
        Some([&line[..start], b"<expires>", &line[end..]].concat())
    })
}

fn uuids(text: &[u8]) -> Vec<u8> {
    let is_uuid = |part: &[u8]| {
        part.iter().enumerate().all(|(number, byte)| match number {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
        })
    };
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some(start) = rest.windows(36).position(is_uuid) {
        out.extend(&rest[..start]);
        out.extend(b"<uuid>");
        rest = &rest[start + 36..];
    }
    out.extend(rest);
    out
}

/// Where in memory an object is.
fn addresses(text: &[u8]) -> Vec<u8> {
    let name = b" at 0x";
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some(start) = find(rest, name) {
        let digits = rest[start + name.len()..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        out.extend(&rest[..start]);
        out.extend(b" at <address>");
        rest = &rest[start + name.len() + digits..];
    }
    out.extend(rest);
    out
}

/// Replaces a number where it stands alone.
fn numbers(text: &[u8], number: &[u8], by: &[u8]) -> Vec<u8> {
    let digit = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_digit);
    let (mut out, mut from) = (Vec::with_capacity(text.len()), 0);
    while let Some(start) = find(&text[from..], number).map(|at| from + at) {
        let end = start + number.len();
        out.extend(&text[from..start]);
        out.extend(if digit(start.checked_sub(1)) || digit(Some(end)) { number } else { by });
        from = end;
    }
    out.extend(&text[from..]);
    out
}

fn replaced(text: &[u8], what: &[u8], by: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some(start) = find(rest, what) {
        out.extend(&rest[..start]);
        out.extend(by);
        rest = &rest[start + what.len()..];
    }
    out.extend(rest);
    out
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

pub fn find_last(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::rfind(text, what)
}

/// The last 5xx answer with wptserve's JSON body, reduced; what was sent before it stays.
fn failure(raw: &[u8]) -> Option<Vec<u8>> {
    let is_start = |part: &[u8]| {
        matches!(part, [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0' | b'1', b' ', b'5', a, b, b' ']
            if a.is_ascii_digit() && b.is_ascii_digit())
    };
    let start = raw.windows(13).rposition(is_start)?;
    let (before, answer) = raw.split_at(start);
    let (head, body) = answer.split_at(find(answer, b"\r\n\r\n")? + 4);
    if body.is_empty() && find(head, b"\r\nContent-Type: application/json\r\n").is_some() {
        // The answer to a HEAD.
        return Some([before, &lengths(head)].concat());
    }
    let mut documents = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
    let document = documents.next()?.ok()?;
    // What follows the document is the next answer of a pipeline.
    let after = &body[documents.byte_offset()..];
    let (code, message) = (&document["error"]["code"], document["error"]["message"].as_str()?);
    let text: Vec<&str> = message.split('\n').collect();
    let mut out = [before, &lengths(head)].concat();
    let mut line = |name: &str, value: &str| out.extend(format!("{name}: {value}\n").as_bytes());
    line("code", &code.to_string());
    line("message", text.first()?);
    let mut last = None;
    for frame in text.iter().filter_map(|line| frame(line)).filter_map(inside) {
        if last.as_ref() != Some(&frame) {
            line("frame", &frame);
        }
        last = Some(frame);
    }
    for rest in last_lines(&text) {
        line("last", rest);
    }
    out.extend(after);
    Some(out)
}

/// `File "…", line 5, in main`: file, line and function.
fn frame(line: &str) -> Option<(&str, &str, &str)> {
    let (file, rest) = line.trim_start().strip_prefix("File \"")?.rsplit_once("\", line ")?;
    let (number, function) = rest.split_once(", in ")?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some((file, number, function))
}

fn inside((file, number, function): (&str, &str, &str)) -> Option<String> {
    let file = file.strip_prefix("<root>/")?;
    Some(format!("{file}, line {number}, in {function}"))
}

/// `Type: message`, which wptserve indents by two blanks, and what follows; without a traceback all but the first line.
fn last_lines<'a>(text: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let frames = text.iter().rposition(|line| frame(line).is_some());
    let mut rest = &text[frames.map_or(1, |last| last + 1)..];
    let is_title = |line: &str| line.starts_with("  Traceback ");
    if frames.is_some() || rest.first().is_some_and(|line| is_title(line)) {
        let is_last = |line: &str| {
            let content = line.strip_prefix("  ").unwrap_or_default();
            !content.is_empty() && !content.starts_with(char::is_whitespace) && !is_title(line)
        };
        rest = &rest[rest.iter().take_while(|line| !is_last(line)).count()..];
    }
    rest.iter().map(|line| line.trim()).filter(|line| !line.is_empty())
}

/// The lines in which two answers differ, one above the other, and the last line that came.
pub fn difference(expected: &[u8], got: &[u8]) -> String {
    let split = |text: &[u8]| -> Vec<String> {
        text.split_inclusive(|byte| *byte == b'\n').map(|line| shortened(&line.escape_ascii().to_string())).collect()
    };
    let (expected, got) = (split(expected), split(got));
    let nothing = "(nothing)".to_owned();
    let line = |lines: &[String], number| lines.get(number).unwrap_or(&nothing).clone();
    let differing = (0..expected.len().max(got.len())).filter(|number| expected.get(*number) != got.get(*number));
    let pairs = differing.take(8).map(|number| {
        let (expected, got) = (line(&expected, number), line(&got, number));
        format!("    line {}\n    expected {expected}\n         got {got}\n", number + 1)
    });
    let pairs: String = pairs.collect();
    format!("\n{pairs}    got ends {}\n", got.last().unwrap_or(&nothing))
}

fn shortened(line: &str) -> String {
    // Escaped, so every character is a byte.
    if line.len() <= 400 { line.to_owned() } else { format!("{} ... {}", &line[..250], &line[line.len() - 100..]) }
}
