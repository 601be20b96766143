//! `wptserve.pipes` for handlers, and the pipes that the server itself applies to their answers.
//!
//! The pipes are those of [`crate::pipes`]; this file is the Python `response` that they change. As in wptserve, they use only its
//! attributes, so the values that a handler has set there count.

use std::path::Path;

use bytes::Bytes;
use rustpython_vm::{
    AsObject, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine,
    builtins::{PyBaseExceptionRef, PyBytes},
};

use super::{Request, Response, pipe_error::exception, response::Trickled};
use crate::{
    http::answer::trickle::Trickle,
    pipes::{self, Context, Pipe, PipeError, Target, template},
};

/// A handler's answer, as pipes see it.
struct PyTarget<'a> {
    request: &'a PyObject,
    response: &'a PyObject,
    vm: &'a VirtualMachine,
}

/// wptserve 4.0.3, handlers.py, `wrap_pipeline`. `path` is the script's file, or empty where the file's name does not count.
pub(in crate::python) fn wrap_pipeline(
    path: &str,
    request: &PyObject,
    response: &PyObject,
    vm: &VirtualMachine,
) -> PyResult<()> {
    let asked = match request.downcast_ref::<Request>() {
        Some(request) => pipes::requested(path, &request.plain().url_parts.query),
        // Handlers may call a decorated function with a request of their own making.
        None => {
            let query = request.get_attr("url_parts", vm)?.get_attr("query", vm)?;
            pipes::requested(path, &query.str(vm)?.to_string_lossy())
        }
    };
    match asked {
        Some(asked) => run_pipeline(&parse(&asked, vm)?, request, response, vm),
        None => Ok(()),
    }
}

fn parse(text: &str, vm: &VirtualMachine) -> PyResult<pipes::Pipeline> {
    pipes::Pipeline::parse(text).map_err(|error| exception(error, vm))
}

fn run_pipeline(
    pipeline: &pipes::Pipeline,
    request: &PyObject,
    response: &PyObject,
    vm: &VirtualMachine,
) -> PyResult<()> {
    pipeline.apply(&mut PyTarget { request, response, vm })
}

fn run(pipe: &Pipe, request: &PyObject, response: PyObjectRef, vm: &VirtualMachine) -> PyResult {
    pipe.apply(&mut PyTarget { request, response: &response, vm })?;
    Ok(response)
}

fn native_request<'a>(request: &'a PyObject, vm: &VirtualMachine) -> PyResult<&'a rustpython_vm::Py<Request>> {
    request.downcast_ref::<Request>().ok_or_else(|| {
        let kind = request.class().name().to_owned();
        vm.new_type_error(format!("pipes need the request that a handler was given, not '{kind}'"))
    })
}

fn substitute(request: &PyObject, content: &Bytes, escape: Option<&str>, vm: &VirtualMachine) -> PyResult<Bytes> {
    let request = native_request(request, vm)?;
    let routed = request.routed();
    let context = Context {
        request: request.plain(),
        config: &request.environment().config,
        doc_root: Path::new(&*routed.doc_root),
        url_base: &routed.url_base,
    };
    // A template may read a file.
    let result = vm.allow_threads(|| template::substitute(content, escape, &context));
    result.map_err(|error| exception(error, vm))
}

/// The whole content: `b"".join(response.iter_content(True))`.
pub(in crate::python) fn joined_content(response: &PyObject, vm: &VirtualMachine) -> PyResult<Bytes> {
    let chunks = vm.call_method(response, "iter_content", (true,))?;
    let joined = vm.call_method(vm.ctx.new_bytes(Vec::new()).as_object(), "join", (chunks,))?;
    Ok(joined.downcast_ref::<PyBytes>().map(|all| Bytes::copy_from_slice(all.as_bytes())).unwrap_or_default())
}

impl PyTarget<'_> {
    fn headers(&self) -> PyResult {
        self.response.get_attr("headers", self.vm)
    }
}

impl Target for PyTarget<'_> {
    type Error = PyBaseExceptionRef;

    fn raise(&self, error: PipeError) -> PyBaseExceptionRef {
        exception(error, self.vm)
    }

    fn set_status(&mut self, code: i128) -> PyResult<()> {
        self.response.set_attr("status", self.vm.ctx.new_int(code), self.vm)
    }

    fn has_header(&mut self, name: &str) -> PyResult<bool> {
        self.vm._contains(&*self.headers()?, self.vm.ctx.new_str(name).as_object())
    }

    fn set_header(&mut self, name: &str, value: &str) -> PyResult<()> {
        self.vm.call_method(&*self.headers()?, "set", (name.to_owned(), value.to_owned())).map(drop)
    }

    fn append_header(&mut self, name: &str, value: &str) -> PyResult<()> {
        self.vm.call_method(&*self.headers()?, "append", (name.to_owned(), value.to_owned())).map(drop)
    }

    fn content(&mut self) -> PyResult<Bytes> {
        let vm = self.vm;
        let content = self.response.get_attr("content", vm)?;
        if let (Some(trickled), Some(response)) =
            (content.downcast_ref::<Trickled>(), self.response.downcast_ref::<Response>())
        {
            let (waited, all) = trickled.drain();
            response.wait(waited);
            return all.map_err(|error| exception(error.into(), vm));
        }
        joined_content(self.response, vm)
    }

    fn set_content(&mut self, content: Bytes) -> PyResult<()> {
        self.response.set_attr("content", self.vm.ctx.new_bytes(content.into()), self.vm)
    }

    fn set_trickle(&mut self, trickle: Trickle) -> PyResult<()> {
        self.response.set_attr("content", Trickled::new(trickle).into_pyobject(self.vm), self.vm)
    }

    fn substitute(&mut self, content: &Bytes, escape: Option<&str>) -> PyResult<Bytes> {
        substitute(self.request, content, escape, self.vm)
    }
}

#[rustpython_vm::pymodule(sub)]
pub(super) mod classes {
    use bytes::Bytes;
    use rustpython_vm::{
        FromArgs, Py, PyObjectRef, PyPayload, PyResult, TryFromObject, VirtualMachine,
        builtins::{PyStr, PyType, PyUtf8StrRef},
        function::{ArgBytesLike, OptionalArg},
        pyclass,
        types::{Callable, Constructor},
    };

    use super::{parse, run, run_pipeline};
    use crate::pipes::{self, Pipe};

    /// The pipes of a string such as "sub(none)|trickle(d1)" (wptserve 4.0.3, pipes.py, `Pipeline`).
    #[pyattr]
    #[pyclass(module = "wptserve.pipes", name = "Pipeline")]
    #[derive(Debug, PyPayload)]
    pub(in crate::python) struct Pipeline(pipes::Pipeline);

    #[pyclass(with(Callable, Constructor))]
    impl Pipeline {}

    impl Constructor for Pipeline {
        type Args = (PyUtf8StrRef,);

        fn py_new(_class: &Py<PyType>, (pipe_string,): Self::Args, vm: &VirtualMachine) -> PyResult<Self> {
            parse(pipe_string.as_str(), vm).map(Self)
        }
    }

    impl Callable for Pipeline {
        type Args = (PyObjectRef, PyObjectRef);

        fn call(zelf: &Py<Self>, (request, response): Self::Args, vm: &VirtualMachine) -> PyResult {
            run_pipeline(&zelf.0, &request, &response, vm)?;
            Ok(response)
        }
    }

    #[derive(FromArgs)]
    struct TemplateArgs {
        #[pyarg(any)]
        request: PyObjectRef,
        #[pyarg(any)]
        content: PyObjectRef,
        #[pyarg(any, optional)]
        escape_type: OptionalArg<Option<PyUtf8StrRef>>,
    }

    /// Replaces every {{...}} in the bytes `content` and returns the new bytes. `escape_type` is "html" or "none".
    #[pyfunction]
    fn template(args: TemplateArgs, vm: &VirtualMachine) -> PyResult {
        if args.content.downcast_ref::<PyStr>().is_some() {
            return Err(vm.new_type_error("cannot use a bytes pattern on a string-like object"));
        }
        let content = ArgBytesLike::try_from_object(vm, args.content)?;
        let content = content.with_ref(Bytes::copy_from_slice);
        let result = super::substitute(&args.request, &content, escape(&args.escape_type), vm)?;
        Ok(vm.ctx.new_bytes(result.into()).into())
    }

    fn escape(given: &OptionalArg<Option<PyUtf8StrRef>>) -> Option<&str> {
        match given {
            OptionalArg::Missing => Some("html"),
            OptionalArg::Present(name) => name.as_ref().map(|name| name.as_str()),
        }
    }

    #[derive(FromArgs)]
    struct SubArgs {
        #[pyarg(any)]
        request: PyObjectRef,
        #[pyarg(any)]
        response: PyObjectRef,
        #[pyarg(any, optional)]
        escape_type: OptionalArg<Option<PyUtf8StrRef>>,
    }

    /// Replaces every {{...}} in the content of the response, which is returned.
    #[pyfunction]
    fn sub(args: SubArgs, vm: &VirtualMachine) -> PyResult {
        let pipe = Pipe::Sub(escape(&args.escape_type).map(str::to_owned));
        run(&pipe, &args.request, args.response, vm)
    }

    #[derive(FromArgs)]
    struct StatusArgs {
        #[pyarg(any)]
        request: PyObjectRef,
        #[pyarg(any)]
        response: PyObjectRef,
        #[pyarg(any)]
        code: i128,
    }

    /// Sets the status code of the response, which is returned.
    #[pyfunction]
    fn status(args: StatusArgs, vm: &VirtualMachine) -> PyResult {
        run(&Pipe::Status(args.code), &args.request, args.response, vm)
    }

    #[derive(FromArgs)]
    struct HeaderArgs {
        #[pyarg(any)]
        request: PyObjectRef,
        #[pyarg(any)]
        response: PyObjectRef,
        #[pyarg(any)]
        name: PyObjectRef,
        #[pyarg(any)]
        value: PyObjectRef,
        #[pyarg(any, default = false)]
        append: bool,
    }

    /// Sets a header of the response, or appends to it, and returns the response.
    #[pyfunction]
    fn header(args: HeaderArgs, vm: &VirtualMachine) -> PyResult {
        let method = if args.append { "append" } else { "set" };
        let headers = args.response.get_attr("headers", vm)?;
        vm.call_method(&headers, method, (args.name, args.value))?;
        let _ = args.request;
        Ok(args.response)
    }

    #[derive(FromArgs)]
    struct TrickleArgs {
        #[pyarg(any)]
        request: PyObjectRef,
        #[pyarg(any)]
        response: PyObjectRef,
        #[pyarg(any)]
        delays: PyUtf8StrRef,
    }

    /// Lets the content of the response leave in parts as `delays` says, "d1:100:r2" for example; returns the response.
    #[pyfunction]
    fn trickle(args: TrickleArgs, vm: &VirtualMachine) -> PyResult {
        run(&Pipe::Trickle(args.delays.as_str().to_owned()), &args.request, args.response, vm)
    }

    #[derive(FromArgs)]
    struct SliceArgs {
        #[pyarg(any)]
        request: PyObjectRef,
        #[pyarg(any)]
        response: PyObjectRef,
        #[pyarg(any)]
        start: Option<i128>,
        #[pyarg(any, default = None)]
        end: Option<i128>,
    }

    /// Keeps the part `[start:end]` of the content of the response, which is returned.
    #[pyfunction]
    fn slice(args: SliceArgs, vm: &VirtualMachine) -> PyResult {
        run(&Pipe::Slice(args.start, args.end), &args.request, args.response, vm)
    }

    #[derive(FromArgs)]
    struct GzipArgs {
        #[pyarg(any)]
        request: PyObjectRef,
        #[pyarg(any)]
        response: PyObjectRef,
    }

    /// Compresses the content of the response, which is returned.
    #[pyfunction]
    fn gzip(args: GzipArgs, vm: &VirtualMachine) -> PyResult {
        run(&Pipe::Gzip, &args.request, args.response, vm)
    }

    /// Applies the pipes that a file's path and the query of the request ask for.
    #[pyfunction]
    fn wrap_pipeline(path: PyUtf8StrRef, request: PyObjectRef, response: PyObjectRef, vm: &VirtualMachine) -> PyResult {
        super::wrap_pipeline(path.as_str(), &request, &response, vm)?;
        Ok(response)
    }
}
