//! Sends a complete reply on a stream.

use bytes::Bytes;

use super::wire::H2Wire;
use crate::{
    http::{
        Body, Reply,
        h2::{ErrorCode, Field, SendError},
    },
    server::sink::{Sink, pause, send_file, send_trickle},
};

/// Sends a complete reply. Nothing is added to its header fields.
pub(super) async fn send(wire: &H2Wire, stream: u32, is_head: bool, reply: Reply) -> Result<(), SendError> {
    pause(reply.wait).await;
    let mut fields: Vec<Field> = vec![(Bytes::from_static(b":status"), reply.status.to_string().into())];
    let announced = reply.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    fields.extend(reply.headers);
    wire.headers(stream, &fields, is_head).await?;
    if is_head {
        return Ok(());
    }
    let mut sink = StreamSink::new(wire, stream);
    match reply.body {
        Body::None => Ok(()),
        Body::Bytes(bytes) | Body::ReadFile(bytes) | Body::Multipart(bytes) => {
            if bytes.is_empty() {
                Ok(())
            } else {
                wire.content(stream, bytes, true).await
            }
        }
        Body::File(file, size) => send_file(&mut sink, Vec::new(), file, announced.then_some(size)).await,
        Body::Raw(file) => send_file(&mut sink, Vec::new(), file, None).await,
        Body::Trickle(trickle) => send_trickle(&mut sink, trickle).await,
    }
}

/// The content of an answer on a stream. The last piece ends the stream, so each piece is sent when the next one is ready, as in
/// wptserve.
pub(super) struct StreamSink<'a> {
    wire: &'a H2Wire,
    stream: u32,
    held: Bytes,
}

impl<'a> StreamSink<'a> {
    pub(super) fn new(wire: &'a H2Wire, stream: u32) -> Self {
        Self { wire, stream, held: Bytes::new() }
    }
}

impl Sink for StreamSink<'_> {
    type Error = SendError;
    /// The bytes of a file in one item of content (wptserve 4.0.3, response.py, `Response.iter_content`).
    const FILE_CHUNK: usize = 32 * 1024;

    async fn send(&mut self, piece: Bytes) -> Result<(), SendError> {
        let before = std::mem::replace(&mut self.held, piece);
        if !before.is_empty() {
            self.wire.content(self.stream, before, false).await
        } else if self.wire.is_there(self.stream) {
            Ok(())
        } else {
            Err(SendError::Closed(self.stream))
        }
    }

    async fn end(&mut self) -> Result<(), SendError> {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() { Ok(()) } else { self.wire.content(self.stream, held, true).await }
    }

    fn break_off(&mut self) {
        self.wire.reset(self.stream, ErrorCode::INTERNAL_ERROR);
    }

    async fn abandoned(&mut self) {
        self.wire.abandoned(self.stream).await;
    }
}
