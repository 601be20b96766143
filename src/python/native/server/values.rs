//! The values of the stash: Python objects as plain values, and the queue of `stash.get_queue()`. They are in one file because a
//! queue can be a value, and holds values.
//!
//! This code copies plain data itself, which is fast and runs no Python code; in wptserve `pickle` makes the copy. Other objects (dates,
//! UUIDs, subclasses, data nested very deep or sharing its parts a thousand times) are passed to Python's own `pickle` as a whole. The
//! queue is Python's `queue.Queue` over [`crate::stash::Queue`]. A handler that takes a queue out of the stash has the same queue. It
//! has no limit, so `Full` is never raised; other handlers continue while one waits.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rustpython_vm::{
    AsObject, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine,
    builtins::{PyBaseExceptionRef, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyStr, PyTuple},
    common::wtf8::Wtf8Buf,
};

pub(in crate::python::native) use classes::StashQueue;

use crate::{
    python::{
        exceptions::interrupt::{self, in_slices},
        native::{RawHeaders, text},
    },
    stash::{Queue, Refusal, Value},
};

/// Deeper nesting goes through `pickle`, which has the interpreter's guard against recursion.
const MAX_DEPTH: usize = 100;
/// The most parts that are copied here. A list that holds itself twice, several levels deep, has more parts than fit into memory;
/// `pickle` copies each part once.
const MAX_PARTS: usize = 1_000_000;

/// A copy of `object` that belongs to no interpreter.
pub(in crate::python::native) fn to_value(object: &PyObject, vm: &VirtualMachine) -> PyResult<Value> {
    if let Some(value) = plain(object, MAX_DEPTH, &mut { MAX_PARTS }, vm) {
        return Ok(value);
    }
    let pickle = vm.import("pickle", 0)?;
    let dumped = vm.call_method(&pickle, "dumps", (object.to_owned(),))?;
    Ok(Value::Pickled(text::encoded(&dumped, vm)?))
}

/// A new object with the content of `value`.
pub(in crate::python::native) fn to_object(value: Value, vm: &VirtualMachine) -> PyResult {
    Ok(match value {
        Value::None => vm.ctx.none(),
        Value::Bool(value) => vm.ctx.new_bool(value).into(),
        Value::Int(value) => vm.ctx.new_int(value).into(),
        Value::BigInt(digits) => vm.ctx.types.int_type.as_object().call((digits, 16), vm)?,
        Value::Float(value) => vm.ctx.new_float(value).into(),
        Value::Str(bytes) => {
            let text = Wtf8Buf::from_bytes(bytes).map_err(|_| vm.new_value_error("text in the stash is damaged"))?;
            vm.ctx.new_str(text).into()
        }
        Value::Bytes(bytes) => vm.ctx.new_bytes(bytes).into(),
        Value::List(items) => vm.ctx.new_list(objects(items, vm)?).into(),
        Value::Tuple(items) => vm.ctx.new_tuple(objects(items, vm)?).into(),
        Value::Dict(items) => {
            let dict = vm.ctx.new_dict();
            for (key, value) in items {
                dict.set_item(&*to_object(key, vm)?, to_object(value, vm)?, vm)?;
            }
            dict.into()
        }
        Value::Set(items) => collected(vm.ctx.types.set_type.as_object(), items, vm)?,
        Value::FrozenSet(items) => collected(vm.ctx.types.frozenset_type.as_object(), items, vm)?,
        Value::Headers(fields) => RawHeaders::from_fields(fields).into_ref(&vm.ctx).into(),
        Value::Queue(queue) => StashQueue::new(queue).into_ref(&vm.ctx).into(),
        Value::Pickled(bytes) => {
            let pickle = vm.import("pickle", 0)?;
            vm.call_method(&pickle, "loads", (vm.ctx.new_bytes(bytes),))?
        }
    })
}

fn objects(items: Vec<Value>, vm: &VirtualMachine) -> PyResult<Vec<PyObjectRef>> {
    items.into_iter().map(|item| to_object(item, vm)).collect()
}

fn collected(class: &PyObject, items: Vec<Value>, vm: &VirtualMachine) -> PyResult {
    class.call((vm.ctx.new_list(objects(items, vm)?),), vm)
}

/// `None` if a part is not plain data. Only exact types count, because a subclass may hold more than its base.
fn plain(object: &PyObject, depth: usize, parts: &mut usize, vm: &VirtualMachine) -> Option<Value> {
    *parts = parts.checked_sub(1)?;
    let depth = depth.checked_sub(1)?;
    let mut all = |items: Vec<PyObjectRef>| -> Option<Vec<Value>> {
        items.iter().map(|item| plain(item, depth, parts, vm)).collect()
    };
    if vm.is_none(object) {
        Some(Value::None)
    } else if object.class().is(vm.ctx.types.bool_type) {
        Some(Value::Bool(object.is(&vm.ctx.true_value)))
    } else if let Some(int) = object.downcast_ref_if_exact::<PyInt>(vm) {
        let small = int.try_to_primitive::<i64>(vm).map(Value::Int);
        Some(small.unwrap_or_else(|_| Value::BigInt(int.as_bigint().to_str_radix(16))))
    } else if let Some(float) = object.downcast_ref_if_exact::<PyFloat>(vm) {
        Some(Value::Float(float.to_f64()))
    } else if let Some(text) = object.downcast_ref_if_exact::<PyStr>(vm) {
        Some(Value::Str(text.as_wtf8().as_bytes().to_vec()))
    } else if let Some(bytes) = object.downcast_ref_if_exact::<PyBytes>(vm) {
        Some(Value::Bytes(bytes.as_bytes().to_vec()))
    } else if let Some(list) = object.downcast_ref_if_exact::<PyList>(vm) {
        // The items are taken out first, so that other threads can use the list while the items are copied.
        let items = list.borrow_vec().to_vec();
        all(items).map(Value::List)
    } else if let Some(tuple) = object.downcast_ref_if_exact::<PyTuple>(vm) {
        all(tuple.as_slice().to_vec()).map(Value::Tuple)
    } else if let Some(set) = object.downcast_ref_if_exact::<PySet>(vm) {
        all(set.elements()).map(Value::Set)
    } else if let Some(set) = object.downcast_ref_if_exact::<PyFrozenSet>(vm) {
        all(set.elements()).map(Value::FrozenSet)
    } else if let Some(dict) = object.downcast_ref_if_exact::<PyDict>(vm) {
        let (keys, values): (Vec<_>, Vec<_>) = dict.items_vec().into_iter().unzip();
        Some(Value::Dict(all(keys)?.into_iter().zip(all(values)?).collect()))
    } else if let Some(headers) = object.downcast_ref::<RawHeaders>() {
        Some(Value::Headers(headers.fields()))
    } else {
        object.downcast_ref::<StashQueue>().map(|queue| Value::Queue(queue.shared()))
    }
}

impl StashQueue {
    pub(in crate::python::native) fn new(queue: Arc<dyn Queue>) -> Self {
        StashQueue { queue }
    }

    /// The queue behind the object.
    pub(in crate::python::native) fn shared(&self) -> Arc<dyn Queue> {
        Arc::clone(&self.queue)
    }

    /// `None` waits for ever.
    fn take(&self, wait: Option<Duration>, vm: &VirtualMachine) -> PyResult {
        // A time too far away to be told is as good as never.
        let deadline = wait.and_then(|wait| Instant::now().checked_add(wait));
        let get = |slice| vm.allow_threads(|| self.queue.get(Some(slice))).map_err(|refusal| refused(refusal, vm));
        match in_slices(deadline, vm, get)? {
            Some(item) => to_object(item, vm),
            None => Err(empty(vm)),
        }
    }
}

/// The exception for an operation that was not done.
pub(in crate::python::native) fn refused(refusal: Refusal, vm: &VirtualMachine) -> PyBaseExceptionRef {
    let message = refusal.to_string();
    match refusal {
        Refusal::NotLocked => vm.new_runtime_error(message),
        Refusal::TooOften => vm.new_value_error(message),
        // Without an exception to raise only if the run ends while it is asked for.
        Refusal::GivenUp => interrupt::check(vm).err().unwrap_or_else(|| vm.new_os_error(message)),
        Refusal::Occupied(_) | Refusal::Full => {
            text::exception("wptserve.stash", "StashError", (vm.ctx.new_str(message),), vm)
        }
        Refusal::Failed(error) => error
            .raw_os_error()
            .map_or_else(|| vm.new_os_error(message.clone()), |number| os_error(number, &message, vm)),
    }
}

/// With its number, so that a lack of descriptors is seen as one.
fn os_error(number: i32, message: &str, vm: &VirtualMachine) -> PyBaseExceptionRef {
    let made = vm.ctx.exceptions.os_error.as_object().call((number, message.to_owned()), vm);
    let (Ok(exception) | Err(exception)) = made.and_then(|made| made.try_into_value(vm));
    exception
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

    use super::{refused, to_value};
    use crate::{cancel, stash::Queue};

    #[pyattr]
    #[pyclass(module = "wptserve.stash", name = "QueueProxy")]
    #[derive(Debug, PyPayload)]
    pub(in crate::python::native) struct StashQueue {
        pub(super) queue: Arc<dyn Queue>,
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
            let item = to_value(&args.item, vm)?;
            vm.allow_threads(|| zelf.queue.put(item)).map_err(|refusal| refused(refusal, vm))
        }

        /// As `put(item)`.
        #[pymethod]
        fn put_nowait(zelf: &Py<Self>, item: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            let item = to_value(&item, vm)?;
            vm.allow_threads(|| zelf.queue.put(item)).map_err(|refusal| refused(refusal, vm))
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
        fn qsize(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<usize> {
            vm.allow_threads(|| zelf.queue.count()).map_err(|refusal| refused(refusal, vm))
        }

        /// Whether there are no items.
        #[pymethod]
        fn empty(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<bool> {
            Ok(Self::qsize(zelf, vm)? == 0)
        }

        /// Always False: the queue has no limit.
        #[pymethod]
        fn full(_zelf: &Py<Self>) -> bool {
            false
        }

        /// Reports that a taken item has been processed.
        #[pymethod]
        fn task_done(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            vm.allow_threads(|| zelf.queue.task_done()).map_err(|refusal| refused(refusal, vm))
        }

        /// Waits until `task_done` has been called for every item put.
        #[pymethod]
        fn join(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            vm.allow_threads(|| zelf.queue.join(Some(&cancel::is_due))).map_err(|refusal| refused(refusal, vm))
        }
    }
}
