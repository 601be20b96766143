//! What is served without running anything: files, directory listings, `.asis` responses and the pages around scripts.
//!
//! Follows wptserve 4.0.3, `handlers.py` (`FileHandler`, `DirectoryHandler`, `AsIsHandler`) and the errors that `server.py` makes
//! of their exceptions. Everything here calls the file system and may block.

mod asis;
mod files;
pub(crate) mod frontmatter;
pub(crate) mod headers;
mod listing;
pub(crate) mod metadata;
pub mod mime;
pub(crate) mod ranges;
mod wrapper;
pub(crate) mod yaml;

use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    time::Duration,
};

use bytes::Bytes;

use crate::{
    docroot::{DocRoot, PathError},
    http::{Body, Reply, Request, shortage},
    inject,
    pipes::{self, PipeError, Piped, Pipeline, ReplyError, template::Context},
    route::Handler,
};

/// Why a request for content gets an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    /// The file is not there, or cannot be read.
    #[error("404")]
    NotFound,
    /// The test is not meant for the page that was asked for. The text is the message of wptserve's answer.
    #[error("{0}")]
    NotExposed(String),
    /// Something has run out.
    #[error("{0}")]
    Short(io::Error),
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
    /// Whatever keeps a file from being read, wptserve says 404. Here it is another thing if the file may well be there.
    fn from(error: io::Error) -> Self {
        if shortage::is_shortage(&error) { ContentError::Short(error) } else { ContentError::NotFound }
    }
}

/// A request, and where its answer comes from.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
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

impl<'a> Ask<'a> {
    fn context(&self) -> Context<'a> {
        Context {
            request: self.request,
            config: self.config,
            doc_root: self.seen.path(),
            url_base: self.seen.url_base(),
        }
    }
}

/// Answers a request from files. Calls the file system, so keep it off the event loop.
///
/// [`Handler::Python`] is not content: it is answered with 500.
pub fn serve(handler: Handler, ask: &Ask<'_>) -> Reply {
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

/// Answers a request for a small file that is sent as it is. `None` for everything else: that may take longer than an event loop
/// can wait, see [`serve`].
pub fn serve_at_once(handler: Handler, ask: &Ask<'_>) -> Option<Reply> {
    if handler != Handler::File || ask.inject_script.is_some() {
        return None;
    }
    let result = files::serve_small(ask, &ask.context())?;
    Some(result.unwrap_or_else(|error| error_reply(error, ask.request)))
}

fn error_reply(error: ContentError, request: &Request) -> Reply {
    match error {
        ContentError::NotFound => Reply::error(404, "404"),
        ContentError::NotExposed(message) => Reply::error(404, &message),
        ContentError::Short(error) => shortage::reply(&format!("cannot serve {}", request.url_parts.path), &error),
        ContentError::Range(message) => Reply::error(416, &message),
        ContentError::Server(cause) => server_error(request, &cause),
        ContentError::Pipe(cause, wait) => {
            let mut reply = match cause {
                ReplyError::Io(error) => error_reply(error.into(), request),
                ReplyError::Pipe(cause) => server_error(request, &cause.to_string()),
            };
            reply.wait = wait;
            reply
        }
    }
}

fn server_error(request: &Request, cause: &str) -> Reply {
    log::warn!("Internal server error loading {}: {cause}", request.url);
    Reply::server_error(&request.url, cause)
}

/// Applies the pipes that the file's name and the query ask for.
fn pipe(path: &str, reply: Reply, context: &Context<'_>) -> Result<Reply, ContentError> {
    let Some(pipes) = pipes::requested(path, &context.request.url_parts.query) else {
        return Ok(reply);
    };
    let pipeline = Pipeline::parse(&pipes)?;
    let mut piped = Piped::new(reply, *context);
    match pipeline.apply(&mut piped) {
        Ok(()) => Ok(piped.into_reply()),
        Err(error) => Err(ContentError::Pipe(error, piped.wait())),
    }
}

/// Puts the script into a page (`wpt serve` of January 2026, `tools/serve/serve.py`, `HtmlScriptInjectorHandlerWrapper`): into bytes
/// and into files, whose length is announced then. Content in parts stays as it is.
fn injected(mut reply: Reply, script: Option<&Bytes>) -> Result<Reply, ContentError> {
    let Some(script) = script else { return Ok(reply) };
    let content_type = reply.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"content-type"));
    let Some((_, content_type)) = content_type else {
        let cause = "IndexError: list index out of range (--inject-script needs a Content-Type on every answer)";
        return Err(ContentError::Server(cause.to_owned()));
    };
    if !inject::is_page(content_type) {
        return Ok(reply);
    }
    reply.body = match reply.body {
        Body::Bytes(page) | Body::ReadFile(page) => Body::Bytes(inject::into_page(page, script)),
        Body::File(mut file, _) => {
            let mut page = Vec::new();
            file.read_to_end(&mut page).map_err(|error| ContentError::Server(format!("OSError: {error}")))?;
            Body::Bytes(inject::into_page(page.into(), script))
        }
        // Every kind of body by its name, so that a new one has to be thought of here.
        parts @ (Body::None | Body::Multipart(_) | Body::Trickle(_) | Body::Raw(_)) => parts,
    };
    Ok(reply)
}

/// Opens a regular file; how many bytes it has.
fn open(path: &Path) -> Result<(File, u64), ContentError> {
    let (file, metadata) = open_any(path).map_err(|error| unreadable(path, error))?;
    if metadata.is_file() { Ok((file, metadata.len())) } else { Err(ContentError::NotFound) }
}

/// Opens whatever is there, without waiting for it: a pipe would wait for a writer.
fn open_any(path: &Path) -> io::Result<(File, Metadata)> {
    let opened = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let file = opened.map_err(|error| cause(path, error))?;
    let metadata = file.metadata()?;
    Ok((file, metadata))
}

/// Without descriptors the system does not even look whether a file is there.
fn cause(path: &Path, error: io::Error) -> io::Error {
    let looked_at = shortage::is_shortage(&error).then(|| path.metadata());
    looked_at.and_then(Result::err).unwrap_or(error)
}

/// The client hears 404 as from wptserve, unless something has run out; whoever runs the server hears the cause.
fn unreadable(path: &Path, error: io::Error) -> ContentError {
    let is_missing = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    if !is_missing && !shortage::is_shortage(&error) {
        log::warn!("cannot read {}: {error}", path.display());
    }
    error.into()
}
