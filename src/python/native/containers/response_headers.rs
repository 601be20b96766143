//! `response.headers`: the headers of an answer, in the order of their first appearance, values grouped by name.

pub(crate) use classes::ResponseHeaders;

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use parking_lot::Mutex;
    use rustpython_vm::{
        AsObject, FromArgs, Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine,
        builtins::{PyInt, PyList, PyListRef, PyType},
        function::OptionalArg,
        protocol::{PyMappingMethods, PySequenceMethods},
        pyclass,
        types::{AsMapping, AsSequence, Constructor, Iterable, Representable},
    };

    use crate::python::native::{
        instance::{is_changed, traverse},
        text,
    };

    /// One header: the name as it was first given, and its values (a list that handlers may hold on to and change).
    #[derive(Debug, Clone)]
    struct Field {
        lower: Vec<u8>,
        name: PyObjectRef,
        values: PyListRef,
    }

    traverse!(Field { name, values });

    /// Dictionary-like object holding the headers of an answer (wptserve 4.0.3, response.py, `ResponseHeaders`). Names
    /// and values may be bytes, text or ints; they are kept as bytes.
    #[pyattr]
    #[pyclass(module = "wptserve.response", name = "ResponseHeaders", traverse = "manual")]
    #[derive(Debug, Default, PyPayload)]
    pub(crate) struct ResponseHeaders {
        fields: Mutex<Vec<Field>>,
    }

    traverse!(ResponseHeaders { fields });

    impl ResponseHeaders {
        fn find(&self, key: &PyObject, vm: &VirtualMachine) -> PyResult<(Vec<u8>, Option<PyListRef>)> {
            let lower = maybe_encode(key, vm)?.to_ascii_lowercase();
            let values = self.fields.lock().iter().find(|field| field.lower == lower).map(|field| field.values.clone());
            Ok((lower, values))
        }

        fn store(&self, key: &PyObject, value: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
            let key = maybe_encode(key, vm)?;
            let value = vm.ctx.new_bytes(maybe_encode(value, vm)?);
            let field = Field {
                lower: key.to_ascii_lowercase(),
                name: vm.ctx.new_bytes(key).into(),
                values: vm.ctx.new_list(vec![value.into()]),
            };
            let mut fields = self.fields.lock();
            match fields.iter_mut().find(|known| known.lower == field.lower) {
                Some(known) => *known = field,
                None => fields.push(field),
            }
            Ok(())
        }

        fn add(&self, key: &PyObject, value: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
            match self.find(key, vm)?.1 {
                Some(values) => {
                    let value = vm.ctx.new_bytes(maybe_encode(value, vm)?);
                    values.borrow_vec_mut().push(value.into());
                    Ok(())
                }
                None => self.store(key, value, vm),
            }
        }

        fn pairs(&self, vm: &VirtualMachine) -> Vec<PyObjectRef> {
            let fields = self.fields.lock().clone();
            let mut pairs = Vec::with_capacity(fields.len());
            for field in fields {
                let values = field.values.borrow_vec().to_vec();
                pairs.extend(values.into_iter().map(|value| vm.new_tuple((field.name.clone(), value)).into()));
            }
            pairs
        }

        fn remove(&self, key: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
            let (lower, values) = self.find(key, vm)?;
            if values.is_none() {
                return Err(vm.new_key_error(vm.ctx.new_bytes(lower).into()));
            }
            self.fields.lock().retain(|field| field.lower != lower);
            Ok(())
        }
    }

    /// wptserve 4.0.3, response.py, `_maybe_encode`: an int is written in decimal.
    fn maybe_encode(value: &PyObject, vm: &VirtualMachine) -> PyResult<Vec<u8>> {
        match value.downcast_ref::<PyInt>() {
            Some(int) => Ok(int.as_bigint().to_string().into_bytes()),
            None => text::encoded(value, vm),
        }
    }

    #[derive(FromArgs)]
    struct PairArgs {
        #[pyarg(any)]
        key: PyObjectRef,
        #[pyarg(any)]
        value: PyObjectRef,
    }

    #[derive(FromArgs)]
    struct GetArgs {
        #[pyarg(any)]
        key: PyObjectRef,
        #[pyarg(any, optional)]
        default: OptionalArg<PyObjectRef>,
    }

    #[pyclass(with(AsMapping, AsSequence, Constructor, Iterable, Representable), flags(HAS_DICT))]
    impl ResponseHeaders {
        /// Set a header to a value, instead of all values it had.
        #[pymethod]
        fn set(zelf: &Py<Self>, args: PairArgs, vm: &VirtualMachine) -> PyResult<()> {
            zelf.store(&args.key, &args.value, vm)
        }

        /// Add a value to a header, beside those it has.
        #[pymethod]
        fn append(zelf: &Py<Self>, args: PairArgs, vm: &VirtualMachine) -> PyResult<()> {
            if is_changed(zelf.as_object()) && zelf.find(&args.key, vm)?.1.is_none() {
                return vm.call_method(zelf.as_object(), "set", (args.key, args.value)).map(drop);
            }
            zelf.add(&args.key, &args.value, vm)
        }

        /// The list of a header's values; `default`, or else an empty list, when it is not set.
        #[pymethod]
        fn get(zelf: &Py<Self>, args: GetArgs, vm: &VirtualMachine) -> PyResult {
            Ok(match (zelf.find(&args.key, vm)?.1, args.default) {
                (Some(values), _) => values.into(),
                (None, OptionalArg::Present(default)) => default,
                (None, OptionalArg::Missing) => vm.ctx.new_list(Vec::new()).into(),
            })
        }

        /// All (name, value) pairs.
        #[pymethod]
        fn items(zelf: &Py<Self>, vm: &VirtualMachine) -> PyListRef {
            vm.ctx.new_list(zelf.pairs(vm))
        }

        /// Append each (name, value) pair of an iterable.
        #[pymethod]
        fn update(zelf: &Py<Self>, items_iter: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            for item in items_iter.get_iter(vm)?.iter::<PyObjectRef>(vm)? {
                let (name, value) = {
                    let item = item?;
                    unpack_pair(&item, vm)?
                };
                if is_changed(zelf.as_object()) {
                    vm.call_method(zelf.as_object(), "append", (name, value))?;
                } else {
                    zelf.add(&name, &value, vm)?;
                }
            }
            Ok(())
        }
    }

    /// `name, value = item` with the interpreter's own errors.
    fn unpack_pair(item: &PyObject, vm: &VirtualMachine) -> PyResult<(PyObjectRef, PyObjectRef)> {
        if !item.class().has_attr(vm.ctx.intern_str("__iter__")) && item.class().slots.as_sequence.item.load().is_none()
        {
            let kind = item.class().name().to_owned();
            return Err(vm.new_type_error(format!("cannot unpack non-iterable {kind} object")));
        }
        let mut parts = Vec::with_capacity(2);
        for part in item.get_iter(vm)?.iter::<PyObjectRef>(vm)? {
            parts.push(part?);
            if parts.len() > 2 {
                return Err(vm.new_value_error("too many values to unpack (expected 2)"));
            }
        }
        let count = parts.len();
        let mut parts = parts.into_iter();
        match (parts.next(), parts.next()) {
            (Some(name), Some(value)) => Ok((name, value)),
            _ => Err(vm.new_value_error(format!("not enough values to unpack (expected 2, got {count})"))),
        }
    }

    impl Constructor for ResponseHeaders {
        type Args = ();

        fn py_new(_class: &Py<PyType>, _args: Self::Args, _vm: &VirtualMachine) -> PyResult<Self> {
            Ok(Self::default())
        }
    }

    impl Iterable for ResponseHeaders {
        fn iter(zelf: rustpython_vm::PyRef<Self>, vm: &VirtualMachine) -> PyResult {
            let pairs: PyObjectRef = PyList::from(zelf.pairs(vm)).into_pyobject(vm);
            Ok(pairs.get_iter(vm)?.into())
        }
    }

    impl AsMapping for ResponseHeaders {
        fn as_mapping() -> &'static PyMappingMethods {
            static METHODS: PyMappingMethods = PyMappingMethods {
                subscript: Some(|mapping, key, vm| {
                    let (lower, values) = ResponseHeaders::mapping_downcast(mapping).find(key, vm)?;
                    values.map(Into::into).ok_or_else(|| vm.new_key_error(vm.ctx.new_bytes(lower).into()))
                }),
                ass_subscript: Some(|mapping, key, value, vm| {
                    let headers = ResponseHeaders::mapping_downcast(mapping);
                    match value {
                        Some(value) => headers.store(key, &value, vm),
                        None => headers.remove(key, vm),
                    }
                }),
                ..PyMappingMethods::NOT_IMPLEMENTED
            };
            &METHODS
        }
    }

    impl AsSequence for ResponseHeaders {
        fn as_sequence() -> &'static PySequenceMethods {
            static METHODS: PySequenceMethods = PySequenceMethods {
                contains: Some(|sequence, key, vm| {
                    Ok(ResponseHeaders::sequence_downcast(sequence).find(key, vm)?.1.is_some())
                }),
                ..PySequenceMethods::NOT_IMPLEMENTED
            };
            &METHODS
        }
    }

    impl Representable for ResponseHeaders {
        /// The `repr` of the `OrderedDict` that wptserve keeps.
        fn repr_str(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<String> {
            let fields = zelf.fields.lock().clone();
            let mut items = Vec::with_capacity(fields.len());
            for field in fields {
                let value = vm.new_tuple((field.name, field.values));
                let item = vm.new_tuple((vm.ctx.new_bytes(field.lower), value));
                items.push(item.as_object().repr(vm)?.to_string_lossy().into_owned());
            }
            if items.is_empty() {
                Ok("OrderedDict()".to_owned())
            } else {
                Ok(format!("OrderedDict([{}])", items.join(", ")))
            }
        }
    }
}
