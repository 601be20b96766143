//! `wptserve.request.InputFile`, the class of `request.raw_input`: a seekable file over a request body that is still arriving.
//!
//! The rules are in [`BodyReader`]. Every wait for the client happens outside the interpreter (`allow_threads`), and the lock
//! on the reader is taken there as well.

use std::sync::Arc;

use parking_lot::Mutex;
use rustpython_vm::{PyResult, VirtualMachine, builtins::PyBaseExceptionRef, convert::IntoPyException};

pub(in crate::python) use classes::InputFile;

use crate::{
    http::body::{BodyError, BodyReader, BodySource},
    python::exceptions::interrupt,
};

/// The exception wptserve raises (4.0.3, request.py, `InputFile`).
pub(in crate::python::native) fn raised(error: BodyError, vm: &VirtualMachine) -> PyBaseExceptionRef {
    match error {
        BodyError::Closed => vm.new_value_error("I/O operation on closed file."),
        BodyError::OutOfRange => vm.new_exception_empty(vm.ctx.exceptions.value_error.to_owned()),
        BodyError::Short(came, wanted) => vm.new_exception_msg(
            vm.ctx.exceptions.assertion_error.to_owned(),
            format!("After reading buffer position ({came}) didn't match file position ({wanted})").into(),
        ),
        BodyError::Torn => vm.new_exception_empty(vm.ctx.exceptions.assertion_error.to_owned()),
        // An error of our own has no number, and would be shown as "[Errno 0] Success".
        BodyError::Io(error) if error.raw_os_error().is_none() => vm.new_os_error(error.to_string()),
        BodyError::Io(error) => error.into_pyexception(vm),
    }
}

impl InputFile {
    /// A body that comes from `source`; `length` is its Content-Length, unknown when it is chunked.
    pub(in crate::python) fn new(source: Arc<dyn BodySource>, length: Option<u64>) -> Self {
        InputFile { reader: Mutex::new(BodyReader::new(source, length)) }
    }

    /// A body that is appended as it comes: the bytes so far count as the whole body.
    pub(in crate::python) fn growing() -> Self {
        InputFile { reader: Mutex::new(BodyReader::growing()) }
    }

    /// Appends to a body that was made by [`InputFile::growing`].
    pub(in crate::python) fn grow(&self, more: &[u8], vm: &VirtualMachine) -> PyResult<()> {
        self.run(|reader| reader.append(more), vm)
    }

    /// A part of the bytes that have come, for `request.frames`; less when the handler has closed the file.
    pub(in crate::python) fn part(&self, start: u64, length: u64, vm: &VirtualMachine) -> PyResult<Vec<u8>> {
        self.run(|reader| reader.part(start, length), vm)
    }

    /// The whole body, for `request.body`.
    pub(in crate::python) fn body(&self, vm: &VirtualMachine) -> PyResult<Vec<u8>> {
        self.run(BodyReader::whole, vm)
    }

    /// Runs a call that may wait for the client, or for another thread that waits for the client.
    pub(in crate::python::native) fn run<R>(
        &self,
        work: impl FnOnce(&mut BodyReader) -> Result<R, BodyError>,
        vm: &VirtualMachine,
    ) -> PyResult<R> {
        let result = vm.allow_threads(|| work(&mut self.reader.lock()));
        if result.is_err() {
            interrupt::check(vm)?;
        }
        result.map_err(|error| raised(error, vm))
    }
}

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use parking_lot::Mutex;
    use rustpython_vm::{
        FromArgs, Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine,
        builtins::PyBytesRef,
        function::FuncArgs,
        protocol::PyIterReturn,
        pyclass,
        types::{IterNext, Iterable, SelfIter},
    };

    use crate::http::body::{BodyReader, IN_MEMORY};

    #[pyattr]
    #[pyclass(module = "wptserve.request", name = "InputFile")]
    #[derive(Debug, PyPayload)]
    pub(in crate::python) struct InputFile {
        pub(super) reader: Mutex<BodyReader>,
    }

    #[derive(FromArgs)]
    struct ReadArgs {
        #[pyarg(any, default = -1)]
        bytes: i64,
    }

    #[derive(FromArgs)]
    struct ReadlineArgs {
        #[pyarg(any, default)]
        max_bytes: Option<i64>,
    }

    #[derive(FromArgs)]
    struct SeekArgs {
        #[pyarg(any)]
        offset: i64,
    }

    #[pyclass(with(IterNext, Iterable), flags(HAS_DICT))]
    impl InputFile {
        /// The length of the body. A chunked body is read to its end.
        #[pygetset]
        fn length(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<u64> {
            zelf.run(BodyReader::length, vm)
        }

        /// Longer bodies are kept in a file instead of memory.
        #[pygetset]
        fn max_buffer_size(_zelf: &Py<Self>) -> usize {
            IN_MEMORY
        }

        /// At most `bytes` bytes from here, or all if negative or not given. Fewer only at the end.
        #[pymethod]
        fn read(zelf: &Py<Self>, args: ReadArgs, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
            Ok(vm.ctx.new_bytes(zelf.run(|reader| reader.read(args.bytes), vm)?))
        }

        /// The bytes up to and with the next line feed, at most `max_bytes`.
        #[pymethod]
        fn readline(zelf: &Py<Self>, args: ReadlineArgs, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
            Ok(vm.ctx.new_bytes(zelf.run(|reader| reader.readline(args.max_bytes), vm)?))
        }

        /// The lines that follow, as a list.
        #[pymethod]
        fn readlines(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<Vec<PyObjectRef>> {
            let mut lines = Vec::new();
            loop {
                let line = zelf.run(|reader| reader.readline(None), vm)?;
                if line.is_empty() {
                    return Ok(lines);
                }
                lines.push(vm.ctx.new_bytes(line).into());
            }
        }

        /// Goes to `offset`, counted from the start; ValueError if that is outside the body.
        #[pymethod]
        fn seek(zelf: &Py<Self>, args: SeekArgs, vm: &VirtualMachine) -> PyResult<()> {
            zelf.run(|reader| reader.seek(args.offset), vm)
        }

        /// The position of the reader.
        #[pymethod]
        fn tell(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<u64> {
            zelf.run(|reader| reader.tell(), vm)
        }

        /// The next line; StopIteration at the end.
        #[pymethod]
        fn next(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
            let line = zelf.run(|reader| reader.readline(None), vm)?;
            if line.is_empty() {
                return Err(vm.new_stop_iteration(None));
            }
            Ok(vm.ctx.new_bytes(line))
        }

        /// Drops the kept bytes; later reads fail.
        #[pymethod]
        fn close(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            zelf.run(
                |reader| {
                    reader.close();
                    Ok(())
                },
                vm,
            )
        }

        #[pymethod]
        fn __enter__(zelf: PyRef<Self>) -> PyRef<Self> {
            zelf
        }

        #[pymethod]
        fn __exit__(zelf: &Py<Self>, _args: FuncArgs, vm: &VirtualMachine) -> PyResult<bool> {
            Self::close(zelf, vm)?;
            Ok(false)
        }
    }

    impl SelfIter for InputFile {}

    impl IterNext for InputFile {
        fn next(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<PyIterReturn> {
            let line = zelf.run(|reader| reader.readline(None), vm)?;
            Ok(if line.is_empty() {
                PyIterReturn::StopIteration(None)
            } else {
                PyIterReturn::Return(vm.ctx.new_bytes(line).into())
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::python::native::testing::check_table;

    #[test]
    fn as_in_wptserve() {
        check_table(include_str!("../tables/input.txt"));
    }

    /// Not in wptserve, which cannot read chunked request bodies.
    #[test]
    fn a_body_of_unknown_length() {
        check_table(include_str!("../tables/input_chunked.txt"));
    }
}
