//! What handlers put on an object of ours beside what its class has.

use rustpython_vm::PyObject;

/// Whether a handler has put anything on this very object.
pub(super) fn is_changed(object: &PyObject) -> bool {
    object.has_instance_dict() && object.dict().is_some_and(|own| !own.is_empty())
}
