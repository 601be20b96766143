//! The state of one connection: its streams, its windows, and the bytes that wait to be sent.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use bytes::{Bytes, BytesMut};

use super::{
    ErrorCode, Field, Priority, SendError,
    frame::{self, MAX_PAYLOAD},
    hpack::{Decoder, Encoder},
    limit::Limits,
};
use crate::http::bounds::Bounds;

/// The initial size of a window (RFC 9113, section 6.5.2).
pub(super) const WINDOW: u32 = 65_535;
/// The largest window that the protocol allows.
pub(super) const MAX_WINDOW: i64 = (1 << 31) - 1;
/// The streams that a client may have open, as announced by hyper-h2 4.1.0.
pub(super) const MAX_STREAMS: u32 = 100;
/// The most that the header fields of a request may cost, as announced by hyper-h2 4.1.0.
pub(super) const MAX_FIELDS: u32 = 65_536;
/// The number of closed streams that are remembered, to tell frames that were on their way from wrong ones.
const REMEMBERED: usize = 1024;
/// The settings that hyper-h2 4.1.0 sends under wptserve 4.0.3, in its order: HEADER_TABLE_SIZE, ENABLE_PUSH, INITIAL_WINDOW_SIZE,
/// MAX_FRAME_SIZE, ENABLE_CONNECT_PROTOCOL, MAX_CONCURRENT_STREAMS, MAX_HEADER_LIST_SIZE.
const SETTINGS: [(u16, u32); 7] =
    [(1, 4096), (2, 0), (4, WINDOW), (5, MAX_PAYLOAD as u32), (8, 1), (3, MAX_STREAMS), (6, MAX_FIELDS)];

/// An action of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new stream with the header fields of its request, cookies joined.
    Request {
        /// The stream.
        stream: u32,
        /// The fields, pseudo-header fields first.
        fields: Vec<Field>,
        /// What the client says about its order.
        priority: Option<Priority>,
        /// The request has no body.
        end: bool,
    },
    /// A piece of a request's body.
    Data {
        /// The stream.
        stream: u32,
        /// The piece, which may be empty.
        data: Bytes,
        /// The bytes that the piece took from the windows: its length and its padding.
        flow: u32,
        /// It is the last one.
        end: bool,
    },
    /// The fields behind a request's body, which has ended.
    Trailers {
        /// The stream.
        stream: u32,
        /// The fields.
        fields: Vec<Field>,
        /// What the client says about its order.
        priority: Option<Priority>,
    },
    /// The client has enlarged the window of a stream.
    WindowUpdated {
        /// The stream.
        stream: u32,
        /// By this many bytes.
        increment: u32,
    },
    /// The client has changed the priority of a stream.
    Priority {
        /// The stream.
        stream: u32,
        /// The new priority.
        priority: Priority,
    },
    /// A stream has ended. No frame comes from it any more, and none can be sent on it.
    Reset {
        /// The stream.
        stream: u32,
        /// Why.
        code: ErrorCode,
        /// Whether the client has reset the stream. Otherwise this connection has, because of a mistake of the client.
        remote: bool,
    },
    /// The client will open no more streams.
    GoAway {
        /// Why.
        code: ErrorCode,
    },
}

/// The progress of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More may come.
    Open,
    /// The request is complete.
    Complete,
    /// The stream was reset or never existed, or the connection has ended.
    Gone,
}

/// The progress of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Local {
    /// No header fields yet, or only those of interim answers.
    Nothing,
    Headers,
    Ended,
}

/// The side that reset a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResetBy {
    Us,
    Client,
}

#[derive(Debug)]
pub(super) struct Stream {
    /// The bytes that the client accepts.
    pub(super) send_window: i64,
    /// The bytes that the client may send.
    pub(super) receive_window: i64,
    /// The bytes of the request that the handler has used, and that the client's window has not got back yet.
    pub(super) used: u32,
    /// The client may still send.
    pub(super) remote_open: bool,
    pub(super) local: Local,
    pub(super) reset: Option<ResetBy>,
    /// The bytes of the announced body that have not come yet.
    pub(super) body_left: Option<u64>,
    /// We have opened it, for a push.
    pub(super) is_push: bool,
    /// `Some` if raw frames have been sent: whether one of them ended the stream. The fields above do not reflect raw frames.
    pub(super) raw: Option<bool>,
    /// How many bytes of the request's body have come.
    pub(super) received: u64,
    /// How many frames of the request are remembered.
    pub(super) frames: u64,
}

/// The progress of a connection's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greeting {
    Preface,
    Settings,
    Done,
}

/// A header block that continues in the next frame.
#[derive(Debug)]
pub(super) struct OpenBlock {
    pub(super) stream: u32,
    pub(super) block: BytesMut,
    pub(super) frames: u32,
    pub(super) priority: Option<Priority>,
    pub(super) end: bool,
}

/// The client's settings.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) initial_window: u32,
    pub(super) max_frame: usize,
    pub(super) push: bool,
}

/// One HTTP/2 connection, seen from the server.
#[derive(Debug)]
pub struct Connection {
    pub(super) output: BytesMut,
    /// Frames that wait while a handler has begun a header block with a raw frame and not ended it: no other frame may come in
    /// between.
    pub(super) held: BytesMut,
    pub(super) raw_block: Option<u32>,
    pub(super) decoder: Decoder,
    pub(super) encoder: Encoder,
    pub(super) streams: HashMap<u32, Stream>,
    closed: VecDeque<(u32, Option<ResetBy>)>,
    pub(super) highest_inbound: u32,
    pub(super) highest_outbound: u32,
    pub(super) send_window: i64,
    pub(super) receive_window: i64,
    pub(super) peer: Peer,
    /// The client has agreed to our settings.
    pub(super) is_agreed: bool,
    pub(super) greeting: Greeting,
    pub(super) block: Option<OpenBlock>,
    pub(super) limits: Limits,
    /// We have said that no more streams are taken.
    pub(super) going_away: bool,
    /// One side has broken the protocol: no more bytes are read.
    pub(super) is_over: bool,
}

impl Connection {
    /// A new connection. Our settings, the first bytes to send, are in the output already.
    pub fn new(now: Instant, bounds: &Bounds) -> Self {
        let mut output = BytesMut::new();
        frame::put_settings(&mut output, &SETTINGS);
        Self {
            output,
            held: BytesMut::new(),
            raw_block: None,
            decoder: Decoder::default(),
            encoder: Encoder::default(),
            streams: HashMap::new(),
            closed: VecDeque::new(),
            highest_inbound: 0,
            highest_outbound: 0,
            send_window: WINDOW.into(),
            receive_window: WINDOW.into(),
            peer: Peer { initial_window: WINDOW, max_frame: MAX_PAYLOAD, push: true },
            is_agreed: false,
            greeting: Greeting::Preface,
            block: None,
            limits: Limits::new(now, bounds),
            going_away: false,
            is_over: false,
        }
    }

    /// The bytes for the client; remove the sent bytes from the front.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// The number of bytes that wait to be sent.
    pub fn pending(&self) -> usize {
        self.output.len() + self.held.len()
    }

    /// Whether no more bytes are read: the output still has to be sent, then the connection closes.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether no new streams are accepted and none is left.
    pub fn is_done(&self) -> bool {
        self.is_over || self.going_away && self.streams.is_empty()
    }

    /// Whether no request is under way.
    pub fn is_idle(&self) -> bool {
        self.streams.is_empty()
    }

    /// Whether the client has begun with what it has to finish: its greeting, or a header block.
    pub fn is_in_mid_head(&self) -> bool {
        self.greeting != Greeting::Done || self.block.is_some()
    }

    /// The number of the last stream that the client has opened.
    pub fn last_stream(&self) -> u32 {
        self.highest_inbound
    }

    /// How many bytes of a request's body have come, while its client may send more of it.
    pub fn awaited(&self, stream: u32) -> Option<u64> {
        let open = self.streams.get(&stream)?;
        (open.remote_open && open.reset.is_none() && open.receive_window > 0).then_some(open.received)
    }

    /// Ends the connection of a client that takes too much.
    pub fn exhaust(&mut self, text: &str) {
        self.fail(ErrorCode::ENHANCE_YOUR_CALM, text);
    }

    /// Accepts no new streams; the open ones continue.
    pub fn close(&mut self) {
        self.go_away(ErrorCode::NO_ERROR, "");
    }

    pub(super) fn go_away(&mut self, code: ErrorCode, text: &str) {
        if !self.going_away || code != ErrorCode::NO_ERROR {
            self.going_away = true;
            let last = self.highest_inbound;
            frame::put_go_away(self.out(0), last, code, text);
        }
    }

    /// The buffer for frames of a stream, or of the connection if `stream` is 0.
    pub(super) fn out(&mut self, stream: u32) -> &mut BytesMut {
        match self.raw_block {
            Some(open) if open != stream => &mut self.held,
            _ => &mut self.output,
        }
    }

    pub(super) fn end_raw_block(&mut self) {
        self.raw_block = None;
        let held = self.held.split();
        self.output.extend_from_slice(&held);
    }

    pub(super) fn new_stream(&self, remote_open: bool) -> Stream {
        Stream {
            send_window: self.peer.initial_window.into(),
            receive_window: WINDOW.into(),
            used: 0,
            remote_open,
            local: Local::Nothing,
            reset: None,
            body_left: None,
            is_push: false,
            raw: None,
            received: 0,
            frames: 0,
        }
    }

    /// The streams of the client that count as open.
    pub(super) fn open_streams(&self) -> usize {
        let is_open = |stream: &&Stream| {
            !stream.is_push && stream.reset.is_none() && (stream.remote_open || stream.local != Local::Ended)
        };
        self.streams.values().filter(is_open).count()
    }

    /// Ends a stream for both sides.
    pub fn reset(&mut self, stream: u32, code: ErrorCode) {
        match self.streams.get_mut(&stream) {
            _ if self.is_over => return,
            Some(open) if open.reset.is_some() => return,
            Some(open) => open.reset = Some(ResetBy::Us),
            None => self.remember(stream, Some(ResetBy::Us)),
        }
        frame::put_reset(self.out(stream), stream, code);
    }

    pub(super) fn remember(&mut self, stream: u32, how: Option<ResetBy>) {
        self.closed.push_back((stream, how));
        if self.closed.len() > REMEMBERED {
            self.closed.pop_front();
        }
    }

    /// The end of a stream that no longer exists: `Some(None)` for a regular end, `None` if the stream is not remembered.
    pub(super) fn end_of(&self, stream: u32) -> Option<Option<ResetBy>> {
        self.closed.iter().rfind(|(closed, _)| *closed == stream).map(|(_, how)| *how)
    }

    /// Notes that `count` more bytes of the request have been used, so that the client may send as many again.
    pub fn used(&mut self, stream: u32, count: u32) {
        let Some(open) = self.streams.get_mut(&stream) else { return };
        open.used = open.used.saturating_add(count);
        if open.used >= WINDOW / 2 && open.remote_open && open.reset.is_none() {
            let increment = std::mem::take(&mut open.used);
            open.receive_window += i64::from(increment);
            frame::put_window_update(self.out(stream), stream, increment);
        }
    }

    /// Drops the rest of the request, and the bytes of it that were not used: the client may continue to send.
    pub fn drain(&mut self, stream: u32) {
        let Some(open) = self.streams.get_mut(&stream) else { return };
        let missing = u32::try_from(i64::from(WINDOW) - open.receive_window).unwrap_or_default();
        open.used = 0;
        self.used(stream, missing);
    }

    /// The answer is complete: ends our side of the stream if it is still open.
    pub fn settle(&mut self, stream: u32) {
        if self.raw_block == Some(stream) {
            self.end_raw_block();
        }
        let Some(open) = self.streams.get_mut(&stream) else { return };
        if self.is_over || open.reset.is_some() || open.local == Local::Ended {
            return;
        }
        let is_begun = open.local == Local::Headers || open.raw.is_some();
        let has_raw_end = open.raw == Some(true);
        open.local = Local::Ended;
        if !is_begun {
            // An end without a beginning would have no meaning for the client.
            self.reset(stream, ErrorCode::INTERNAL_ERROR);
        } else if !has_raw_end {
            frame::put(self.out(stream), frame::DATA, frame::END_STREAM, stream, b"");
        }
    }

    /// Forgets a stream. A client that has not ended its side is told to stop sending (RFC 9113, section 8.1).
    pub fn release(&mut self, stream: u32) {
        self.settle(stream);
        if self.streams.get(&stream).is_some_and(|open| open.remote_open) {
            self.reset(stream, ErrorCode::NO_ERROR);
        }
        if let Some(gone) = self.streams.remove(&stream) {
            self.limits.frames -= gone.frames.min(self.limits.frames);
            self.remember(stream, gone.reset);
        }
    }

    /// The client has disconnected: no bytes can be sent any more.
    pub fn abandon(&mut self) {
        self.is_over = true;
        self.output.clear();
        self.held.clear();
    }

    /// Whether a stream still exists, and whether its request is complete.
    pub fn progress(&self, stream: u32) -> Progress {
        match self.streams.get(&stream) {
            Some(open) if open.reset.is_none() && !self.is_over => {
                if open.remote_open {
                    Progress::Open
                } else {
                    Progress::Complete
                }
            }
            _ => Progress::Gone,
        }
    }

    pub(super) fn stream(&mut self, stream: u32) -> Result<&mut Stream, SendError> {
        if self.is_over {
            return Err(SendError::Gone);
        }
        let is_known = if stream % 2 == 1 { stream <= self.highest_inbound } else { stream <= self.highest_outbound };
        match self.streams.get_mut(&stream) {
            Some(open) if open.reset.is_none() => Ok(open),
            Some(_) => Err(SendError::Closed(stream)),
            None if is_known => Err(SendError::Closed(stream)),
            None => Err(SendError::NoStream(stream)),
        }
    }
}
