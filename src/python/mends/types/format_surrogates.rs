//! Formatting with surrogates: `format("\ud800", "5")`, `format(1, "\ud800<5")`, in `str.format` and f-strings as well.
//!
//! RustPython 0.6.0, `__format__` in `rustpython-vm/src/builtins/str.rs`, `int.rs`, `float.rs` and `complex.rs`: text and format
//! are read as UTF-8, which has no surrogates, so that a `UnicodeEncodeError` is raised. CPython formats them like any other
//! character. `os.fsdecode` and the error handler `surrogateescape` return surrogates.
//!
//! The number of a surrogate is worse: `format(0xd800, "c")` panics, because Rust has no such `char`.
//!
//! The mend replaces surrogates by characters that UTF-8 has, for the time of the call: 2048 private ones that do not occur in it.

use rustpython_vm::{
    PyObject, PyObjectRef, PyResult, VirtualMachine,
    builtins::{PyInt, PyStr},
    common::wtf8::{CodePoint, Wtf8, Wtf8Buf},
    function::FuncArgs,
};

use crate::python::mends::exchange::wrap_method;

/// Where the surrogates begin.
const SURROGATES: u32 = 0xD800;
/// How many there are.
const COUNT: u32 = 2048;
/// Where 2048 characters for private use begin.
const PRIVATE: [u32; 3] = [0x0010_F800, 0x0010_0000, 0x000F_0000];

pub(in crate::python::mends) fn install(vm: &VirtualMachine) {
    let types = &vm.ctx.types;
    for class in [types.str_type, types.int_type, types.bool_type, types.float_type, types.complex_type] {
        wrap_method(class, "__format__", around, vm);
    }
}

fn around(original: &PyObject, mut args: FuncArgs, vm: &VirtualMachine) -> PyResult {
    let offset = number(&args, vm);
    if offset.is_none() && !args.args.iter().any(has_surrogate) {
        return original.call(args, vm);
    }
    let texts = || args.args.iter().filter_map(|argument| argument.downcast_ref::<PyStr>());
    let Some(lent) = PRIVATE
        .into_iter()
        .find(|first| !texts().any(|text| text.as_wtf8().code_points().any(|point| within(point, *first).is_some())))
    else {
        return original.call(args, vm);
    };
    for argument in &mut args.args {
        if let Some(text) = argument.downcast_ref::<PyStr>() {
            *argument = vm.ctx.new_str(moved(text.as_wtf8(), SURROGATES, lent)).into();
        }
    }
    if let (Some(offset), Some(first)) = (offset, args.args.first_mut()) {
        *first = vm.ctx.new_int(lent + offset).into();
    }
    let formatted = original.call(args, vm)?;
    match formatted.downcast_ref::<PyStr>() {
        Some(text) => Ok(vm.ctx.new_str(moved(text.as_wtf8(), lent, SURROGATES)).into()),
        None => Ok(formatted),
    }
}

/// The surrogate whose number the integer is, when it is formatted as a character.
fn number(args: &FuncArgs, vm: &VirtualMachine) -> Option<u32> {
    let [value, format] = args.args.as_slice() else { return None };
    let as_character = format.downcast_ref::<PyStr>()?.as_wtf8().code_points().last()? == CodePoint::from_char('c');
    let value = value.downcast_ref::<PyInt>().filter(|_| as_character)?;
    value.try_to_primitive::<u32>(vm).ok()?.checked_sub(SURROGATES).filter(|offset| *offset < COUNT)
}

fn has_surrogate(argument: &PyObjectRef) -> bool {
    argument.downcast_ref::<PyStr>().is_some_and(|text| text.to_str().is_none())
}

/// The text with the [`COUNT`] characters from `from` on moved to `to`.
fn moved(text: &Wtf8, from: u32, to: u32) -> Wtf8Buf {
    let moved = |point| within(point, from).and_then(|offset| CodePoint::from_u32(to + offset)).unwrap_or(point);
    text.code_points().map(moved).collect()
}

/// The index of a character among the [`COUNT`] characters from `first` on.
fn within(point: CodePoint, first: u32) -> Option<u32> {
    point.to_u32().checked_sub(first).filter(|offset| *offset < COUNT)
}

#[cfg(test)]
mod tests {
    use crate::python::native::testing;

    /// Not in the table: without the mend these rows panic.
    #[test]
    fn the_number_of_a_surrogate_is_formatted_as_a_character() {
        testing::check_table(concat!(
            "\n---\n",
            ">>> format(0xd800, 'c'), '{:>3c}'.format(0xdfff), f'{0xdc80:\\ud800<3c}', format(0xd7ff, 'c'), format(0xe000, 'c')\n",
            "('\\ud800', '  \\udfff', '\\udc80\\ud800\\ud800', '\\ud7ff', '\\ue000')\n",
            ">>> format(0xd800, 'd'), format(type('I', (int,), {})(0xd801), 'c'), '%c' % 0xd800\n",
            "('55296', '\\ud801', '\\ud800')\n",
            ">>> format(0xd800, '+c')\n",
            "ValueError: Sign not allowed with integer format specifier 'c'\n",
        ));
    }
}
