//! The frame layer: headers and masks.
//!
//! A library's codec would refuse frames that handlers have to see (reserved bits, unknown opcodes, lengths in more bytes than
//! needed), so these few lines are our own. The callers decide what happens after a bad frame.

/// The head of a frame, as the client sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The first byte: FIN, three reserved bits, opcode.
    first: u8,
    /// The key, if the payload is masked.
    pub mask: Option<[u8; 4]>,
    /// The length of the payload, in bytes.
    pub length: u64,
}

impl Header {
    /// Whether the message ends with this frame.
    pub fn fin(&self) -> bool {
        self.first & 0x80 != 0
    }

    /// A reserved bit, 1 to 3.
    pub fn rsv(&self, number: u8) -> bool {
        self.first & (0x80 >> number) != 0
    }

    /// The opcode, 0 to 15.
    pub fn opcode(&self) -> u8 {
        self.first & 0x0f
    }
}

/// The result of reading the first bytes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameStep {
    /// The header needs this many bytes, from the first one of the frame.
    More(usize),
    /// The header, and its size in bytes.
    Header(Header, usize),
}

/// Why the bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// A client has to mask, a server must not.
    #[error("the frame's mask is wrong: a client has to mask its frames, a server must not")]
    Mask,
    /// The highest bit of the length is set.
    #[error("the frame's length has its highest bit set")]
    Length,
}

/// Reads a frame's header from the front of `bytes`. A length in more bytes than needed is accepted, as by pywebsocket3.
///
/// # Errors
/// [`BadFrame`], as soon as the bytes that show the fault are there.
pub fn header(bytes: &[u8], masked: bool) -> Result<FrameStep, BadFrame> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(FrameStep::More(2)) };
    if (second & 0x80 != 0) != masked {
        return Err(BadFrame::Mask);
    }
    let (length, rest, size) = match second & 0x7f {
        126 => match rest.split_first_chunk() {
            Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest, 4),
            None => return Ok(FrameStep::More(4)),
        },
        127 => match rest.split_first_chunk() {
            Some((length, rest)) => (u64::from_be_bytes(*length), rest, 10),
            None => return Ok(FrameStep::More(10)),
        },
        length => (u64::from(length), rest, 2),
    };
    if length > i64::MAX as u64 {
        return Err(BadFrame::Length);
    }
    if !masked {
        return Ok(FrameStep::Header(Header { first, mask: None, length }, size));
    }
    match rest.first_chunk() {
        Some(key) => Ok(FrameStep::Header(Header { first, mask: Some(*key), length }, size + 4)),
        None => Ok(FrameStep::More(size + 4)),
    }
}

/// Masks a payload. Masking it again with the same key gives the payload back.
pub fn mask(payload: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.into_iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headers_come_in_three_lengths() {
        let key = [1, 2, 3, 4];
        let read = |bytes: &[u8]| match header(bytes, true) {
            Ok(FrameStep::Header(header, size)) => (header.opcode(), header.fin(), header.length, size),
            other => panic!("{other:?}"),
        };
        assert_eq!(read(b"\x81\x85\x01\x02\x03\x04hello"), (1, true, 5, 6));
        assert_eq!(read(b"\x02\xfe\x01\x00\x01\x02\x03\x04"), (2, false, 256, 8));
        assert_eq!(read(b"\x89\xff\0\0\0\0\0\x01\0\0\x01\x02\x03\x04"), (9, true, 65536, 14));
        // More bytes than needed for the length: accepted.
        assert_eq!(read(b"\x80\xfe\x00\x05\x01\x02\x03\x04"), (0, true, 5, 8));
        let Ok(FrameStep::Header(reserved, _)) = header(b"\xd3\x80\x01\x02\x03\x04", true) else { panic!() };
        assert!(reserved.rsv(1) && !reserved.rsv(2) && reserved.rsv(3) && reserved.fin());
        assert_eq!((reserved.mask, reserved.opcode()), (Some(key), 3));
        assert_eq!(header(b"\x81\x05", false).map(|step| matches!(step, FrameStep::Header(_, 2))), Ok(true));
    }

    #[test]
    fn a_bad_frame_is_known_as_early_as_can_be() {
        assert_eq!(header(b"\x81", true), Ok(FrameStep::More(2)));
        assert_eq!(header(b"\x81\x05", true), Err(BadFrame::Mask));
        assert_eq!(header(b"\x81\x85", false), Err(BadFrame::Mask));
        assert_eq!(header(b"\x81\x85", true), Ok(FrameStep::More(6)));
        assert_eq!(header(b"\x81\xfe\0", true), Ok(FrameStep::More(4)));
        assert_eq!(header(b"\x81\xff\x80\0\0\0\0\0\0", true), Ok(FrameStep::More(10)));
        assert_eq!(header(b"\x81\xff\x80\0\0\0\0\0\0\0", true), Err(BadFrame::Length));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, masked: bool) {
            if let Ok(FrameStep::Header(_, size)) = header(&bytes, masked) {
                prop_assert!(size <= bytes.len());
            }
        }

        #[test]
        fn masking_is_byte_by_byte(payload: Vec<u8>, key: [u8; 4]) {
            let mut masked = payload.clone();
            mask(&mut masked, key);
            let expected: Vec<u8> = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
            prop_assert_eq!(masked, expected);
        }
    }
}
