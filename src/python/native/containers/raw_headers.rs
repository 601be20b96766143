//! `request.raw_headers`: the request's header fields as sent, in order, with their case and their duplicates.
//!
//! Replaces CPython's `http.client.HTTPMessage`, as far as handlers use it: a list of pairs of text with a look-up by name, whose
//! `str()` is that of the `email` package. It is read-only. For the rarer methods of a mail message a `email.message.Message` of Python
//! is made when a handler asks for one.

use parking_lot::Mutex;
use rustpython_vm::builtins::PyStr;

pub(in crate::python) use classes::RawHeaders;

use crate::http::{Headers, text::latin1};

impl RawHeaders {
    /// The fields of a request.
    pub(in crate::python) fn new(headers: Headers) -> Self {
        RawHeaders { headers, message: Mutex::default() }
    }

    /// The fields as plain data, for the stash.
    pub(in crate::python::native) fn fields(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.headers.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
    }

    /// The object with the fields that [`Self::fields`] gave.
    pub(in crate::python::native) fn from_fields(fields: Vec<(Vec<u8>, Vec<u8>)>) -> Self {
        Self::new(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    fn pairs(&self) -> impl Iterator<Item = (String, String)> {
        self.headers.iter().map(|(name, value)| (latin1(name), latin1(value)))
    }

    /// The values of one name, which compares as `str.lower()` does for the ASCII names a field can have.
    fn values_of(&self, name: &PyStr) -> Vec<String> {
        let Some(name) = name.to_str() else { return Vec::new() };
        self.headers.get_all(&name.to_lowercase()).map(|value| latin1(value)).collect()
    }

    /// The text of `str(raw_headers)`: a line per field and an empty one; `None` where CPython refuses to print.
    fn printed(&self) -> Option<String> {
        let mut out = String::new();
        for (name, value) in self.pairs() {
            let value = print::value(&value)?;
            out.push_str(&format!("{name}: {value}\n"));
        }
        out.push('\n');
        // The mail parser takes the text that it could not read for the message, and prints it with its own line ends.
        let unread = latin1(self.headers.unread());
        out.push_str(&unread.replace("\r\n", "\n").replace('\r', "\n"));
        Some(out)
    }
}

/// How a field's value is printed (CPython 3.11, email/header.py, `Header.encode`, called without a limit on line length).
mod print {
    use base64::Engine;

    /// The value with its line breaks normalised and, if it is not ASCII, as an encoded word for each line.
    pub(in crate::python::native) fn value(value: &str) -> Option<String> {
        let lines = split_lines(value);
        let ascii = value.is_ascii();
        let mut out: Vec<String> = Vec::new();
        let last = lines.len().saturating_sub(1);
        for (number, line) in lines.iter().enumerate() {
            let mut text = match (ascii, number) {
                (true, _) => (*line).to_owned(),
                (false, 0) => encoded_word(line),
                (false, _) => format!(" {}", encoded_word(&format!(" {}", line.trim_start()))),
            };
            // A line that is continued loses one blank at its end, but not two.
            if ascii && last > 0 && ends_in_one_blank(&text) {
                text.pop();
            }
            match out.last_mut() {
                Some(before) if text.trim().is_empty() => before.push_str(&text),
                _ => out.push(text),
            }
        }
        let text = out.join("\n");
        (!has_embedded_header(&text)).then_some(text)
    }

    /// `str.splitlines()` on latin-1 text.
    fn split_lines(text: &str) -> Vec<&str> {
        let is_end = |c: char| matches!(c, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}');
        let mut lines = Vec::new();
        let mut rest = text;
        while let Some((line, after)) = rest.split_once(is_end) {
            lines.push(line);
            let crlf = rest.get(line.len()..).is_some_and(|end| end.starts_with("\r\n"));
            rest = if crlf { after.strip_prefix('\n').unwrap_or(after) } else { after };
        }
        if !rest.is_empty() || lines.is_empty() {
            lines.push(rest);
        }
        lines
    }

    fn ends_in_one_blank(line: &str) -> bool {
        line.strip_suffix(' ').is_some_and(|before| !before.ends_with([' ', '\t']))
    }

    /// `\n[^ \t]+:`, which `email` takes for an attempt to smuggle a field.
    fn has_embedded_header(text: &str) -> bool {
        text.match_indices('\n').any(|(at, _)| {
            let line = text.get(at + 1..).unwrap_or_default();
            let name = line.split([' ', '\t']).next().unwrap_or_default();
            name.get(1..).is_some_and(|name| name.contains(':'))
        })
    }

    /// RFC 2047, in whichever of its two encodings is shorter.
    fn encoded_word(text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        let quoted: String = text.bytes().map(quoted_printable).collect();
        if text.len().div_ceil(3) * 4 < quoted.len() {
            format!("=?utf-8?b?{}?=", base64::engine::general_purpose::STANDARD.encode(text))
        } else {
            format!("=?utf-8?q?{quoted}?=")
        }
    }

    fn quoted_printable(byte: u8) -> String {
        match byte {
            b' ' => "_".to_owned(),
            b'-' | b'!' | b'*' | b'+' | b'/' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("={byte:02X}"),
        }
    }
}

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use parking_lot::Mutex;
    use rustpython_vm::{
        AsObject, FromArgs, Py, PyObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine,
        builtins::{PyStr, PyStrRef},
        function::OptionalArg,
        protocol::{PyMappingMethods, PySequenceMethods},
        pyclass,
        types::{AsMapping, AsSequence, GetAttr, Iterable, Representable},
    };

    use crate::http::Headers;

    #[pyattr]
    #[pyclass(module = "http.client", name = "HTTPMessage")]
    #[derive(Debug, PyPayload)]
    pub(in crate::python) struct RawHeaders {
        pub(super) headers: Headers,
        /// Python's own message of the same fields, made when a handler asks for a method that this class lacks.
        pub(super) message: Mutex<Option<PyObjectRef>>,
    }

    #[derive(FromArgs)]
    struct GetArgs {
        #[pyarg(any)]
        name: PyObjectRef,
        #[pyarg(any, optional)]
        failobj: OptionalArg<PyObjectRef>,
    }

    #[pyclass(with(AsMapping, AsSequence, GetAttr, Iterable, Representable))]
    impl RawHeaders {
        /// The names as sent, duplicates included.
        #[pymethod]
        fn keys(zelf: &Py<Self>, vm: &VirtualMachine) -> PyObjectRef {
            list(zelf.pairs().map(|(name, _)| text(name, vm)), vm)
        }

        /// The values as sent.
        #[pymethod]
        fn values(zelf: &Py<Self>, vm: &VirtualMachine) -> PyObjectRef {
            list(zelf.pairs().map(|(_, value)| text(value, vm)), vm)
        }

        /// The pairs of name and value as sent.
        #[pymethod]
        fn items(zelf: &Py<Self>, vm: &VirtualMachine) -> PyObjectRef {
            list(zelf.pairs().map(|(name, value)| vm.new_tuple((name, value)).into()), vm)
        }

        /// An iterator over the pairs of name and value as sent.
        #[pymethod]
        fn raw_items(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            Ok(Self::items(zelf, vm).get_iter(vm)?.into())
        }

        /// The first value of a name in any case, or `failobj`.
        #[pymethod]
        fn get(zelf: &Py<Self>, args: GetArgs, vm: &VirtualMachine) -> PyResult {
            let first = zelf.of_name(&args.name, vm)?.into_iter().next();
            Ok(first.map_or_else(|| args.failobj.unwrap_or_none(vm), |value| text(value, vm)))
        }

        /// All values of a name in any case, or `failobj` when there is none.
        #[pymethod]
        fn get_all(zelf: &Py<Self>, args: GetArgs, vm: &VirtualMachine) -> PyResult {
            let values = zelf.of_name(&args.name, vm)?;
            if values.is_empty() {
                return Ok(args.failobj.unwrap_or_none(vm));
            }
            Ok(list(values.into_iter().map(|value| text(value, vm)), vm))
        }

        /// Always an empty list, as in CPython since Python 3; `get_all` is the one that works.
        #[pymethod]
        fn getallmatchingheaders(_zelf: &Py<Self>, name: PyStrRef, vm: &VirtualMachine) -> PyObjectRef {
            let _ = name;
            list(std::iter::empty(), vm)
        }

        /// The fields as text, as `str()` gives it.
        #[pymethod]
        fn as_string(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<String> {
            let Some(printed) = zelf.printed() else {
                let errors = vm.import("email.errors", 0)?.get_attr("errors", vm)?;
                let message = "header value appears to contain an embedded header";
                let error = vm.call_method(&errors, "HeaderParseError", (message,))?;
                return Err(error.try_into_value(vm)?);
            };
            Ok(printed)
        }

        #[pymethod]
        fn __str__(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<String> {
            Self::as_string(zelf, vm)
        }

        /// CPython calls `name.lower()` first, so an object without that method is an AttributeError, and bytes match no name.
        fn of_name(&self, name: &PyObject, vm: &VirtualMachine) -> PyResult<Vec<String>> {
            let lower = vm.call_method(name, "lower", ())?;
            Ok(lower.downcast_ref::<PyStr>().map(|name| self.values_of(name)).unwrap_or_default())
        }
    }

    impl RawHeaders {
        fn message(&self, vm: &VirtualMachine) -> PyResult {
            if let Some(message) = self.message.lock().clone() {
                return Ok(message);
            }
            let names = vm.ctx.new_tuple(vec![vm.ctx.new_str("Message").into()]);
            let message = vm.call_method(&*vm.import_from("email.message", names, 0)?, "Message", ())?;
            for (name, value) in self.pairs() {
                vm.call_method(&message, "add_header", (name, value))?;
            }
            *self.message.lock() = Some(message.clone());
            Ok(message)
        }
    }

    impl GetAttr for RawHeaders {
        /// The rest of `email.message.Message`: `get_content_type`, `get_param`, `as_bytes`, …
        fn getattro(zelf: &Py<Self>, name: &Py<PyStr>, vm: &VirtualMachine) -> PyResult {
            if let Some(own) = zelf.as_object().generic_getattr_opt(name, None, vm)? {
                return Ok(own);
            }
            let message = zelf.message(vm)?;
            match vm.get_attribute_opt(&message, name)? {
                Some(inherited) => Ok(inherited),
                None => Err(vm.new_no_attribute_error(zelf.as_object().to_owned(), name.to_owned())),
            }
        }
    }

    fn text(text: String, vm: &VirtualMachine) -> PyObjectRef {
        vm.ctx.new_str(text).into()
    }

    fn list(items: impl Iterator<Item = PyObjectRef>, vm: &VirtualMachine) -> PyObjectRef {
        vm.ctx.new_list(items.collect()).into()
    }

    impl AsMapping for RawHeaders {
        fn as_mapping() -> &'static PyMappingMethods {
            static METHODS: PyMappingMethods = PyMappingMethods {
                length: Some(|mapping, _vm| Ok(RawHeaders::mapping_downcast(mapping).headers.len())),
                subscript: Some(|mapping, name, vm| {
                    let first = RawHeaders::mapping_downcast(mapping).of_name(name, vm)?.into_iter().next();
                    Ok(first.map_or_else(|| vm.ctx.none(), |value| text(value, vm)))
                }),
                ass_subscript: None,
            };
            &METHODS
        }
    }

    impl AsSequence for RawHeaders {
        fn as_sequence() -> &'static PySequenceMethods {
            static METHODS: PySequenceMethods = PySequenceMethods {
                contains: Some(|sequence, name, vm| {
                    Ok(!RawHeaders::sequence_downcast(sequence).of_name(name, vm)?.is_empty())
                }),
                ..PySequenceMethods::NOT_IMPLEMENTED
            };
            &METHODS
        }
    }

    impl Iterable for RawHeaders {
        fn iter(zelf: PyRef<Self>, vm: &VirtualMachine) -> PyResult {
            Ok(Self::keys(&zelf, vm).get_iter(vm)?.into())
        }
    }

    impl Representable for RawHeaders {
        fn repr_str(zelf: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
            Ok(format!("<http.client.HTTPMessage object at {:#x}>", zelf.get_id()))
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn as_in_cpython() {
        crate::python::native::testing::check_table(include_str!("../tables/raw_headers.txt"));
    }
}
