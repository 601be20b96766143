//! `response`: the answer that a handler fills in. It is sent when the handler returns, unless the handler has written it itself.

pub(super) mod answer;
mod by_name;
pub(super) mod connection;
pub(super) mod content;
mod fields;
mod h2_answer;
pub(super) mod h2_writer;
pub(super) mod trickled;
pub(super) mod writer;

pub(in crate::python) use answer::Answer;
pub(in crate::python) use fields::Fields;
pub(in crate::python) use h2_answer::H2Answer;
pub(super) use trickled::Trickled;

pub(crate) use classes::{AnyAnswer, H2Response, Response};

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use std::{sync::Arc, time::Duration};

    use rustpython_vm::{
        AsObject as _, FromArgs, Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, function::OptionalArg,
        pyclass,
    };

    use crate::{
        http::{answer::error_body, shortage::RETRY_AFTER},
        python::{
            exceptions::shortage,
            native::{
                containers::{
                    response_headers::ResponseHeaders,
                    set_cookie::{CookieArgs, cookie_text, without_cookie},
                },
                instance::{is_changed, traverse},
                response::{
                    answer::Answer,
                    by_name,
                    content::ContentIterator,
                    fields::{Fields, Values},
                    h2_answer::H2Answer,
                    h2_writer::H2ResponseWriter,
                    writer::ResponseWriter,
                },
                text,
            },
            traceback,
        },
    };

    /// The answer to a request (wptserve 4.0.3, response.py, `Response`).
    #[pyattr]
    #[pyclass(module = "wptserve.response", name = "Response", traverse = "manual")]
    #[derive(Debug, PyPayload)]
    pub(crate) struct Response {
        fields: Arc<Fields>,
        answer: AnyAnswer,
        request: PyObjectRef,
        writer: PyObjectRef,
        /// The URL that error messages name.
        url: String,
        /// Whether error messages have only the place of an exception, without its traceback.
        is_brief: bool,
    }

    // The end of a request empties `fields`.
    traverse!(Response { request, writer });

    /// The state of an answer, by the version of HTTP.
    #[derive(Debug)]
    pub(crate) enum AnyAnswer {
        /// As the bytes of HTTP/1.1.
        Http1(Arc<Answer>),
        /// As frames of HTTP/2.
        Http2(Arc<H2Answer>),
    }

    impl Response {
        pub(crate) fn new(
            answer: AnyAnswer,
            fields: Arc<Fields>,
            request: PyObjectRef,
            url: String,
            is_brief: bool,
            vm: &VirtualMachine,
        ) -> Self {
            let writer = match &answer {
                AnyAnswer::Http1(answer) => {
                    ResponseWriter::new(Arc::clone(answer), request.clone()).into_ref(&vm.ctx).into()
                }
                AnyAnswer::Http2(answer) => {
                    H2ResponseWriter::new(Arc::clone(answer), request.clone()).into_ref(&vm.ctx).into()
                }
            };
            Self { fields, answer, request, writer, url, is_brief }
        }

        /// wptserve 4.0.3, response.py, the setter of `Response.status`: an int, or a pair of code and message.
        pub(crate) fn assign_status(&self, value: &PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            let int = |value: PyObjectRef| vm.ctx.types.int_type.as_object().call((value,), vm);
            let status = if value.has_attr("__len__", vm)? {
                if value.length(vm)? != 2 {
                    return Err(vm.new_exception_empty(vm.ctx.exceptions.value_error.to_owned()));
                }
                let code = int(value.get_item(&0, vm)?)?;
                let message = value.get_item(&1, vm)?;
                (code, if text::is_text(&message) { message } else { message.str(vm)?.into() })
            } else {
                (int(value.clone())?, vm.ctx.none())
            };
            self.fields.set(|fields| &mut fields.status, status);
            Ok(())
        }

        /// wptserve 4.0.3, response.py, `Response.set_error`: status, headers and a JSON body that names the cause; a
        /// code of the 500s is logged as well.
        pub(crate) fn fail(&self, code: i64, cause: Option<&PyObjectRef>, vm: &VirtualMachine) -> PyResult<()> {
            let message = if (500..600).contains(&code) {
                let shown =
                    if self.is_brief { traceback::suppressed(cause, vm) } else { traceback::describe(cause, vm) };
                let message = format!("Internal server error loading {}:\n  {}", self.url, shown?);
                log::warn!("{message}");
                message
            } else {
                match cause {
                    Some(cause) => cause.str(vm)?.to_string_lossy().into_owned(),
                    None => String::new(),
                }
            };
            let body = error_body(code, &message);
            let pair = |name: &'static str, value: PyObjectRef| vm.new_tuple((vm.ctx.new_str(name), value)).into();
            let mut headers = vec![
                pair("Content-Type", vm.ctx.new_str("application/json").into()),
                pair("Content-Length", vm.ctx.new_int(body.len()).into()),
            ];
            if code == 503 && cause.is_some_and(|cause| shortage::of(cause, vm).is_some()) {
                headers.push(pair("Retry-After", vm.ctx.new_str(RETRY_AFTER).into()));
            }
            let headers = vm.ctx.new_list(headers);
            self.fields.set(|fields| &mut fields.status, (vm.ctx.new_int(code).into(), vm.ctx.none()));
            self.fields.set(|fields| &mut fields.headers, headers.into());
            self.fields.set(|fields| &mut fields.content, vm.ctx.new_str(body).into());
            Ok(())
        }

        /// Delays the rest of the answer.
        pub(in crate::python::native) fn wait(&self, time: Duration) {
            match &self.answer {
                AnyAnswer::Http1(answer) => answer.wait(time),
                AnyAnswer::Http2(answer) => answer.wait(time),
            }
        }

        fn field(&self, field: impl FnOnce(&mut Values) -> &mut PyObjectRef) -> PyObjectRef {
            self.fields.get(field)
        }
    }

    #[derive(FromArgs)]
    struct ErrorArgs {
        #[pyarg(any)]
        code: i64,
        #[pyarg(any, optional)]
        err: Option<PyObjectRef>,
    }

    #[derive(FromArgs)]
    struct IterArgs {
        #[pyarg(any, optional)]
        read_file: OptionalArg<PyObjectRef>,
    }

    #[derive(FromArgs)]
    struct DeleteCookieArgs {
        #[pyarg(any)]
        name: PyObjectRef,
        #[pyarg(any, optional)]
        path: OptionalArg<PyObjectRef>,
        #[pyarg(any, optional)]
        domain: OptionalArg<PyObjectRef>,
    }

    #[pyclass(flags(HAS_DICT))]
    impl Response {
        /// The request that is being answered.
        #[pygetset]
        fn request(zelf: &Py<Self>) -> PyObjectRef {
            zelf.request.clone()
        }

        /// Writes the bytes of the answer directly.
        #[pygetset]
        fn writer(zelf: &Py<Self>) -> PyObjectRef {
            zelf.writer.clone()
        }

        /// Python's root logger.
        #[pygetset]
        fn logger(_zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            let logging = vm.import("logging", 0)?;
            vm.call_method(&logging, "getLogger", ())
        }

        /// The pair of status code and message (None for the code's usual phrase). Set it to an int or to a pair.
        #[pygetset]
        fn status(zelf: &Py<Self>, vm: &VirtualMachine) -> PyObjectRef {
            vm.new_tuple(zelf.fields.get(|fields| &mut fields.status)).into()
        }

        #[pygetset(setter)]
        fn set_status(zelf: &Py<Self>, value: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            zelf.assign_status(&value, vm)
        }

        /// The headers of the answer; any iterable of (name, value) pairs may replace them.
        #[pygetset]
        fn headers(zelf: &Py<Self>) -> PyObjectRef {
            zelf.field(|fields| &mut fields.headers)
        }

        #[pygetset(setter)]
        fn set_headers(zelf: &Py<Self>, value: PyObjectRef) {
            zelf.fields.set(|fields| &mut fields.headers, value);
        }

        /// The body: text, bytes, a file object, or an iterable of text, bytes and functions that return either.
        #[pygetset]
        fn content(zelf: &Py<Self>) -> PyObjectRef {
            zelf.field(|fields| &mut fields.content)
        }

        #[pygetset(setter)]
        fn set_content(zelf: &Py<Self>, value: PyObjectRef) {
            zelf.assign_content(value);
        }

        /// The encoding of text in headers and body; "utf8" by default.
        #[pygetset]
        fn encoding(zelf: &Py<Self>) -> PyObjectRef {
            zelf.field(|fields| &mut fields.encoding)
        }

        #[pygetset(setter)]
        fn set_encoding(zelf: &Py<Self>, value: PyObjectRef) {
            zelf.fields.set(|fields| &mut fields.encoding, value);
        }

        /// Whether Server, Date and Content-Length are added; true by default.
        #[pygetset]
        fn add_required_headers(zelf: &Py<Self>) -> PyObjectRef {
            zelf.field(|fields| &mut fields.add_required_headers)
        }

        #[pygetset(setter)]
        fn set_add_required_headers(zelf: &Py<Self>, value: PyObjectRef) {
            zelf.fields.set(|fields| &mut fields.add_required_headers, value);
        }

        /// Whether a HEAD request gets the body too; false by default.
        #[pygetset]
        fn send_body_for_head_request(zelf: &Py<Self>) -> PyObjectRef {
            zelf.field(|fields| &mut fields.send_body_for_head_request)
        }

        #[pygetset(setter)]
        fn set_send_body_for_head_request(zelf: &Py<Self>, value: PyObjectRef) {
            zelf.fields.set(|fields| &mut fields.send_body_for_head_request, value);
        }

        /// Whether the connection closes after this answer; becomes true when no Content-Length is sent.
        #[pygetset]
        fn close_connection(zelf: &Py<Self>) -> PyObjectRef {
            zelf.field(|fields| &mut fields.close_connection)
        }

        #[pygetset(setter)]
        fn set_close_connection(zelf: &Py<Self>, value: PyObjectRef) {
            zelf.fields.set(|fields| &mut fields.close_connection, value);
        }

        /// Add a Set-Cookie header. Name and value are bytes or text; a value of None deletes the cookie. `max_age` is
        /// in seconds or a timedelta, `expires` a datetime or a timedelta from now.
        #[pymethod]
        fn set_cookie(zelf: &Py<Self>, args: CookieArgs, vm: &VirtualMachine) -> PyResult<()> {
            let text = cookie_text(args, vm)?;
            vm.call_method(&zelf.field(|fields| &mut fields.headers), "append", ("Set-Cookie", text)).map(drop)
        }

        /// Remove a cookie that `set_cookie` has added.
        #[pymethod]
        fn unset_cookie(zelf: &Py<Self>, name: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            let headers = zelf.field(|fields| &mut fields.headers);
            let name = text::encoded(&name, vm)?;
            let cookies = vm.call_method(&headers, "get", ("Set-Cookie",))?;
            let mut texts = Vec::new();
            for cookie in cookies.get_iter(vm)?.iter::<PyObjectRef>(vm)? {
                texts.push(text::encoded(&*cookie?, vm)?);
            }
            if let Some(others) = without_cookie(&name, &texts, vm)? {
                headers.del_item("Set-Cookie", vm)?;
                if !others.is_empty() {
                    // wptserve passes the pair as one argument here.
                    return Err(
                        vm.new_type_error("ResponseHeaders.append() missing 1 required positional argument: 'value'")
                    );
                }
            }
            Ok(())
        }

        /// Delete a cookie in the client: an empty value that has expired.
        #[pymethod]
        fn delete_cookie(zelf: &Py<Self>, args: DeleteCookieArgs, vm: &VirtualMachine) -> PyResult<()> {
            let expired = CookieArgs::deletion(args.name, args.path.into_option(), args.domain.into_option(), vm);
            Self::set_cookie(zelf, expired, vm)
        }

        /// Make this an error: status, and a JSON body with code and message. `err` is a text or an exception.
        #[pymethod]
        fn set_error(zelf: &Py<Self>, args: ErrorArgs, vm: &VirtualMachine) -> PyResult<()> {
            zelf.fail(args.code, args.err.filter(|err| !vm.is_none(err)).as_ref(), vm)
        }

        /// The chunks of the content, one by one: functions in it are called, a file is read. `read_file` changes nothing,
        /// as in wptserve.
        #[pymethod]
        fn iter_content(zelf: PyRef<Self>, args: IterArgs) -> ContentIterator {
            let _ = args.read_file;
            ContentIterator::new(zelf.into())
        }

        /// Send status line and headers now.
        #[pymethod]
        fn write_status_headers(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            let writer = &zelf.writer;
            match &zelf.answer {
                AnyAnswer::Http1(_) if Self::is_changed(zelf) => by_name::head(writer, &zelf.fields, vm),
                AnyAnswer::Http2(_) if Self::is_changed(zelf) => by_name::h2_head(writer, &zelf.fields, vm),
                AnyAnswer::Http1(answer) => {
                    let step = answer.put_head(vm);
                    answer.flush(vm);
                    step
                }
                AnyAnswer::Http2(answer) => answer.put_head(vm),
            }
        }

        /// Send the body now (not for a HEAD request, unless `send_body_for_head_request`).
        #[pymethod]
        fn write_content(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            if Self::is_changed(zelf) {
                return Self::write_content_by_name(zelf, vm);
            }
            match &zelf.answer {
                AnyAnswer::Http1(answer) => {
                    let step = answer.put_body(vm);
                    answer.flush(vm);
                    step
                }
                AnyAnswer::Http2(answer) => answer.put_body(zelf.as_object(), vm),
            }
        }

        /// Send the whole answer now.
        #[pymethod]
        fn write(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            if Self::is_changed(zelf) {
                vm.call_method(zelf.as_object(), "write_status_headers", ())?;
                return vm.call_method(zelf.as_object(), "write_content", ()).map(drop);
            }
            match &zelf.answer {
                AnyAnswer::Http1(answer) => {
                    let step = answer.put_all(vm);
                    answer.flush(vm);
                    step
                }
                AnyAnswer::Http2(answer) => {
                    answer.put_head(vm)?;
                    answer.put_body(zelf.as_object(), vm)
                }
            }
        }
    }

    /// The answer to a request over HTTP/2 (wptserve 4.0.3, response.py, `H2Response`).
    #[pyattr]
    #[pyclass(module = "wptserve.response", name = "H2Response", base = Response, traverse = "manual")]
    #[derive(Debug)]
    #[repr(transparent)]
    pub(crate) struct H2Response(Response);

    traverse!(H2Response { 0 });

    impl From<Response> for H2Response {
        fn from(response: Response) -> Self {
            Self(response)
        }
    }

    #[pyclass(flags(HAS_DICT))]
    impl H2Response {}

    /// Steps that a handler may have replaced on its `response` or `response.writer`; see [`by_name`].
    impl Response {
        /// Gives the writer a reference to the response, until the answer is finished.
        pub(crate) fn introduce(zelf: &PyRef<Self>) {
            zelf.fields.set(|fields| &mut fields.response, zelf.clone().into());
        }

        /// Whether a handler has set an attribute on this response or its writer.
        pub(crate) fn is_changed(zelf: &Py<Self>) -> bool {
            is_changed(zelf.as_object()) || is_changed(&zelf.writer)
        }

        /// `response.write()`, which a handler may have replaced.
        pub(crate) fn write_by_name(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            vm.call_method(zelf.as_object(), "write", ()).map(drop)
        }

        fn write_content_by_name(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            let sends_body = match &zelf.answer {
                AnyAnswer::Http1(answer) => answer.sends_body(vm)?,
                AnyAnswer::Http2(answer) => answer.sends_body(vm)?,
            };
            match &zelf.answer {
                AnyAnswer::Http1(_) if sends_body => by_name::body(zelf.as_object(), &zelf.writer, vm),
                AnyAnswer::Http2(_) if sends_body => by_name::h2_body(zelf.as_object(), &zelf.writer, vm),
                _ => Ok(()),
            }
        }

        /// `response.set_error(code, cause)`, which a handler may have replaced.
        pub(crate) fn fail_by_name(
            zelf: &Py<Self>,
            code: i64,
            cause: &PyObjectRef,
            vm: &VirtualMachine,
        ) -> PyResult<()> {
            if is_changed(zelf.as_object()) {
                return vm.call_method(zelf.as_object(), "set_error", (code, cause.clone())).map(drop);
            }
            zelf.fail(code, Some(cause), vm)
        }
    }

    impl Response {
        /// The headers that a new answer starts with.
        pub(crate) fn new_headers(vm: &VirtualMachine) -> PyObjectRef {
            ResponseHeaders::default().into_pyobject(vm)
        }

        /// `response.headers.update(headers)`, where a handler may have replaced either object.
        pub(crate) fn update_headers(zelf: &Py<Self>, headers: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            vm.call_method(&zelf.field(|fields| &mut fields.headers), "update", (headers,)).map(drop)
        }

        /// Whether the connection closes after this answer.
        pub(crate) fn closes(&self, vm: &VirtualMachine) -> bool {
            self.field(|fields| &mut fields.close_connection).try_to_bool(vm).unwrap_or(true)
        }

        /// Advice for the log: the values that make an answer which can be sent.
        pub(crate) fn what_to_send(&self, vm: &VirtualMachine) -> &'static str {
            let content = self.field(|fields| &mut fields.content);
            if content.class().name().eq("coroutine") {
                return "main is an async function, but the server does not run coroutines; write `def main`, not `async def main`";
            }
            if text::is_text(&content) || content.has_attr("__iter__", vm).unwrap_or(false) {
                "status must be an int or (int, text), headers must be pairs of names and values, content must be str, bytes, a file or an \
                 iterable of these"
            } else {
                "content must be str, bytes, a file or an iterable of these"
            }
        }

        /// `response.content = content`
        pub(crate) fn assign_content(&self, content: PyObjectRef) {
            self.fields.set(|fields| &mut fields.content, content);
        }
    }
}
