//! The native half of what handlers see: one file per Python class, gathered in the module `_wptserve`.
//!
//! This file is a list and a few words of glue. The Python half, `pylib-stubs/wptserve/`, re-exports the names under the
//! module paths that handlers import them from. Nothing here knows sockets or actix: a class gets plain Rust data.

mod answer;
mod connection;
mod containers;
mod content;
mod dict_copies;
mod fields;
pub(super) mod finder;
mod h2_answer;
mod h2_writer;
pub(super) mod inject;
pub(super) mod pipes;
mod request;
mod response;
pub(super) mod server;
mod stash;
mod stash_queue;
mod stash_values;
#[cfg(test)]
pub(super) mod testing;
mod text;
mod websocket;
mod writer;

pub(super) use answer::Answer;
pub(super) use containers::{Authentication, Cookies, MultiDict, RawHeaders, RequestHeaders};
pub(super) use fields::Fields;
pub(super) use h2_answer::H2Answer;
pub(super) use module::module_def;
pub(super) use request::{BodySource, H2Request, InputFile, Request, Surroundings};
pub(super) use response::{H2Response, Response, Wire};
use server::ServerInfo;
use stash::Stash;
pub(super) use websocket::SocketConnection;

// In the order in which the classes are made: a base class stands before what it is the base of.
#[rustpython_vm::pymodule(
    name = "_wptserve",
    with(
        text::functions,
        containers::multidict::classes,
        containers::cookies::classes,
        containers::headers::classes,
        containers::raw_headers::classes,
        containers::auth::classes,
        request::input::classes,
        request::form::classes,
        stash::classes,
        stash_queue::classes,
        server::classes,
        request::classes,
        containers::response_headers::classes,
        connection::classes,
        writer::classes,
        h2_writer::classes,
        response::classes,
        content::classes,
        pipes::classes,
        websocket::classes,
        finder::classes
    )
)]
mod module {
    use rustpython_vm::builtins::PyModule;
    use rustpython_vm::{Py, PyResult, VirtualMachine};

    pub(crate) fn module_exec(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
        super::dict_copies::install(vm);
        __module_exec(vm, module);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    /// The Python half of what handlers import.
    #[test]
    fn stubs_as_in_wptserve() {
        super::testing::check_table(include_str!("tables/stubs.txt"));
    }
}
