//! The state of one connection: its streams, its windows, and what waits to be sent.

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

/// The size of a window that nobody has changed (RFC 9113, section 6.5.2).
pub(super) const WINDOW: u32 = 65_535;
/// The most that a window may ever be.
pub(super) const MAX_WINDOW: i64 = (1 << 31) - 1;
/// The streams that a client may have open, as hyper-h2 4.1.0 says it.
pub(super) const MAX_STREAMS: u32 = 100;
/// The most that the header fields of a request may cost, likewise.
pub(super) const MAX_FIELDS: u32 = 65_536;
/// How many closed streams are remembered, to know frames that were on their way from those that make no sense.
const REMEMBERED: usize = 1024;
/// What hyper-h2 4.1.0 sends under wptserve 4.0.3, in its order: HEADER_TABLE_SIZE, ENABLE_PUSH, INITIAL_WINDOW_SIZE,
/// MAX_FRAME_SIZE, ENABLE_CONNECT_PROTOCOL, MAX_CONCURRENT_STREAMS, MAX_HEADER_LIST_SIZE.
const SETTINGS: [(u16, u32); 7] =
    [(1, 4096), (2, 0), (4, WINDOW), (5, MAX_PAYLOAD as u32), (8, 1), (3, MAX_STREAMS), (6, MAX_FIELDS)];

/// What the client has done.
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
        /// There is no body.
        end: bool,
    },
    /// A piece of a request's body.
    Data {
        /// The stream.
        stream: u32,
        /// The piece, which may be empty.
        data: Bytes,
        /// What the piece took from the windows: its length and its padding.
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
    /// More may be sent on a stream.
    WindowUpdated {
        /// The stream.
        stream: u32,
        /// So many bytes more.
        increment: u32,
    },
    /// The client has another opinion about the order of a stream.
    Priority {
        /// The stream.
        stream: u32,
        /// The opinion.
        priority: Priority,
    },
    /// A stream is over. Nothing more comes from it, and nothing can be sent on it.
    Reset {
        /// The stream.
        stream: u32,
        /// Why.
        code: ErrorCode,
        /// The client has ended it; otherwise it was the connection, because the client has made a mistake.
        remote: bool,
    },
    /// The client will open no more streams.
    GoAway {
        /// Why.
        code: ErrorCode,
    },
}

/// How far a request has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More may come.
    Open,
    /// All has come.
    Complete,
    /// The stream was reset, or never was, or the connection is gone.
    Gone,
}

/// How far an answer has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Local {
    /// No header fields yet, or only those of interim answers.
    Nothing,
    Headers,
    Ended,
}

/// How a stream was ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResetBy {
    Us,
    Client,
}

#[derive(Debug)]
pub(super) struct Stream {
    /// How much the client takes.
    pub(super) send_window: i64,
    /// How much the client may send.
    pub(super) receive_window: i64,
    /// What the handler has used of the request, and the client has not been told of.
    pub(super) used: u32,
    /// The client may still send.
    pub(super) remote_open: bool,
    pub(super) local: Local,
    pub(super) reset: Option<ResetBy>,
    /// What is missing of the body that was announced.
    pub(super) body_left: Option<u64>,
    /// We have opened it, for a push.
    pub(super) is_push: bool,
    /// Raw frames have been sent, and whether one of them ended the stream. The state above knows nothing of them.
    pub(super) raw: Option<bool>,
}

/// What the client has asked for.
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
    /// While a handler has begun a header block with a raw frame and not ended it, nothing else may come between: it
    /// waits here.
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
    pub(super) greeting: super::receive::Greeting,
    pub(super) block: Option<super::receive::OpenBlock>,
    pub(super) limits: Limits,
    /// We have said that no more streams are taken.
    pub(super) going_away: bool,
    /// The client has broken the protocol, or our side has: nothing more is read.
    pub(super) is_over: bool,
}

impl Connection {
    /// A connection that has just been made. The first thing to send, our settings, is in the output already.
    pub fn new(now: Instant) -> Self {
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
            greeting: super::receive::Greeting::Preface,
            block: None,
            limits: Limits::new(now),
            going_away: false,
            is_over: false,
        }
    }

    /// The bytes for the client; take from the front what has been sent.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// How much is waiting to be sent.
    pub fn pending(&self) -> usize {
        self.output.len() + self.held.len()
    }

    /// Whether nothing more is read: the output still has to be sent, then the connection closes.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether no more streams are taken and none is left.
    pub fn is_done(&self) -> bool {
        self.is_over || self.going_away && self.streams.is_empty()
    }

    /// Takes no more streams; those that are open go on.
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

    /// Where frames of a stream go, or of the connection if it is 0.
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

    /// How a stream that is no longer there has ended: `Some(None)` in order, `None` if it is not remembered.
    pub(super) fn end_of(&self, stream: u32) -> Option<Option<ResetBy>> {
        self.closed.iter().rfind(|(closed, _)| *closed == stream).map(|(_, how)| *how)
    }

    /// The request has been used up to here: the client may send so much more.
    pub fn used(&mut self, stream: u32, count: u32) {
        let Some(open) = self.streams.get_mut(&stream) else { return };
        open.used = open.used.saturating_add(count);
        if open.used >= WINDOW / 2 && open.remote_open && open.reset.is_none() {
            let increment = std::mem::take(&mut open.used);
            open.receive_window += i64::from(increment);
            frame::put_window_update(self.out(stream), stream, increment);
        }
    }

    /// Nobody wants the rest of the request, nor what has come of it and was not used: the client may send on.
    pub fn drain(&mut self, stream: u32) {
        let Some(open) = self.streams.get_mut(&stream) else { return };
        let missing = u32::try_from(i64::from(WINDOW) - open.receive_window).unwrap_or_default();
        open.used = 0;
        self.used(stream, missing);
    }

    /// The stream has its answer, as far as there is one: ends our side if that has not been done.
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
            // Nobody could make anything of an end without a beginning.
            self.reset(stream, ErrorCode::INTERNAL_ERROR);
        } else if !has_raw_end {
            frame::put(self.out(stream), frame::DATA, frame::END_STREAM, stream, b"");
        }
    }

    /// Forgets a stream. If the client has not ended its side, it is told that it need not (RFC 9113, section 8.1).
    pub fn release(&mut self, stream: u32) {
        self.settle(stream);
        if self.streams.get(&stream).is_some_and(|open| open.remote_open) {
            self.reset(stream, ErrorCode::NO_ERROR);
        }
        if let Some(gone) = self.streams.remove(&stream) {
            self.remember(stream, gone.reset);
        }
    }

    /// The client is gone: nothing can be sent any more.
    pub fn abandon(&mut self) {
        self.is_over = true;
        self.output.clear();
        self.held.clear();
    }

    /// Whether a stream is still there, and whether its request is complete.
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
