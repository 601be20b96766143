//! A request for content, and where its answer comes from.

use bytes::Bytes;

use crate::{docroot::DocRoot, http::Request, pipes::Context};

/// A request, and where its answer comes from.
#[derive(Clone, Copy, Debug)]
pub struct ContentRequest<'a> {
    /// The request.
    pub request: &'a Request,
    /// Where the files are.
    pub files: &'a DocRoot,
    /// What templates see as `request.doc_root` and `request.url_base`. Not that of `files` where `--inject-script` works on the
    /// answer: the handler that does it hides the one it works on.
    pub seen: &'a DocRoot,
    /// What templates see as the server's configuration.
    pub config: &'a serde_json::Value,
    /// The script that goes into every page.
    pub inject_script: Option<&'a Bytes>,
}

impl<'a> ContentRequest<'a> {
    /// What templates see of it.
    pub(super) fn context(&self) -> Context<'a> {
        Context {
            request: self.request,
            config: self.config,
            doc_root: self.seen.path(),
            url_base: self.seen.url_base(),
        }
    }
}
