//! Handling a client's frames (RFC 9113, sections 3.4, 5 and 6).

use std::{collections::VecDeque, time::Instant};

use bytes::{Buf as _, Bytes, BytesMut};

use super::{
    ErrorCode, Field, Priority,
    connection::{Connection, Event, Greeting, Local, MAX_FIELDS, MAX_STREAMS, MAX_WINDOW, OpenBlock, ResetBy, WINDOW},
    error::Fault,
    fields::{fault_of_request, fault_of_trailers, with_joined_cookies},
    frame::{self, Frame},
    hpack::BadBlock,
    limit::{PER_REQUEST, PIECE, REMEMBERED},
};

/// The first bytes of every client.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The frames that one header block may come in, as in hyper-h2 4.1.0.
const MAX_CONTINUATIONS: u32 = 64;
/// The most streams that exist at the same time, including those that the client has reset already and those that it opens before
/// it can know our limit.
const MAX_UNRELEASED: usize = 1000;

impl Connection {
    /// Takes all complete frames out of `input` and adds their meaning to `events`. A client that breaks the protocol gets a
    /// `GOAWAY`, and the connection ends.
    pub fn receive(&mut self, input: &mut BytesMut, now: Instant, events: &mut VecDeque<Event>) {
        while !self.is_over {
            let step = match self.greeting {
                Greeting::Preface => match self.preface(input) {
                    Ok(true) => continue,
                    Ok(false) => return,
                    Err(fault) => Err(fault),
                },
                Greeting::Settings | Greeting::Done => match frame::next(input) {
                    Ok(None) => return,
                    Ok(Some(frame)) => self.on_frame(frame, now, events),
                    Err(fault) => Err(fault),
                },
            };
            match step {
                Ok(()) => {}
                Err(Fault::Connection(code, text)) => self.fail(code, text),
                Err(Fault::Stream(_, _, _)) if !self.limits.faults.take(now) => {
                    self.end_flood("there are too many faulty streams")
                }
                Err(Fault::Stream(stream, code, text)) => {
                    log::debug!("HTTP/2 stream {stream} is reset: {text}");
                    let is_new_end = self.streams.get(&stream).is_some_and(|open| open.reset.is_none());
                    self.reset(stream, code);
                    if is_new_end {
                        events.push_back(Event::Reset { stream, code, remote: false });
                    }
                }
            }
        }
        input.clear();
    }

    pub(super) fn fail(&mut self, code: ErrorCode, text: &str) {
        log::info!("an HTTP/2 connection ends with error {}: {text}", code.0);
        self.go_away(code, text);
        // A header block that a handler has begun will not be finished.
        self.end_raw_block();
        self.is_over = true;
    }

    /// Ends the connection of a client that sends too much of one kind.
    fn end_flood(&mut self, text: &str) {
        self.fail(ErrorCode::ENHANCE_YOUR_CALM, text);
    }

    fn preface(&mut self, input: &mut BytesMut) -> Result<bool, Fault> {
        let length = input.len().min(PREFACE.len());
        if input.get(..length) != PREFACE.get(..length) {
            return Err(Fault::Connection(ErrorCode::PROTOCOL_ERROR, "this is not the beginning of HTTP/2"));
        }
        let is_whole = length == PREFACE.len();
        if is_whole {
            input.advance(length);
            self.greeting = Greeting::Settings;
        }
        Ok(is_whole)
    }

    fn on_frame(&mut self, frame: Frame, now: Instant, events: &mut VecDeque<Event>) -> Result<(), Fault> {
        let broken = |text| Err(Fault::Connection(ErrorCode::PROTOCOL_ERROR, text));
        if self.greeting == Greeting::Settings {
            if !matches!(frame, Frame::Settings(_)) {
                return broken("the first frame is not SETTINGS");
            }
            self.greeting = Greeting::Done;
        }
        if self.block.is_some() && !matches!(frame, Frame::Continuation { .. }) {
            return broken("a header block is interrupted");
        }
        let is_talk = !matches!(frame, Frame::Data { .. } | Frame::Headers { .. } | Frame::Reset { .. });
        if is_talk && !self.limits.talk.take(now) {
            self.end_flood("there are too many frames that are neither requests nor content");
            return Ok(());
        }
        match frame {
            Frame::Data { stream, data, flow, end } => self.on_data(stream, data, flow, end, now, events),
            Frame::Headers { stream, block, priority, end, complete } => {
                let block = BytesMut::from(block);
                self.on_block(OpenBlock { stream, block, frames: 0, priority, end }, complete, events)
            }
            Frame::Continuation { stream, block, complete } => {
                let Some(mut open) = self.block.take().filter(|open| open.stream == stream) else {
                    return broken("a CONTINUATION continues nothing");
                };
                open.frames += 1;
                open.block.extend_from_slice(&block);
                if open.frames > MAX_CONTINUATIONS || open.block.len() > MAX_FIELDS as usize {
                    return Err(Fault::Connection(ErrorCode::ENHANCE_YOUR_CALM, "a header block does not end"));
                }
                self.on_block(open, complete, events)
            }
            Frame::Priority { stream, priority } => {
                not_on_itself(stream, Some(priority))?;
                if self.streams.contains_key(&stream) {
                    self.remember_frame(stream)?;
                    events.push_back(Event::Priority { stream, priority });
                }
                Ok(())
            }
            Frame::Reset { stream, code } => {
                self.is_about_an_opened_stream(stream)?;
                if !self.limits.faults.take(now) {
                    self.end_flood("there are too many resets");
                } else if let Some(open) = self.streams.get_mut(&stream).filter(|open| open.reset.is_none()) {
                    open.reset = Some(ResetBy::Client);
                    events.push_back(Event::Reset { stream, code, remote: true });
                }
                Ok(())
            }
            Frame::Settings(settings) => {
                for (name, value) in settings {
                    self.on_setting(name, value)?;
                }
                frame::put_settings_ack(self.out(0));
                Ok(())
            }
            Frame::SettingsAck => {
                self.is_agreed = true;
                Ok(())
            }
            Frame::Ping(data) => {
                frame::put_ping_ack(self.out(0), data);
                Ok(())
            }
            Frame::GoAway { code } => {
                // A client that sends this is about to leave; the open streams are answered first.
                self.close();
                events.push_back(Event::GoAway { code });
                Ok(())
            }
            Frame::WindowUpdate { stream, increment } => self.on_window_update(stream, increment, events),
            Frame::PingAck | Frame::Unknown => Ok(()),
        }
    }

    /// Counts a frame that the handler of a stream may look at.
    fn remember_frame(&mut self, stream: u32) -> Result<(), Fault> {
        let Some(open) = self.streams.get_mut(&stream).filter(|open| open.frames < REMEMBERED) else { return Ok(()) };
        open.frames += 1;
        self.limits.frames += 1;
        match self.limits.most_frames {
            Some(most) if self.limits.frames > most => {
                let text = "the open requests have more frames than bounds.h2_frames allows";
                Err(Fault::Connection(ErrorCode::ENHANCE_YOUR_CALM, text))
            }
            _ => Ok(()),
        }
    }

    /// A fault if the stream has never been opened: only HEADERS and PRIORITY may name such a stream.
    fn is_about_an_opened_stream(&self, stream: u32) -> Result<(), Fault> {
        let highest = if stream % 2 == 1 { self.highest_inbound } else { self.highest_outbound };
        if stream > highest {
            return Err(Fault::Connection(ErrorCode::PROTOCOL_ERROR, "a frame is about a stream that is not open"));
        }
        Ok(())
    }

    fn on_data(
        &mut self,
        stream: u32,
        data: Bytes,
        flow: u32,
        end: bool,
        now: Instant,
        events: &mut VecDeque<Event>,
    ) -> Result<(), Fault> {
        self.is_about_an_opened_stream(stream)?;
        self.receive_window -= i64::from(flow);
        if self.receive_window < 0 {
            return Err(Fault::Connection(ErrorCode::FLOW_CONTROL_ERROR, "the window of the connection is exceeded"));
        }
        // A stream that waits for its handler must not block other streams, so only the stream's window waits for the handler.
        let missing = i64::from(WINDOW) - self.receive_window;
        if missing >= i64::from(WINDOW / 2) {
            self.receive_window += missing;
            frame::put_window_update(self.out(0), 0, missing as u32);
        }
        if data.is_empty() && !end && !self.limits.faults.take(now) {
            self.end_flood("there are too many empty frames");
            return Ok(());
        }
        if data.len() < PIECE && !end && !self.limits.pieces.take(now) {
            self.end_flood("content comes in too many frames of a few bytes");
            return Ok(());
        }
        let closed = Err(Fault::Stream(stream, ErrorCode::STREAM_CLOSED, "there is data behind the end of a stream"));
        let Some(open) = self.streams.get_mut(&stream) else {
            // Frames that were on their way when the stream was reset are not a fault.
            return if self.end_of(stream) == Some(Some(ResetBy::Us)) { Ok(()) } else { closed };
        };
        match open.reset {
            Some(ResetBy::Us) => return Ok(()),
            None if open.remote_open => {}
            _ => {
                // A reset stream cannot be reset again, so the error ends the connection.
                if open.reset.is_some() {
                    frame::put_reset(self.out(stream), stream, ErrorCode::STREAM_CLOSED);
                    return Ok(());
                }
                return closed;
            }
        }
        open.receive_window -= i64::from(flow);
        if open.receive_window < 0 {
            return Err(Fault::Stream(stream, ErrorCode::FLOW_CONTROL_ERROR, "the window of a stream is exceeded"));
        }
        let length = data.len() as u64;
        open.received += length;
        if self.limits.body_bytes.is_some_and(|most| open.received > most) {
            let text = "a body is longer than bounds.body_bytes allows";
            return Err(Fault::Stream(stream, ErrorCode::ENHANCE_YOUR_CALM, text));
        }
        if let Some(left) = &mut open.body_left {
            match left.checked_sub(length) {
                Some(rest) if !end || rest == 0 => *left = rest,
                _ => {
                    let text = "a body is not as long as its content-length";
                    return Err(Fault::Stream(stream, ErrorCode::PROTOCOL_ERROR, text));
                }
            }
        }
        open.remote_open = !end;
        self.remember_frame(stream)?;
        self.used(stream, flow.saturating_sub(data.len() as u32));
        events.push_back(Event::Data { stream, data, flow, end });
        Ok(())
    }

    fn on_block(&mut self, open: OpenBlock, complete: bool, events: &mut VecDeque<Event>) -> Result<(), Fault> {
        if !complete {
            self.block = Some(open);
            return Ok(());
        }
        let OpenBlock { stream, block, priority, end, .. } = open;
        let fields = self.decoder.decode(&block, MAX_FIELDS as usize).map_err(|bad| match bad {
            BadBlock::Malformed => Fault::Connection(ErrorCode::COMPRESSION_ERROR, "a header block is malformed"),
            BadBlock::TooLarge => {
                Fault::Connection(ErrorCode::ENHANCE_YOUR_CALM, "header fields exceed SETTINGS_MAX_HEADER_LIST_SIZE")
            }
        })?;
        if self.streams.contains_key(&stream) {
            return self.on_trailers(stream, fields, priority, end, events);
        }
        if stream.is_multiple_of(2) {
            return Err(Fault::Connection(ErrorCode::PROTOCOL_ERROR, "a client opens streams of odd numbers"));
        }
        if stream <= self.highest_inbound {
            return match self.end_of(stream) {
                Some(Some(ResetBy::Us)) => Ok(()),
                Some(Some(ResetBy::Client)) => {
                    Err(Fault::Stream(stream, ErrorCode::STREAM_CLOSED, "header fields come after a reset"))
                }
                Some(None) => Err(Fault::Connection(ErrorCode::STREAM_CLOSED, "header fields come after the end")),
                None => {
                    Err(Fault::Connection(ErrorCode::PROTOCOL_ERROR, "a new stream has a lower number than before"))
                }
            };
        }
        self.highest_inbound = stream;
        not_on_itself(stream, priority)?;
        let is_full = self.is_agreed && self.open_streams() >= MAX_STREAMS as usize;
        if is_full || self.going_away || self.streams.len() >= MAX_UNRELEASED {
            return Err(Fault::Stream(stream, ErrorCode::REFUSED_STREAM, "there are too many streams"));
        }
        let malformed = |text| Fault::Stream(stream, ErrorCode::PROTOCOL_ERROR, text);
        if let Some(text) = fault_of_request(&fields) {
            return Err(malformed(text));
        }
        let mut opened = self.new_stream(!end);
        opened.body_left = content_length(&fields).map_err(malformed)?;
        if end && opened.body_left.is_some_and(|left| left > 0) {
            return Err(malformed("the announced body is not there"));
        }
        self.streams.insert(stream, opened);
        self.limits.talk.earn(PER_REQUEST);
        events.push_back(Event::Request { stream, fields: with_joined_cookies(fields), priority, end });
        Ok(())
    }

    fn on_trailers(
        &mut self,
        stream: u32,
        fields: Vec<Field>,
        priority: Option<Priority>,
        end: bool,
        events: &mut VecDeque<Event>,
    ) -> Result<(), Fault> {
        let Some(open) = self.streams.get_mut(&stream) else { return Ok(()) };
        let malformed = |text| Err(Fault::Stream(stream, ErrorCode::PROTOCOL_ERROR, text));
        match open.reset {
            Some(ResetBy::Us) => return Ok(()),
            Some(ResetBy::Client) => {
                frame::put_reset(self.out(stream), stream, ErrorCode::STREAM_CLOSED);
                return Ok(());
            }
            None if open.remote_open => {}
            None if open.local == Local::Ended => {
                return Err(Fault::Connection(ErrorCode::STREAM_CLOSED, "header fields come after the end"));
            }
            None => {
                return Err(Fault::Stream(stream, ErrorCode::STREAM_CLOSED, "header fields come after the end"));
            }
        }
        not_on_itself(stream, priority)?;
        if !end {
            return malformed("trailers do not end their stream");
        }
        if let Some(text) = fault_of_trailers(&fields) {
            return malformed(text);
        }
        if open.body_left.is_some_and(|left| left > 0) {
            return malformed("a body is not as long as its content-length");
        }
        open.remote_open = false;
        events.push_back(Event::Trailers { stream, fields, priority });
        Ok(())
    }

    fn on_setting(&mut self, name: u16, value: u32) -> Result<(), Fault> {
        let wrong = |code| Err(Fault::Connection(code, "a setting cannot have this value"));
        match (name, value) {
            (1, size) => self.encoder.resize(size as usize),
            (2, 0 | 1) => self.peer.push = value == 1,
            (4, size) => {
                if i64::from(size) > MAX_WINDOW {
                    return wrong(ErrorCode::FLOW_CONTROL_ERROR);
                }
                let change = i64::from(size) - i64::from(self.peer.initial_window);
                self.peer.initial_window = size;
                for stream in self.streams.values_mut() {
                    stream.send_window += change;
                    if stream.send_window > MAX_WINDOW {
                        return wrong(ErrorCode::FLOW_CONTROL_ERROR);
                    }
                }
            }
            (5, 16_384..=16_777_215) => self.peer.max_frame = value as usize,
            (2 | 5, _) | (8, 2..) => return wrong(ErrorCode::PROTOCOL_ERROR),
            _ => {}
        }
        Ok(())
    }

    fn on_window_update(&mut self, stream: u32, increment: u32, events: &mut VecDeque<Event>) -> Result<(), Fault> {
        const NONE: &str = "a window is enlarged by nothing";
        const LARGE: &str = "a window becomes too large";
        if stream == 0 {
            self.send_window += i64::from(increment);
            return match self.send_window {
                _ if increment == 0 => Err(Fault::Connection(ErrorCode::PROTOCOL_ERROR, NONE)),
                size if size > MAX_WINDOW => Err(Fault::Connection(ErrorCode::FLOW_CONTROL_ERROR, LARGE)),
                _ => Ok(()),
            };
        }
        self.is_about_an_opened_stream(stream)?;
        if increment == 0 {
            return Err(Fault::Stream(stream, ErrorCode::PROTOCOL_ERROR, NONE));
        }
        let Some(open) = self.streams.get_mut(&stream).filter(|open| open.reset.is_none()) else { return Ok(()) };
        open.send_window += i64::from(increment);
        if open.send_window > MAX_WINDOW {
            return Err(Fault::Stream(stream, ErrorCode::FLOW_CONTROL_ERROR, LARGE));
        }
        if open.remote_open {
            self.remember_frame(stream)?;
            events.push_back(Event::WindowUpdated { stream, increment });
        }
        Ok(())
    }
}

fn not_on_itself(stream: u32, priority: Option<Priority>) -> Result<(), Fault> {
    match priority {
        Some(priority) if priority.depends_on == stream => {
            Err(Fault::Stream(stream, ErrorCode::PROTOCOL_ERROR, "a stream depends on itself"))
        }
        _ => Ok(()),
    }
}

/// The length of the body, if the fields announce it.
fn content_length(fields: &[Field]) -> Result<Option<u64>, &'static str> {
    let mut found = None;
    for (_, value) in fields.iter().filter(|(name, _)| &name[..] == b"content-length") {
        let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        let length = std::str::from_utf8(value).ok().filter(|_| is_number).and_then(|text| text.parse().ok());
        match (found, length) {
            (_, None) => return Err("content-length is not a number"),
            (Some(before), Some(length)) if before != length => return Err("there are two different content-lengths"),
            (_, Some(length)) => found = Some(length),
        }
    }
    Ok(found)
}
