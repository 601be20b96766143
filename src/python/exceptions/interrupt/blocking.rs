//! Lets a handler be cancelled while it waits for a lock of Python or for a thread that it has started.
//!
//! RustPython 0.6.0, `rustpython-vm/src/stdlib/_thread.rs`, waits with `parking_lot`, which no signal interrupts. So the wait is
//! cut into slices, and between two of them is looked whether the run is cancelled. `threading.Condition`, `Event`,
//! `Semaphore` and `queue.Queue` wait for such a lock.

use std::{
    sync::Once,
    time::{Duration, Instant},
};

use rustpython_vm::{
    FromArgs, PyObject, PyObjectRef, PyResult, VirtualMachine,
    builtins::PyModule,
    function::{ArgIntoFloat, FuncArgs},
};

use super::check;
use crate::{
    cancel,
    python::mends::exchange::{native_class, wrap_method},
};

/// How long a cancelled handler may go on waiting.
const SLICE: Duration = Duration::from_millis(100);

/// Exchanges the methods, once per process: all interpreters share the types.
///
/// # Errors
/// The module `_thread` is not as expected.
pub(in crate::python) fn install(vm: &VirtualMachine) -> PyResult<()> {
    static ONCE: Once = Once::new();
    let threads = vm.import("_thread", 0)?;
    let Some(module) = threads.downcast_ref::<PyModule>() else {
        return Err(vm.new_import_error("_thread is not a module", vm.ctx.intern_str("_thread").to_owned()));
    };
    let class = |name| native_class(module, name, vm);
    let (lock, reentrant, handle) = (class("lock")?, class("RLock")?, class("_ThreadHandle")?);
    ONCE.call_once(|| {
        for class in [lock, reentrant] {
            wrap_method(class, "acquire", acquire, vm);
            wrap_method(class, "acquire_lock", acquire, vm);
            wrap_method(class, "__enter__", enter, vm);
        }
        wrap_method(handle, "join", join, vm);
    });
    Ok(())
}

#[derive(FromArgs)]
struct AcquireArgs {
    #[pyarg(positional)]
    lock: PyObjectRef,
    #[pyarg(any, default = true)]
    blocking: bool,
    #[pyarg(any, default)]
    timeout: Option<ArgIntoFloat>,
}

/// `lock.acquire(blocking=True, timeout=-1)`.
fn acquire(original: &PyObject, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
    let bound = if cancel::current().is_some() { args.clone().bind::<AcquireArgs>(vm).ok() } else { None };
    let Some(AcquireArgs { lock, blocking: true, timeout }) = bound else { return original.call(args, vm) };
    let deadline = match timeout.map(f64::from) {
        None | Some(-1.0) => None,
        Some(seconds) => match deadline(seconds) {
            Some(deadline) => Some(deadline),
            None => return original.call(args, vm),
        },
    };
    let got = original.call((lock.clone(), false), vm)?;
    if got.clone().try_to_bool(vm)? {
        return Ok(got);
    }
    let got = in_slices(deadline, vm, |slice| {
        let got = original.call((lock.clone(), true, slice.as_secs_f64()), vm)?;
        Ok(got.clone().try_to_bool(vm)?.then_some(got))
    });
    Ok(got?.unwrap_or_else(|| vm.ctx.false_value.clone().into()))
}

/// `lock.__enter__()`.
fn enter(original: &PyObject, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
    match args.args.as_slice() {
        [lock] if args.kwargs.is_empty() => vm.call_method(lock, "acquire", ()),
        _ => original.call(args, vm),
    }
}

#[derive(FromArgs)]
struct JoinArgs {
    #[pyarg(positional)]
    handle: PyObjectRef,
    #[pyarg(positional, default)]
    timeout: Option<ArgIntoFloat>,
}

/// `handle.join(timeout=None)`.
fn join(original: &PyObject, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
    let bound = if cancel::current().is_some() { args.clone().bind::<JoinArgs>(vm).ok() } else { None };
    let Some(JoinArgs { handle, timeout }) = bound else { return original.call(args, vm) };
    let deadline = match timeout.map(|seconds| deadline(seconds.into())) {
        None => None,
        Some(Some(deadline)) => Some(deadline),
        Some(None) => return original.call(args, vm),
    };
    let joined = in_slices(deadline, vm, |slice| {
        let joined = original.call((handle.clone(), slice.as_secs_f64()), vm)?;
        Ok(vm.call_method(&handle, "is_done", ())?.try_to_bool(vm)?.then_some(joined))
    });
    Ok(joined?.unwrap_or_else(|| vm.ctx.none()))
}

/// So many seconds from now. `None` for what RustPython refuses, or takes for something else than a time.
fn deadline(seconds: f64) -> Option<Instant> {
    Instant::now().checked_add(Duration::try_from_secs_f64(seconds).ok()?)
}

/// Waits in slices until there is something, the deadline has come, or the run is cancelled.
///
/// # Errors
/// The exception that ends the handler, or what `wait` raises.
pub(in crate::python) fn in_slices<T>(
    deadline: Option<Instant>,
    vm: &VirtualMachine,
    mut wait: impl FnMut(Duration) -> PyResult<Option<T>>,
) -> PyResult<Option<T>> {
    loop {
        let left = deadline.map_or(SLICE, |deadline| deadline.saturating_duration_since(Instant::now()));
        if let Some(found) = wait(left.min(SLICE))? {
            return Ok(Some(found));
        }
        check(vm)?;
        if left < SLICE {
            return Ok(None);
        }
    }
}
