//! An answer whose handler has replaced methods of `response` or `response.writer`.
//!
//! In wptserve every step of an answer is looked up on the instance (`self.write_header(…)`), so a replaced method is called by the
//! others. Here they call each other in Rust, unless an instance has attributes of its own: then each step is one of these, which
//! looks the next ones up by their names. Follows wptserve 4.0.3, response.py, `ResponseWriter` and `Response`.

use rustpython_vm::{
    PyObject, PyObjectRef, PyResult, VirtualMachine,
    builtins::PyInt,
    function::{FuncArgs, KwArgs},
};

use super::{answer::Answer, fields::Fields};
use crate::{http::SERVER, python::native::text};

/// `writer.name(argument)`, and whether the writer reports success.
fn call(writer: &PyObject, name: &'static str, argument: PyObjectRef, vm: &VirtualMachine) -> PyResult<bool> {
    vm.call_method(writer, name, (argument,))?.try_to_bool(vm)
}

fn write_bytes(writer: &PyObject, bytes: &[u8], vm: &VirtualMachine) -> PyResult<bool> {
    call(writer, "write", vm.ctx.new_bytes(bytes.to_vec()).into(), vm)
}

pub(super) fn status(
    writer: &PyObject,
    answer: &Answer,
    code: &PyObject,
    message: &PyObject,
    vm: &VirtualMachine,
) -> PyResult<()> {
    let line = answer.status_line(code, message, vm)?;
    write_bytes(writer, &line, vm).map(drop)
}

pub(super) fn header(
    writer: &PyObject,
    answer: &Answer,
    name: &PyObject,
    value: &PyObject,
    vm: &VirtualMachine,
) -> PyResult<bool> {
    if !answer.status_written() {
        vm.call_method(writer, "write_status", (answer.fields().get(|fields| &mut fields.default_status),))?;
    }
    answer.note_header(&answer.fields().encode(name, vm)?);
    let value = match value.downcast_ref::<PyInt>() {
        Some(_) => value.str(vm)?.into(),
        None => value.to_owned(),
    };
    Ok(call(writer, "write", name.to_owned(), vm)?
        && write_bytes(writer, b": ", vm)?
        && call(writer, "write", value, vm)?
        && call(writer, "write", vm.ctx.new_str("\r\n").into(), vm)?)
}

pub(super) fn default_headers(writer: &PyObject, answer: &Answer, vm: &VirtualMachine) -> PyResult<bool> {
    let date = httpdate::fmt_http_date(std::time::SystemTime::now());
    for (name, value) in [("Server", SERVER), ("Date", date.as_str())] {
        if !answer.has_seen(name.as_bytes())
            && !vm.call_method(writer, "write_header", (name, value))?.try_to_bool(vm)?
        {
            return Ok(false);
        }
    }
    let content = answer.fields().get(|fields| &mut fields.content);
    if !text::is_text(&content) || answer.has_seen(b"Content-Length") {
        return Ok(true);
    }
    let length = vm.call_method(writer, "encode", (content,))?.length(vm)?;
    vm.call_method(writer, "write_header", ("Content-Length", length))?.try_to_bool(vm)
}

pub(super) fn end_headers(writer: &PyObject, answer: &Answer, vm: &VirtualMachine) -> PyResult<bool> {
    let required = answer.fields().get(|fields| &mut fields.add_required_headers).try_to_bool(vm)?;
    if required && !vm.call_method(writer, "write_default_headers", ())?.try_to_bool(vm)? {
        return Ok(false);
    }
    if !call(writer, "write", vm.ctx.new_str("\r\n").into(), vm)? {
        return Ok(false);
    }
    if !answer.has_seen(b"Content-Length") {
        answer.fields().set(|fields| &mut fields.close_connection, vm.ctx.true_value.clone().into());
    }
    answer.set_headers_complete(true);
    Ok(true)
}

pub(super) fn content(writer: &PyObject, answer: &Answer, data: PyObjectRef, vm: &VirtualMachine) -> PyResult<bool> {
    if !answer.status_written() {
        vm.call_method(writer, "write_status", (answer.fields().get(|fields| &mut fields.default_status),))?;
    }
    if !answer.headers_complete() {
        answer.fields().set(|fields| &mut fields.content, data.clone());
        vm.call_method(writer, "end_headers", ())?;
    }
    call(writer, "write_raw_content", data, vm)
}

pub(super) fn raw_content(writer: &PyObject, data: PyObjectRef, vm: &VirtualMachine) -> PyResult<bool> {
    if vm.is_none(&data) {
        return Err(vm.new_value_error("data cannot be None"));
    }
    let name = if text::is_text(&data) { "write" } else { "write_content_file" };
    call(writer, name, data, vm)
}

/// `Response.write_status_headers` over HTTP/1.
pub(super) fn head(writer: &PyObject, fields: &Fields, vm: &VirtualMachine) -> PyResult<()> {
    vm.call_method(writer, "write_status", fields.get(|fields| &mut fields.status))?;
    let headers = fields.get(|fields| &mut fields.headers);
    let write_header = writer.get_attr("write_header", vm)?;
    for item in headers.get_iter(vm)?.iter::<PyObjectRef>(vm)? {
        let arguments: Vec<PyObjectRef> = item?.try_to_value(vm)?;
        write_header.call(FuncArgs::from(arguments), vm)?;
    }
    vm.call_method(writer, "end_headers", ()).map(drop)
}

/// `Response.write_content` over HTTP/1.
pub(super) fn body(response: &PyObject, writer: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    for item in vm.call_method(response, "iter_content", ())?.get_iter(vm)?.iter::<PyObjectRef>(vm)? {
        vm.call_method(writer, "write_content", (item?,))?;
    }
    Ok(())
}

/// `H2Response.write_status_headers`.
pub(super) fn h2_head(writer: &PyObject, fields: &Fields, vm: &VirtualMachine) -> PyResult<()> {
    let (code, message) = fields.get(|fields| &mut fields.status);
    let headers = fields.get(|fields| &mut fields.headers);
    vm.call_method(writer, "write_headers", (headers, code, message)).map(drop)
}

/// `H2Response.write_content`: the last item ends the stream.
pub(super) fn h2_body(response: &PyObject, writer: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    let write = |item: PyObjectRef, is_last: bool| {
        let last = [("last".to_owned(), vm.ctx.new_bool(is_last).into())].into_iter().collect::<KwArgs>();
        let arguments = FuncArgs::new(vec![item], last);
        writer.get_attr("write_data", vm)?.call(arguments, vm).map(drop)
    };
    let mut held: Option<PyObjectRef> = None;
    for item in vm.call_method(response, "iter_content", ())?.get_iter(vm)?.iter::<PyObjectRef>(vm)? {
        if let Some(before) = held.replace(item?) {
            write(before, false)?;
        }
    }
    match held {
        Some(last) if last.clone().try_to_bool(vm)? => write(last, true),
        _ => Ok(()),
    }
}
