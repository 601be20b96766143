//! Where templates take their values from.

use std::path::Path;

use serde_json::Value as Json;

use crate::http::Request;

/// Where templates take their values from.
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
