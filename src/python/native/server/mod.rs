//! `request.server`: the server's configuration and the stash, for a request.
//!
//! The configuration is made once, from JSON, and shared by all requests as in wptserve. Its class is written in Python
//! (`wptserve.config.Config`, an immutable mapping), because it derives from `collections.abc`.

use std::sync::Arc;

use rustpython_vm::{AsObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine};
use serde_json::Value;

pub(super) mod stash;
pub(super) mod values;

pub(in crate::python) use classes::ServerInfo;
pub(in crate::python) use stash::Stash;

use crate::stash::Stash as Store;

/// The properties that wptserve keeps as sets (4.0.3, config.py, `ConfigBuilder.computed_properties`).
const SETS: [&str; 5] = ["subdomains", "not_subdomains", "domains_set", "not_domains_set", "all_domains_set"];

impl ServerInfo {
    /// `config` is what [`config`] made; values go into the stash under `path` when a handler names no other.
    pub(in crate::python) fn new(
        config: PyObjectRef,
        store: Arc<dyn Store>,
        path: &str,
        vm: &VirtualMachine,
    ) -> PyResult<PyRef<Self>> {
        let made = ServerInfo {}.into_ref(&vm.ctx);
        made.as_object().set_attr("config", config, vm)?;
        made.as_object().set_attr("stash", Stash::new(store, path, vm)?, vm)?;
        Ok(made)
    }
}

/// `request.server.config` for this configuration. Make it once.
pub(in crate::python) fn config(data: &Value, vm: &VirtualMachine) -> PyResult {
    let properties = vm.ctx.new_dict();
    if let Value::Object(data) = data {
        for (name, value) in data {
            let value = match name.as_str() {
                "ports" => ports(value, vm)?,
                name if SETS.contains(&name) => vm.ctx.types.set_type.as_object().call((object(value, vm)?,), vm)?,
                _ => object(value, vm)?,
            };
            properties.set_item(name.as_str(), value, vm)?;
        }
    }
    let names = vm.ctx.new_tuple(vec![vm.ctx.new_str("Config").into()]);
    let module = vm.import_from("wptserve.config", names, 0)?;
    vm.call_method(&module, "Config", (properties,))
}

/// A scheme without ports has an empty list of them.
fn ports(value: &Value, vm: &VirtualMachine) -> PyResult {
    let collections = vm.import("collections", 0)?;
    let list = vm.ctx.types.list_type.to_owned();
    vm.call_method(&collections, "defaultdict", (list, object(value, vm)?))
}

/// The Python object that `json.loads` would give.
fn object(value: &Value, vm: &VirtualMachine) -> PyResult {
    Ok(match value {
        Value::Null => vm.ctx.none(),
        Value::Bool(value) => vm.ctx.new_bool(*value).into(),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => vm.ctx.new_int(integer).into(),
            None => vm.ctx.new_float(number.as_f64().unwrap_or(f64::NAN)).into(),
        },
        Value::String(text) => vm.ctx.new_str(text.as_str()).into(),
        Value::Array(items) => {
            let items = items.iter().map(|item| object(item, vm)).collect::<PyResult<Vec<_>>>()?;
            vm.ctx.new_list(items).into()
        }
        Value::Object(items) => {
            let dict = vm.ctx.new_dict();
            for (name, item) in items {
                dict.set_item(name.as_str(), object(item, vm)?, vm)?;
            }
            dict.into()
        }
    })
}

#[rustpython_vm::pymodule(sub)]
pub(in crate::python::native) mod classes {
    use rustpython_vm::{PyPayload, pyclass};

    /// The server, for handlers: `config` and `stash`.
    #[pyattr]
    #[pyclass(module = "wptserve.request", name = "Server")]
    #[derive(Debug, PyPayload)]
    pub(in crate::python) struct ServerInfo {}

    #[pyclass(flags(HAS_DICT, HAS_WEAKREF))]
    impl ServerInfo {}
}

#[cfg(test)]
mod tests {
    #[test]
    fn as_in_wptserve() {
        crate::python::native::testing::check_table(include_str!("../tables/server.txt"));
    }
}
