//! `request.POST`: the fields of a form as a MultiDict, with file uploads as objects like `cgi.FieldStorage`.
//!
//! Plain values are bytes; an upload has `.file`, `.filename`, `.value`, `.headers`, `.type`. The parsing is done by
//! [`crate::http::body::form`]; this makes the Python objects (wptserve 4.0.3, request.py, `MultiDict.from_field_storage`).

use std::os::fd::IntoRawFd;

use rustpython_vm::{AsObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, builtins::PyBaseExceptionRef};

use super::input;
use crate::{
    http::{
        Headers,
        body::{
            BodyError, Spill,
            form::{self, Content, FormError, FormPart},
        },
    },
    python::native::{InputFile, MultiDict, RawHeaders, text},
};
use classes::FieldStorage;

/// The form in the body of a request; empty for a body that is not a form. The position of `input` stays.
pub(in crate::python) fn parse(
    input: &InputFile,
    headers: &Headers,
    method: &str,
    vm: &VirtualMachine,
) -> PyResult<PyRef<MultiDict>> {
    let parsed = input.run(
        |state| {
            let position = state.position();
            state.seek(0)?;
            let form = match form::parse(state, headers, method) {
                Err(FormError::Body(failure)) => return Err(failure),
                form => form,
            };
            state.seek(i64::try_from(position).unwrap_or(i64::MAX))?;
            Ok(form)
        },
        vm,
    )?;
    match parsed {
        Ok(Some(Content::Fields(fields))) => MultiDict::from_pairs(fields, vm),
        Ok(Some(Content::Parts(parts))) => from_parts(parts, vm),
        Ok(Some(Content::Bytes(_)) | None) => MultiDict::from_pairs([], vm),
        Err(error) => Err(raised(error, vm)),
    }
}

fn raised(error: FormError, vm: &VirtualMachine) -> PyBaseExceptionRef {
    match error {
        FormError::Boundary(boundary) => match text::bytes_object(boundary, vm).repr(vm) {
            Ok(repr) => vm.new_value_error(format!("Invalid boundary in multipart form: {}", repr.to_string_lossy())),
            Err(error) => error,
        },
        FormError::TooDeep => vm.new_recursion_error("maximum recursion depth exceeded"),
        FormError::NoForm => vm.new_type_error("write() argument must be str, not bytes"),
        FormError::Body(failure) => input::raised(failure, vm),
    }
}

fn from_parts(parts: Vec<FormPart>, vm: &VirtualMachine) -> PyResult<PyRef<MultiDict>> {
    let made = MultiDict::default().into_ref(&vm.ctx);
    for part in parts {
        let Some(name) = part.disposition.option("name") else {
            // A part without a name is wptserve's `isomorphic_encode(None)`.
            return text::encode(vm.ctx.none().as_object(), vm).and(MultiDict::from_pairs([], vm));
        };
        let name = text::encode(vm.ctx.new_str(name).as_object(), vm)?;
        let is_file = part.disposition.option("filename").is_some_and(|filename| !filename.is_empty());
        let value = if is_file { FieldStorage::new(part, vm)?.into() } else { plain_value(part.content, vm)? };
        made.add_value(&name, value, vm)?;
    }
    Ok(made)
}

/// The bytes of a field; a form within a field is a list, which wptserve refuses to encode.
fn plain_value(content: Content, vm: &VirtualMachine) -> PyResult {
    match content {
        Content::Bytes(kept) => Ok(text::bytes_object(all(kept, vm)?, vm)),
        content => text::encode(list_of(content, vm)?.as_object(), vm),
    }
}

fn all(kept: Spill, vm: &VirtualMachine) -> PyResult<Vec<u8>> {
    vm.allow_threads(|| kept.read(0, u64::MAX)).map_err(|error| input::raised(BodyError::Io(error), vm))
}

/// The parts of a form in a form: pairs of name and value, or uploads and fields alike as objects.
fn list_of(content: Content, vm: &VirtualMachine) -> PyResult {
    let items: Vec<PyObjectRef> = match content {
        Content::Bytes(_) => Vec::new(),
        Content::Fields(fields) => {
            let pair =
                |(name, value)| vm.new_tuple((text::bytes_object(name, vm), text::bytes_object(value, vm))).into();
            fields.into_iter().map(pair).collect()
        }
        Content::Parts(parts) => {
            let parts = parts.into_iter().map(|part| Ok(FieldStorage::new(part, vm)?.into()));
            parts.collect::<PyResult<Vec<_>>>()?
        }
    };
    Ok(vm.ctx.new_list(items).into())
}

/// The object of `.file`: a BytesIO, or a real file whose name is a number.
fn file_of(kept: Spill, vm: &VirtualMachine) -> PyResult {
    let io = vm.import("io", 0)?;
    match kept.into_file() {
        Ok(file) => vm.call_method(&io, "open", (file.into_raw_fd(), "rb+")),
        Err(bytes) => vm.call_method(&io, "BytesIO", (vm.ctx.new_bytes(bytes),)),
    }
}

impl FieldStorage {
    /// A part, for handlers (cgi.py, `FieldStorage.__init__`). The attributes are plain ones.
    fn new(part: FormPart, vm: &VirtualMachine) -> PyResult<PyRef<Self>> {
        let made = FieldStorage {}.into_ref(&vm.ctx);
        let object = made.as_object();
        let text_of = |value: Option<&str>| match value {
            Some(value) => vm.ctx.new_str(value).into(),
            None => vm.ctx.none(),
        };
        let options = |options: &[(String, String)]| -> PyResult {
            let dict = vm.ctx.new_dict();
            for (name, value) in options {
                dict.set_item(name.as_str(), vm.ctx.new_str(value.as_str()).into(), vm)?;
            }
            Ok(dict.into())
        };
        object.set_attr("name", text_of(part.disposition.option("name")), vm)?;
        object.set_attr("filename", text_of(part.disposition.option("filename")), vm)?;
        object.set_attr("disposition", text_of(Some(&part.disposition.value)), vm)?;
        object.set_attr("disposition_options", options(&part.disposition.options)?, vm)?;
        object.set_attr("type", text_of(Some(&part.kind.value)), vm)?;
        object.set_attr("type_options", options(&part.kind.options)?, vm)?;
        object.set_attr("headers", RawHeaders::new(part.headers).into_ref(&vm.ctx), vm)?;
        object.set_attr("length", vm.ctx.new_int(-1), vm)?;
        object.set_attr("done", vm.ctx.new_int(part.done), vm)?;
        let (file, list) = match part.content {
            Content::Bytes(kept) => (file_of(kept, vm)?, vm.ctx.none()),
            content => (vm.ctx.none(), list_of(content, vm)?),
        };
        object.set_attr("file", file, vm)?;
        object.set_attr("list", list, vm)?;
        Ok(made)
    }
}

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use rustpython_vm::{
        AsObject, Py, PyPayload, PyRef, PyResult, VirtualMachine,
        function::FuncArgs,
        protocol::PyNumberMethods,
        pyclass,
        types::{AsNumber, Iterable, Representable},
    };

    #[pyattr]
    #[pyclass(module = "wptserve.cgi.cgi", name = "FieldStorage")]
    #[derive(Debug, PyPayload)]
    pub(in crate::python::native) struct FieldStorage {}

    #[pyclass(with(AsNumber, Iterable, Representable), flags(HAS_DICT, HAS_WEAKREF))]
    impl FieldStorage {
        /// The content as bytes, read afresh from the file each time.
        #[pygetset]
        fn value(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            let file = zelf.as_object().get_attr("file", vm)?;
            if vm.is_none(&file) {
                return zelf.as_object().get_attr("list", vm);
            }
            vm.call_method(&file, "seek", (0,))?;
            let value = vm.call_method(&file, "read", ())?;
            vm.call_method(&file, "seek", (0,))?;
            Ok(value)
        }

        #[pymethod]
        fn __enter__(zelf: PyRef<Self>) -> PyRef<Self> {
            zelf
        }

        #[pymethod]
        fn __exit__(zelf: &Py<Self>, _args: FuncArgs, vm: &VirtualMachine) -> PyResult<()> {
            let file = zelf.as_object().get_attr("file", vm)?;
            vm.call_method(&file, "close", ()).map(drop)
        }
    }

    /// An upload has no truth value, since it has no fields: `if upload:` is a TypeError in wptserve.
    impl AsNumber for FieldStorage {
        fn as_number() -> &'static PyNumberMethods {
            static METHODS: PyNumberMethods = PyNumberMethods {
                boolean: Some(|_number, vm| Err(vm.new_type_error("Cannot be converted to bool."))),
                ..PyNumberMethods::NOT_IMPLEMENTED
            };
            &METHODS
        }
    }

    impl Iterable for FieldStorage {
        fn iter(_zelf: PyRef<Self>, vm: &VirtualMachine) -> PyResult {
            Err(vm.new_type_error("not indexable"))
        }
    }

    impl Representable for FieldStorage {
        fn repr_str(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<String> {
            let part = |name: &'static str| -> PyResult<String> {
                Ok(zelf.as_object().get_attr(name, vm)?.repr(vm)?.to_string_lossy().into_owned())
            };
            Ok(format!("FieldStorage({}, {}, {})", part("name")?, part("filename")?, part("value")?))
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn as_in_wptserve() {
        crate::python::native::testing::check_table(include_str!("../tables/form.txt"));
    }
}
