//! `request`: the client's request. Attributes that take time to make are made when a handler first asks for them.

pub(super) mod form;
mod h2_frames;
pub(super) mod input;

pub(in crate::python) use input::InputFile;

pub(crate) use classes::{H2Request, Request, SharedEnvironment};

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use std::{io, sync::Arc};

    use bytes::Bytes;
    use parking_lot::Mutex;
    use rustpython_vm::{
        Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, function::FuncArgs, pyclass, types::Representable,
    };

    use crate::{
        handover::{Environment, Http1Link, Routed},
        http::{self, Framing, body::BodySource, h2::Event, query, text::latin1},
        python::native::{
            Authentication, Cookies, InputFile, MultiDict, RawHeaders, RequestHeaders, ServerInfo,
            instance::traverse,
            request::{form, h2_frames::Frames},
            server::{self, Stash},
        },
    };

    /// A value that is made once, when it is first asked for.
    #[derive(Debug, Default)]
    struct Lazy(Mutex<Option<PyObjectRef>>);

    traverse!(Lazy { 0 });

    impl Lazy {
        /// The lock is not held while the value is made, because that may run Python code. If two threads make the value, the
        /// first one counts.
        fn get(&self, make: impl FnOnce() -> PyResult) -> PyResult {
            if let Some(made) = self.0.lock().clone() {
                return Ok(made);
            }
            let made = make()?;
            Ok(self.0.lock().get_or_insert(made).clone())
        }
    }

    /// The body of the request: first the bytes that came with the head, then those that the connection still has to read.
    #[derive(Debug)]
    struct ArrivingBody {
        arrived: Mutex<Bytes>,
        link: Http1Link,
    }

    impl BodySource for ArrivingBody {
        fn read(&self, max: usize) -> io::Result<Bytes> {
            {
                let mut arrived = self.arrived.lock();
                if !arrived.is_empty() {
                    let count = max.min(arrived.len());
                    return Ok(arrived.split_to(count));
                }
            }
            self.link.read(max)
        }
    }

    /// The environment that all requests share, and the Python object made from it.
    pub(crate) struct SharedEnvironment {
        environment: Environment,
        /// `request.server.config`.
        config: PyObjectRef,
        suppresses_tracebacks: bool,
    }

    impl SharedEnvironment {
        pub(crate) fn new(environment: Environment, vm: &VirtualMachine) -> PyResult<Self> {
            Stash::share(Arc::clone(&environment.stash), vm)?;
            let config = server::config(&environment.config, vm)?;
            let suppress = environment.config.pointer("/logging/suppress_handler_traceback");
            let suppresses_tracebacks = suppress.is_some_and(|value| value == true);
            Ok(Self { environment, config, suppresses_tracebacks })
        }

        /// `logging.suppress_handler_traceback` of the configuration.
        pub(crate) fn suppresses_tracebacks(&self) -> bool {
            self.suppresses_tracebacks
        }
    }

    /// An HTTP request (wptserve 4.0.3, request.py, `Request`).
    #[pyattr]
    #[pyclass(module = "wptserve.request", name = "Request", traverse = "manual")]
    #[derive(PyPayload)]
    pub(crate) struct Request {
        plain: Box<http::Request>,
        routed: Routed,
        shared: Arc<SharedEnvironment>,
        url_parts: Lazy,
        raw_headers: Lazy,
        headers: Lazy,
        get: Lazy,
        cookies: Lazy,
        auth: Lazy,
        body: Lazy,
        post: Lazy,
        server: Lazy,
        raw_input: PyRef<InputFile>,
        /// The events of the stream, for requests over HTTP/2.
        frames: Frames,
    }

    traverse!(Request { url_parts, raw_headers, headers, get, cookies, auth, body, post, server, raw_input, frames });

    impl std::fmt::Debug for Request {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.debug_struct("Request").field("url", &self.plain.url).finish_non_exhaustive()
        }
    }

    impl Request {
        pub(crate) fn new(
            plain: Box<http::Request>,
            routed: Routed,
            body: Bytes,
            link: Http1Link,
            shared: Arc<SharedEnvironment>,
            vm: &VirtualMachine,
        ) -> Self {
            let length = match plain.framing {
                Framing::Length(length) => Some(length),
                Framing::Chunked => None,
            };
            let source = Arc::new(ArrivingBody { arrived: Mutex::new(body), link });
            let raw_input = InputFile::new(source, length).into_ref(&vm.ctx);
            Self::with_body(plain, routed, raw_input, shared)
        }

        fn with_body(
            plain: Box<http::Request>,
            routed: Routed,
            raw_input: PyRef<InputFile>,
            shared: Arc<SharedEnvironment>,
        ) -> Self {
            Self {
                plain,
                routed,
                shared,
                url_parts: Lazy::default(),
                raw_headers: Lazy::default(),
                headers: Lazy::default(),
                get: Lazy::default(),
                cookies: Lazy::default(),
                auth: Lazy::default(),
                body: Lazy::default(),
                post: Lazy::default(),
                server: Lazy::default(),
                raw_input,
                frames: Frames::default(),
            }
        }
    }

    #[pyclass(with(Representable), flags(HAS_DICT))]
    impl Request {
        /// The directory that paths are resolved in.
        #[pygetset]
        fn doc_root(zelf: &Py<Self>) -> String {
            zelf.routed.doc_root.as_ref().to_owned()
        }

        /// What the route's pattern has matched: a dictionary of group names, the star under "*".
        #[pygetset]
        fn route_match(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            let groups = vm.ctx.new_dict();
            for (name, text) in &zelf.routed.groups {
                groups.set_item(name.as_str(), vm.ctx.new_str(text.as_str()).into(), vm)?;
            }
            Ok(groups.into())
        }

        /// The pair of the client's address and port.
        #[pygetset]
        fn client_address(zelf: &Py<Self>, vm: &VirtualMachine) -> PyObjectRef {
            let (address, port) = &zelf.plain.client;
            vm.new_tuple((address.as_ref().to_owned(), *port)).into()
        }

        /// The version the server speaks: "HTTP/1.1" or "HTTP/2.0".
        #[pygetset]
        fn protocol_version(zelf: &Py<Self>) -> &'static str {
            if zelf.plain.stream.is_some() { http::HTTP2 } else { "HTTP/1.1" }
        }

        /// The method, as sent.
        #[pygetset]
        fn method(zelf: &Py<Self>) -> String {
            latin1(&zelf.plain.head.method)
        }

        /// The request's target, as sent: path and query, still percent-encoded.
        #[pygetset]
        fn request_path(zelf: &Py<Self>) -> String {
            zelf.plain.request_path()
        }

        /// The part of the path that the route matched as its prefix.
        #[pygetset]
        fn url_base(zelf: &Py<Self>) -> String {
            zelf.routed.url_base.as_ref().to_owned()
        }

        /// The absolute URL.
        #[pygetset]
        fn url(zelf: &Py<Self>) -> String {
            zelf.plain.url.clone()
        }

        /// The URL taken apart: a `urllib.parse.SplitResult`.
        #[pygetset]
        fn url_parts(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            zelf.url_parts.get(|| {
                let parts = &zelf.plain.url_parts;
                let fields = [&parts.scheme, &parts.netloc, &parts.path, &parts.query, &parts.fragment];
                let fields = fields.map(|text| vm.ctx.new_str(text.as_str()).into()).to_vec();
                let name = vm.ctx.new_tuple(vec![vm.ctx.new_str("SplitResult").into()]);
                vm.import_from("urllib.parse", name, 0)?.get_attr("SplitResult", vm)?.call(FuncArgs::from(fields), vm)
            })
        }

        /// The first line of the request, with its line end; an empty text for HTTP/2.
        #[pygetset]
        fn request_line(zelf: &Py<Self>, vm: &VirtualMachine) -> PyObjectRef {
            if zelf.plain.stream.is_some() {
                return vm.ctx.new_str("").into();
            }
            vm.ctx.new_bytes(zelf.plain.head.request_line.to_vec()).into()
        }

        /// The headers by name; names in any case, values are bytes.
        #[pygetset]
        fn headers(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            zelf.request_headers(vm).map(Into::into)
        }

        /// The headers as they came: order, case, duplicates. Over HTTP/2 a dictionary of text.
        #[pygetset]
        fn raw_headers(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            zelf.raw_headers.get(|| match zelf.plain.stream {
                Some(_) => zelf.frames.raw_headers(vm),
                None => Ok(RawHeaders::new(zelf.plain.head.headers.clone()).into_pyobject(vm)),
            })
        }

        /// The body as a file object; it is read from the client as far as the handler reads it.
        #[pygetset]
        fn raw_input(zelf: &Py<Self>) -> PyRef<InputFile> {
            zelf.raw_input.clone()
        }

        /// The whole body, as bytes.
        #[pygetset]
        fn body(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            zelf.body.get(|| Ok(vm.ctx.new_bytes(zelf.raw_input.body(vm)?).into()))
        }

        /// The fields of the form in the body; names and values are bytes, uploads are file items.
        #[pygetset(name = "POST")]
        fn post(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            zelf.post.get(|| {
                let head = &zelf.plain.head;
                Ok(form::parse(&zelf.raw_input, &head.headers, &latin1(&head.method), vm)?.into())
            })
        }

        /// The server: its `config` and its `stash`.
        #[pygetset]
        fn server(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            zelf.server.get(|| {
                let SharedEnvironment { environment, config, .. } = &*zelf.shared;
                let path = &zelf.plain.url_parts.path;
                Ok(ServerInfo::new(config.clone(), Arc::clone(&environment.stash), path, vm)?.into())
            })
        }

        /// The cookies by name; names and values are bytes.
        #[pygetset]
        fn cookies(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            zelf.cookies.get(|| {
                let header = zelf.request_headers(vm)?.value("cookie", vm)?.unwrap_or_default();
                Ok(Cookies::from_header(&header, vm)?.into())
            })
        }

        /// The credentials of the Authorization header.
        #[pygetset]
        fn auth(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            zelf.auth.get(|| {
                let headers = zelf.request_headers(vm)?;
                Ok(Authentication::from_headers(&headers, vm)?.into())
            })
        }

        /// The parameters of the query; names and values are bytes.
        #[pygetset(name = "GET")]
        fn get(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            zelf.get.get(|| Ok(MultiDict::from_pairs(query::parse_qsl(&zelf.plain.url_parts.query), vm)?.into()))
        }
    }

    impl Request {
        /// The request as plain data.
        pub(in crate::python::native) fn plain(&self) -> &http::Request {
            &self.plain
        }

        /// The router's result for the request.
        pub(in crate::python) fn routed(&self) -> &Routed {
            &self.routed
        }

        /// The environment that all requests share.
        pub(in crate::python::native) fn environment(&self) -> &Environment {
            &self.shared.environment
        }

        fn request_headers(&self, vm: &VirtualMachine) -> PyResult<PyRef<RequestHeaders>> {
            self.headers.get(|| Ok(RequestHeaders::new(&self.plain.head.headers, vm)?.into()))?.try_into_value(vm)
        }
    }

    /// A request over HTTP/2 (wptserve 4.0.3, request.py, `H2Request`).
    #[pyattr]
    #[pyclass(module = "wptserve.request", name = "H2Request", base = Request, traverse = "manual")]
    #[derive(Debug)]
    #[repr(transparent)]
    pub(crate) struct H2Request(Request);

    traverse!(H2Request { 0 });

    impl H2Request {
        pub(crate) fn new(
            plain: Box<http::Request>,
            routed: Routed,
            shared: Arc<SharedEnvironment>,
            vm: &VirtualMachine,
        ) -> Self {
            let raw_input = InputFile::growing().into_ref(&vm.ctx);
            Self(Request::with_body(plain, routed, raw_input, shared))
        }

        /// See [`Request::routed`].
        pub(crate) fn routed(&self) -> &Routed {
            self.0.routed()
        }

        /// Takes an event; its content goes into `raw_input`. Returns the event as an object for handlers, if `wanted`.
        pub(crate) fn receive(
            &self,
            event: &Event,
            wanted: bool,
            vm: &VirtualMachine,
        ) -> PyResult<Option<PyObjectRef>> {
            self.0.frames.receive(event, &self.0.raw_input, wanted, vm)
        }

        /// Puts the last event into `request.frames`.
        pub(crate) fn keep_frame(&self, vm: &VirtualMachine) -> PyResult<()> {
            self.0.frames.keep(&self.0.raw_input, vm)
        }
    }

    #[pyclass(flags(HAS_DICT))]
    impl H2Request {
        /// The number of the stream that the request came on.
        #[pygetset]
        fn h2_stream_id(zelf: &Py<Self>) -> Option<u32> {
            zelf.0.plain.stream
        }

        /// The events of the stream so far, as in hyper-h2.
        #[pygetset]
        fn frames(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            zelf.0.frames.list(&zelf.0.raw_input, vm)
        }
    }

    impl Representable for Request {
        fn repr_str(zelf: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
            Ok(format!("<Request {} {}>", latin1(&zelf.plain.head.method), zelf.plain.url))
        }
    }
}
