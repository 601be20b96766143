//! `response.writer`: the handler writes the bytes of the answer itself. Each call returns when the socket has taken the bytes, with
//! whether the client was still connected.

pub(crate) use classes::ResponseWriter;

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use std::sync::{Arc, OnceLock};

    use rustpython_vm::{
        AsObject as _, FromArgs, Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, pyclass,
    };

    use crate::python::native::{
        instance::{is_changed, traverse},
        response::{
            answer::{Answer, FILE_CHUNK},
            by_name,
            connection::{RequestHandler, SocketWriter, StatusArgs},
        },
    };

    /// Writes an answer piece by piece (wptserve 4.0.3, response.py, `ResponseWriter`).
    #[pyattr]
    #[pyclass(module = "wptserve.response", name = "ResponseWriter", traverse = "manual")]
    #[derive(Debug, PyPayload)]
    pub(crate) struct ResponseWriter {
        answer: Arc<Answer>,
        request: PyObjectRef,
        /// Made when first asked for, which is rare.
        handler: OnceLock<PyRef<RequestHandler>>,
    }

    // `handler` holds nothing that a handler can set.
    traverse!(ResponseWriter { request });

    impl ResponseWriter {
        pub(crate) fn new(answer: Arc<Answer>, request: PyObjectRef) -> Self {
            Self { answer, request, handler: OnceLock::new() }
        }
    }

    /// Sends the bytes of a step, even if the step has failed: wptserve's writes cannot be undone either.
    fn sent<T>(answer: &Answer, step: PyResult<T>, vm: &VirtualMachine) -> PyResult<(T, bool)> {
        let taken = answer.flush(vm);
        step.map(|value| (value, taken))
    }

    #[derive(FromArgs)]
    struct HeaderArgs {
        #[pyarg(any)]
        name: PyObjectRef,
        #[pyarg(any)]
        value: PyObjectRef,
    }

    #[derive(FromArgs)]
    struct DataArgs {
        #[pyarg(any)]
        data: PyObjectRef,
    }

    #[pyclass(flags(HAS_DICT))]
    impl ResponseWriter {
        /// The request that is being answered.
        #[pygetset]
        fn request(zelf: &Py<Self>) -> PyObjectRef {
            zelf.request.clone()
        }

        /// The response that is being written.
        #[pygetset(name = "_response")]
        fn response(zelf: &Py<Self>) -> PyObjectRef {
            zelf.answer.fields().get(|fields| &mut fields.response)
        }

        /// Whether a status line has been written.
        #[pygetset(name = "_status_written")]
        fn status_written(zelf: &Py<Self>) -> bool {
            zelf.answer.status_written()
        }

        #[pygetset(name = "_status_written", setter)]
        fn set_status_written(zelf: &Py<Self>, value: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            zelf.answer.set_status_written(value.try_to_bool(vm)?);
            Ok(())
        }

        /// Whether the head has ended.
        #[pygetset(name = "_headers_complete")]
        fn headers_complete(zelf: &Py<Self>) -> bool {
            zelf.answer.headers_complete()
        }

        #[pygetset(name = "_headers_complete", setter)]
        fn set_headers_complete(zelf: &Py<Self>, value: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            zelf.answer.set_headers_complete(value.try_to_bool(vm)?);
            Ok(())
        }

        /// The connection below the writer: `send_response`, `send_header`, `end_headers`, `wfile`.
        #[pygetset(name = "_handler")]
        fn handler(zelf: &Py<Self>, vm: &VirtualMachine) -> PyRef<RequestHandler> {
            let make = || {
                let wfile = SocketWriter::new(Arc::clone(&zelf.answer)).into_ref(&vm.ctx);
                RequestHandler::new(Arc::clone(&zelf.answer), wfile).into_ref(&vm.ctx)
            };
            zelf.handler.get_or_init(make).clone()
        }

        /// The socket as a file, below the writer.
        #[pygetset(name = "_wfile")]
        fn wfile(zelf: &Py<Self>, vm: &VirtualMachine) -> PyRef<SocketWriter> {
            SocketWriter::new(Arc::clone(&zelf.answer)).into_ref(&vm.ctx)
        }

        /// True as soon as the handler has used the writer; the server sends no answer of its own then.
        #[pygetset]
        fn content_written(zelf: &Py<Self>) -> bool {
            zelf.answer.content_written()
        }

        #[pygetset(setter)]
        fn set_content_written(zelf: &Py<Self>, value: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            zelf.answer.set_content_written(value.try_to_bool(vm)?);
            Ok(())
        }

        /// The number of bytes of a file that are sent at once.
        #[pygetset]
        fn file_chunk_size(_zelf: &Py<Self>) -> usize {
            FILE_CHUNK
        }

        /// The code of the status line that is written when none was.
        #[pygetset]
        fn default_status(zelf: &Py<Self>) -> PyObjectRef {
            zelf.answer.fields().get(|fields| &mut fields.default_status)
        }

        #[pygetset(setter)]
        fn set_default_status(zelf: &Py<Self>, value: PyObjectRef) {
            zelf.answer.fields().set(|fields| &mut fields.default_status, value);
        }

        /// Write the status line. The message defaults to the usual phrase of the code.
        #[pymethod]
        fn write_status(zelf: &Py<Self>, args: StatusArgs, vm: &VirtualMachine) -> PyResult<()> {
            let message = args.message.unwrap_or_else(|| vm.ctx.none());
            if is_changed(zelf.as_object()) {
                return by_name::status(zelf.as_object(), &zelf.answer, &args.code, &message, vm);
            }
            let step = zelf.answer.put_status(&args.code, &message, vm);
            sent(&zelf.answer, step, vm).map(drop)
        }

        /// Write one header, after a status line of 200 if none was written. True if it reached the client.
        #[pymethod]
        fn write_header(zelf: &Py<Self>, args: HeaderArgs, vm: &VirtualMachine) -> PyResult<bool> {
            if is_changed(zelf.as_object()) {
                return by_name::header(zelf.as_object(), &zelf.answer, &args.name, &args.value, vm);
            }
            let step = zelf.answer.put_header(&args.name, &args.value, vm);
            Ok(sent(&zelf.answer, step, vm)?.1)
        }

        /// Write the Server and Date headers, and Content-Length if `response.content` is text or bytes, unless the
        /// handler has written them. True if they reached the client.
        #[pymethod]
        fn write_default_headers(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<bool> {
            if is_changed(zelf.as_object()) {
                return by_name::default_headers(zelf.as_object(), &zelf.answer, vm);
            }
            let step = zelf.answer.put_default_headers(vm);
            Ok(sent(&zelf.answer, step, vm)?.1)
        }

        /// Write the default headers (unless `response.add_required_headers` is false) and the blank line. True if it
        /// reached the client.
        #[pymethod]
        fn end_headers(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<bool> {
            if is_changed(zelf.as_object()) {
                return by_name::end_headers(zelf.as_object(), &zelf.answer, vm);
            }
            let step = zelf.answer.end_headers(vm);
            Ok(sent(&zelf.answer, step, vm)?.1)
        }

        /// Write the body, after status line and headers if they were not written. True if it reached the client.
        #[pymethod]
        fn write_content(zelf: &Py<Self>, args: DataArgs, vm: &VirtualMachine) -> PyResult<bool> {
            if is_changed(zelf.as_object()) {
                return by_name::content(zelf.as_object(), &zelf.answer, args.data, vm);
            }
            let step = zelf.answer.put_content(args.data, vm);
            let (complete, taken) = sent(&zelf.answer, step, vm)?;
            Ok(complete && taken)
        }

        /// Write text, bytes or a file object as they are. True if it reached the client (a file: always false).
        #[pymethod]
        fn write_raw_content(zelf: &Py<Self>, args: DataArgs, vm: &VirtualMachine) -> PyResult<bool> {
            if is_changed(zelf.as_object()) {
                return by_name::raw_content(zelf.as_object(), args.data, vm);
            }
            let step = zelf.answer.put_raw_content(args.data, vm);
            let (complete, taken) = sent(&zelf.answer, step, vm)?;
            Ok(complete && taken)
        }

        /// Write a file object in chunks and close it.
        #[pymethod]
        fn write_content_file(zelf: &Py<Self>, args: DataArgs, vm: &VirtualMachine) -> PyResult<bool> {
            zelf.answer.put_file(&args.data, vm)
        }

        /// Write text or bytes as they are. True if they reached the client.
        #[pymethod]
        fn write(zelf: &Py<Self>, args: DataArgs, vm: &VirtualMachine) -> PyResult<bool> {
            zelf.answer.set_content_written(true);
            if is_changed(zelf.as_object()) {
                let encoded = vm.call_method(zelf.as_object(), "encode", (args.data,))?;
                zelf.answer.put(&zelf.answer.fields().encode(&encoded, vm)?);
            } else {
                zelf.answer.put(&zelf.answer.fields().encode(&args.data, vm)?);
            }
            Ok(zelf.answer.flush(vm))
        }

        /// The bytes of text (in `response.encoding`) or bytes.
        #[pymethod]
        fn encode(zelf: &Py<Self>, args: DataArgs, vm: &VirtualMachine) -> PyResult {
            Ok(vm.ctx.new_bytes(zelf.answer.fields().encode(&args.data, vm)?.into_owned()).into())
        }
    }
}
