//! Sends a complete reply on a stream.

use std::{fs::File, io::Read as _};

use actix_web::web;
use bytes::Bytes;

use super::wire::Wire;
use crate::{
    http::{
        Body, Reply, Trickle,
        h2::{ErrorCode, Field, SendError},
        trickle::Step,
    },
    server::reply::pause,
};

/// The bytes of a file in one item of content (wptserve 4.0.3, response.py, `Response.iter_content`).
const FILE_CHUNK: usize = 32 * 1024;

/// Sends a complete reply. Nothing is added to its header fields.
pub(super) async fn send(wire: &Wire, stream: u32, is_head: bool, reply: Reply) -> Result<(), SendError> {
    pause(reply.wait).await;
    let mut fields: Vec<Field> = vec![(Bytes::from_static(b":status"), reply.status.to_string().into())];
    let announced = reply.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    fields.extend(reply.headers);
    wire.headers(stream, &fields, is_head).await?;
    if is_head {
        return Ok(());
    }
    match reply.body {
        Body::None => Ok(()),
        Body::Bytes(bytes) | Body::ReadFile(bytes) | Body::Multipart(bytes) => {
            if bytes.is_empty() {
                Ok(())
            } else {
                wire.content(stream, bytes, true).await
            }
        }
        Body::File(file, size) => send_file(wire, stream, file, announced.then_some(size)).await,
        Body::Raw(file) => send_file(wire, stream, file, None).await,
        Body::Trickle(trickle) => send_trickle(wire, stream, trickle).await,
    }
}

/// Sends a file, exactly `size` bytes if its length has been announced. The last chunk ends the stream, so each chunk is sent when the
/// next one has been read.
async fn send_file(wire: &Wire, stream: u32, mut file: File, size: Option<u64>) -> Result<(), SendError> {
    let mut held = Bytes::new();
    let mut left = size;
    loop {
        let most = left.map_or(FILE_CHUNK as u64, |left| left.min(FILE_CHUNK as u64));
        let read = web::block(move || {
            let mut chunk = Vec::with_capacity(FILE_CHUNK);
            let result = (&mut file).take(most).read_to_end(&mut chunk);
            result.map(|_| (file, chunk))
        });
        let Ok(Ok((next_file, chunk))) = read.await else {
            log::error!("a static file could not be read to its end");
            wire.reset(stream, ErrorCode::INTERNAL_ERROR);
            return Ok(());
        };
        let is_last = chunk.is_empty();
        left = left.map(|left| left.saturating_sub(chunk.len() as u64));
        if is_last && left.is_some_and(|left| left > 0) {
            log::error!("a static file has become shorter while it was sent");
            wire.reset(stream, ErrorCode::INTERNAL_ERROR);
            return Ok(());
        }
        if !held.is_empty() {
            wire.content(stream, held, is_last).await?;
        }
        if is_last {
            return Ok(());
        }
        (file, held) = (next_file, chunk.into());
    }
}

/// Sends content part by part, with its pauses. A part is sent when the next one is ready, as in wptserve, because the last one ends
/// the stream.
pub(super) async fn send_trickle(wire: &Wire, stream: u32, trickle: Trickle) -> Result<(), SendError> {
    let mut held = Bytes::new();
    for step in trickle {
        match step {
            Step::Wait(time) => pause(time).await,
            Step::Send(bytes) => {
                let before = std::mem::replace(&mut held, bytes);
                if !before.is_empty() {
                    wire.content(stream, before, false).await?;
                } else if !wire.is_there(stream) {
                    return Err(SendError::Closed(stream));
                }
            }
            Step::Fail(cause) => {
                log::error!("a trickle pipe broke off: {cause}");
                wire.reset(stream, ErrorCode::INTERNAL_ERROR);
                return Ok(());
            }
            Step::Stall => {
                log::error!("a trickle pipe repeats its content for ever: give its last r a d or a number to repeat");
                wire.abandoned(stream).await;
                return Ok(());
            }
        }
    }
    if held.is_empty() { Ok(()) } else { wire.content(stream, held, true).await }
}
