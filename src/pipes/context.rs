//! The sources of the values in templates.

use std::path::Path;

use serde_json::Value as Json;

use crate::http::Request;

/// The sources of the values in templates.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The request that is being answered.
    pub request: &'a Request,
    /// `request.server.config`, as JSON.
    pub config: &'a Json,
    /// `request.doc_root`, an absolute path.
    pub doc_root: &'a Path,
    /// `request.url_base`
    pub url_base: &'a str,
}
