//! `format(z, spec)` of a complex number without a type and a precision in the format.
//!
//! RustPython 0.6.0, `rustpython-common/src/format.rs`, `format_complex_re_im`: the parts are written out without exponents, so
//! that `format(1e17 + 2j, "<9")` has eighteen digits and `1e-10` becomes `0.0000000001`. CPython writes them as `repr` does.

use rustpython_vm::{
    PyObject, PyResult, VirtualMachine,
    builtins::{PyComplex, PyStr},
    function::FuncArgs,
};

use crate::python::mends::exchange::wrap_method;

pub(in crate::python::mends) fn install(vm: &VirtualMachine) {
    wrap_method(vm.ctx.types.complex_type, "__format__", around, vm);
}

fn around(original: &PyObject, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
    let own = match args.args.as_slice() {
        [number, spec] if args.kwargs.is_empty() => {
            let number = number.downcast_ref::<PyComplex>().map(|number| number.to_complex64());
            let spec = spec.downcast_ref::<PyStr>().and_then(|spec| Spec::parse(spec.to_str()?));
            number.zip(spec)
        }
        _ => None,
    };
    // What it refuses is refused.
    let formatted = original.call(args, vm)?;
    let Some((number, spec)) = own else { return Ok(formatted) };
    let part = |value: f64, sign: &str| -> PyResult<String> {
        let text = vm.call_method(vm.ctx.new_float(value).as_ref(), "__format__", (format!("{sign}{}", spec.rest),))?;
        let text = text.str_utf8(vm)?;
        Ok(text.as_str().strip_suffix(".0").unwrap_or(text.as_str()).to_owned())
    };
    let text = if number.re == 0.0 && number.re.is_sign_positive() {
        format!("{}j", part(number.im, &spec.sign)?)
    } else {
        format!("({}{}j)", part(number.re, &spec.sign)?, part(number.im, "+")?)
    };
    vm.call_method(vm.ctx.new_str(text).as_ref(), "__format__", (spec.place,))
}

/// The pieces of a format that this is about.
#[derive(Debug, PartialEq, Eq)]
struct Spec {
    /// Fill, alignment and width: a format for text.
    place: String,
    sign: String,
    /// What comes behind the sign and the width.
    rest: String,
}

impl Spec {
    /// None for a format that RustPython applies as CPython does, or refuses.
    fn parse(text: &str) -> Option<Self> {
        let is_align = |letter: &char| matches!(letter, '<' | '>' | '^');
        let mut letters = text.chars().peekable();
        let mut ahead = letters.clone().skip(1);
        let mut place = if ahead.next().as_ref().is_some_and(is_align) {
            letters.by_ref().take(2).collect()
        } else {
            letters.next_if(is_align).map_or_else(|| ">".to_owned(), String::from)
        };
        let sign = letters.next_if(|letter| matches!(letter, '+' | '-' | ' ')).map(String::from).unwrap_or_default();
        let zero = letters.next_if_eq(&'z').map(String::from).unwrap_or_default();
        // A zero at the front is refused for complex numbers.
        while let Some(digit) = letters.next_if(char::is_ascii_digit) {
            place.push(digit);
        }
        let grouping = letters.next_if(|letter| matches!(letter, ',' | '_')).map(String::from).unwrap_or_default();
        letters.next().is_none().then_some(Self { place, sign, rest: zero + &grouping })
    }
}
