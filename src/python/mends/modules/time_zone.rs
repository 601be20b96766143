//! `%Z` and `%z` in `time.strftime` of a `struct_time`, and `time.altzone` where there is no summer time.
//!
//! RustPython 0.6.0, `rustpython-vm/src/stdlib/time.rs`, `strftime`: the zone in a `struct_time` is ignored, so that
//! `time.strftime("%Z", time.gmtime())` names the zone of the machine ("UTC", "CET") and `%z` is `+0000`. CPython formats what the
//! `struct_time` has in `tm_zone` and `tm_gmtoff`: "GMT" for `gmtime()`. `altzone`: an hour is subtracted in any case.

use rustpython_vm::{
    AsObject as _, Py, PyObjectRef, PyResult, VirtualMachine,
    builtins::{PyModule, PyStr},
    common::wtf8::{CodePoint, Wtf8, Wtf8Buf},
    function::FuncArgs,
};

use crate::python::mends::exchange::replace_function;

pub(in crate::python::mends) fn install(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
    let original = module.get_attr("strftime", vm)?;
    let (struct_time, localtime) = (module.get_attr("struct_time", vm)?, module.get_attr("localtime", vm)?);
    let strftime = move |mut args: FuncArgs, vm: &VirtualMachine| -> PyResult {
        if args.args.len() == 1 && args.kwargs.is_empty() {
            args.args.push(localtime.call((), vm)?);
        }
        if let [format, time] = args.args.as_mut_slice()
            && time.class().is(&struct_time)
            && let Some(text) = format.downcast_ref::<PyStr>()
            && let Some(filled) = fill(text.as_wtf8(), time, vm)?
        {
            *format = vm.ctx.new_str(filled).into();
        }
        original.call_with_args(args, vm)
    };
    replace_function(module, "strftime", strftime, vm)?;
    if !module.get_attr("daylight", vm)?.try_to_bool(vm)? {
        module.set_attr("altzone", module.get_attr("timezone", vm)?, vm)?;
    }
    Ok(())
}

/// The format with the zone of `time` in it, `None` when it asks for none.
fn fill(format: &Wtf8, time: &PyObjectRef, vm: &VirtualMachine) -> PyResult<Option<Wtf8Buf>> {
    let asked = format.as_bytes().windows(2).any(|pair| matches!(pair, b"%Z" | b"%z"));
    if !asked {
        return Ok(None);
    }
    let zone = time.get_attr("tm_zone", vm)?;
    let offset = time.get_attr("tm_gmtoff", vm)?.try_to_value::<i64>(vm).ok();
    let mut filled = Wtf8Buf::with_capacity(format.len());
    let mut letters = format.code_points();
    while let Some(letter) = letters.next() {
        let directive = if letter == '%' { letters.next() } else { None };
        match (directive.and_then(CodePoint::to_char), zone.downcast_ref::<PyStr>(), offset) {
            (Some('Z'), Some(name), _) => filled.push_str(&name.to_string_lossy().replace('%', "%%")),
            (Some('z'), _, Some(seconds)) => {
                let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs() / 60);
                filled.push_str(&format!("{sign}{:02}{:02}", minutes / 60, minutes % 60));
            }
            _ => {
                filled.push(letter);
                filled.extend(directive);
            }
        }
    }
    Ok(Some(filled))
}
