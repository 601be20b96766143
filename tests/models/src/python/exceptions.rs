//! Nothing is interrupted in the models.

pub(super) mod interrupt {
    use crate::VirtualMachine;

    pub(in crate::python) fn prepare_thread(_vm: &VirtualMachine) {}
}
