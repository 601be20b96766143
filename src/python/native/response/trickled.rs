//! Content after a trickle: an iterator that sleeps when Python code iterates over it. If it stays in `response.content`, the
//! connection sends it, which needs no thread.

pub(in crate::python::native) use classes::Trickled;

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use std::time::Duration;

    use bytes::Bytes;
    use parking_lot::Mutex;
    use rustpython_vm::{
        Py, PyPayload, PyResult, VirtualMachine,
        protocol::PyIterReturn,
        pyclass,
        types::{IterNext, SelfIter},
    };

    use crate::{
        http::answer::trickle::{Trickle, TrickleStep, Undrainable},
        python::native::pipe_error::exception,
    };

    /// Content that is sent in parts, with pauses; iterating over it waits.
    #[pyattr]
    #[pyclass(module = "wptserve.pipes", name = "Trickled")]
    #[derive(Debug, PyPayload)]
    pub(in crate::python) struct Trickled(Mutex<Trickle>);

    impl Trickled {
        pub(in crate::python::native) fn new(trickle: Trickle) -> Self {
            Self(Mutex::new(trickle))
        }

        pub(in crate::python::native) fn drain(&self) -> (Duration, Result<Bytes, Undrainable>) {
            self.0.lock().drain()
        }

        /// The rest of the content, for another sender.
        pub(in crate::python::native) fn rest(&self) -> Trickle {
            self.0.lock().clone()
        }
    }

    #[pyclass(with(IterNext))]
    impl Trickled {}

    impl SelfIter for Trickled {}

    impl IterNext for Trickled {
        fn next(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<PyIterReturn> {
            loop {
                let step = zelf.0.lock().next();
                let error = match step {
                    None => return Ok(PyIterReturn::StopIteration(None)),
                    Some(TrickleStep::Send(bytes)) => {
                        return Ok(PyIterReturn::Return(vm.ctx.new_bytes(bytes.into()).into()));
                    }
                    Some(TrickleStep::Wait(time)) => {
                        vm.allow_threads(|| std::thread::sleep(time));
                        continue;
                    }
                    Some(TrickleStep::Fail(cause)) => Undrainable::Delay(cause),
                    Some(TrickleStep::Stall) => Undrainable::Endless,
                };
                return Err(exception(error.into(), vm));
            }
        }
    }
}
