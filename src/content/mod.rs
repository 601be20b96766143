//! What is served without running anything: files, directory listings and `.asis` responses.
//!
//! Follows wptserve 4.0.3, `handlers.py` (`FileHandler`, `DirectoryHandler`, `AsIsHandler`) and the errors that `server.py` makes
//! of their exceptions. Everything here calls the file system and may block.

mod asis;
mod files;
mod headers;
mod listing;
pub mod mime;
mod ranges;

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::docroot::{DocRoot, PathError};
use crate::http::{Reply, Request};
use crate::pipes::{self, PipeError, Piped, Pipeline, ReplyError, template::Context};
use crate::route::Handler;

/// Why a request for content gets an error.
#[derive(Debug, thiserror::Error)]
enum ContentError {
    /// The file is not there, or cannot be read.
    #[error("404")]
    NotFound,
    /// The range cannot be served. The text is the message of wptserve's answer.
    #[error("{0}")]
    Range(String),
    /// Something that wptserve answers with a traceback.
    #[error("{0}")]
    Server(String),
    /// A pipe has failed, after it would have waited for so long.
    #[error("{0}")]
    Pipe(ReplyError, Duration),
}

impl From<PipeError> for ContentError {
    fn from(error: PipeError) -> Self {
        ContentError::Pipe(error.into(), Duration::ZERO)
    }
}

impl From<PathError> for ContentError {
    fn from(error: PathError) -> Self {
        match error {
            PathError::NotFound => ContentError::NotFound,
            PathError::Nul => ContentError::Server(format!("ValueError: {error}")),
        }
    }
}

impl From<io::Error> for ContentError {
    /// Whatever keeps a file from being read, wptserve says 404.
    fn from(_: io::Error) -> Self {
        ContentError::NotFound
    }
}

/// Answers a request from the files under `root`. Calls the file system, so keep it off the event loop.
///
/// `config` is what templates see as the server's configuration. [`Handler::Python`] is not content: it is answered with 500.
pub fn serve(handler: Handler, request: &Request, root: &DocRoot, config: &serde_json::Value) -> Reply {
    let context = Context { request, config, doc_root: root.path(), url_base: "/" };
    let result = match handler {
        Handler::File => files::serve(root, &context),
        Handler::AsIs => asis::serve(root, &context),
        Handler::Python => Err(ContentError::Server("a Python handler was routed to the content room".into())),
    };
    result.unwrap_or_else(|error| match error {
        ContentError::NotFound => Reply::error(404, "404"),
        ContentError::Range(message) => Reply::error(416, &message),
        ContentError::Server(cause) => server_error(request, &cause),
        ContentError::Pipe(cause, wait) => {
            let mut reply = match cause {
                ReplyError::Io(_) => Reply::error(404, "404"),
                ReplyError::Pipe(cause) => server_error(request, &cause.to_string()),
            };
            reply.wait = wait;
            reply
        }
    })
}

fn server_error(request: &Request, cause: &str) -> Reply {
    log::warn!("Internal server error loading {}: {cause}", request.url);
    Reply::server_error(&request.url, cause)
}

/// Applies the pipes that the file's name and the query ask for.
fn pipe(path: &Path, reply: Reply, context: &Context<'_>) -> Result<Reply, ContentError> {
    let Some(pipes) = pipes::requested(&path.to_string_lossy(), &context.request.url_parts.query) else {
        return Ok(reply);
    };
    let pipeline = Pipeline::parse(&pipes)?;
    let mut piped = Piped::new(reply, *context);
    match pipeline.apply(&mut piped) {
        Ok(()) => Ok(piped.into_reply()),
        Err(error) => Err(ContentError::Pipe(error, piped.wait())),
    }
}

/// Opens a regular file. Anything else could block for ever, or never end.
fn open(path: &Path) -> Result<(File, u64), ContentError> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(ContentError::NotFound);
    }
    // The client hears 404 whatever the cause is, as from wptserve; whoever runs the server hears the cause.
    let file = File::open(path).inspect_err(|error| log::warn!("cannot read {}: {error}", path.display()))?;
    let len = file.metadata()?.len();
    Ok((file, len))
}
