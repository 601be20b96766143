//! `wptserve.request.MultiDict`, the class of `request.GET` and `request.POST`, and the base of `request.cookies`.
//!
//! A real `dict` of key to *list of values* whose `[]`, `get` and `first` give the first value. The methods of `dict` itself
//! (`items()`, `repr`, `==`, `dict(m)`) show the lists. The one difference from wptserve is that a look-up by `str` also finds the bytes
//! key of the same ISO-8859-1 name; stored and returned keys are unchanged.

use rustpython_vm::{
    AsObject, PyObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine,
    builtins::{PyDict, PyList, PyStr},
    function::PyComparisonValue,
    types::PyComparisonOp,
};

pub(in crate::python::native) use classes::LookupArgs;
pub(in crate::python) use classes::MultiDict;

use crate::python::native::text;

/// The value of a key that a look-up returns.
#[derive(Clone, Copy)]
pub(in crate::python::native) enum Pick {
    First,
    Last,
}

/// The entry of `key` as stored: a list, unless a handler has stored another object with `dict`'s own methods.
///
/// wptserve raises KeyError for `GET.first("name")`, although its documentation writes that; this class finds the bytes key.
pub(in crate::python::native) fn find(
    dict: &PyDict,
    key: &PyObject,
    vm: &VirtualMachine,
) -> PyResult<Option<PyObjectRef>> {
    if let Some(found) = dict.inner_getitem_opt(key, vm)? {
        return Ok(Some(found));
    }
    match key.downcast_ref::<PyStr>().and_then(|name| text::latin1_bytes(name)) {
        Some(name) => dict.inner_getitem_opt(text::bytes_object(name, vm).as_object(), vm),
        None => Ok(None),
    }
}

/// wptserve 4.0.3, request.py, `MultiDict.first` and `MultiDict.last`: an entry that is there but empty counts as missing.
pub(in crate::python::native) fn pick(
    dict: &PyDict,
    key: PyObjectRef,
    which: Pick,
    default: Option<PyObjectRef>,
    vm: &VirtualMachine,
) -> PyResult {
    if let Some(entry) = find(dict, &key, vm)? {
        if let Some(values) = entry.downcast_ref_if_exact::<PyList>(vm) {
            let values = values.borrow_vec();
            let value = match which {
                Pick::First => values.first(),
                Pick::Last => values.last(),
            };
            if let Some(value) = value {
                return Ok(value.clone());
            }
        } else if entry.clone().try_to_bool(vm)? {
            let index = match which {
                Pick::First => 0,
                Pick::Last => -1,
            };
            return entry.get_item(vm.ctx.new_int(index).as_object(), vm);
        }
    }
    default.ok_or_else(|| vm.new_key_error(key))
}

impl MultiDict {
    /// A MultiDict of bytes, in order, as `request.GET` is.
    pub(in crate::python) fn from_pairs(
        pairs: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
        vm: &VirtualMachine,
    ) -> PyResult<PyRef<Self>> {
        let made = Self::default();
        for (name, value) in pairs {
            made.add_value(&text::bytes_object(name, vm), text::bytes_object(value, vm), vm)?;
        }
        Ok(made.into_ref(&vm.ctx))
    }

    /// Appends to the list of `name`, which begins with this value when there is none.
    ///
    /// The name is stored unchanged: only look-ups treat `str` and bytes alike.
    pub(in crate::python::native) fn add_value(
        &self,
        name: &PyObject,
        value: PyObjectRef,
        vm: &VirtualMachine,
    ) -> PyResult<()> {
        match self.0.inner_getitem_opt(name, vm)? {
            Some(values) => match values.downcast_ref::<PyList>() {
                Some(values) => values.borrow_vec_mut().push(value),
                None => drop(vm.call_method(&values, "append", (value,))?),
            },
            None => self.0.inner_setitem(name, vm.ctx.new_list(vec![value]).into(), vm)?,
        }
        Ok(())
    }
}

/// `==` between two dicts one of which is ours. It compares the stored lists; RustPython would use `[]`.
pub(super) fn equal(
    ours: &PyDict,
    other: &PyObject,
    op: PyComparisonOp,
    vm: &VirtualMachine,
) -> PyResult<PyComparisonValue> {
    op.eq_only(|| {
        let Some(other) = other.downcast_ref::<PyDict>() else { return Ok(PyComparisonValue::NotImplemented) };
        let [ours, other] = [ours.copy(), other.copy()].map(|table| PyObjectRef::from(table.into_ref(&vm.ctx)));
        Ok(PyComparisonValue::Implemented(vm.bool_eq(&ours, &other)?))
    })
}

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use rustpython_vm::{
        AsObject, FromArgs, Py, PyObject, PyObjectRef, PyResult, VirtualMachine,
        builtins::PyDict,
        function::{OptionalArg, PyComparisonValue},
        protocol::{PyMappingMethods, PySequenceMethods},
        pyclass,
        types::{AsMapping, AsSequence, Comparable, Constructor, DefaultConstructor, Initializer, PyComparisonOp},
    };

    use super::{Pick, equal, find, pick};
    use crate::python::native::instance::traverse;

    #[pyattr]
    #[pyclass(module = "wptserve.request", name = "MultiDict", base = PyDict, unhashable = true, traverse = "manual")]
    #[derive(Debug, Default)]
    #[repr(transparent)]
    pub(in crate::python) struct MultiDict(pub(in crate::python::native) PyDict);

    traverse!(MultiDict { 0 });

    /// The arguments of a lookup: a key, and what to give when it is not there.
    #[derive(FromArgs)]
    pub(in crate::python::native) struct LookupArgs {
        #[pyarg(any)]
        pub(in crate::python::native) key: PyObjectRef,
        #[pyarg(any, optional)]
        pub(in crate::python::native) default: OptionalArg<PyObjectRef>,
    }

    #[pyclass(
        with(AsMapping, AsSequence, Comparable, Constructor, Initializer),
        flags(BASETYPE, MAPPING, HAS_DICT, HAS_WEAKREF)
    )]
    impl MultiDict {
        /// Appends a value to those of a name.
        #[pymethod]
        fn add(zelf: &Py<Self>, name: PyObjectRef, value: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            zelf.add_value(&name, value, vm)
        }

        /// The first value of a key, or the default; without a default a missing key is a KeyError.
        #[pymethod]
        fn first(zelf: &Py<Self>, args: LookupArgs, vm: &VirtualMachine) -> PyResult {
            pick(&zelf.0, args.key, Pick::First, args.default.into_option(), vm)
        }

        /// The last value of a key, or the default; without a default a missing key is a KeyError.
        #[pymethod]
        fn last(zelf: &Py<Self>, args: LookupArgs, vm: &VirtualMachine) -> PyResult {
            pick(&zelf.0, args.key, Pick::Last, args.default.into_option(), vm)
        }

        /// The first value of a key, or the default, which is None when not given.
        #[pymethod]
        fn get(zelf: &Py<Self>, args: LookupArgs, vm: &VirtualMachine) -> PyResult {
            let default = args.default.unwrap_or_none(vm);
            // wptserve's `get` calls `self.first`, so a subclass that overrides `first` is asked.
            vm.call_method(zelf.as_object(), "first", (args.key, default))
        }

        /// All values of a key as a list: the stored list itself, or a new empty one.
        #[pymethod]
        fn get_list(zelf: &Py<Self>, key: PyObjectRef, vm: &VirtualMachine) -> PyResult {
            Ok(find(&zelf.0, &key, vm)?.unwrap_or_else(|| vm.ctx.new_list(Vec::new()).into()))
        }
    }

    impl DefaultConstructor for MultiDict {}

    impl Initializer for MultiDict {
        type Args = ();

        fn init(_zelf: &Py<Self>, (): Self::Args, _vm: &VirtualMachine) -> PyResult<()> {
            Ok(())
        }
    }

    impl Comparable for MultiDict {
        fn cmp(
            zelf: &Py<Self>,
            other: &PyObject,
            op: PyComparisonOp,
            vm: &VirtualMachine,
        ) -> PyResult<PyComparisonValue> {
            equal(&zelf.0, other, op, vm)
        }
    }

    impl AsMapping for MultiDict {
        fn as_mapping() -> &'static PyMappingMethods {
            static METHODS: PyMappingMethods = PyMappingMethods {
                length: None,
                subscript: Some(|mapping, key, vm| {
                    pick(&MultiDict::mapping_downcast(mapping).0, key.to_owned(), Pick::First, None, vm)
                }),
                ass_subscript: Some(|mapping, key, value, vm| {
                    let entry = value.map(|value| vm.ctx.new_list(vec![value]).into());
                    match PyDict::as_mapping().ass_subscript {
                        Some(of_dict) => of_dict(mapping, key, entry, vm),
                        None => Ok(()),
                    }
                }),
            };
            &METHODS
        }
    }

    impl AsSequence for MultiDict {
        fn as_sequence() -> &'static PySequenceMethods {
            static METHODS: PySequenceMethods = PySequenceMethods {
                contains: Some(|sequence, key, vm| {
                    Ok(find(&MultiDict::sequence_downcast(sequence).0, key, vm)?.is_some())
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
        crate::python::native::testing::check_table(include_str!("../tables/multidict.txt"));
    }
}
