//! Errors of requests for content, and their answers.
//!
//! Follows the errors that wptserve 4.0.3, `server.py`, makes of the exceptions of its handlers.

use std::{io, time::Duration};

use crate::{
    docroot::PathError,
    http::{Reply, Request, shortage},
    pipes::{PipeError, ReplyError},
};

/// Why a request for content gets an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    /// The file does not exist, or cannot be read.
    #[error("404")]
    NotFound,
    /// The test is not meant for the requested page. The text is the message of wptserve's answer.
    #[error("{0}")]
    NotExposed(String),
    /// No file descriptor or memory is left.
    #[error("{0}")]
    Short(io::Error),
    /// The range cannot be served. The text is the message of wptserve's answer.
    #[error("{0}")]
    Range(String),
    /// A failure that wptserve answers with a traceback.
    #[error("{0}")]
    Server(String),
    /// A pipe has failed. The answer is due after the delay that the pipes before it asked for.
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
    /// wptserve answers 404 to every error of reading a file. Here a missing descriptor or memory is told apart, because the file may
    /// exist then.
    fn from(error: io::Error) -> Self {
        if shortage::is_shortage(&error) { ContentError::Short(error) } else { ContentError::NotFound }
    }
}

/// The answer to a request that got this error.
pub(super) fn error_reply(error: ContentError, request: &Request) -> Reply {
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
