//! Exceptions as text: for the JSON body of a 500 and for the log.
//!
//! The form is that of wptserve's message (wptserve 4.0.3, response.py, `Response._format_server_error`), with the
//! frames of the doc root's files. A server without Python has no frames of its own to show.

use std::{collections::HashMap, fmt::Write as _, fs};

use rustpython_vm::{
    AsObject, Py, PyObjectRef, PyResult, VirtualMachine,
    builtins::{PyBaseException, PyBaseExceptionRef, PyStr},
};

use super::mends::wording::as_in_cpython;

/// The number of times that the same line is shown before the rest is only counted (recursion), as in CPython.
const REPEAT: usize = 3;

/// The traceback text for an exception, the text itself for a text, a placeholder for `None`.
///
/// # Errors
/// The exception's own `__str__` raises.
pub(super) fn describe(cause: Option<&PyObjectRef>, vm: &VirtualMachine) -> PyResult<String> {
    let Some(cause) = cause else { return Ok("<no traceback>".to_owned()) };
    if let Some(text) = cause.downcast_ref::<PyStr>() {
        return Ok(text.to_string_lossy().into_owned());
    }
    let Some(exception) = cause.downcast_ref::<PyBaseException>() else {
        return cause.str(vm).map(|text| text.to_string_lossy().into_owned());
    };
    let frames = frames(exception, vm);
    let indented: Vec<String> = frames.iter().map(|frame| format!("  {frame}")).collect();
    Ok(format!(
        "Traceback (most recent call last):\n{}  {}: {}\n",
        indented.join("\n"),
        exception.class().name(),
        as_in_cpython(&cause.str(vm)?.to_string_lossy())
    ))
}

/// An exception for the log, even if its own `__str__` raises.
pub(super) fn for_log(exception: &PyBaseExceptionRef, vm: &VirtualMachine) -> String {
    describe(Some(&exception.clone().into()), vm).unwrap_or_else(|_| "an exception that cannot be printed".to_owned())
}

/// The text of an exception when the configuration's `logging.suppress_handler_traceback` is true: the place where it was raised, in one
/// line. Other objects are described as usual.
///
/// # Errors
/// As [`describe`].
pub(super) fn suppressed(cause: Option<&PyObjectRef>, vm: &VirtualMachine) -> PyResult<String> {
    let Some(exception) = cause.and_then(|cause| cause.downcast_ref::<PyBaseException>()) else {
        return describe(cause, vm);
    };
    let last = exception.__traceback__().and_then(|traceback| traceback.iter().last());
    Ok(match last {
        Some(step) => {
            let code = step.frame.f_code();
            format!("File \"{}\", line {} in {} (traceback suppressed)", code.source_path(), step.lineno, code.obj_name)
        }
        // Raised by the server itself, not in a file of the checkout.
        None => format!("{} (traceback suppressed)", exception.class().name()),
    })
}

/// One entry per frame, outermost first: file, line and function, and below it the source line.
fn frames(exception: &Py<PyBaseException>, vm: &VirtualMachine) -> Vec<String> {
    let mut sources = HashMap::new();
    let mut entries: Vec<(String, usize)> = Vec::new();
    if let Some(traceback) = exception.__traceback__() {
        for step in traceback.iter() {
            let code = step.frame.f_code();
            let entry = entry(code.source_path().as_str(), step.lineno.get(), code.obj_name.as_str(), &mut sources);
            match entries.last_mut() {
                Some((last, count)) if *last == entry => *count += 1,
                _ => entries.push((entry, 1)),
            }
        }
    }
    if exception.fast_isinstance(vm.ctx.exceptions.syntax_error) {
        entries.extend(syntax_error_place(exception, vm).map(|entry| (entry, 1)));
    }
    let mut lines = Vec::new();
    for (entry, count) in entries {
        lines.extend(std::iter::repeat_n(entry, count.min(REPEAT)));
        if count > REPEAT {
            lines.push(format!("  [Previous line repeated {} more times]\n", count - REPEAT));
        }
    }
    lines
}

fn entry(file: &str, line: usize, function: &str, sources: &mut HashMap<String, Option<String>>) -> String {
    let mut entry = format!("  File \"{file}\", line {line}, in {function}\n");
    let source = sources
        .entry(file.to_owned())
        .or_insert_with(|| fs::read(file).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
    if let Some(text) = source.as_ref().and_then(|text| text.lines().nth(line.saturating_sub(1))) {
        // Writing to a String cannot fail.
        let _ = writeln!(entry, "    {}", text.trim());
    }
    entry
}

/// A syntax error has no frame; the place is in its attributes.
fn syntax_error_place(exception: &Py<PyBaseException>, vm: &VirtualMachine) -> Option<String> {
    let attribute =
        |name: &'static str| exception.as_object().get_attr(name, vm).ok().filter(|value| !vm.is_none(value));
    let file = attribute("filename")?.str(vm).ok()?;
    let line = attribute("lineno")?.str(vm).ok()?;
    let mut entry = format!("  File \"{}\", line {}\n", file.to_string_lossy(), line.to_string_lossy());
    if let Some(text) = attribute("text").and_then(|text| text.str(vm).ok()) {
        let _ = writeln!(entry, "    {}", text.to_string_lossy().trim());
    }
    Some(entry)
}

#[cfg(test)]
mod tests {
    use rustpython_vm::{PyObjectRef, compiler::Mode};

    use super::*;
    use crate::python::native::testing::with_vm;

    const SOURCE: &str = "def inner():\n    raise KeyError('x')\ndef main():\n    inner()\nmain()\n";

    #[test]
    fn an_exception_is_described_at_length_or_in_a_line() {
        with_vm(|vm| {
            let code = vm.compile(SOURCE, Mode::Exec, "/nowhere/handler.py").unwrap();
            let raised: PyObjectRef = vm.run_code_obj(code, vm.new_scope_with_builtins()).unwrap_err().into();
            let full = describe(Some(&raised), vm).unwrap();
            assert!(full.starts_with(
                "Traceback (most recent call last):\n    File \"/nowhere/handler.py\", line 5, in <module>\n"
            ));
            assert!(full.ends_with("    File \"/nowhere/handler.py\", line 2, in inner\n  KeyError: 'x'\n"), "{full}");
            let short = suppressed(Some(&raised), vm).unwrap();
            assert_eq!(short, "File \"/nowhere/handler.py\", line 2 in inner (traceback suppressed)");
            let text: PyObjectRef = vm.ctx.new_str("a text").into();
            assert_eq!(suppressed(Some(&text), vm).unwrap(), "a text");
            assert_eq!(suppressed(None, vm).unwrap(), "<no traceback>");
        });
    }
}
