//! `wptserve.request.RequestHeaders`, the class of `request.headers`.
//!
//! A `dict` of lower-case bytes names to *lists* of values; `[]` and `get` join them, take `str` or `bytes` in any case, and
//! fields cannot be set by name. Over HTTP/1 wptserve keeps only the first value of a repeated field, because it uses a method of
//! `http.client` that has found no values since Python 3. This class does the same; `raw_headers` has all values.

use rustpython_vm::{
    AsObject, PyObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine,
    builtins::{PyBytes, PyList},
};

pub(in crate::python) use classes::RequestHeaders;

use crate::{http::Headers, python::native::text};

impl RequestHeaders {
    /// The headers of a request as handlers see them (wptserve 4.0.3, request.py, `RequestHeaders.__init__`).
    pub(in crate::python) fn new(headers: &Headers, vm: &VirtualMachine) -> PyResult<PyRef<Self>> {
        let made = Self::default();
        for (name, value) in headers.iter() {
            made.keep_first(name, text::bytes_object(value.to_vec(), vm), vm)?;
        }
        Ok(made.into_ref(&vm.ctx))
    }

    /// The value of one field, for Rust: `get(name)` joined by commas.
    pub(in crate::python) fn value(&self, name: &str, vm: &VirtualMachine) -> PyResult<Option<Vec<u8>>> {
        let Some(found) = self.joined(text::bytes_object(name, vm).as_object(), vm)? else { return Ok(None) };
        Ok(found.downcast_ref::<PyBytes>().map(|value| value.as_bytes().to_vec()))
    }

    fn keep_first(&self, name: &[u8], value: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        let name = text::bytes_object(name.to_ascii_lowercase(), vm);
        if self.0.inner_getitem_opt(&*name, vm)?.is_none() {
            self.0.inner_setitem(&*name, vm.ctx.new_list(vec![value]).into(), vm)?;
        }
        Ok(())
    }

    /// The stored list of a name of any case.
    fn entry(&self, name: &PyObject, vm: &VirtualMachine) -> PyResult<Option<PyObjectRef>> {
        let name = text::encoded(name, vm)?.to_ascii_lowercase();
        self.0.inner_getitem_opt(text::bytes_object(name, vm).as_object(), vm)
    }

    fn joined(&self, name: &PyObject, vm: &VirtualMachine) -> PyResult<Option<PyObjectRef>> {
        let Some(entry) = self.entry(name, vm)? else { return Ok(None) };
        if let Some(values) = entry.downcast_ref::<PyList>()
            && let [value] = &*values.borrow_vec()
        {
            return Ok(Some(value.clone()));
        }
        vm.call_method(text::bytes_object(", ", vm).as_object(), "join", (entry,)).map(Some)
    }

    /// A KeyError carries the name wptserve looked for: bytes, in lower case.
    fn missing(name: &PyObject, vm: &VirtualMachine) -> PyResult {
        let name = text::encoded(name, vm)?.to_ascii_lowercase();
        Err(vm.new_key_error(text::bytes_object(name, vm)))
    }
}

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use rustpython_vm::{
        AsObject, Py, PyObject, PyObjectRef, PyResult, VirtualMachine,
        builtins::PyDict,
        function::{OptionalArg, PyComparisonValue},
        protocol::{PyMappingMethods, PySequenceMethods},
        pyclass,
        types::{AsMapping, AsSequence, Comparable, Constructor, DefaultConstructor, Initializer, PyComparisonOp},
    };

    use super::text;
    use crate::python::native::{
        containers::multidict::{LookupArgs, equal},
        instance::traverse,
    };

    #[pyattr]
    #[pyclass(
        module = "wptserve.request",
        name = "RequestHeaders",
        base = PyDict,
        unhashable = true,
        traverse = "manual"
    )]
    #[derive(Debug, Default)]
    #[repr(transparent)]
    pub(in crate::python) struct RequestHeaders(pub(in crate::python::native) PyDict);

    traverse!(RequestHeaders { 0 });

    #[pyclass(
        with(AsMapping, AsSequence, Comparable, Constructor, Initializer),
        flags(BASETYPE, MAPPING, HAS_DICT, HAS_WEAKREF)
    )]
    impl RequestHeaders {
        /// The value of a field whose name may be text or bytes of any case, or the default, which is None when not given.
        #[pymethod]
        fn get(zelf: &Py<Self>, args: LookupArgs, vm: &VirtualMachine) -> PyResult {
            Ok(zelf.joined(&args.key, vm)?.unwrap_or_else(|| args.default.unwrap_or_none(vm)))
        }

        /// The values of a field as a list, or the default; without a default a missing field is a KeyError.
        #[pymethod]
        fn get_list(zelf: &Py<Self>, args: LookupArgs, vm: &VirtualMachine) -> PyResult {
            match (zelf.entry(&args.key, vm)?, args.default) {
                (Some(entry), _) => Ok(entry),
                (None, OptionalArg::Present(default)) => Ok(default),
                (None, OptionalArg::Missing) => Self::missing(&args.key, vm),
            }
        }

        /// The pairs of name and value, each field with its values joined.
        #[pymethod]
        fn iteritems(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            let pairs = zelf.0.keys_vec().into_iter().map(|name| {
                let value = zelf.as_object().get_item(&*name, vm)?;
                Ok(vm.ctx.new_tuple(vec![name, value]).into())
            });
            iterator(pairs.collect::<PyResult<Vec<_>>>()?, vm)
        }

        /// The values, each field's joined.
        #[pymethod]
        fn itervalues(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            let values = zelf.0.keys_vec().into_iter().map(|name| zelf.as_object().get_item(&*name, vm));
            iterator(values.collect::<PyResult<Vec<_>>>()?, vm)
        }
    }

    fn iterator(items: Vec<PyObjectRef>, vm: &VirtualMachine) -> PyResult {
        let list: PyObjectRef = vm.ctx.new_list(items).into();
        Ok(list.get_iter(vm)?.into())
    }

    impl DefaultConstructor for RequestHeaders {}

    /// `RequestHeaders(items)` takes anything with `keys()` and `[]`, as `raw_headers` has.
    impl Initializer for RequestHeaders {
        type Args = (PyObjectRef,);

        fn init(zelf: &Py<Self>, (items,): Self::Args, vm: &VirtualMachine) -> PyResult<()> {
            for name in vm.call_method(&items, "keys", ())?.get_iter(vm)?.iter::<PyObjectRef>(vm)? {
                let name = name?;
                let value = text::encode(&*items.get_item(&*name, vm)?, vm)?;
                zelf.keep_first(&text::encoded(&name, vm)?, value, vm)?;
            }
            Ok(())
        }
    }

    impl Comparable for RequestHeaders {
        fn cmp(
            zelf: &Py<Self>,
            other: &PyObject,
            op: PyComparisonOp,
            vm: &VirtualMachine,
        ) -> PyResult<PyComparisonValue> {
            equal(&zelf.0, other, op, vm)
        }
    }

    impl AsMapping for RequestHeaders {
        fn as_mapping() -> &'static PyMappingMethods {
            static METHODS: PyMappingMethods = PyMappingMethods {
                length: None,
                subscript: Some(|mapping, name, vm| {
                    let zelf = RequestHeaders::mapping_downcast(mapping);
                    zelf.joined(name, vm)?.map_or_else(|| RequestHeaders::missing(name, vm), Ok)
                }),
                ass_subscript: Some(|mapping, name, value, vm| match (value, PyDict::as_mapping().ass_subscript) {
                    (None, Some(of_dict)) => of_dict(mapping, name, None, vm),
                    _ => Err(vm.new_exception_empty(vm.ctx.exceptions.exception_type.to_owned())),
                }),
            };
            &METHODS
        }
    }

    impl AsSequence for RequestHeaders {
        fn as_sequence() -> &'static PySequenceMethods {
            static METHODS: PySequenceMethods = PySequenceMethods {
                contains: Some(|sequence, name, vm| {
                    Ok(RequestHeaders::sequence_downcast(sequence).entry(name, vm)?.is_some())
                }),
                ..PySequenceMethods::NOT_IMPLEMENTED
            };
            &METHODS
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn as_in_wptserve() {
        crate::python::native::testing::check_table(include_str!("../tables/headers.txt"));
    }
}
