//! Sending frames, and the states in which that is not allowed (hyper-h2 4.1.0, `connection.py` and `stream.py`).

use bytes::{Buf as _, Bytes};

use super::{
    Connection, Field, SendError,
    connection::{Local, Stream},
    fields::{Block, outbound},
    frame,
    hpack::Encoder,
    limit,
};

/// A frame or content that a handler wants to send; `None` for a stream means that of its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamCommand {
    /// The header fields of an answer, or its trailers.
    Headers {
        /// The stream.
        stream: Option<u32>,
        /// The fields, pseudo-header fields first.
        fields: Vec<Field>,
        /// Nothing follows.
        end: bool,
    },
    /// Content, in as many frames as the client's limits make of it.
    Content {
        /// The stream.
        stream: Option<u32>,
        /// The bytes.
        data: Bytes,
        /// Nothing follows.
        end: bool,
    },
    /// Content in one frame.
    Frame {
        /// The stream.
        stream: Option<u32>,
        /// The bytes.
        data: Bytes,
        /// Nothing follows.
        end: bool,
    },
    /// The end of a stream.
    End {
        /// The stream.
        stream: Option<u32>,
    },
    /// The promise of another answer.
    Push {
        /// The number of the new stream; the next free one by default.
        promised: Option<u32>,
        /// The fields of the request that the client need not make.
        fields: Vec<Field>,
    },
    /// A frame that is not checked.
    Raw {
        /// The stream.
        stream: Option<u32>,
        /// The kind of frame.
        kind: RawKind,
        /// With the flag `END_STREAM`.
        end_stream: bool,
        /// With the flag `END_HEADERS`.
        end_headers: bool,
    },
    /// A question: the bytes of content that fit into the next frame.
    Room {
        /// The stream.
        stream: Option<u32>,
    },
}

/// A frame that is not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawKind {
    /// `HEADERS`.
    Headers(Vec<Field>),
    /// `CONTINUATION`.
    Continuation(Vec<Field>),
    /// `DATA`.
    Data(Bytes),
    /// Any bytes.
    Bytes(Bytes),
}

/// The result of a [`StreamCommand`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandResult {
    /// The bytes are on their way.
    Done,
    /// The stream that was promised.
    Promised(u32),
    /// The content that fits into a frame; may be negative, as in wptserve.
    Room(i64),
}

impl Connection {
    /// Sends the header fields of an answer, of an interim answer (1xx), or trailers.
    ///
    /// # Errors
    /// The stream does not allow them, or a field is not allowed.
    pub fn headers(&mut self, stream: u32, fields: &[Field], end: bool) -> Result<(), SendError> {
        let protocol = |text: &str| Err(SendError::Protocol(text.to_owned()));
        let max_frame = self.peer.max_frame;
        let open = self.stream(stream)?;
        let is_interim = fields
            .iter()
            .find(|(name, _)| &name[..] == b":status")
            .is_some_and(|(_, value)| value.first() == Some(&b'1'));
        let block = match open.local {
            Local::Ended if open.remote_open => {
                return protocol("Invalid input StreamInputs.SEND_HEADERS in state 5");
            }
            Local::Ended => return Err(SendError::Closed(stream)),
            _ if is_interim && end => return protocol("Cannot set END_STREAM on informational responses."),
            Local::Headers if is_interim => return protocol("Information response after final response"),
            Local::Headers => Block::Trailers,
            Local::Nothing => Block::Answer,
        };
        let fields = outbound(fields, block)?;
        if block == Block::Trailers && !end {
            return protocol("Trailers must have END_STREAM set.");
        }
        open.local = match (end, is_interim) {
            (true, _) => Local::Ended,
            (false, true) => open.local,
            (false, false) => Local::Headers,
        };
        let encoded = self.encoder.encode(&fields);
        self.put_block(stream, frame::HEADERS, b"", &encoded, end, max_frame);
        Ok(())
    }

    /// A header block in as many frames as needed; `start` comes before it in the first one.
    fn put_block(&mut self, stream: u32, kind: u8, start: &[u8], encoded: &[u8], end: bool, max_frame: usize) {
        let out = self.out(stream);
        let (first, mut rest) = encoded.split_at(encoded.len().min(max_frame - start.len()));
        let last = |rest: &[u8]| if rest.is_empty() { frame::END_HEADERS } else { 0 };
        let flags = last(rest) | if end { frame::END_STREAM } else { 0 };
        frame::put(out, kind, flags, stream, &[start, first].concat());
        while !rest.is_empty() {
            let next;
            (next, rest) = rest.split_at(rest.len().min(max_frame));
            frame::put(out, frame::CONTINUATION, last(rest), stream, next);
        }
    }

    /// The bytes of content that the windows allow now; may be negative.
    ///
    /// # Errors
    /// There is no such stream any more.
    pub fn window(&mut self, stream: u32) -> Result<i64, SendError> {
        let connection = self.send_window;
        Ok(self.stream(stream)?.send_window.min(connection))
    }

    /// The most bytes of content for one frame, as handlers see it: nine bytes less than the real limit (wptserve 4.0.3, response.py,
    /// `H2ResponseWriter.get_max_payload_size`).
    ///
    /// # Errors
    /// There is no such stream any more.
    pub fn room(&mut self, stream: u32) -> Result<i64, SendError> {
        let window = self.window(stream)?;
        Ok(window.min(self.peer.max_frame as i64) - frame::HEAD as i64)
    }

    /// Sends the next frame of some content and takes it from `data`; `None` when the windows have no room for it now.
    /// wptserve makes its frames as long as [`Connection::room`] says. If that is zero, the rest of the window is used.
    ///
    /// # Errors
    /// The stream does not allow content.
    pub fn content(&mut self, stream: u32, data: &mut Bytes, end: bool) -> Result<Option<()>, SendError> {
        let (room, window) = (self.room(stream)?, self.window(stream)?);
        let length = data.len() as i64;
        let count = if length <= room || length <= window && room <= 0 {
            data.len()
        } else {
            usize::try_from(if room > 0 { room } else { window }).unwrap_or_default()
        };
        if count == 0 && !data.is_empty() {
            self.may_send_data(stream)?;
            return Ok(None);
        }
        let is_last = count == data.len();
        self.data(stream, data.get(..count).unwrap_or_default(), end && is_last)?;
        data.advance(count);
        Ok(Some(()))
    }

    fn may_send_data(&mut self, stream: u32) -> Result<(), SendError> {
        let open = self.stream(stream)?;
        let state = match open.local {
            Local::Ended if open.remote_open => 5,
            Local::Ended => return Err(SendError::Closed(stream)),
            Local::Nothing if open.is_push => 2,
            _ => return Ok(()),
        };
        Err(SendError::Protocol(format!("Invalid input StreamInputs.SEND_DATA in state {state}")))
    }

    /// Sends one frame of content, for which the windows must have room.
    ///
    /// # Errors
    /// The stream does not allow it, or it is too long for a frame.
    pub fn data(&mut self, stream: u32, data: &[u8], end: bool) -> Result<(), SendError> {
        if data.len() > self.peer.max_frame {
            return Err(SendError::FrameTooLarge(data.len(), self.peer.max_frame));
        }
        self.may_send_data(stream)?;
        let open = self.stream(stream)?;
        open.send_window -= data.len() as i64;
        if end {
            open.local = Local::Ended;
        }
        self.send_window -= data.len() as i64;
        self.limits.talk.earn(limit::PER_CONTENT);
        frame::put(self.out(stream), frame::DATA, if end { frame::END_STREAM } else { 0 }, stream, data);
        Ok(())
    }

    /// Sends one frame of content if the windows have room for all of it; `None` otherwise.
    ///
    /// # Errors
    /// The stream does not allow it, or it is too long for a frame.
    pub fn frame(&mut self, stream: u32, data: &[u8], end: bool) -> Result<Option<()>, SendError> {
        let has_room = data.len() as i64 <= self.window(stream)?;
        if !data.is_empty() && !has_room && data.len() <= self.peer.max_frame {
            return self.may_send_data(stream).map(|()| None);
        }
        self.data(stream, data, end).map(Some)
    }

    /// Ends our side of a stream.
    ///
    /// # Errors
    /// It has ended.
    pub fn end(&mut self, stream: u32) -> Result<(), SendError> {
        self.may_send_data(stream).map_err(|error| match error {
            SendError::Protocol(text) => SendError::Protocol(text.replace("SEND_DATA", "SEND_END_STREAM")),
            other => other,
        })?;
        self.data(stream, b"", true)
    }

    /// Promises the client an answer to a request that the client has not made. Returns the number of the new stream.
    ///
    /// # Errors
    /// The client refuses pushes, or the number or a field is not allowed.
    pub fn push(&mut self, parent: u32, promised: Option<u32>, fields: &[Field]) -> Result<u32, SendError> {
        let protocol = |text: &str| Err(SendError::Protocol(text.to_owned()));
        let highest = self.highest_outbound;
        let promised = promised.unwrap_or(highest + 2);
        let (wants, max_frame) = (self.peer.push, self.peer.max_frame);
        let open = self.stream(parent);
        if !wants {
            return protocol("Remote peer has disabled stream push");
        }
        let open = open?;
        if open.local == Local::Ended {
            let text = if open.remote_open {
                "Invalid input StreamInputs.SEND_PUSH_PROMISE in state 5"
            } else {
                "Attempted to push on closed stream."
            };
            return protocol(text);
        }
        if parent.is_multiple_of(2) {
            return protocol("Cannot recursively push streams.");
        }
        if promised <= highest && promised.is_multiple_of(2) {
            return Err(SendError::TooLow(promised, highest));
        }
        if promised % 2 == 1 || promised > i32::MAX as u32 {
            return protocol("Invalid stream ID for peer.");
        }
        let fields = outbound(fields, Block::Promise)?;
        self.highest_outbound = promised;
        let pushed = Stream { is_push: true, ..self.new_stream(false) };
        self.streams.insert(promised, pushed);
        let encoded = self.encoder.encode(&fields);
        self.put_block(parent, frame::PUSH_PROMISE, &promised.to_be_bytes(), &encoded, false, max_frame);
        Ok(promised)
    }

    /// Sends a frame in any state of its stream. The windows do not count it.
    ///
    /// # Errors
    /// The connection has ended, or the payload is longer than a frame can be.
    pub fn raw(&mut self, stream: u32, kind: &RawKind, end_stream: bool, end_headers: bool) -> Result<(), SendError> {
        if self.is_over {
            return Err(SendError::Gone);
        }
        let (code, payload) = match kind {
            RawKind::Headers(fields) => (frame::HEADERS, Bytes::from(Encoder::encode_alone(fields))),
            RawKind::Continuation(fields) => (frame::CONTINUATION, Bytes::from(Encoder::encode_alone(fields))),
            RawKind::Data(data) => (frame::DATA, data.clone()),
            RawKind::Bytes(bytes) => {
                self.out(stream).extend_from_slice(bytes);
                if let Some(open) = self.streams.get_mut(&stream) {
                    open.raw = Some(open.raw == Some(true));
                }
                return Ok(());
            }
        };
        if payload.len() >= 1 << 24 {
            return Err(SendError::FrameTooLarge(payload.len(), (1 << 24) - 1));
        }
        let is_header = code != frame::DATA;
        let flags = if end_stream { frame::END_STREAM } else { 0 }
            | if end_headers && is_header { frame::END_HEADERS } else { 0 };
        frame::put(self.out(stream), code, flags, stream, &payload);
        if let Some(open) = self.streams.get_mut(&stream) {
            open.raw = Some(open.raw == Some(true) || end_stream);
            if is_header && !end_headers && self.raw_block.is_none() {
                self.raw_block = Some(stream);
            }
        }
        if is_header && end_headers && self.raw_block == Some(stream) {
            self.end_raw_block();
        }
        Ok(())
    }
}
