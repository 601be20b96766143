//! Files and directories.
//!
//! Follows wptserve 4.0.3, `handlers.py`, `FileHandler` and `DirectoryHandler`. There are no conditional requests and no caching
//! headers, because wptserve has none.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

use bytes::{Bytes, BytesMut};

use super::{
    error::ContentError,
    headers::{self, HeaderList},
    listing, mime,
    open::{open_any, unreadable},
    ranges::{self, ByteRange},
    request::ContentRequest,
    transform::{injected, pipe},
};
use crate::{
    http::{Body, Reply, Request, shortage},
    pipes::{self, Context},
};

/// Files up to this many bytes are read at once.
const SMALL: u64 = 64 * 1024;

pub(super) fn serve(ask: &ContentRequest<'_>, context: &Context<'_>) -> Result<Reply, ContentError> {
    let request = context.request;
    let path = ask.files.resolve(&request.url_parts.path)?;
    let path = path.as_path();
    let (file, len) = match open_any(path) {
        Ok((file, metadata)) if metadata.is_file() => (file, metadata.len()),
        Ok((_, metadata)) if metadata.is_dir() => return serve_directory(request, path),
        Ok(_) => return Err(ContentError::NotFound),
        Err(error) if shortage::is_shortage(&error) => return Err(error.into()),
        // A directory that cannot be opened is still answered as a directory.
        Err(_) if path.is_dir() => return serve_directory(request, path),
        Err(error) => return Err(unreadable(path, error)),
    };
    // A pipe changes the part that was asked for, not the whole file.
    let piped = pipe(&path.to_string_lossy(), serve_file(path, file, len, context)?, context)?;
    injected(piped, ask.inject_script)
}

/// Serves a small file to which no pipe is applied. `None` for any other file.
pub(super) fn serve_small(ask: &ContentRequest<'_>, context: &Context<'_>) -> Option<Result<Reply, ContentError>> {
    let parts = &context.request.url_parts;
    let path = ask.files.resolve(&parts.path).ok()?;
    if pipes::requested(&path.as_path().to_string_lossy(), &parts.query).is_some() {
        return None;
    }
    let (file, metadata) = open_any(path.as_path()).ok()?;
    let is_small = metadata.is_file() && metadata.len() <= SMALL;
    is_small.then(|| serve_file(path.as_path(), file, metadata.len(), context))
}

fn serve_file(path: &Path, mut file: File, size: u64, context: &Context<'_>) -> Result<Reply, ContentError> {
    let mut headers = headers::load(path, mime::guess(path).as_ref(), context)?;
    let Some(range) = context.request.head.headers.get("Range") else {
        let body = if size <= SMALL && !context.request.is_head() {
            Body::ReadFile(read_whole(file, size)?.into())
        } else {
            Body::File(file, size)
        };
        return Ok(reply(200, headers, body));
    };
    match ranges::parse(range, size)?.as_slice() {
        [single] => {
            headers.set("Content-Range", single.content_range(size));
            let part = read_range(&mut file, *single)?;
            Ok(reply(206, headers, Body::Bytes(part.into())))
        }
        several => {
            let part_type = headers.last("Content-Type");
            let boundary = uuid::Uuid::new_v4().to_string();
            headers.set("Content-Type", format!("multipart/byteranges; boundary={boundary}"));
            let content = multipart(&mut file, several, size, &boundary, part_type)?;
            Ok(reply(206, headers, Body::Multipart(content)))
        }
    }
}

fn reply(status: u16, headers: HeaderList, body: Body) -> Reply {
    let mut reply = Reply::new(status, body);
    reply.headers = headers.into_fields();
    reply
}

fn serve_directory(request: &Request, path: &Path) -> Result<Reply, ContentError> {
    let url_path = &request.url_parts.path;
    if !url_path.ends_with('/') {
        let mut reply = Reply::new(301, Body::None);
        // The slash comes behind the query, because wptserve appends it to the whole URL.
        reply.push("Location", format!("{}/", request.url));
        return Ok(reply);
    }
    let page = listing::page(url_path, path).map_err(|error| match shortage::is_shortage(&error) {
        true => ContentError::Short(error),
        false => ContentError::Server(format!("OSError: cannot list {}: {error}", path.display())),
    })?;
    let mut reply = Reply::new(200, Body::Bytes(page.into()));
    reply.push("Content-Type", "text/html");
    Ok(reply)
}

/// Reads a small file up to the size that it had when it was opened, because the file may be growing. (Files such as those of /proc
/// do not say their size.)
fn read_whole(mut file: File, size: u64) -> Result<Vec<u8>, ContentError> {
    // One spare byte shows the end of the file without growing the buffer. The limit avoids a system call for the file's size.
    let mut data = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
    (&mut file).take(if size == 0 { u64::MAX } else { size }).read_to_end(&mut data)?;
    Ok(data)
}

/// Reads a range, or less if the file has become shorter.
fn read_range(file: &mut File, range: ByteRange) -> Result<Vec<u8>, ContentError> {
    file.seek(SeekFrom::Start(range.start))?;
    let mut data = Vec::new();
    file.take(range.len()).read_to_end(&mut data)?;
    Ok(data)
}

/// wptserve 4.0.3, `response.py`, `MultipartContent`.
fn multipart(
    file: &mut File,
    ranges: &[ByteRange],
    size: u64,
    boundary: &str,
    content_type: Option<Bytes>,
) -> Result<Bytes, ContentError> {
    let mut out = BytesMut::new();
    for range in ranges {
        out.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
        if let Some(content_type) = &content_type {
            out.extend_from_slice(b"Content-Type: ");
            out.extend_from_slice(content_type);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(format!("Content-Range: {}\r\n\r\n", range.content_range(size)).as_bytes());
        out.extend_from_slice(&read_range(file, *range)?);
    }
    out.extend_from_slice(format!("\r\n--{boundary}--").as_bytes());
    Ok(out.freeze())
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
