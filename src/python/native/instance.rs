//! Attributes that handlers set on an object of ours in addition to those of its class, and the collector's view of them.

use rustpython_vm::PyObject;

/// Whether a handler has set an attribute on this very object.
pub(super) fn is_changed(object: &PyObject) -> bool {
    object.has_instance_dict() && object.dict().is_some_and(|own| !own.is_empty())
}

/// Shows the collector the Python objects that a class holds: `traverse!(Class { field, other });`. Without it a reference cycle
/// through such a field, as in `request.x = response`, is never freed. The class says `traverse = "manual"` as well.
///
/// What lies behind an `Arc` is left out: the collector must see each reference once, and several objects share it.
macro_rules! traverse {
    ($class:ident { $($field:tt),* }) => {
        #[expect(unsafe_code, reason = "the collector trusts the fields that are named here")]
        // SAFETY: each field belongs to this object alone, is named once, and reports each reference that it owns at most once.
        unsafe impl rustpython_vm::object::Traverse for $class {
            fn traverse(&self, tracer: &mut rustpython_vm::object::TraverseFn<'_>) {
                $(rustpython_vm::object::Traverse::traverse(&self.$field, tracer);)*
            }

            fn clear(&mut self, out: &mut Vec<rustpython_vm::PyObjectRef>) {
                $(rustpython_vm::object::Traverse::clear(&mut self.$field, out);)*
            }
        }
    };
}
pub(super) use traverse;
