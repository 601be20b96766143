//! `wptserve.request.Cookies` and `CookieValue`: the class of `request.cookies`, and the class of its values.
//!
//! Cookies is a MultiDict whose `[]` gives the last value. A CookieValue compares by its value, also with plain bytes, and
//! prints itself as Python's `Morsel.OutputString`. The header is read by [`crate::http::cookies`]; this is the Python view.

use rustpython_vm::{
    AsObject, PyObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, builtins::PyBaseExceptionRef,
};

pub(in crate::python) use classes::{CookieValue, Cookies};

use crate::{
    http::{
        cookies::{Attribute, CookieError, Morsel, load},
        text::latin1,
    },
    python::native::{MultiDict, text},
};

/// The attributes of a morsel that a CookieValue has (4.0.3, request.py, `CookieValue.__init__`), and their Python names.
const ATTRIBUTES: [(&str, &str); 8] = [
    ("expires", "expires"),
    ("path", "path"),
    ("comment", "comment"),
    ("domain", "domain"),
    ("max-age", "max_age"),
    ("secure", "secure"),
    ("version", "version"),
    ("httponly", "httponly"),
];

impl Cookies {
    /// The cookies of a `Cookie` header; an empty header has none.
    pub(in crate::python) fn from_header(header: &[u8], vm: &VirtualMachine) -> PyResult<PyRef<Self>> {
        let made = Cookies(MultiDict::default());
        for morsel in load(&latin1(header)).map_err(|error| cookie_error(&error, vm))? {
            let key = text::encode(vm.ctx.new_str(morsel.key.as_str()).as_object(), vm)?;
            let value = CookieValue::new(&morsel, vm)?;
            made.0.0.inner_setitem(&*key, vm.ctx.new_list(vec![value.into()]).into(), vm)?;
        }
        Ok(made.into_ref(&vm.ctx))
    }
}

impl CookieValue {
    pub(in crate::python) fn new(morsel: &Morsel, vm: &VirtualMachine) -> PyResult<PyRef<Self>> {
        let made = CookieValue {}.into_ref(&vm.ctx);
        let object = made.as_object();
        object.set_attr("key", vm.ctx.new_str(morsel.key.as_str()), vm)?;
        object.set_attr("value", text::bytes_object(morsel.value.as_slice(), vm), vm)?;
        for (name, python) in ATTRIBUTES {
            object.set_attr(python, attribute(morsel.get(name), vm), vm)?;
        }
        object.set_attr("_str", vm.ctx.new_str(morsel.output_string()), vm)?;
        Ok(made)
    }
}

fn attribute(value: Option<&Attribute>, vm: &VirtualMachine) -> PyObjectRef {
    match value {
        Some(Attribute::Text(text)) => vm.ctx.new_str(text.as_str()).into(),
        Some(Attribute::Int(number)) => vm.ctx.new_int(*number).into(),
        Some(Attribute::Flag(flag)) => vm.ctx.new_bool(*flag).into(),
        Some(Attribute::None) => vm.ctx.none(),
        None => vm.ctx.new_str("").into(),
    }
}

/// wptserve 4.0.3, request.py, `CookieValue.__eq__`: anything with a `value` is compared by it.
fn equal(cookie: &PyObject, other: &PyObject, vm: &VirtualMachine) -> PyResult<bool> {
    let value = cookie.get_attr("value", vm)?;
    match vm.get_attribute_opt(other, "value")? {
        Some(other) => vm.bool_eq(&value, &other),
        None => vm.bool_eq(&value, other),
    }
}

/// `http.cookies.CookieError`.
pub(in crate::python::native) fn cookie_error(error: &CookieError, vm: &VirtualMachine) -> PyBaseExceptionRef {
    text::exception("http.cookies", "CookieError", (error.to_string(),), vm)
}

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use rustpython_vm::{
        AsObject, Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine,
        builtins::PyStrRef,
        function::PyComparisonValue,
        protocol::PyMappingMethods,
        pyclass,
        types::{AsMapping, Comparable, Constructor, DefaultConstructor, Initializer, PyComparisonOp, Representable},
    };

    use crate::python::native::{
        MultiDict,
        containers::multidict::{Pick, pick},
        instance::traverse,
    };

    #[pyattr]
    #[pyclass(
        module = "wptserve.request",
        name = "Cookies",
        base = MultiDict,
        unhashable = true,
        traverse = "manual"
    )]
    #[derive(Debug, Default)]
    #[repr(transparent)]
    pub(in crate::python) struct Cookies(pub(super) MultiDict);

    traverse!(Cookies { 0 });

    #[pyclass(with(AsMapping, Constructor, Initializer), flags(BASETYPE, MAPPING, HAS_DICT, HAS_WEAKREF))]
    impl Cookies {}

    impl DefaultConstructor for Cookies {}

    impl Initializer for Cookies {
        type Args = ();

        fn init(_zelf: &Py<Self>, (): Self::Args, _vm: &VirtualMachine) -> PyResult<()> {
            Ok(())
        }
    }

    impl AsMapping for Cookies {
        fn as_mapping() -> &'static PyMappingMethods {
            static METHODS: PyMappingMethods = PyMappingMethods {
                length: None,
                subscript: Some(|mapping, key, vm| {
                    pick(&Cookies::mapping_downcast(mapping).0.0, key.to_owned(), Pick::Last, None, vm)
                }),
                ass_subscript: None,
            };
            &METHODS
        }
    }

    /// One cookie of a request. Its attributes are plain ones: they may be set, but that does not change its text.
    #[pyattr]
    #[pyclass(module = "wptserve.request", name = "CookieValue", unhashable = true)]
    #[derive(Debug, Default, PyPayload)]
    pub(in crate::python) struct CookieValue {}

    #[pyclass(with(Comparable, Constructor, Initializer, Representable), flags(BASETYPE, HAS_DICT, HAS_WEAKREF))]
    impl CookieValue {}

    impl DefaultConstructor for CookieValue {}

    /// From a morsel of Python's `http.cookies`.
    impl Initializer for CookieValue {
        type Args = (PyObjectRef,);

        fn init(zelf: &Py<Self>, (morsel,): Self::Args, vm: &VirtualMachine) -> PyResult<()> {
            let object = zelf.as_object();
            object.set_attr("key", morsel.get_attr("key", vm)?, vm)?;
            object.set_attr("value", morsel.get_attr("value", vm)?, vm)?;
            for (name, python) in super::ATTRIBUTES {
                object.set_attr(python, morsel.get_item(name, vm)?, vm)?;
            }
            object.set_attr("_str", vm.call_method(&morsel, "OutputString", ())?, vm)
        }
    }

    impl Comparable for CookieValue {
        fn cmp(
            zelf: &Py<Self>,
            other: &PyObject,
            op: PyComparisonOp,
            vm: &VirtualMachine,
        ) -> PyResult<PyComparisonValue> {
            op.eq_only(|| super::equal(zelf.as_object(), other, vm).map(PyComparisonValue::Implemented))
        }
    }

    impl Representable for CookieValue {
        fn repr(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<PyStrRef> {
            zelf.as_object().get_attr("_str", vm)?.try_into_value(vm)
        }

        fn repr_str(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<String> {
            Ok(Self::repr(zelf, vm)?.to_string_lossy().into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn as_in_wptserve() {
        crate::python::native::testing::check_table(include_str!("../tables/cookies.txt"));
    }
}
