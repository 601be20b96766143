//! Opening a file to serve.

use std::{
    fs::{File, Metadata},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::error::ContentError;
use crate::http::shortage;

/// Opens a regular file, and returns it with its size in bytes.
pub(super) fn open(path: &Path) -> Result<(File, u64), ContentError> {
    let (file, metadata) = open_any(path).map_err(|error| unreadable(path, error))?;
    if metadata.is_file() { Ok((file, metadata.len())) } else { Err(ContentError::NotFound) }
}

/// Opens a file of any kind without waiting: opening a pipe would wait for a writer.
pub(super) fn open_any(path: &Path) -> io::Result<(File, Metadata)> {
    let opened = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let file = opened.map_err(|error| cause(path, error))?;
    let metadata = file.metadata()?;
    Ok((file, metadata))
}

/// The real cause of an error: without a free descriptor the system does not even check whether the file exists.
pub(super) fn cause(path: &Path, error: io::Error) -> io::Error {
    let looked_at = shortage::is_shortage(&error).then(|| path.metadata());
    looked_at.and_then(Result::err).unwrap_or(error)
}

/// The client gets a 404 as from wptserve, unless the process has no descriptor or memory left. The log has the cause.
pub(super) fn unreadable(path: &Path, error: io::Error) -> ContentError {
    let is_missing = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    if !is_missing && !shortage::is_shortage(&error) {
        log::warn!("cannot read {}: {error}", path.display());
    }
    error.into()
}
