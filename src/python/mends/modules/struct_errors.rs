//! `struct`: a wrong argument is a `struct.error`, and so is a format with `&` or with a byte order behind its beginning.
//!
//! RustPython 0.6.0, `rustpython-stdlib/src/pystruct.rs` and `rustpython-vm/src/buffer.rs`: an argument of a wrong type raises the
//! `TypeError` of whatever converts it, an int too large for a float an `OverflowError`; a wrong number of arguments counts an
//! `x` as one. `&h` and `h<` are taken for `h`. CPython raises `struct.error` for all of them, and handlers catch that.

use std::sync::OnceLock;

use rustpython_vm::{
    AsObject as _, Py, PyObject, PyObjectRef, PyResult, VirtualMachine,
    builtins::{PyBaseExceptionRef, PyByteArray, PyBytes, PyInt, PyModule, PyStr},
    function::FuncArgs,
};

use crate::python::mends::exchange::{native_class, replace_function, replace_method};

type Init = fn(&PyObject, FuncArgs, &VirtualMachine) -> PyResult<()>;

/// RustPython's own initialiser of `Struct`.
static OF_STRUCT: OnceLock<Init> = OnceLock::new();

pub(in crate::python::mends) fn install(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
    let error = module.get_attr("error", vm)?;
    let class = native_class(module, "Struct", vm)?;
    if let Some(own) = class.slots().init.load()
        && !std::ptr::fn_addr_eq(own, init as Init)
    {
        // All interpreters of the process have the same.
        let _ = OF_STRUCT.set(own);
        class.slots().init.store(Some(init));
    }
    for name in ["calcsize", "unpack", "unpack_from", "iter_unpack"] {
        let original = module.get_attr(name, vm)?;
        let function = move |args: FuncArgs, vm: &VirtualMachine| -> PyResult {
            refuse_format(args.args.first(), vm)?;
            original.call_with_args(args, vm)
        };
        replace_function(module, name, function, vm)?;
    }
    for (name, values_from) in [("pack", 1), ("pack_into", 3)] {
        let (original, raised) = (module.get_attr(name, vm)?, error.clone());
        let function = move |args: FuncArgs, vm: &VirtualMachine| -> PyResult {
            refuse_format(args.args.first(), vm)?;
            let given = args.args.clone();
            original.call_with_args(args, vm).map_err(|error| {
                let format = given.first().and_then(format_of);
                explained(error, name, format, given.get(values_from..), &raised, vm)
            })
        };
        replace_function(module, name, function, vm)?;

        let (original, raised) = (class.as_object().get_attr(name, vm)?, error.clone());
        let method = move |args: FuncArgs, vm: &VirtualMachine| -> PyResult {
            let given = args.args.clone();
            original.call_with_args(args, vm).map_err(|error| {
                let format = given.first().and_then(|own| own.get_attr("format", vm).ok());
                explained(error, name, format.as_ref().and_then(format_of), given.get(values_from..), &raised, vm)
            })
        };
        replace_method(class, name, method, vm);
    }
    Ok(())
}

fn init(made: &PyObject, args: FuncArgs, vm: &VirtualMachine) -> PyResult<()> {
    refuse_format(args.args.first(), vm)?;
    match OF_STRUCT.get() {
        Some(own) => own(made, args, vm),
        None => Ok(()),
    }
}

/// # Errors
/// A character is in the format that means nothing, or only at its beginning.
fn refuse_format(format: Option<&PyObjectRef>, vm: &VirtualMachine) -> PyResult<()> {
    let format = format.and_then(format_of).unwrap_or_default();
    if format.starts_with('&') || format.chars().skip(1).any(|letter| "<>=!@&".contains(letter)) {
        let error = vm.import("_struct", 0)?.get_attr("error", vm)?.call(("bad char in struct format",), vm)?;
        return Err(error.try_into_value(vm)?);
    }
    Ok(())
}

/// A format as text; a valid format is ASCII.
fn format_of(format: &PyObjectRef) -> Option<String> {
    match (format.downcast_ref::<PyStr>(), format.downcast_ref::<PyBytes>()) {
        (Some(text), _) => Some(text.to_string_lossy().into_owned()),
        (_, Some(bytes)) => Some(String::from_utf8_lossy(bytes.as_bytes()).into_owned()),
        _ => None,
    }
}

/// The error as CPython has it: another one, when a value is not what its place in the format asks for.
fn explained(
    error: PyBaseExceptionRef,
    function: &str,
    format: Option<String>,
    values: Option<&[PyObjectRef]>,
    raised: &PyObjectRef,
    vm: &VirtualMachine,
) -> PyBaseExceptionRef {
    let exceptions = &vm.ctx.exceptions;
    let overflow = error.fast_isinstance(exceptions.overflow_error);
    let own = error.class().is(raised);
    let (Some(format), Some(values), true) =
        (format, values, overflow || own || error.fast_isinstance(exceptions.type_error))
    else {
        return error;
    };
    let Some(places) = places(&format) else { return error };
    let message = if places.len() != values.len() {
        Some(format!("{function} expected {} items for packing (got {})", places.len(), values.len()))
    } else if own {
        None
    } else {
        places.iter().zip(values).find_map(|(place, value)| mistake(*place, value, overflow, vm))
    };
    match message.map(|message| raised.call((message,), vm).map(|error| error.downcast::<_>())) {
        Some(Ok(Ok(error))) => error,
        _ => error,
    }
}

/// The letter of the format for each value; `None` for a malformed format.
fn places(format: &str) -> Option<Vec<char>> {
    let mut places = Vec::new();
    let mut count: Option<usize> = None;
    for letter in format.trim_start_matches(['<', '>', '=', '!', '@']).chars() {
        match letter {
            '0'..='9' => {
                let digit = usize::try_from(letter.to_digit(10)?).ok()?;
                count = Some(count.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
                continue;
            }
            blank if blank.is_ascii_whitespace() => continue,
            'x' => {}
            's' | 'p' => places.push(letter),
            // More than there can be arguments.
            _ if count.is_some_and(|count| count > 1 << 16) => return None,
            _ => places.extend(std::iter::repeat_n(letter, count.unwrap_or(1))),
        }
        count = None;
    }
    Some(places)
}

/// The error of a value for its place in the format.
fn mistake(place: char, value: &PyObjectRef, overflow: bool, vm: &VirtualMachine) -> Option<String> {
    let has = |name: &'static str| value.class().get_attr(vm.ctx.intern_str(name)).is_some();
    match place {
        'c' if !value.downcastable::<PyBytes>() => Some("char format requires a bytes object of length 1".to_owned()),
        's' | 'p' if !value.downcastable::<PyBytes>() && !value.downcastable::<PyByteArray>() => {
            Some(format!("argument for '{place}' must be a bytes object"))
        }
        'e' | 'f' | 'd' if overflow => {
            let int = value.downcast_ref::<PyInt>()?;
            let fits = vm.ctx.types.float_type.as_object().call((int.to_owned(),), vm).is_ok();
            Some(if fits { "int too large to convert" } else { "required argument is not a float" }.to_owned())
        }
        'e' | 'f' | 'd' if !has("__float__") && !has("__index__") => {
            Some("required argument is not a float".to_owned())
        }
        'b' | 'B' | 'h' | 'H' | 'i' | 'I' | 'l' | 'L' | 'q' | 'Q' | 'n' | 'N' | 'P' if !has("__index__") => {
            Some("required argument is not an integer".to_owned())
        }
        _ => None,
    }
}
