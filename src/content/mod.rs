//! Content that needs no Python: files, directory listings, `.asis` responses and the pages around scripts.
//!
//! Follows wptserve 4.0.3, `handlers.py` (`FileHandler`, `DirectoryHandler`, `AsIsHandler`) and the errors that `server.py` makes
//! of their exceptions. Everything here calls the file system and may block.

mod asis;
mod error;
mod files;
pub(crate) mod headers;
mod listing;
pub mod mime;
mod open;
pub(crate) mod ranges;
mod request;
mod transform;
pub(crate) mod wrapper;

pub use request::ContentRequest;

use crate::{http::Reply, route::Handler};
use error::{ContentError, error_reply};
use transform::injected;

/// Answers a request from files. Calls the file system, so keep it off the event loop.
///
/// [`Handler::Python`] does not belong here and is answered with 500.
pub fn serve(handler: Handler, ask: &ContentRequest<'_>) -> Reply {
    let context = ask.context();
    let result = match handler {
        Handler::File => files::serve(ask, &context),
        Handler::AsIs => asis::serve(ask.files, &context),
        Handler::Wrapper(wrapper) => {
            wrapper::serve(wrapper, ask.files, &context).and_then(|reply| injected(reply, ask.inject_script))
        }
        Handler::Forbidden => return Reply::error(404, ""),
        Handler::Python => Err(ContentError::Server("a Python handler was routed to the content room".into())),
    };
    result.unwrap_or_else(|error| error_reply(error, ask.request))
}

/// Answers a request for a small file that is sent unchanged. `None` for any other content, which may take longer than an event loop
/// can wait; see [`serve`].
pub fn serve_at_once(handler: Handler, ask: &ContentRequest<'_>) -> Option<Reply> {
    if handler != Handler::File || ask.inject_script.is_some() {
        return None;
    }
    let result = files::serve_small(ask, &ask.context())?;
    Some(result.unwrap_or_else(|error| error_reply(error, ask.request)))
}
