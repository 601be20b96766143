//! The Huffman code of HPACK (RFC 7541, section 5.2 and appendix B).
//!
//! The code is canonical: codes of one length are consecutive numbers in the order of their symbols, and longer ones follow. So the
//! lengths alone define the code.

use std::sync::LazyLock;

/// The length of every symbol's code in bits; the last one is the end of the string.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
    28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12,
    10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6,
    5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22,
    22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20,
    22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28,
    27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28,
    27, 27, 27, 27, 27, 26, 30,
];
const LONGEST: usize = 30;
const END: u16 = 256;

/// The codes of one length.
#[derive(Clone, Copy, Default)]
struct Group {
    /// The first code.
    first: u32,
    /// The number of codes.
    count: u32,
    /// The index of their first symbol in [`Tables::symbols`].
    start: usize,
}

struct Tables {
    codes: Vec<u32>,
    /// By length.
    groups: [Group; LONGEST + 1],
    /// In the order of their codes.
    symbols: Vec<u16>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut symbols: Vec<u16> = (0..=END).collect();
    let length = |symbol: u16| LENGTHS.get(usize::from(symbol)).copied().unwrap_or_default();
    symbols.sort_by_key(|symbol| length(*symbol));
    let mut tables = Tables { codes: vec![0; LENGTHS.len()], groups: Default::default(), symbols: Vec::new() };
    let (mut code, mut previous) = (0u32, 0u8);
    for (at, symbol) in symbols.iter().enumerate() {
        let bits = length(*symbol);
        code <<= bits - previous;
        previous = bits;
        if let Some(group) = tables.groups.get_mut(usize::from(bits)) {
            if group.count == 0 {
                (group.first, group.start) = (code, at);
            }
            group.count += 1;
        }
        if let Some(slot) = tables.codes.get_mut(usize::from(*symbol)) {
            *slot = code;
        }
        code += 1;
    }
    tables.symbols = symbols;
    tables
});

/// The size of the encoded text, in bytes.
pub(super) fn encoded_len(text: &[u8]) -> usize {
    let bits: usize = text.iter().map(|byte| usize::from(LENGTHS.get(usize::from(*byte)).copied().unwrap_or(30))).sum();
    bits.div_ceil(8)
}

/// Appends the encoded text.
pub(super) fn encode(text: &[u8], out: &mut Vec<u8>) {
    let (mut bits, mut held) = (0u64, 0u32);
    for byte in text {
        let symbol = usize::from(*byte);
        let length = u32::from(LENGTHS.get(symbol).copied().unwrap_or_default());
        bits = bits << length | u64::from(TABLES.codes.get(symbol).copied().unwrap_or_default());
        held += length;
        while held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    if held > 0 {
        // The last byte is filled with ones, the beginning of the code for the end.
        let rest = 8 - held;
        out.push((bits << rest) as u8 | ((1u16 << rest) - 1) as u8);
    }
}

/// The decoded text; `None` if the bytes are not a valid encoding.
pub(super) fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(encoded.len() * 8 / 5);
    let (mut code, mut length) = (0u32, 0usize);
    for byte in encoded {
        for shift in (0..8).rev() {
            code = code << 1 | u32::from(byte >> shift & 1);
            length += 1;
            let group = TABLES.groups.get(length)?;
            let at = code.wrapping_sub(group.first);
            if code >= group.first && at < group.count {
                let symbol = *TABLES.symbols.get(group.start + at as usize)?;
                // The end of the string may not appear in it.
                text.push(u8::try_from(symbol).ok()?);
                (code, length) = (0, 0);
            }
        }
    }
    // The filling of the last byte has fewer than eight bits, all ones.
    (length < 8 && code == (1 << length) - 1).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(text, &mut out);
        assert_eq!(out.len(), encoded_len(text));
        out
    }

    #[test]
    fn examples_of_the_rfc() {
        assert_eq!(encoded(b"www.example.com"), b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff");
        assert_eq!(encoded(b"no-cache"), b"\xa8\xeb\x10\x64\x9c\xbf");
        assert_eq!(decode(b"\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf").unwrap(), b"custom-value");
    }

    #[test]
    fn wrong_fillings_are_refused() {
        // A whole byte of filling, filling with zeros, the code of the end.
        for wrong in [&b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff\xff"[..], b"\x00", b"\xff\xff\xff\xff"] {
            assert_eq!(decode(wrong), None, "{wrong:?}");
        }
        assert_eq!(decode(b"").unwrap(), b"");
    }

    proptest! {
        #[test]
        fn what_is_encoded_can_be_decoded(text: Vec<u8>) {
            prop_assert_eq!(decode(&encoded(&text)), Some(text));
        }

        #[test]
        fn nothing_panics(bytes: Vec<u8>) {
            if let Some(text) = decode(&bytes) {
                prop_assert_eq!(encoded(&text), bytes);
            }
        }
    }
}
