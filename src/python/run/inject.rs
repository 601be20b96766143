//! `--inject-script` for the answers of handlers.

use bytes::Bytes;
use rustpython_vm::{
    AsObject as _, Py, PyObject, PyResult, VirtualMachine,
    builtins::{PyBytes, PyStr},
};

use crate::{
    pipes::inject,
    python::native::{Response, ResponseHeaders, pipes},
};

/// Puts the script into the page that the response holds, if it holds one (`wpt serve` of January 2026, tools/serve/serve.py,
/// `HtmlScriptInjectorHandlerWrapper`). Content that is neither text nor a file stays as it is.
///
/// # Errors
/// `IndexError` if the answer has no `Content-Type`, as in WPT. An exception of reading the content.
pub(super) fn into_response(response: &Py<Response>, script: &Bytes, vm: &VirtualMachine) -> PyResult<()> {
    let response = response.as_object();
    let headers = response.get_attr("headers", vm)?;
    if headers.downcast_ref::<ResponseHeaders>().is_none() {
        return Ok(());
    }
    let content_type = vm.call_method(&headers, "get", ("Content-Type",))?.get_item(&0, vm)?;
    let is_page = content_type.downcast_ref::<PyBytes>().is_some_and(|value| inject::is_page(value.as_bytes()));
    if !is_page || !is_whole(&*response.get_attr("content", vm)?, vm)? {
        return Ok(());
    }
    let page = inject::into_page(pipes::joined_content(response, vm)?, script);
    response.set_attr("content", vm.ctx.new_bytes(page.into()), vm)
}

fn is_whole(content: &PyObject, vm: &VirtualMachine) -> PyResult<bool> {
    if content.downcast_ref::<PyBytes>().is_some() || content.downcast_ref::<PyStr>().is_some() {
        return Ok(true);
    }
    let file = vm.import("io", 0)?.get_attr("IOBase", vm)?;
    content.is_instance(&file, vm)
}
