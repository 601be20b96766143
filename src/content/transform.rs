//! Changes of an answer before it is sent: the pipes that the request asks for, and the script for every page.

use std::io::Read as _;

use bytes::Bytes;

use super::error::ContentError;
use crate::{
    http::{Body, Reply},
    pipes::{self, Context, Piped, Pipeline, inject},
};

/// Applies the pipes that the file's name and the query ask for.
pub(super) fn pipe(path: &str, reply: Reply, context: &Context<'_>) -> Result<Reply, ContentError> {
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
/// and into files, whose length is then announced. Content in parts stays unchanged.
pub(super) fn injected(mut reply: Reply, script: Option<&Bytes>) -> Result<Reply, ContentError> {
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
        // Every kind of body is named, so that the compiler asks for a decision about a new one.
        parts @ (Body::None | Body::Multipart(_) | Body::Trickle(_) | Body::Raw(_)) => parts,
    };
    Ok(reply)
}
