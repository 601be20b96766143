//! The iterator that `response.iter_content()` returns: the content of an answer, chunk by chunk.
//!
//! As lazy as wptserve's generator: it reads `response.content` when the first chunk is asked for.

pub(in crate::python) use classes::ContentIterator;

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use parking_lot::Mutex;
    use rustpython_vm::{
        Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine,
        builtins::{PyBytes, PyStr},
        object::{Traverse, TraverseFn},
        protocol::{PyIter, PyIterReturn},
        pyclass,
        types::{IterNext, SelfIter},
    };

    use crate::python::native::instance::traverse;

    /// The bytes of a file in one chunk (wptserve 4.0.3, response.py, `Response.iter_content`).
    const FILE_CHUNK: usize = 32 * 1024;

    #[derive(Debug, Clone)]
    enum State {
        /// The response has not been read yet.
        New(PyObjectRef),
        File(PyObjectRef),
        Items(PyIter),
        Done,
    }

    #[expect(unsafe_code, reason = "the collector trusts what is reported here")]
    // SAFETY: each state owns one reference, which is reported once.
    unsafe impl Traverse for State {
        fn traverse(&self, tracer: &mut TraverseFn<'_>) {
            match self {
                State::New(object) | State::File(object) => tracer(object),
                State::Items(items) => tracer(items.as_ref()),
                State::Done => {}
            }
        }
    }

    /// The chunks of an answer's content (wptserve 4.0.3, response.py, `Response.iter_content`).
    #[pyattr]
    #[pyclass(module = "wptserve.response", name = "ContentIterator", traverse = "manual")]
    #[derive(Debug, PyPayload)]
    pub(in crate::python) struct ContentIterator(Mutex<State>);

    traverse!(ContentIterator { 0 });

    impl ContentIterator {
        pub(in crate::python::native) fn new(response: PyObjectRef) -> Self {
            Self(Mutex::new(State::New(response)))
        }
    }

    #[pyclass(with(IterNext))]
    impl ContentIterator {}

    impl SelfIter for ContentIterator {}

    impl IterNext for ContentIterator {
        /// The state is taken out while Python code runs, so an error ends the iteration, as it ends a generator.
        fn next(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<PyIterReturn> {
            let state = std::mem::replace(&mut *zelf.0.lock(), State::Done);
            let (chunk, state) = step(state, vm)?;
            *zelf.0.lock() = state;
            Ok(chunk.map_or(PyIterReturn::StopIteration(None), PyIterReturn::Return))
        }
    }

    fn step(state: State, vm: &VirtualMachine) -> PyResult<(Option<PyObjectRef>, State)> {
        match state {
            State::Done => Ok((None, State::Done)),
            State::New(response) => start(&response, vm),
            State::File(file) => {
                let chunk = vm.call_method(&file, "read", (FILE_CHUNK,))?;
                if chunk.length(vm)? == 0 {
                    vm.call_method(&file, "close", ())?;
                    return Ok((None, State::Done));
                }
                Ok((Some(chunk), State::File(file)))
            }
            State::Items(items) => {
                while let PyIterReturn::Return(item) = items.next(vm)? {
                    let value = if item.is_callable() { item.call((), vm)? } else { item };
                    if value.clone().try_to_bool(vm)? {
                        return Ok((Some(value), State::Items(items)));
                    }
                }
                Ok((None, State::Done))
            }
        }
    }

    fn start(response: &PyObject, vm: &VirtualMachine) -> PyResult<(Option<PyObjectRef>, State)> {
        let content = response.get_attr("content", vm)?;
        if content.downcast_ref::<PyBytes>().is_some() {
            return Ok((Some(content), State::Done));
        }
        if content.downcast_ref::<PyStr>().is_some() {
            let encoding = response.get_attr("encoding", vm)?;
            return Ok((Some(vm.call_method(&content, "encode", (encoding,))?), State::Done));
        }
        let state =
            if content.has_attr("read", vm)? { State::File(content) } else { State::Items(content.get_iter(vm)?) };
        step(state, vm)
    }
}
