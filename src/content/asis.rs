//! `.asis` files: the file is the response, status line and all.
//!
//! Follows wptserve 4.0.3, `handlers.py`, `AsIsHandler`. The bytes are sent unchecked, and HEAD gets all of them too.

use super::{error::ContentError, open::open, transform::pipe};
use crate::{
    docroot::DocRoot,
    http::{Body, Reply},
    pipes::Context,
};

pub(super) fn serve(root: &DocRoot, context: &Context<'_>) -> Result<Reply, ContentError> {
    let path = root.resolve(&context.request.url_parts.path)?;
    if path.as_path().is_dir() {
        let path = path.as_path().display();
        return Err(ContentError::Server(format!(
            "HTTPException: (500, 'AsIsHandler cannot process directory, {path}')"
        )));
    }
    let (file, _) = open(path.as_path())?;
    // wptserve runs the pipes after all bytes have been sent, so they have no effect. When a pipe fails, wptserve also leaves the
    // connection open; this server closes it.
    if let Err(error) = pipe(&path.as_path().to_string_lossy(), Reply::new(200, Body::None), context) {
        log::warn!("{}: pipes have no effect on .asis files, and one has failed: {error}", path.as_path().display());
    }
    Ok(Reply::new(200, Body::Raw(file)))
}
