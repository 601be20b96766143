//! The native half of the handler API: one file per Python class, gathered in the module `_wptserve`.
//!
//! This file is a list and a little glue. The Python half, `pylib-stubs/wptserve/`, re-exports the names under the module paths
//! from which handlers import them. No code here uses sockets or actix: a class gets plain Rust data.
//!
//! | module | contents | modules that it may name |
//! |---|---|---|
//! | `text` | text and bytes, and exceptions of classes that are written in Python | nothing of ours |
//! | `instance` | attributes that handlers set on an object of ours, and the collector's view of them | nothing of ours |
//! | `pipe_error` | the exceptions of pipes | nothing of ours |
//! | `output` | the output of handlers, printed or logged | nothing of ours |
//! | `finder` | the import provider, as `sys.meta_path` and `builtins.__import__` see it | nothing of ours |
//! | `containers` | headers, parameters, cookies, credentials | `instance`, `text` |
//! | `server` | `request.server`: configuration, stash, queues | `containers`, `text` |
//! | `request` | `request`, its body and its form | `containers`, `instance`, `server`, `text` |
//! | `response` | `response`, its writer and its content, over HTTP/1 and HTTP/2 | `containers`, `instance`, `pipe_error`, `text` |
//! | `pipes` | `wptserve.pipes`, and the pipes that the server applies to an answer | `pipe_error`, `request`, `response` |
//! | `websocket` | `request.connection` of a WebSocket, and frames | `text` |

mod containers;
pub(super) mod finder;
mod instance;
pub(super) mod output;
mod pipe_error;
pub(super) mod pipes;
mod request;
mod response;
pub(super) mod server;
#[cfg(test)]
pub(super) mod testing;
mod text;
mod websocket;

pub(super) use containers::{Authentication, Cookies, MultiDict, RawHeaders, RequestHeaders, ResponseHeaders};
pub(super) use module::module_def;
pub(super) use request::{H2Request, InputFile, Request, SharedEnvironment};
pub(super) use response::{Answer, AnyAnswer, Fields, H2Answer, H2Response, Response};
use server::ServerInfo;
pub(super) use websocket::{SocketConnection, report_end};

// In the order in which the classes are made: a base class comes before the classes derived from it.
#[rustpython_vm::pymodule(
    name = "_wptserve",
    with(
        text::functions,
        output::functions,
        containers::multidict::classes,
        containers::cookies::classes,
        containers::headers::classes,
        containers::raw_headers::classes,
        containers::auth::classes,
        request::input::classes,
        request::form::classes,
        server::stash::classes,
        server::values::classes,
        server::classes,
        request::classes,
        containers::response_headers::classes,
        response::connection::classes,
        response::writer::classes,
        response::h2_writer::classes,
        response::classes,
        response::content::classes,
        response::trickled::classes,
        pipes::classes,
        websocket::classes,
        finder::classes
    )
)]
mod module {
    use rustpython_vm::{Py, PyResult, VirtualMachine, builtins::PyModule};

    pub(crate) fn module_exec(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
        super::containers::dict_copies::install(vm);
        __module_exec(vm, module);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    /// The Python half of the handler API.
    #[test]
    fn stubs_as_in_wptserve() {
        super::testing::check_table(include_str!("tables/stubs.txt"));
    }
}
