//! `wptserve.request.InputFile`: what `request.raw_input` is, a seekable file over a request body that is still arriving.
//!
//! Bytes are pulled from a [`BodySource`] only when somebody wants them, and kept, so that `seek(0)` works; beyond 1 MiB they
//! are kept in a temporary file. A chunked body has no length beforehand: asking for `length` reads all of it. Every wait for
//! the client happens outside the interpreter (`allow_threads`), and the lock on the state is taken there as well.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use rustpython_vm::builtins::PyBaseExceptionRef;
use rustpython_vm::convert::IntoPyException;
use rustpython_vm::{PyResult, VirtualMachine};

pub(in crate::python) use classes::InputFile;

use super::spill::Spill;

/// Where the bytes of a request body come from.
pub(in crate::python) trait BodySource: Debug + Send + Sync {
    /// At least one byte and at most `max` of them; nothing at the end of the body. May wait for the client.
    fn read(&self, max: usize) -> io::Result<Bytes>;
}

/// The source of a body that is handed over.
#[derive(Debug)]
struct Nothing;

impl BodySource for Nothing {
    fn read(&self, _max: usize) -> io::Result<Bytes> {
        Ok(Bytes::new())
    }
}

/// How much is kept in memory (wptserve 4.0.3, request.py, `InputFile.max_buffer_size`).
const IN_MEMORY: usize = 1024 * 1024;
/// How much is asked of the source at once.
const STEP: u64 = 64 * 1024;

/// What has arrived, and where the reader is.
#[derive(Debug)]
pub(in crate::python::native) struct State {
    source: Arc<dyn BodySource>,
    length: Option<u64>,
    kept: Spill,
    position: u64,
    /// How far wptserve would have read from the connection. More may be kept here, but `seek` depends on it.
    claimed: u64,
    ended: bool,
    closed: bool,
}

/// Why a read fails.
#[derive(Debug)]
pub(in crate::python::native) enum Failure {
    Closed,
    OutOfRange,
    /// The body ended before its length: how much came, and how much was wanted.
    Short(u64, u64),
    /// Reading on after [`Failure::Short`].
    Torn,
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

impl Failure {
    /// The exception wptserve raises (4.0.3, request.py, `InputFile`).
    pub(in crate::python::native) fn raised(self, vm: &VirtualMachine) -> PyBaseExceptionRef {
        match self {
            Failure::Closed => vm.new_value_error("I/O operation on closed file."),
            Failure::OutOfRange => vm.new_exception_empty(vm.ctx.exceptions.value_error.to_owned()),
            Failure::Short(came, wanted) => vm.new_exception_msg(
                vm.ctx.exceptions.assertion_error.to_owned(),
                format!("After reading buffer position ({came}) didn't match file position ({wanted})").into(),
            ),
            Failure::Torn => vm.new_exception_empty(vm.ctx.exceptions.assertion_error.to_owned()),
            // An error of our own has no number, and would be shown as "[Errno 0] Success".
            Failure::Io(error) if error.raw_os_error().is_none() => vm.new_os_error(error.to_string()),
            Failure::Io(error) => error.into_pyexception(vm),
        }
    }
}

impl State {
    /// Pulls until `target` bytes are kept or the body ends.
    fn fill(&mut self, target: u64) -> io::Result<()> {
        while !self.ended && self.kept.len() < target {
            self.pull()?;
        }
        Ok(())
    }

    /// Pulls once, whatever is there.
    fn pull(&mut self) -> io::Result<()> {
        let left = self.length.map_or(STEP, |length| length.saturating_sub(self.kept.len()));
        let max = usize::try_from(left.min(STEP)).unwrap_or(usize::MAX);
        let more = if max == 0 { Bytes::new() } else { self.source.read(max)? };
        self.ended = more.is_empty();
        self.kept.append(more.get(..max.min(more.len())).unwrap_or_default())
    }

    fn open(&mut self) -> Result<&mut Self, Failure> {
        if self.closed { Err(Failure::Closed) } else { Ok(self) }
    }

    /// Where `count` bytes from here end; negative counts mean the end of the body.
    fn target(&self, count: i64) -> u64 {
        let end = self.length.unwrap_or(u64::MAX);
        u64::try_from(count).map_or(end, |count| self.position.saturating_add(count).min(end))
    }

    /// wptserve 4.0.3, request.py, `InputFile.read`.
    pub(in crate::python::native) fn read(&mut self, count: i64) -> Result<Vec<u8>, Failure> {
        self.open()?;
        let target = self.target(count);
        self.fill(target)?;
        if target > self.claimed {
            let came = self.kept.len();
            if self.length.is_none() {
                self.claimed = target.min(came);
            } else {
                self.claimed = target;
                if came < target {
                    self.position = came;
                    return Err(Failure::Short(came, target));
                }
            }
        }
        let data = self.kept.read(self.position, target.saturating_sub(self.position))?;
        self.position += data.len() as u64;
        Ok(data)
    }

    /// What there is from here on, at most `max` bytes; waits only when there is nothing. Nothing at the end of the body.
    pub(in crate::python::native) fn some(&mut self, max: u64) -> Result<Vec<u8>, Failure> {
        self.open()?;
        if self.kept.len() <= self.position && !self.ended {
            self.pull()?;
        }
        let came = self.kept.len();
        if self.ended && came <= self.position && self.length.is_some_and(|length| came < length) {
            return Err(Failure::Short(came, came + 1));
        }
        let data = self.kept.read(self.position, max)?;
        self.position += data.len() as u64;
        self.claimed = self.claimed.max(self.position);
        Ok(data)
    }

    /// Where the reader is.
    pub(in crate::python::native) fn position(&self) -> u64 {
        self.position
    }

    /// wptserve 4.0.3, request.py, `InputFile.readline`.
    pub(in crate::python::native) fn readline(&mut self, max: Option<i64>) -> Result<Vec<u8>, Failure> {
        self.open()?;
        let limit = self.target(max.unwrap_or(-1));
        let mut looked_at = self.position;
        let end = loop {
            if let Some(found) = self.kept.find(b'\n', looked_at, limit)? {
                break found + 1;
            }
            looked_at = self.kept.len();
            if looked_at >= limit {
                break limit;
            }
            if self.ended && self.length.is_some_and(|length| looked_at < length) {
                self.position = looked_at;
                if looked_at < self.claimed {
                    return Err(Failure::Torn);
                }
                self.claimed = looked_at + 1;
                return Err(Failure::Short(looked_at, looked_at + 1));
            }
            if self.ended {
                break looked_at;
            }
            self.pull()?;
        };
        if end > self.claimed {
            self.claimed = match (max, self.length) {
                // A negative limit makes wptserve read all there is and go back.
                (Some(..0), Some(length)) => length,
                // It reads a line two bytes at a time and may so have read one more than the line has.
                _ => (self.claimed + (end - self.claimed).next_multiple_of(2)).min(limit).max(end),
            };
        }
        let data = self.kept.read(self.position, end.saturating_sub(self.position))?;
        self.position += data.len() as u64;
        Ok(data)
    }

    /// wptserve 4.0.3, request.py, `InputFile.seek`, which moves forward by reading on from wherever it is.
    pub(in crate::python::native) fn seek(&mut self, offset: i64) -> Result<(), Failure> {
        self.open()?;
        let offset = u64::try_from(offset).map_err(|_| Failure::OutOfRange)?;
        if self.length.is_none() {
            self.fill(offset)?;
            if offset > self.kept.len() {
                return Err(Failure::OutOfRange);
            }
            self.claimed = self.claimed.max(offset);
        } else if self.length.is_some_and(|length| offset > length) {
            return Err(Failure::OutOfRange);
        }
        if offset <= self.claimed {
            self.position = offset;
            return Ok(());
        }
        self.read(i64::try_from(offset - self.claimed).unwrap_or(i64::MAX)).map(drop)
    }

    fn length(&mut self) -> Result<u64, Failure> {
        if self.length.is_none() {
            self.fill(u64::MAX)?;
            self.length = Some(self.kept.len());
        }
        Ok(self.length.unwrap_or_default())
    }

    /// The body from its first byte, leaving the reader where it is (wptserve 4.0.3, request.py, `Request.body`).
    fn whole(&mut self) -> Result<Vec<u8>, Failure> {
        let position = self.open()?.position;
        self.seek(0)?;
        let whole = self.read(-1)?;
        self.seek(position.try_into().unwrap_or(i64::MAX))?;
        Ok(whole)
    }
}

impl InputFile {
    /// A body that comes from `source`; `length` is its Content-Length, unknown when it is chunked.
    pub(in crate::python) fn new(source: Arc<dyn BodySource>, length: Option<u64>) -> Self {
        let kept = Spill::new(IN_MEMORY);
        let state = State { source, length, kept, position: 0, claimed: 0, ended: false, closed: false };
        InputFile { state: Mutex::new(state) }
    }

    /// A body that is handed over as it comes: what there is at any time is all of it.
    pub(in crate::python) fn growing() -> Self {
        Self::new(Arc::new(Nothing), None)
    }

    /// More of a body that was made by [`InputFile::growing`].
    pub(in crate::python) fn grow(&self, more: &[u8], vm: &VirtualMachine) -> PyResult<()> {
        self.run(
            |state| {
                if state.closed {
                    return Ok(());
                }
                state.length = state.length.map(|length| length + more.len() as u64);
                Ok(state.kept.append(more)?)
            },
            vm,
        )
    }

    /// A part of what has come, for `request.frames`; less when the handler has closed the file.
    pub(in crate::python) fn part(&self, start: u64, length: u64, vm: &VirtualMachine) -> PyResult<Vec<u8>> {
        self.run(|state| Ok(state.kept.read(start, length)?), vm)
    }

    /// The whole body, for `request.body`.
    pub(in crate::python) fn body(&self, vm: &VirtualMachine) -> PyResult<Vec<u8>> {
        self.run(State::whole, vm)
    }

    /// Does something that may wait for the client, or for another thread that does.
    pub(in crate::python::native) fn run<R>(
        &self,
        work: impl FnOnce(&mut State) -> Result<R, Failure>,
        vm: &VirtualMachine,
    ) -> PyResult<R> {
        vm.allow_threads(|| work(&mut self.state.lock())).map_err(|failure| failure.raised(vm))
    }
}

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use parking_lot::Mutex;
    use rustpython_vm::builtins::PyBytesRef;
    use rustpython_vm::function::FuncArgs;
    use rustpython_vm::protocol::PyIterReturn;
    use rustpython_vm::types::{IterNext, Iterable, SelfIter};
    use rustpython_vm::{FromArgs, Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, pyclass};

    use super::State;

    #[pyattr]
    #[pyclass(module = "wptserve.request", name = "InputFile")]
    #[derive(Debug, PyPayload)]
    pub(in crate::python) struct InputFile {
        pub(super) state: Mutex<State>,
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
        /// How long the body is. A chunked body is read to its end to know.
        #[pygetset]
        fn length(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<u64> {
            zelf.run(State::length, vm)
        }

        /// Longer bodies are kept in a file instead of memory.
        #[pygetset]
        fn max_buffer_size(_zelf: &Py<Self>) -> usize {
            super::IN_MEMORY
        }

        /// At most `bytes` bytes from here, all that follow if negative or not given. Fewer come only at the end.
        #[pymethod]
        fn read(zelf: &Py<Self>, args: ReadArgs, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
            Ok(vm.ctx.new_bytes(zelf.run(|state| state.read(args.bytes), vm)?))
        }

        /// The bytes up to and with the next line feed, at most `max_bytes`.
        #[pymethod]
        fn readline(zelf: &Py<Self>, args: ReadlineArgs, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
            Ok(vm.ctx.new_bytes(zelf.run(|state| state.readline(args.max_bytes), vm)?))
        }

        /// The lines that follow, as a list.
        #[pymethod]
        fn readlines(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<Vec<PyObjectRef>> {
            let mut lines = Vec::new();
            loop {
                let line = zelf.run(|state| state.readline(None), vm)?;
                if line.is_empty() {
                    return Ok(lines);
                }
                lines.push(vm.ctx.new_bytes(line).into());
            }
        }

        /// Goes to `offset`, counted from the start; ValueError if that is outside the body.
        #[pymethod]
        fn seek(zelf: &Py<Self>, args: SeekArgs, vm: &VirtualMachine) -> PyResult<()> {
            zelf.run(|state| state.seek(args.offset), vm)
        }

        /// Where the reader is.
        #[pymethod]
        fn tell(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<u64> {
            zelf.run(|state| Ok(state.open()?.position), vm)
        }

        /// The next line; StopIteration at the end.
        #[pymethod]
        fn next(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
            let line = zelf.run(|state| state.readline(None), vm)?;
            if line.is_empty() {
                return Err(vm.new_stop_iteration(None));
            }
            Ok(vm.ctx.new_bytes(line))
        }

        /// Forgets what has been kept; nothing can be read afterwards.
        #[pymethod]
        fn close(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            zelf.run(
                |state| {
                    state.closed = true;
                    state.kept = super::Spill::new(super::IN_MEMORY);
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
            let line = zelf.run(|state| state.readline(None), vm)?;
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
