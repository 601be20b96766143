//! Whether the bytes that a handler has sent are a complete answer, or the client waits for more.
//!
//! A handler may announce one length and send another, or write the bytes of its answer itself. wptserve does not check this, and keeps
//! the connection open. The client then waits for ever, or takes surplus bytes for the next answer.

/// Longer bytes without an end do not count as a head.
const MAX_HEAD: usize = 256 * 1024;
/// The end of a chunked body without trailers.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

/// The progress of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No byte has been sent.
    Nothing,
    /// The client has a complete answer and can send the next request.
    Whole,
    /// The client waits for more bytes, or for the end of the connection.
    Open,
    /// The client has got more bytes than belong to the answer.
    TooMuch,
}

/// Follows the bytes of one answer.
#[derive(Debug)]
pub struct Delivery {
    /// The request is a HEAD: the answer consists of its head only.
    is_head: bool,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    /// In a head; its bytes so far.
    Head(Vec<u8>),
    /// In a body of which this many bytes are missing.
    Length(u64),
    /// In a chunked body; its last bytes.
    Chunks(Vec<u8>),
    /// The answer has no body. Later bytes are ignored, because wptserve itself sends bodies with HEAD, 204 and 304.
    NoBody,
    /// The body ends with the connection.
    UntilClose,
    TooMuch,
}

impl Delivery {
    /// For the answer to a request, which may be a HEAD.
    pub fn new(is_head: bool) -> Self {
        Self { is_head, state: State::Head(Vec::new()) }
    }

    /// Takes note of sent bytes.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match &mut self.state {
                State::Head(head) => {
                    // The end of the head may be divided between two pieces.
                    let before = head.len();
                    head.extend_from_slice(bytes);
                    let Some(end) = head_end(head, before.saturating_sub(3)) else {
                        if head.len() > MAX_HEAD {
                            self.state = State::UntilClose;
                        }
                        return;
                    };
                    head.truncate(end);
                    let next = body_of(head, self.is_head);
                    bytes = bytes.get(end.saturating_sub(before)..).unwrap_or_default();
                    self.state = next;
                }
                State::Length(missing) => {
                    let length = bytes.len() as u64;
                    if length > *missing {
                        self.state = State::TooMuch;
                    } else {
                        *missing -= length;
                    }
                    return;
                }
                State::Chunks(last) => {
                    last.extend_from_slice(bytes);
                    last.drain(..last.len().saturating_sub(LAST_CHUNK.len()));
                    return;
                }
                State::NoBody | State::UntilClose | State::TooMuch => return,
            }
        }
    }

    /// The outcome if no more bytes follow.
    pub fn outcome(&self) -> Outcome {
        match &self.state {
            State::Head(head) if head.is_empty() => Outcome::Nothing,
            State::Length(0) | State::NoBody => Outcome::Whole,
            State::Chunks(last) if last == LAST_CHUNK => Outcome::Whole,
            State::TooMuch => Outcome::TooMuch,
            State::Head(_) | State::Length(_) | State::Chunks(_) | State::UntilClose => Outcome::Open,
        }
    }
}

/// The position behind the empty line that ends a head. Clients accept a line feed alone as the end of a line.
fn head_end(head: &[u8], from: usize) -> Option<usize> {
    let from = from.min(head.len());
    let rest = head.get(from..)?;
    memchr::memchr_iter(b'\n', rest).find_map(|at| match rest.get(at + 1..)? {
        [b'\n', ..] => Some(from + at + 2),
        [b'\r', b'\n', ..] => Some(from + at + 3),
        _ => None,
    })
}

/// The kind of body that follows a head (RFC 9112, section 6.3).
fn body_of(head: &[u8], is_head: bool) -> State {
    let mut lines = head.split(|byte| *byte == b'\n');
    let Some(code) = code(lines.next().unwrap_or_default()) else { return State::UntilClose };
    if (100..200).contains(&code) && code != 101 {
        // An interim response: the answer is still to come.
        return State::Head(Vec::new());
    }
    if is_head || code == 204 || code == 304 {
        return State::NoBody;
    }
    let mut length = None;
    for line in lines {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"Transfer-Encoding") && value.to_ascii_lowercase().ends_with(b"chunked") {
            // The line end of the head's last line counts as the one in front of the first chunk.
            return State::Chunks(b"\r\n".to_vec());
        }
        if name.eq_ignore_ascii_case(b"Content-Length") {
            let announced = std::str::from_utf8(value).ok().and_then(|value| value.parse::<u64>().ok());
            if announced.is_none() || length.is_some_and(|before| before != announced) {
                return State::UntilClose;
            }
            length = Some(announced);
        }
    }
    match length.flatten() {
        // A length in a 101 has no meaning: the connection has changed its protocol.
        Some(length) if code != 101 => State::Length(length),
        _ => State::UntilClose,
    }
}

/// The number in a status line.
fn code(line: &[u8]) -> Option<i64> {
    let rest = line.trim_ascii().strip_prefix(b"HTTP/")?;
    let number = rest.split(|byte| *byte == b' ').nth(1)?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(is_head: bool, bytes: &str) -> Outcome {
        let mut whole = Delivery::new(is_head);
        whole.feed(bytes.as_bytes());
        // Pieces of any size give the same result.
        for size in 1..7 {
            let mut pieces = Delivery::new(is_head);
            bytes.as_bytes().chunks(size).for_each(|piece| pieces.feed(piece));
            assert_eq!(pieces.outcome(), whole.outcome(), "{bytes:?} in pieces of {size}");
        }
        whole.outcome()
    }

    #[test]
    fn a_client_knows_the_end_of_an_answer() {
        use Outcome::{Nothing, Open, TooMuch, Whole};
        for (is_head, bytes, expected) in [
            (false, "", Nothing),
            (false, "HTTP/1.1 200 OK\r\n", Open),
            (false, "HTTP/1.1 200 OK\r\n\r\n", Open),
            (false, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Whole),
            (false, "HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nab", Whole),
            (false, "HTTP/1.1 200 OK\nContent-Length: 2\n\nab", Whole),
            (false, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", Open),
            (false, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", TooMuch),
            (false, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", Whole),
            (false, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", Open),
            (false, "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\na", Open),
            (true, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Whole),
            (true, "HTTP/1.1 200 OK\r\n\r\n", Whole),
            (true, "HTTP/1.1 200 OK\r\n", Open),
            (false, "HTTP/1.1 204 No Content\r\n\r\n", Whole),
            (false, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", Whole),
            (false, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", Nothing),
            (false, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", Whole),
            (false, "HTTP/1.1 101 Switching Protocols\r\nContent-Length: 0\r\n\r\n", Open),
            (false, "HTTP/1.1 -1 Odd\r\nContent-Length: 0\r\n\r\n", Whole),
            (false, "HTTP/1.1 x Odd\r\nContent-Length: 0\r\n\r\n", Open),
            (false, "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n", Whole),
            (false, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Whole),
            (false, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", Whole),
            (false, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", Open),
            (false, "nonsense\r\n\r\n", Open),
        ] {
            assert_eq!(outcome(is_head, bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_head_without_end_is_not_kept() {
        let mut delivery = Delivery::new(false);
        for _ in 0..MAX_HEAD {
            delivery.feed(b"xx");
        }
        assert_eq!((delivery.outcome(), &delivery.state), (Outcome::Open, &State::UntilClose));
    }
}
