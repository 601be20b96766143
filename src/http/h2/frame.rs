//! Frames: the units of the wire (RFC 9113, sections 4 and 6).

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use super::error::{ErrorCode, Fault};

/// The bytes in front of every frame's payload.
pub(super) const HEAD: usize = 9;
/// The longest payload that a client may send: the default of the protocol.
pub(super) const MAX_PAYLOAD: usize = 16_384;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

const ACK: u8 = 0x1;
pub(super) const END_STREAM: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const WITH_PRIORITY: u8 = 0x20;

/// The priority of a stream. The server does not use it, but handlers can see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priority {
    /// The stream that this one depends on.
    pub depends_on: u32,
    /// 1 to 256.
    pub weight: u16,
    /// Whether the stream shall be the only one that depends on the other.
    pub exclusive: bool,
}

/// A frame of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// `flow` is the number of bytes that the frame takes from the windows: the data with its padding.
    Data {
        stream: u32,
        data: Bytes,
        flow: u32,
        end: bool,
    },
    Headers {
        stream: u32,
        block: Bytes,
        priority: Option<Priority>,
        end: bool,
        complete: bool,
    },
    Priority {
        stream: u32,
        priority: Priority,
    },
    Reset {
        stream: u32,
        code: ErrorCode,
    },
    Settings(Vec<(u16, u32)>),
    SettingsAck,
    Ping([u8; 8]),
    PingAck,
    GoAway {
        code: ErrorCode,
    },
    WindowUpdate {
        stream: u32,
        increment: u32,
    },
    Continuation {
        stream: u32,
        block: Bytes,
        complete: bool,
    },
    /// A frame of an unknown kind, to be ignored.
    Unknown,
}

/// Takes the next frame out of the input; `None` when it is not complete yet.
pub(super) fn next(input: &mut BytesMut) -> Result<Option<Frame>, Fault> {
    let Some(mut head) = input.get(..HEAD) else { return Ok(None) };
    let start = head.get_u32();
    let (length, kind) = (start as usize >> 8, start as u8);
    let flags = head.get_u8();
    let stream = head.get_u32() & 0x7fff_ffff;
    if length > MAX_PAYLOAD {
        return Err(Fault::Connection(ErrorCode::FRAME_SIZE_ERROR, "a frame is longer than SETTINGS_MAX_FRAME_SIZE"));
    }
    if input.len() < HEAD + length {
        return Ok(None);
    }
    input.advance(HEAD);
    parse(kind, flags, stream, input.split_to(length).freeze()).map(Some)
}

fn parse(kind: u8, flags: u8, stream: u32, mut payload: Bytes) -> Result<Frame, Fault> {
    let is = |flag: u8| flags & flag != 0;
    let belongs_to_stream = matches!(kind, DATA | HEADERS | PRIORITY | RST_STREAM | PUSH_PROMISE | CONTINUATION);
    let belongs_to_connection = matches!(kind, SETTINGS | PING | GOAWAY);
    if stream == 0 && belongs_to_stream || stream != 0 && belongs_to_connection {
        return Err(Fault::Connection(
            ErrorCode::PROTOCOL_ERROR,
            "a frame of this kind cannot have this stream number",
        ));
    }
    let bad_size = Fault::Connection(ErrorCode::FRAME_SIZE_ERROR, "a frame of this kind cannot have this length");
    let sized = |length: usize| if payload.len() == length { Ok(()) } else { Err(bad_size) };
    Ok(match kind {
        DATA => {
            let flow = payload.len() as u32;
            Frame::Data { stream, data: without_padding(payload, is(PADDED))?, flow, end: is(END_STREAM) }
        }
        HEADERS => {
            let mut block = without_padding(payload, is(PADDED))?;
            let priority = if is(WITH_PRIORITY) { Some(take_priority(&mut block).ok_or(bad_size)?) } else { None };
            Frame::Headers { stream, block, priority, end: is(END_STREAM), complete: is(END_HEADERS) }
        }
        PRIORITY => {
            if payload.len() != 5 {
                return Err(Fault::Stream(stream, ErrorCode::FRAME_SIZE_ERROR, "a PRIORITY frame has 5 bytes"));
            }
            Frame::Priority { stream, priority: take_priority(&mut payload).ok_or(bad_size)? }
        }
        RST_STREAM => {
            sized(4)?;
            Frame::Reset { stream, code: ErrorCode(payload.get_u32()) }
        }
        SETTINGS if is(ACK) => {
            sized(0)?;
            Frame::SettingsAck
        }
        SETTINGS => {
            if !payload.len().is_multiple_of(6) {
                return Err(bad_size);
            }
            let mut settings = Vec::with_capacity(payload.len() / 6);
            while payload.has_remaining() {
                settings.push((payload.get_u16(), payload.get_u32()));
            }
            Frame::Settings(settings)
        }
        PUSH_PROMISE => {
            return Err(Fault::Connection(ErrorCode::PROTOCOL_ERROR, "a client cannot push"));
        }
        PING => {
            sized(8)?;
            if is(ACK) { Frame::PingAck } else { Frame::Ping(payload.get_u64().to_be_bytes()) }
        }
        GOAWAY => {
            if payload.len() < 8 {
                return Err(bad_size);
            }
            payload.advance(4);
            Frame::GoAway { code: ErrorCode(payload.get_u32()) }
        }
        WINDOW_UPDATE => {
            sized(4)?;
            Frame::WindowUpdate { stream, increment: payload.get_u32() & 0x7fff_ffff }
        }
        CONTINUATION => Frame::Continuation { stream, block: payload, complete: is(END_HEADERS) },
        _ => Frame::Unknown,
    })
}

fn without_padding(mut payload: Bytes, is_padded: bool) -> Result<Bytes, Fault> {
    if is_padded {
        let too_much = Fault::Connection(ErrorCode::PROTOCOL_ERROR, "a frame has more padding than room");
        let padding = usize::from(payload.try_get_u8().map_err(|_| too_much)?);
        payload.truncate(payload.len().checked_sub(padding).ok_or(too_much)?);
    }
    Ok(payload)
}

fn take_priority(payload: &mut Bytes) -> Option<Priority> {
    let dependency = payload.try_get_u32().ok()?;
    let weight = u16::from(payload.try_get_u8().ok()?) + 1;
    Some(Priority { depends_on: dependency & 0x7fff_ffff, weight, exclusive: dependency >> 31 != 0 })
}

/// Appends a frame. `payload` must not be longer than the client allows.
pub(super) fn put(out: &mut BytesMut, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    out.reserve(HEAD + payload.len());
    out.put_uint(payload.len() as u64, 3);
    out.put_u8(kind);
    out.put_u8(flags);
    out.put_u32(stream);
    out.put_slice(payload);
}

pub(super) fn put_settings(out: &mut BytesMut, settings: &[(u16, u32)]) {
    let mut payload = BytesMut::new();
    for (name, value) in settings {
        payload.put_u16(*name);
        payload.put_u32(*value);
    }
    put(out, SETTINGS, 0, 0, &payload);
}

pub(super) fn put_settings_ack(out: &mut BytesMut) {
    put(out, SETTINGS, ACK, 0, b"");
}

pub(super) fn put_ping_ack(out: &mut BytesMut, data: [u8; 8]) {
    put(out, PING, ACK, 0, &data);
}

pub(super) fn put_reset(out: &mut BytesMut, stream: u32, code: ErrorCode) {
    put(out, RST_STREAM, 0, stream, &code.0.to_be_bytes());
}

pub(super) fn put_window_update(out: &mut BytesMut, stream: u32, increment: u32) {
    put(out, WINDOW_UPDATE, 0, stream, &increment.to_be_bytes());
}

pub(super) fn put_go_away(out: &mut BytesMut, last_stream: u32, code: ErrorCode, text: &str) {
    let mut payload = BytesMut::new();
    payload.put_u32(last_stream);
    payload.put_u32(code.0);
    payload.put_slice(text.as_bytes());
    put(out, GOAWAY, 0, 0, &payload);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Result<Frame, Fault> {
        let mut wire = BytesMut::new();
        put(&mut wire, kind, flags, stream, payload);
        let frame = next(&mut wire).transpose().expect("a whole frame");
        assert!(wire.is_empty());
        frame
    }

    fn code(result: Result<Frame, Fault>) -> ErrorCode {
        match result.unwrap_err() {
            Fault::Connection(code, _) | Fault::Stream(_, code, _) => code,
        }
    }

    #[test]
    fn padding_and_priority_are_taken_off() {
        let frame = read(DATA, PADDED | END_STREAM, 1, b"\x02abc\0\0").unwrap();
        assert_eq!(frame, Frame::Data { stream: 1, data: Bytes::from_static(b"abc"), flow: 6, end: true });
        let frame = read(HEADERS, PADDED | WITH_PRIORITY, 3, b"\x01\x80\0\0\x01\x0fblock\0").unwrap();
        let priority = Some(Priority { depends_on: 1, weight: 16, exclusive: true });
        let block = Bytes::from_static(b"block");
        assert_eq!(frame, Frame::Headers { stream: 3, block, priority, end: false, complete: false });
        assert_eq!(read(DATA, PADDED, 1, b"\x02\0\0").unwrap().data(), b"");
        assert_eq!(code(read(DATA, PADDED, 1, b"\x03\0\0")), ErrorCode::PROTOCOL_ERROR);
        assert_eq!(code(read(DATA, PADDED, 1, b"")), ErrorCode::PROTOCOL_ERROR);
        assert_eq!(code(read(HEADERS, WITH_PRIORITY, 1, b"abc")), ErrorCode::FRAME_SIZE_ERROR);
    }

    #[test]
    fn wrong_lengths_and_streams() {
        for (kind, stream, length) in [
            (RST_STREAM, 1, 3),
            (SETTINGS, 0, 5),
            (PING, 0, 7),
            (GOAWAY, 0, 7),
            (WINDOW_UPDATE, 1, 5),
            (PRIORITY, 1, 4),
        ] {
            assert_eq!(code(read(kind, 0, stream, &vec![0; length])), ErrorCode::FRAME_SIZE_ERROR, "{kind}");
        }
        assert_eq!(code(read(SETTINGS, ACK, 0, &[0; 6])), ErrorCode::FRAME_SIZE_ERROR);
        for (kind, stream) in
            [(DATA, 0), (HEADERS, 0), (PRIORITY, 0), (RST_STREAM, 0), (CONTINUATION, 0), (SETTINGS, 1)]
        {
            assert_eq!(code(read(kind, 0, stream, b"")), ErrorCode::PROTOCOL_ERROR, "{kind}");
        }
        let mut long = BytesMut::new();
        put(&mut long, DATA, 0, 1, &[0; MAX_PAYLOAD + 1]);
        assert_eq!(code(next(&mut long).transpose().unwrap()), ErrorCode::FRAME_SIZE_ERROR);
    }

    #[test]
    fn unknown_kinds_and_reserved_bits_are_ignored() {
        assert_eq!(read(99, 0xff, 1, b"abc").unwrap(), Frame::Unknown);
        assert_eq!(
            read(RST_STREAM, 0xff, 1 << 31 | 5, &[0; 4]).unwrap(),
            Frame::Reset { stream: 5, code: ErrorCode(0) }
        );
    }

    impl Frame {
        fn data(&self) -> &[u8] {
            let Frame::Data { data, .. } = self else { panic!("{self:?}") };
            data
        }
    }

    proptest! {
        #[test]
        fn pieces_make_the_same_frames(frames in prop::collection::vec(
            (any::<u8>(), any::<u8>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..40)), 0..8), cut: u16)
        {
            let mut wire = BytesMut::new();
            for (kind, flags, stream, payload) in &frames {
                put(&mut wire, *kind, *flags, *stream, payload);
            }
            let mut whole = wire.clone();
            let at = usize::from(cut) % (wire.len() + 1);
            let rest = wire.split_off(at);
            let mut seen = Vec::new();
            while let Some(frame) = next(&mut wire).transpose() {
                seen.push(frame);
            }
            wire.extend_from_slice(&rest);
            while let Some(frame) = next(&mut wire).transpose() {
                seen.push(frame);
            }
            for frame in seen {
                prop_assert_eq!(next(&mut whole).transpose().unwrap(), frame);
            }
            prop_assert!(whole.is_empty());
        }
    }
}
