//! `binascii.a2b_base64`, and with it `base64.b64decode` and its like: where the data ends.
//!
//! RustPython 0.6.0, `rustpython-host_env` and `rustpython-stdlib/src/binascii.rs`, `a2b_base64`: what stands behind the padding is
//! decoded as well, so `b64decode("YQ==YQ==")` is three bytes and `b64decode("YQ==x")` an error. CPython, unless `strict_mode` is
//! on: complete padding is the end of the data.

use rustpython_vm::{
    Py, PyResult, VirtualMachine,
    builtins::{PyModule, PyStr},
    function::{ArgBytesLike, FuncArgs},
};

use crate::python::mends::exchange::replace_function;

pub(in crate::python::mends) fn install(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
    let original = module.get_attr("a2b_base64", vm)?;
    let a2b_base64 = move |mut args: FuncArgs, vm: &VirtualMachine| -> PyResult {
        let strict = args.kwargs.get("strict_mode").map_or(Ok(false), |strict| strict.clone().try_to_bool(vm))?;
        if let (false, [data]) = (strict, args.args.as_mut_slice()) {
            let shorter = match data.downcast_ref::<PyStr>() {
                Some(text) => text.to_str().and_then(|text| data_of(text.as_bytes()).map(<[u8]>::to_vec)),
                None => {
                    data.clone().try_into_value::<ArgBytesLike>(vm)?.with_ref(|data| data_of(data).map(<[u8]>::to_vec))
                }
            };
            if let Some(shorter) = shorter {
                *data = vm.ctx.new_bytes(shorter).into();
            }
        }
        original.call_with_args(args, vm)
    };
    replace_function(module, "a2b_base64", a2b_base64, vm)
}

/// The data up to the end of complete padding; `None` when no bytes follow it.
fn data_of(all: &[u8]) -> Option<&[u8]> {
    let (mut data, mut pads) = (0_usize, 0_usize);
    for (index, byte) in all.iter().enumerate() {
        match byte {
            b'=' => {
                pads += 1;
                if data % 4 >= 2 && data % 4 + pads >= 4 {
                    return all.get(..=index).filter(|used| used.len() < all.len());
                }
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => (data, pads) = (data + 1, 0),
            _ => {}
        }
    }
    None
}
