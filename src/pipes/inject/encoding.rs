//! The beginning of a page as text, in the encoding that html5lib 1.1 chooses (`_inputstream.py`): that of a byte order mark, that of a
//! `<meta>` in the first 1024 bytes, or windows-1252.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The bytes that html5lib reads at a time. Only the first piece is used here.
const CHUNK: usize = 10240;
/// The first bytes, in which html5lib looks for a `<meta>`.
const META: usize = 1024;

/// The first piece of a page, without a byte order mark; all its line ends are line feeds.
pub(super) fn first_chunk(page: &[u8]) -> String {
    let (encoding, start) = encoding(page);
    let bytes = page.get(start..).unwrap_or_default();
    let bytes = bytes.get(..CHUNK).unwrap_or(bytes);
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or_default());
    // A character that is cut off at the end belongs to the next piece.
    let _ = decoder.decode_to_string(bytes, &mut text, false);
    if encoding.name().starts_with("windows-") {
        // Python's windows-1252 has no characters there and inserts U+FFFD, which html5lib does not take for an error.
        text = text.replace(|c| matches!(c, '\u{80}'..='\u{9f}'), "\u{fffd}");
    }
    // A carriage return at the end belongs to the next piece as well, unless it is the whole text.
    if text.len() > 1 && text.ends_with('\r') {
        text.pop();
    }
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The encoding, and the index at which the text begins.
fn encoding(page: &[u8]) -> (&'static Encoding, usize) {
    match page {
        [0xef, 0xbb, 0xbf, ..] => (UTF_8, 3),
        // The mark of UTF-32, which is not an encoding of HTML.
        [0xff, 0xfe, 0, 0, ..] => (declared(page.get(4..).unwrap_or_default()), 0),
        [0, 0, 0xfe, 0xff, ..] => (declared(page.get(4..).unwrap_or_default()), 0),
        [0xff, 0xfe, ..] => (UTF_16LE, 2),
        [0xfe, 0xff, ..] => (UTF_16BE, 2),
        _ => (declared(page), 0),
    }
}

fn declared(page: &[u8]) -> &'static Encoding {
    let data = page.get(..META).unwrap_or(page).to_ascii_lowercase();
    let found = memchr::memmem::find(&data, b"<meta").and_then(|_| Prescan { data: &data, at: 0 }.encoding());
    found.unwrap_or(WINDOWS_1252)
}

/// A declaration of UTF-16 in ASCII cannot be true, so it counts as UTF-8.
fn labelled(label: &[u8]) -> Option<&'static Encoding> {
    let encoding = Encoding::for_label_no_replacement(label)?;
    Some(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding })
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

/// html5lib's `EncodingParser` and `ContentAttrParser`. `None` is the end of the data, which ends the search.
struct Prescan<'a> {
    /// In lower case.
    data: &'a [u8],
    at: usize,
}

/// A name and a value; `None` behind the last attribute of a tag.
type Attribute = Option<(Vec<u8>, Vec<u8>)>;

impl Prescan<'_> {
    fn encoding(&mut self) -> Option<&'static Encoding> {
        loop {
            self.jump_to(b"<")?;
            if let Some(encoding) = self.construct()? {
                return Some(encoding);
            }
            self.next()?;
        }
    }

    fn current(&self) -> Option<u8> {
        self.data.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        self.at += 1;
        self.current()
    }

    fn previous(&mut self) -> Option<()> {
        self.current()?;
        self.at = self.at.checked_sub(1)?;
        Some(())
    }

    /// Goes to the last byte of the next `what`.
    fn jump_to(&mut self, what: &[u8]) -> Option<()> {
        let rest = self.data.get(self.at..).filter(|rest| !rest.is_empty())?;
        self.at += memchr::memmem::find(rest, what)? + what.len() - 1;
        Some(())
    }

    /// Goes to the next wanted byte and returns it; `None` inside at the end of the data.
    fn find(&mut self, wanted: impl Fn(u8) -> bool) -> Option<Option<u8>> {
        self.current()?;
        while let Some(byte) = self.current() {
            if wanted(byte) {
                return Some(Some(byte));
            }
            self.at += 1;
        }
        Some(None)
    }

    fn accept(&mut self, what: &[u8]) -> bool {
        let found = self.data.get(self.at..).is_some_and(|rest| rest.starts_with(what));
        if found {
            self.at += what.len();
        }
        found
    }

    /// Reads the construct that begins with the `<` at the current place.
    fn construct(&mut self) -> Option<Option<&'static Encoding>> {
        if self.accept(b"<!--") {
            self.jump_to(b"-->")?;
        } else if self.accept(b"<meta") {
            return self.meta();
        } else if self.accept(b"</") {
            self.next()?;
            self.tag(true)?;
        } else if self.accept(b"<!") || self.accept(b"<?") {
            self.jump_to(b">")?;
        } else {
            self.at += 1;
            self.tag(false)?;
        }
        Some(None)
    }

    fn tag(&mut self, is_end: bool) -> Option<()> {
        if !self.current()?.is_ascii_lowercase() {
            if is_end {
                self.previous()?;
                self.jump_to(b">")?;
            }
            return Some(());
        }
        if self.find(|byte| is_space(byte) || matches!(byte, b'<' | b'>'))? == Some(b'<') {
            return self.previous();
        }
        while self.attribute()?.is_some() {}
        Some(())
    }

    fn meta(&mut self) -> Option<Option<&'static Encoding>> {
        if !is_space(self.current()?) {
            return Some(None);
        }
        let (mut has_pragma, mut pending) = (false, None);
        while let Some((name, value)) = self.attribute()? {
            match name.as_slice() {
                b"http-equiv" => {
                    has_pragma = value == b"content-type";
                    if has_pragma && pending.is_some() {
                        return Some(pending);
                    }
                }
                b"charset" => {
                    if let Some(encoding) = labelled(&value) {
                        return Some(Some(encoding));
                    }
                }
                b"content" => {
                    let label = Prescan { data: &value, at: 0 }.charset();
                    if let Some(encoding) = label.and_then(|label| labelled(&label)) {
                        if has_pragma {
                            return Some(Some(encoding));
                        }
                        pending = Some(encoding);
                    }
                }
                _ => {}
            }
        }
        Some(None)
    }

    fn attribute(&mut self) -> Option<Attribute> {
        let (mut name, mut value) = (Vec::new(), Vec::new());
        let Some(mut byte) = self.find(|byte| !is_space(byte) && byte != b'/')?.filter(|byte| *byte != b'>') else {
            return Some(None);
        };
        loop {
            match byte {
                b'=' if !name.is_empty() => break,
                b'/' | b'>' => return Some(Some((name, value))),
                byte if is_space(byte) => {
                    if self.find(|byte| !is_space(byte))? != Some(b'=') {
                        self.previous()?;
                        return Some(Some((name, value)));
                    }
                    break;
                }
                byte => name.push(byte),
            }
            byte = self.next()?;
        }
        self.next()?;
        match self.find(|byte| !is_space(byte))? {
            None => return Some(None),
            Some(b'>') => return Some(Some((name, value))),
            Some(quote @ (b'"' | b'\'')) => loop {
                let byte = self.next()?;
                if byte == quote {
                    self.next()?;
                    return Some(Some((name, value)));
                }
                value.push(byte);
            },
            Some(byte) => value.push(byte),
        }
        loop {
            let byte = self.next()?;
            if is_space(byte) || matches!(byte, b'<' | b'>') {
                return Some(Some((name, value)));
            }
            value.push(byte);
        }
    }

    /// The text behind `charset=` in the value of a `content` attribute.
    fn charset(&mut self) -> Option<Vec<u8>> {
        self.jump_to(b"charset")?;
        self.next()?;
        if self.find(|byte| !is_space(byte))? != Some(b'=') {
            return None;
        }
        self.next()?;
        let first = self.find(|byte| !is_space(byte))??;
        let start = if matches!(first, b'"' | b'\'') {
            self.next()?;
            let start = self.at;
            self.jump_to(&[first])?;
            start
        } else {
            let start = self.at;
            self.find(is_space)?;
            start
        };
        self.data.get(start..self.at).map(<[u8]>::to_vec)
    }
}
