//! The exceptions of pipes.

use rustpython_vm::{VirtualMachine, builtins::PyBaseExceptionRef};

use crate::pipes::{Key, PipeError};

/// A pipe's exception as a Python object.
pub(super) fn exception(error: PipeError, vm: &VirtualMachine) -> PyBaseExceptionRef {
    let types = &vm.ctx.exceptions;
    let class = match error {
        PipeError::Key(key) => {
            return vm.new_key_error(match key {
                Key::Text(text) => vm.ctx.new_str(text).into(),
                Key::Bytes(bytes) => vm.ctx.new_bytes(bytes).into(),
                Key::Int(number) => vm.ctx.new_int(number).into(),
                Key::None => vm.ctx.none(),
            });
        }
        PipeError::Encode(text, start, end) => {
            let reason = vm.ctx.new_str("ordinal not in range(256)");
            return vm.new_unicode_encode_error(vm.ctx.new_str("latin-1"), vm.ctx.new_str(text), start, end, reason);
        }
        PipeError::Decode(bytes, start, end, reason) => {
            let (bytes, reason) = (vm.ctx.new_bytes(bytes), vm.ctx.new_str(reason));
            return vm.new_unicode_decode_error(vm.ctx.new_str("utf-8"), bytes, start, end, reason);
        }
        PipeError::Value(_) => types.value_error,
        PipeError::Type(_) => types.type_error,
        PipeError::Index(_) => types.index_error,
        PipeError::Assertion(_) => types.assertion_error,
        PipeError::Overflow(_) => types.overflow_error,
        PipeError::Memory(_) => types.memory_error,
        PipeError::Plain(_) => types.exception_type,
    };
    match error.message() {
        empty if empty.is_empty() => vm.new_exception_empty(class.to_owned()),
        message => vm.new_exception_msg(class.to_owned(), message.into()),
    }
}
