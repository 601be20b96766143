//! Runs the handler of one HTTP/2 request while the request is still coming: `handle_headers`, `handle_data` for every
//! piece of the body, `main` at the end.
//!
//! The handler has no thread of its own. The client's events are queued. When events wait and no thread handles them, a VM thread
//! continues where the last one stopped. So a stream that waits for its client costs only memory. The order of the steps is that of
//! wptserve 4.0.3, server.py, `Http2WebTestRequestHandler._stream_thread` and handlers.py, `PythonScriptHandler.frame_handler`.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rustpython_vm::{AsObject, Py, PyObjectRef, PyPayload as _, PyRef, VirtualMachine};

use super::{
    failure::{self, Failure},
    handler,
};
use crate::{
    cancel::Run,
    handover::{Closing, H2Events, H2Link, Routed},
    http::{
        self,
        h2::{Backlog, Event},
    },
    python::{
        native::{AnyAnswer, Fields, H2Answer, H2Request, H2Response, Response, output},
        pool::{Job, Overloaded, Pool},
        runtime::Runtime,
        traceback,
    },
    stash::Tenure,
};

/// A request whose handler gets the events of its stream. Dropping it drops the handler's state.
pub struct Conversation(Arc<Shared>);

impl std::fmt::Debug for Conversation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Conversation").finish_non_exhaustive()
    }
}

impl Conversation {
    /// Begins with the head of the request. The first event has to be that of the request itself.
    pub(in crate::python) fn new(
        run: Arc<Run>,
        request: Box<http::Request>,
        routed: Routed,
        pool: Arc<Pool>,
        runtime: Arc<OnceLock<Arc<Runtime>>>,
    ) -> (Self, H2Events) {
        let (link, events) = H2Link::new();
        let handler = StreamHandler { link, run: Arc::clone(&run), start: Some((request, routed)), begun: None };
        let inbox = Inbox { waiting: Backlog::default(), is_over: false, has_thread: false };
        let shared = Shared { run, pool, runtime, inbox: Mutex::new(inbox), handler: Mutex::new(Some(handler)) };
        (Self(Arc::new(shared)), events)
    }

    /// Passes an event of the stream to the handler.
    ///
    /// # Errors
    /// [`Overloaded`], when too many requests wait for a thread; the handler is given up then.
    pub fn tell(&self, event: Event) -> Result<(), Overloaded> {
        if let Event::Reset { .. } = event {
            self.0.run.client_gone();
        }
        self.put(Some(event))
    }

    fn put(&self, event: Option<Event>) -> Result<(), Overloaded> {
        {
            let mut inbox = self.0.inbox.lock();
            match event {
                Some(event) => inbox.waiting.push(event),
                None => inbox.is_over = true,
            }
            if std::mem::replace(&mut inbox.has_thread, true) {
                return Ok(());
            }
        }
        let shared = Arc::clone(&self.0);
        let job = move |vm: &VirtualMachine| shared.run(vm);
        self.0.pool.submit(Job::of(Arc::clone(&self.0.run), job))
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.0.run.client_gone();
        // Python objects have to be dropped on a thread with an interpreter. If no thread can be had, they are leaked.
        if self.put(None).is_err() {
            self.0.run.end();
        }
    }
}

struct Inbox {
    waiting: Backlog,
    /// The conversation ends after the waiting events.
    is_over: bool,
    /// A thread runs the handler, or will.
    has_thread: bool,
}

struct Shared {
    run: Arc<Run>,
    pool: Arc<Pool>,
    runtime: Arc<OnceLock<Arc<Runtime>>>,
    inbox: Mutex<Inbox>,
    /// The thread that runs the handler takes it out.
    handler: Mutex<Option<StreamHandler>>,
}

impl Shared {
    /// Passes all waiting events to the handler. A panic drops the handler.
    fn run(&self, vm: &VirtualMachine) {
        let mut handler = self.handler.lock().take();
        let _unwinding = handler.as_ref().map(|handler| handler.link.ends_with_panic());
        loop {
            let next = {
                let mut inbox = self.inbox.lock();
                let next = inbox.waiting.pop();
                if next.is_none() && !std::mem::take(&mut inbox.is_over) {
                    inbox.has_thread = false;
                    *self.handler.lock() = handler;
                    return;
                }
                next
            };
            match next {
                Some(event) => {
                    if let (Some(handler), Some(runtime)) = (&mut handler, self.runtime.get()) {
                        handler.on_event(event, runtime, vm);
                    }
                }
                None => drop(handler.take()),
            }
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The handler is still here only if no thread could be had.
        std::mem::forget(self.handler.get_mut().take().and_then(|handler| handler.begun));
    }
}

/// The functions of a script that are called for a request.
#[derive(Default)]
struct Functions {
    headers: Option<PyObjectRef>,
    data: Option<PyObjectRef>,
    main: Option<PyObjectRef>,
    path: String,
}

/// A handler whose script has been given a request and a response.
struct Begun {
    request: PyRef<H2Request>,
    response: PyRef<H2Response>,
    answer: Arc<H2Answer>,
    functions: Functions,
    tenure: Tenure,
}

struct StreamHandler {
    link: H2Link,
    run: Arc<Run>,
    start: Option<(Box<http::Request>, Routed)>,
    /// From the first event until the answer is complete.
    begun: Option<Begun>,
}

impl StreamHandler {
    fn on_event(&mut self, event: Event, runtime: &Runtime, vm: &VirtualMachine) {
        let (end, count) = match &event {
            Event::Request { end, .. } => (*end, 0),
            Event::Data { end, data, .. } => (*end, data.len()),
            Event::Trailers { .. } => (true, 0),
            Event::WindowUpdated { .. } | Event::Priority { .. } | Event::GoAway { .. } => (false, 0),
            Event::Reset { .. } => {
                self.begun = None;
                self.run.end();
                return;
            }
        };
        if let Some((request, routed)) = self.start.take() {
            self.begun = Some(self.begin(request, routed, runtime, vm));
        }
        if let Some(mut begun) = self.begun.take() {
            let entered = runtime.enter(&begun.tenure, self.run.script());
            let step =
                begun.load(self.run.script(), &event, runtime, vm).and_then(|()| begun.tell(&event, runtime, vm));
            match step {
                Ok(()) if !end => self.begun = Some(begun),
                Ok(()) => begun.finish(self.run.script(), runtime, vm),
                Err(failure) => begun.fail(&failure, self.run.script(), vm),
            }
            drop(entered);
        }
        output::end_lines();
        if self.begun.is_none() {
            self.run.end();
        }
        self.link.used(count);
    }

    fn begin(&self, request: Box<http::Request>, routed: Routed, runtime: &Runtime, vm: &VirtualMachine) -> Begun {
        let tenure = runtime.begin();
        let (is_head, url) = (request.is_head(), request.url.clone());
        let environment = Arc::clone(&runtime.environment);
        let is_brief = environment.suppresses_tracebacks();
        let request = H2Request::new(request, routed, environment, vm).into_ref(&vm.ctx);
        let fields = Arc::new(Fields::new(Response::new_headers(vm), vm));
        let answer = Arc::new(H2Answer::new(self.link.clone(), is_head, Arc::clone(&fields)));
        let any_answer = AnyAnswer::Http2(Arc::clone(&answer));
        let response = H2Response::from(Response::new(any_answer, fields, request.clone().into(), url, is_brief, vm));
        Begun { request, response: response.into_ref(&vm.ctx), answer, functions: Functions::default(), tenure }
    }
}

impl Begun {
    /// The class that both versions of HTTP share.
    fn response(&self) -> Option<&Py<Response>> {
        self.response.as_object().downcast_ref::<Response>()
    }

    /// Executes the script when its request has just come.
    fn load(
        &mut self,
        script: &std::path::Path,
        event: &Event,
        runtime: &Runtime,
        vm: &VirtualMachine,
    ) -> Result<(), Failure> {
        if !matches!(event, Event::Request { .. }) {
            return Ok(());
        }
        let (globals, loaded) = handler::load(script, runtime, vm)?;
        let path = &loaded.path;
        let defined = |name| handler::defined(&globals, name, path, runtime, vm);
        let (headers, data, main) = (defined("handle_headers")?, defined("handle_data")?, defined("main")?);
        if headers.is_none() && data.is_none() && main.is_none() {
            log::error!("{path} defines none of main, handle_headers and handle_data");
            let message = format!("No main function or handlers in script {path}");
            return Err(failure::http_exception(500, Some(message), runtime, vm));
        }
        self.functions = Functions { headers, data, main, path: path.clone() };
        Ok(())
    }

    /// Calls the handler's function for this kind of event.
    fn tell(&self, event: &Event, runtime: &Runtime, vm: &VirtualMachine) -> Result<(), Failure> {
        let handler = match event {
            Event::Request { .. } => self.functions.headers.as_ref(),
            Event::Data { .. } => self.functions.data.as_ref(),
            _ => None,
        };
        let step = || {
            let frame = self.request.receive(event, handler.is_some(), vm)?;
            if let (Some(handler), Some(frame)) = (handler, frame) {
                handler.call((frame, self.request.clone(), self.response.clone()), vm)?;
            }
            self.request.keep_frame(vm)?;
            // hyper-h2 makes an event of its own of the priority, but only while the stream is open.
            if let Event::Request { stream, priority: Some(priority), end: false, .. } = event {
                self.request.receive(&Event::Priority { stream: *stream, priority: *priority }, false, vm)?;
                self.request.keep_frame(vm)?;
            }
            Ok(())
        };
        step().map_err(|exception| failure::classify(exception, runtime, vm))
    }

    /// The request is complete.
    fn finish(self, script: &std::path::Path, runtime: &Runtime, vm: &VirtualMachine) {
        let Some(response) = self.response() else { return };
        let called = match &self.functions.main {
            Some(main) => {
                handler::call_main(main, self.request.as_object(), response, &self.functions.path, runtime, vm)
            }
            None => Ok(()),
        };
        let finished = called.and_then(|()| handler::inject_script(self.request.routed(), response, vm));
        if let Err(failure) = finished {
            failure.show(response, script, vm);
        }
        self.close(script, vm);
    }

    /// The handler has failed. wptserve leaves the client waiting if another function than `main` has failed.
    fn fail(self, failure: &Failure, script: &std::path::Path, vm: &VirtualMachine) {
        if let Some(response) = self.response() {
            failure.show(response, script, vm);
        }
        self.close(script, vm);
    }

    fn close(&self, script: &std::path::Path, vm: &VirtualMachine) {
        let put_last = || match self.response().filter(|response| Response::is_changed(response)) {
            Some(response) if !self.answer.content_written() => {
                Response::write_by_name(response, vm)?;
                self.answer.put_last(response.as_object(), vm)
            }
            _ => self.answer.put_last(self.response.as_object(), vm),
        };
        let mut closing = put_last().unwrap_or_else(|exception| {
            log::error!(
                "{}: the answer could not be written: {}",
                script.display(),
                traceback::for_log(&exception, vm)
            );
            Closing { broken: true, ..Closing::default() }
        });
        closing.close = self.response().is_some_and(|response| response.closes(vm));
        self.answer.finish(closing, vm);
    }
}
