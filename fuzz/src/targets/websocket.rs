//! WebSocket frames. Messages, their fragments and `permessage-deflate` are handled in Python (`pylib-stubs/pywebsocket3`):
//! what is ours here are headers, masks and close codes.

use crate::{
    input::Dice,
    websocket::{
        close,
        frame::{self, BadFrame, FrameStep},
    },
};

/// A frame.
///
/// * Split-independence: every shorter beginning asks for more than it has and at most for 14 bytes, or finds the same.
/// * decode∘encode: a header that is written is read as it was.
/// * Masking twice changes nothing, and masking a part is a part of masking all.
/// * A close code that is taken is one that may be sent.
pub fn frames(data: &[u8]) {
    let (mut dice, text) = Dice::split(data);
    let masked = dice.roll(2) == 0;
    let whole = frame::header(text, masked);
    for length in 0..text.len().min(15) {
        match frame::header(&text[..length], masked) {
            Ok(FrameStep::More(wanted)) => assert!(length < wanted && wanted <= 14),
            early => assert_eq!(early, whole, "{length} bytes say something else"),
        }
    }
    if let Ok(FrameStep::Header(header, size)) = whole {
        assert!(size <= text.len() && header.length <= i64::MAX as u64 && header.mask.is_some() == masked);
        // The shortest form of the same header.
        let mut written = vec![text[0]];
        let bit = if masked { 0x80 } else { 0 };
        match header.length {
            0..126 => written.push(bit | header.length as u8),
            126..=0xffff => {
                written.push(bit | 126);
                written.extend((header.length as u16).to_be_bytes());
            }
            _ => {
                written.push(bit | 127);
                written.extend(header.length.to_be_bytes());
            }
        }
        written.extend(header.mask.into_iter().flatten());
        assert_eq!(frame::header(&written, masked), Ok(FrameStep::Header(header, written.len())));
    }

    let key = [dice.roll(256), dice.roll(256), dice.roll(256), dice.roll(256)].map(|byte| byte as u8);
    let mut payload = text.to_vec();
    frame::mask(&mut payload, key);
    let cut = dice.roll(text.len() + 1) / 4 * 4;
    let (mut first, mut second) = (text[..cut].to_vec(), text[cut..].to_vec());
    frame::mask(&mut first, key);
    frame::mask(&mut second, key);
    assert_eq!(payload, [first, second].concat());
    frame::mask(&mut payload, key);
    assert_eq!(payload, text);

    if let Ok(Some((code, reason))) = close::parse(text) {
        assert!((1000..5000).contains(&code) && reason.len() + 2 == text.len());
    }
}
