//! Header files beside a served file: `__dir__.headers` for its directory, `<file>.headers` for itself.
//!
//! Follows wptserve 4.0.3, `handlers.py`, `load_headers`, and the grouping of `response.py`, `ResponseHeaders`. A `.sub.headers`
//! file replaces a `.headers` file, and its templates are substituted, without escaping.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::{error::ContentError, open::cause};
use crate::{
    http::answer::shortage,
    pipes::{Context, template::substitute},
};

/// Response headers that keep the place of the first field of a name, and its spelling: wptserve's `ResponseHeaders`.
#[derive(Debug, Default)]
pub(super) struct HeaderList {
    fields: Vec<(Bytes, Vec<Bytes>)>,
}

impl HeaderList {
    pub(super) fn append(&mut self, name: Bytes, value: Bytes) {
        match self.find(&name) {
            Some((_, values)) => values.push(value),
            None => self.fields.push((name, vec![value])),
        }
    }

    /// Replaces all values of this name, and takes the new spelling of the name.
    pub(super) fn set(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        let name = name.into();
        let field = (name.clone(), vec![value.into()]);
        match self.find(&name) {
            Some(old) => *old = field,
            None => self.fields.push(field),
        }
    }

    pub(super) fn last(&mut self, name: &str) -> Option<Bytes> {
        self.find(name.as_bytes())?.1.last().cloned()
    }

    fn find(&mut self, name: &[u8]) -> Option<&mut (Bytes, Vec<Bytes>)> {
        self.fields.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name))
    }

    pub(super) fn into_fields(self) -> Vec<(Bytes, Bytes)> {
        self.fields
            .into_iter()
            .flat_map(|(name, values)| values.into_iter().map(move |value| (name.clone(), value)))
            .collect()
    }
}

/// The headers for the file at `path`, with `content_type` in front unless the header files bring one.
pub(super) fn load(path: &Path, content_type: &str, context: &Context<'_>) -> Result<HeaderList, ContentError> {
    let fields = fields(path, context)?;
    let mut headers = HeaderList::default();
    if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"content-type")) {
        headers.append(Bytes::from_static(b"Content-Type"), Bytes::copy_from_slice(content_type.as_bytes()));
    }
    for (name, value) in fields {
        headers.append(name, value);
    }
    Ok(headers)
}

/// The fields of the header files for the file at `path`, in their order: wptserve's `load_headers`.
pub(super) fn fields(path: &Path, context: &Context<'_>) -> Result<Vec<(Bytes, Bytes)>, ContentError> {
    let mut fields = load_file(&path.with_file_name("__dir__"), context)?;
    fields.extend(load_file(path, context)?);
    Ok(fields)
}

fn load_file(path: &Path, context: &Context<'_>) -> Result<Vec<(Bytes, Bytes)>, ContentError> {
    let mut headers_path = with_suffix(path, ".sub.headers");
    let is_template = headers_path.exists();
    if !is_template {
        headers_path = with_suffix(path, ".headers");
    }
    let mut data = match fs::read(&headers_path).map_err(|error| cause(&headers_path, error)) {
        Ok(data) => Bytes::from(data),
        Err(error) if shortage::is_shortage(&error) => return Err(error.into()),
        // A header file that does not exist or cannot be read counts as empty.
        Err(_) => return Ok(Vec::new()),
    };
    if is_template {
        data = substitute(&data, Some("none"), context)?;
    }
    parse(&data).map_err(|line| {
        ContentError::Server(format!(
            "ValueError: not enough values to unpack (expected 2, got 1) ({}: line {line} has no colon, write `Name: value`)",
            headers_path.display()
        ))
    })
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut text = OsString::from(path);
    text.push(suffix);
    PathBuf::from(text)
}

/// The fields in a header file. The error is the number of the line that is not a field.
pub(crate) fn parse(data: &Bytes) -> Result<Vec<(Bytes, Bytes)>, usize> {
    let mut fields = Vec::new();
    for (at, line) in split_lines(data).enumerate().filter(|(_, line)| !line.is_empty()) {
        let colon = memchr::memchr(b':', line).ok_or(at + 1)?;
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default();
        fields.push((data.slice_ref(strip(name)), data.slice_ref(strip(value))));
    }
    Ok(fields)
}

/// Python's `bytes.splitlines()`.
fn split_lines(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = data;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        rest = tail.strip_prefix(b"\r\n").or_else(|| tail.get(1..)).unwrap_or_default();
        Some(line)
    })
}

/// Python's `bytes.strip()`, which strips one more blank than Rust: the vertical tab.
fn strip(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b'\t'..=b'\r' | b' ');
    let Some(start) = bytes.iter().position(|byte| !blank(byte)) else { return b"" };
    let end = bytes.iter().rposition(|byte| !blank(byte)).map_or(start, |at| at + 1);
    bytes.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &'static [u8]) -> Result<Vec<(String, String)>, usize> {
        let latin1 = crate::http::text::latin1;
        Ok(parse(&Bytes::from_static(data))?.iter().map(|(n, v)| (latin1(n), latin1(v))).collect())
    }

    #[test]
    fn lines_are_read_as_bytes() {
        let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        assert_eq!(
            read(b"A: b\r\n\n C :\x0b d:e \rF:\n:g\nH: \xe9").unwrap(),
            [pair("A", "b"), pair("C", "d:e"), pair("F", ""), pair("", "g"), pair("H", "\u{e9}")]
        );
        assert_eq!(read(b"").unwrap(), []);
        assert_eq!(read(b"A: b\nno colon\n"), Err(2));
        assert_eq!(read(b"A: b\n \n"), Err(2));
    }

    #[test]
    fn fields_of_a_name_stand_together() {
        let mut headers = HeaderList::default();
        for (name, value) in [("A", "1"), ("B", "2"), ("a", "3")] {
            headers.append(name.into(), value.into());
        }
        assert_eq!(headers.last("A").unwrap(), "3");
        headers.set("b", "4");
        let fields = headers.into_fields();
        assert_eq!(fields, [("A", "1"), ("A", "3"), ("b", "4")].map(|(n, v)| (Bytes::from(n), Bytes::from(v))));
    }
}
