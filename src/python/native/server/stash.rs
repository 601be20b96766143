//! `wptserve.stash.Stash`, the class of `request.server.stash`: it keeps values for other requests.
//!
//! A thin Python interface to [`crate::stash::Stash`], which all ports share. Values are copied in and out ([`values`]); a handler
//! that waits for the lock does not stop other handlers.

use std::sync::Arc;

use rustpython_vm::{
    AsObject, PyObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine,
    builtins::{PyBytes, PyStr},
};

pub(in crate::python) use classes::Stash;

use super::values::{self, refused};
use crate::{
    python::native::text,
    stash::{Key, Refusal, Stash as Store, parse_uuid},
};

/// The module's attribute with the store, for handlers that make a Stash themselves.
const SHARED: &str = "_shared_stash";

impl Stash {
    /// The stash of one request; values without a path are kept under `default_path`.
    pub(in crate::python) fn new(
        store: Arc<dyn Store>,
        default_path: &str,
        vm: &VirtualMachine,
    ) -> PyResult<PyRef<Self>> {
        let made = Stash::of(store).into_ref(&vm.ctx);
        made.as_object().set_attr("default_path", vm.ctx.new_str(default_path), vm)?;
        Ok(made)
    }

    /// Makes `store` the one that `wptserve.stash.Stash(path)` opens, as WebSocket handlers do.
    pub(in crate::python) fn share(store: Arc<dyn Store>, vm: &VirtualMachine) -> PyResult<()> {
        let shared = Stash::new(store, "/", vm)?;
        vm.import("_wptserve", 0)?.set_attr(SHARED, shared, vm)
    }

    fn shared(vm: &VirtualMachine) -> PyResult<Arc<dyn Store>> {
        let shared = vm.import("_wptserve", 0)?.get_attr(SHARED, vm)?;
        match shared.downcast_ref::<Stash>() {
            Some(stash) => Ok(stash.store()),
            None => Err(vm.new_runtime_error("the server has no stash")),
        }
    }

    /// wptserve 4.0.3, stash.py, `Stash.put`.
    fn put_value(
        &self,
        object: &PyObject,
        key: PyObjectRef,
        value: PyObjectRef,
        path: PyObjectRef,
        vm: &VirtualMachine,
    ) -> PyResult<()> {
        if vm.is_none(&value) {
            return Err(vm.new_value_error("SharedStash value may not be set to None"));
        }
        let key = wrap_key(object, &key, path, vm)?;
        let copy = values::to_value(&value, vm)?;
        let store = self.store();
        let old = match vm.allow_threads(|| store.put(key.clone(), copy)) {
            Ok(()) => return Ok(()),
            Err(Refusal::Occupied(old)) => old,
            Err(refusal) => return Err(refused(refusal, vm)),
        };
        let key = vm.ctx.new_tuple(vec![text::bytes_object(key.path, vm), text::bytes_object(key.uuid, vm)]);
        let values = vm.ctx.new_tuple(vec![key.into(), values::to_object(old, vm)?, value]);
        let format = "Tried to overwrite existing shared stash value for key %s (old value was %s, new value is %s)";
        let message = text::percent(format, values.as_object(), vm)?;
        Err(text::exception("wptserve.stash", "StashError", (vm.ctx.new_str(message),), vm))
    }

    /// wptserve 4.0.3, stash.py, `Stash.take`.
    fn take_value(&self, object: &PyObject, key: PyObjectRef, path: PyObjectRef, vm: &VirtualMachine) -> PyResult {
        let key = wrap_key(object, &key, path, vm)?;
        let store = self.store();
        match vm.allow_threads(|| store.take(&key)).map_err(|refusal| refused(refusal, vm))? {
            Some(value) => values::to_object(value, vm),
            None => Ok(vm.ctx.none()),
        }
    }
}

/// wptserve 4.0.3, stash.py, `Stash._wrap_key`, with the errors of `uuid.UUID(key)`.
fn wrap_key(stash: &PyObject, key: &PyObject, path: PyObjectRef, vm: &VirtualMachine) -> PyResult<Key> {
    let path = if vm.is_none(&path) { stash.get_attr("default_path", vm)? } else { path };
    let name = if key.downcastable::<PyBytes>() { vm.call_method(key, "decode", ("ascii",))? } else { key.to_owned() };
    let Some(text) = name.downcast_ref::<PyStr>() else {
        if vm.is_none(&name) {
            let message = "one of the hex, bytes, bytes_le, fields, or int arguments must be given";
            return Err(vm.new_type_error(message));
        }
        // `uuid.UUID` treats the key as text; the error is about the first method that the key lacks.
        return Err(match name.get_attr("replace", vm) {
            Ok(_) => vm.new_type_error("a stash key must be str or bytes"),
            Err(error) => error,
        });
    };
    let Some(uuid) = text.to_str().and_then(parse_uuid) else {
        return Err(vm.new_value_error(format!("Invalid UUID \"{}\" used as stash key", text.to_string_lossy())));
    };
    Ok(Key { path: text::encoded(&path, vm)?, uuid })
}

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use std::sync::Arc;

    use rustpython_vm::{
        AsObject, FromArgs, Py, PyObjectRef, PyPayload, PyResult, VirtualMachine,
        builtins::PyType,
        function::{FuncArgs, OptionalArg},
        pyclass,
        types::{Constructor, Initializer},
    };

    use crate::{
        cancel,
        python::native::server::values::{StashQueue, refused},
        stash::{Holder, Stash as Store},
    };

    #[pyattr]
    #[pyclass(module = "wptserve.stash", name = "Stash")]
    #[derive(Debug, PyPayload)]
    pub(in crate::python) struct Stash {
        store: Arc<dyn Store>,
    }

    impl Stash {
        pub(super) fn of(store: Arc<dyn Store>) -> Self {
            Stash { store }
        }

        pub(super) fn store(&self) -> Arc<dyn Store> {
            Arc::clone(&self.store)
        }
    }

    #[derive(FromArgs)]
    struct PutArgs {
        #[pyarg(any)]
        key: PyObjectRef,
        #[pyarg(any)]
        value: PyObjectRef,
        #[pyarg(any, optional)]
        path: OptionalArg<PyObjectRef>,
    }

    #[derive(FromArgs)]
    struct TakeArgs {
        #[pyarg(any)]
        key: PyObjectRef,
        #[pyarg(any, optional)]
        path: OptionalArg<PyObjectRef>,
    }

    #[derive(FromArgs)]
    pub(in crate::python) struct NewArgs {
        #[pyarg(any)]
        default_path: PyObjectRef,
        #[pyarg(any, optional)]
        #[expect(dead_code, reason = "handlers pass what `load_env_config` gave them; there is one stash here")]
        address: OptionalArg<PyObjectRef>,
        #[pyarg(any, optional)]
        #[expect(dead_code, reason = "handlers pass what `load_env_config` gave them; there is one stash here")]
        authkey: OptionalArg<PyObjectRef>,
    }

    #[pyclass(with(Constructor, Initializer), flags(BASETYPE, HAS_DICT, HAS_WEAKREF))]
    impl Stash {
        /// Keeps a copy of `value` under a UUID, for requests to this path or to `path`. StashError if the UUID has a value already.
        #[pymethod]
        fn put(zelf: &Py<Self>, args: PutArgs, vm: &VirtualMachine) -> PyResult<()> {
            zelf.put_value(zelf.as_object(), args.key, args.value, args.path.unwrap_or_none(vm), vm)
        }

        /// Removes the value of a UUID and returns it; None if there is none.
        #[pymethod]
        fn take(zelf: &Py<Self>, args: TakeArgs, vm: &VirtualMachine) -> PyResult {
            zelf.take_value(zelf.as_object(), args.key, args.path.unwrap_or_none(vm), vm)
        }

        /// A new queue. Handlers share it by putting it into the stash.
        #[pymethod]
        fn get_queue(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<StashQueue> {
            let store = zelf.store();
            vm.allow_threads(|| store.new_queue()).map(StashQueue::new).map_err(|refusal| refused(refusal, vm))
        }

        /// The one lock of all handlers.
        #[pygetset]
        fn lock(zelf: &Py<Self>) -> StashLock {
            StashLock { store: zelf.store() }
        }
    }

    impl Constructor for Stash {
        type Args = FuncArgs;

        fn py_new(_cls: &Py<PyType>, _args: FuncArgs, vm: &VirtualMachine) -> PyResult<Self> {
            Ok(Stash { store: Stash::shared(vm)? })
        }
    }

    impl Initializer for Stash {
        type Args = NewArgs;

        fn init(zelf: &Py<Self>, args: NewArgs, vm: &VirtualMachine) -> PyResult<()> {
            zelf.as_object().set_attr("default_path", args.default_path, vm)
        }
    }

    /// The lock of the stash, for `with`.
    #[pyattr]
    #[pyclass(module = "wptserve.stash", name = "LockWrapper")]
    #[derive(Debug, PyPayload)]
    pub(in crate::python) struct StashLock {
        store: Arc<dyn Store>,
    }

    #[pyclass]
    impl StashLock {
        /// Waits for the lock; threads get it in the order in which they asked.
        #[pymethod]
        fn acquire(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            let outcome = vm.allow_threads(|| zelf.store.acquire(Holder::current(), Some(&cancel::is_due)));
            outcome.map_err(|refusal| refused(refusal, vm))
        }

        /// Releases the lock, even if another thread has acquired it; RuntimeError if it is not held.
        #[pymethod]
        fn release(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            vm.allow_threads(|| zelf.store.release()).map_err(|refusal| refused(refusal, vm))
        }

        #[pymethod]
        fn __enter__(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            Self::acquire(zelf, vm)
        }

        #[pymethod]
        fn __exit__(zelf: &Py<Self>, _args: FuncArgs, vm: &VirtualMachine) -> PyResult<()> {
            Self::release(zelf, vm)
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn as_in_wptserve() {
        crate::python::native::testing::check_table(include_str!("../tables/stash.txt"));
    }
}
