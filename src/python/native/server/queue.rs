//! The queue that `stash.get_queue()` gives: Python's `queue.Queue` over [`crate::stash::Queue`].
//!
//! What is put is copied, as everything that goes through the stash. The queue itself can be put into the stash: whoever takes
//! it has the same queue. It has no limit, so `Full` is never raised; waiting lets all other handlers go on.

use std::{sync::Arc, time::Duration};

use rustpython_vm::{PyResult, VirtualMachine, builtins::PyBaseExceptionRef};

pub(in crate::python::native) use classes::StashQueue;

use super::values;
use crate::{python::native::text, stash::Queue};

impl StashQueue {
    pub(in crate::python::native) fn new(queue: Arc<Queue>) -> Self {
        StashQueue { queue }
    }

    /// The queue behind the object.
    pub(in crate::python::native) fn shared(&self) -> Arc<Queue> {
        Arc::clone(&self.queue)
    }

    /// `None` waits for ever.
    fn take(&self, wait: Option<Duration>, vm: &VirtualMachine) -> PyResult {
        match vm.allow_threads(|| self.queue.get(wait)) {
            Some(item) => values::to_object(item, vm),
            None => Err(empty(vm)),
        }
    }
}

fn empty(vm: &VirtualMachine) -> PyBaseExceptionRef {
    text::exception("queue", "Empty", (), vm)
}

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use std::{sync::Arc, time::Duration};

    use rustpython_vm::{
        FromArgs, Py, PyObjectRef, PyPayload, PyResult, VirtualMachine, function::ArgIntoFloat, pyclass,
    };

    use super::values;
    use crate::stash::Queue;

    #[pyattr]
    #[pyclass(module = "wptserve.stash", name = "QueueProxy")]
    #[derive(Debug, PyPayload)]
    pub(in crate::python::native) struct StashQueue {
        pub(super) queue: Arc<Queue>,
    }

    #[derive(FromArgs)]
    struct PutArgs {
        #[pyarg(any)]
        item: PyObjectRef,
        #[pyarg(any, default = true)]
        #[expect(dead_code, reason = "taken for the sake of callers: there is always room")]
        block: bool,
        #[pyarg(any, default)]
        #[expect(dead_code, reason = "taken for the sake of callers: there is always room")]
        timeout: Option<ArgIntoFloat>,
    }

    #[derive(FromArgs)]
    struct GetArgs {
        #[pyarg(any, default = true)]
        block: bool,
        #[pyarg(any, default)]
        timeout: Option<ArgIntoFloat>,
    }

    #[pyclass]
    impl StashQueue {
        /// Adds a copy of `item` at the end.
        #[pymethod]
        fn put(zelf: &Py<Self>, args: PutArgs, vm: &VirtualMachine) -> PyResult<()> {
            let item = values::to_value(&args.item, vm)?;
            vm.allow_threads(|| zelf.queue.put(item));
            Ok(())
        }

        /// As `put(item)`.
        #[pymethod]
        fn put_nowait(zelf: &Py<Self>, item: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            let item = values::to_value(&item, vm)?;
            vm.allow_threads(|| zelf.queue.put(item));
            Ok(())
        }

        /// Takes the first item; waits for one at most `timeout` seconds, for ever without. `queue.Empty` if there is none.
        #[pymethod]
        fn get(zelf: &Py<Self>, args: GetArgs, vm: &VirtualMachine) -> PyResult {
            let wait = match args.timeout.map(f64::from) {
                _ if !args.block => Some(Duration::ZERO),
                None => None,
                Some(seconds) if seconds < 0.0 => {
                    return Err(vm.new_value_error("'timeout' must be a non-negative number"));
                }
                Some(seconds) => Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)),
            };
            zelf.take(wait, vm)
        }

        /// As `get(False)`.
        #[pymethod]
        fn get_nowait(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            zelf.take(Some(Duration::ZERO), vm)
        }

        /// How many items there are.
        #[pymethod]
        fn qsize(zelf: &Py<Self>, vm: &VirtualMachine) -> usize {
            vm.allow_threads(|| zelf.queue.len())
        }

        /// Whether there are no items.
        #[pymethod]
        fn empty(zelf: &Py<Self>, vm: &VirtualMachine) -> bool {
            vm.allow_threads(|| zelf.queue.is_empty())
        }

        /// Always False: the queue has no limit.
        #[pymethod]
        fn full(_zelf: &Py<Self>) -> bool {
            false
        }

        /// Says that an item taken has been dealt with.
        #[pymethod]
        fn task_done(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            vm.allow_threads(|| zelf.queue.task_done())
                .map_err(|crate::stash::TooOften| vm.new_value_error("task_done() called too many times"))
        }

        /// Waits until `task_done` has been called for every item put.
        #[pymethod]
        fn join(zelf: &Py<Self>, vm: &VirtualMachine) {
            vm.allow_threads(|| zelf.queue.join());
        }
    }
}
