//! A request for content, and the sources of its answer.

use bytes::Bytes;

use crate::{docroot::DocRoot, http::Request, pipes::Context};

/// A request, and the sources of its answer.
#[derive(Clone, Copy, Debug)]
pub struct ContentRequest<'a> {
    /// The request.
    pub request: &'a Request,
    /// Where the files are.
    pub files: &'a DocRoot,
    /// The source of `request.doc_root` and `request.url_base` in templates. It differs from `files` when `--inject-script` changes
    /// the answer, because wptserve's injecting handler hides the handler inside it.
    pub seen: &'a DocRoot,
    /// The server's configuration in templates.
    pub config: &'a serde_json::Value,
    /// The script that goes into every page.
    pub inject_script: Option<&'a Bytes>,
}

impl<'a> ContentRequest<'a> {
    /// The part of the request that templates see.
    pub(super) fn context(&self) -> Context<'a> {
        Context {
            request: self.request,
            config: self.config,
            doc_root: self.seen.path(),
            url_base: self.seen.url_base(),
        }
    }
}
