//! `.asis` files: the file is the response, status line and all.
//!
//! Follows wptserve 4.0.3, `handlers.py`, `AsIsHandler`. The bytes are not looked at, and HEAD gets all of them too.

use super::{ContentError, open};
use crate::docroot::DocRoot;
use crate::http::{Body, Reply, Request};

pub(super) fn serve(request: &Request, root: &DocRoot) -> Result<Reply, ContentError> {
    let path = root.resolve(&request.url_parts.path)?;
    if path.as_path().is_dir() {
        let path = path.as_path().display();
        return Err(ContentError::Server(format!(
            "HTTPException: (500, 'AsIsHandler cannot process directory, {path}')"
        )));
    }
    let (file, _) = open(path.as_path())?;
    Ok(Reply::new(200, Body::Raw(file)))
}
