//! Header compression (RFC 7541).

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Field, huffman};

/// The default size of a table, and the largest that is kept here.
const DEFAULT_SIZE: usize = 4096;
/// The cost of an entry in addition to its bytes.
const OVERHEAD: usize = 32;
/// RFC 7541, appendix A.
#[rustfmt::skip]
const STATIC: [(&str, &str); 61] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"),
    (":scheme", "http"), (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"),
    (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"), ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""), ("accept", ""),
    ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""), ("cache-control", ""),
    ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""), ("date", ""), ("etag", ""),
    ("expect", ""), ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""),
    ("if-none-match", ""), ("if-range", ""), ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""),
    ("location", ""), ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""),
    ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""),
    ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""), ("via", ""),
    ("www-authenticate", ""),
];

/// Why a block of header fields cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadBlock {
    /// The block is malformed.
    Malformed,
    /// The fields exceed the negotiated size.
    TooLarge,
}

/// The table that both sides fill in the same way; the newest entry is the first.
#[derive(Debug)]
struct Table {
    entries: VecDeque<Field>,
    size: usize,
    max: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self { entries: VecDeque::new(), size: 0, max: DEFAULT_SIZE }
    }
}

fn cost((name, value): &Field) -> usize {
    name.len() + value.len() + OVERHEAD
}

impl Table {
    fn resize(&mut self, max: usize) {
        self.max = max;
        self.evict(max);
    }

    fn evict(&mut self, max: usize) {
        while self.size > max
            && let Some(entry) = self.entries.pop_back()
        {
            self.size -= cost(&entry);
        }
    }

    fn add(&mut self, field: Field) {
        let cost = cost(&field);
        self.evict(self.max.saturating_sub(cost));
        if cost <= self.max {
            self.size += cost;
            self.entries.push_front(field);
        }
    }

    fn get(&self, index: usize) -> Option<Field> {
        match index.checked_sub(1)? {
            at if at < STATIC.len() => {
                let (name, value) = STATIC.get(at)?;
                Some((Bytes::from_static(name.as_bytes()), Bytes::from_static(value.as_bytes())))
            }
            at => self.entries.get(at - STATIC.len()).cloned(),
        }
    }

    /// The index of the field's name, and whether the entry has the value too. With `only_static` only the static table counts.
    fn find(&self, name: &[u8], value: &[u8], only_static: bool) -> Option<(usize, bool)> {
        let fixed = STATIC.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let seen = self.entries.iter().take(if only_static { 0 } else { usize::MAX });
        let entries = fixed.chain(seen.map(|(name, value)| (&name[..], &value[..])));
        let mut named = None;
        for (index, entry) in (1..).zip(entries) {
            if entry.0 == name {
                if entry.1 == value {
                    return Some((index, true));
                }
                named = named.or(Some((index, false)));
            }
        }
        named
    }
}

/// Reads blocks of header fields, in the order in which they come.
#[derive(Debug, Default)]
pub struct Decoder {
    table: Table,
}

impl Decoder {
    /// The fields of one complete block; `limit` is the most that they may cost together (RFC 9113, section 6.5.2).
    ///
    /// # Errors
    /// The block is malformed or too large. Later blocks cannot be decoded after an error.
    pub fn decode(&mut self, block: &[u8], limit: usize) -> Result<Vec<Field>, BadBlock> {
        let mut fields = Vec::new();
        let mut cost_so_far = 0;
        let mut rest = block;
        while let Some(first) = rest.first().copied() {
            let field = if first & 0x80 != 0 {
                let index = integer(&mut rest, 7)?;
                self.table.get(index).ok_or(BadBlock::Malformed)?
            } else if first & 0xe0 == 0x20 {
                let size = integer(&mut rest, 5)?;
                // A change of size may only be at the beginning of a block, and the negotiated size is its upper limit.
                if !fields.is_empty() || size > DEFAULT_SIZE || rest.is_empty() {
                    return Err(BadBlock::Malformed);
                }
                self.table.resize(size);
                continue;
            } else {
                let is_added = first & 0x40 != 0;
                let index = integer(&mut rest, if is_added { 6 } else { 4 })?;
                let name = match index {
                    0 => string(&mut rest)?,
                    index => self.table.get(index).ok_or(BadBlock::Malformed)?.0,
                };
                let field = (name, string(&mut rest)?);
                if is_added {
                    self.table.add(field.clone());
                }
                field
            };
            cost_so_far += cost(&field);
            if cost_so_far > limit {
                return Err(BadBlock::TooLarge);
            }
            fields.push(field);
        }
        Ok(fields)
    }
}

/// Takes an integer that begins in the last `bits` bits of its first byte.
fn integer(from: &mut &[u8], bits: u32) -> Result<usize, BadBlock> {
    let (first, mut rest) = from.split_first().ok_or(BadBlock::Malformed)?;
    let mask = (1usize << bits) - 1;
    let mut value = usize::from(*first) & mask;
    if value == mask {
        for shift in [0, 7, 14, 21] {
            let (next, after) = rest.split_first().ok_or(BadBlock::Malformed)?;
            rest = after;
            value += usize::from(next & 0x7f) << shift;
            if next & 0x80 == 0 {
                *from = rest;
                return Ok(value);
            }
        }
        return Err(BadBlock::Malformed);
    }
    *from = rest;
    Ok(value)
}

fn string(from: &mut &[u8]) -> Result<Bytes, BadBlock> {
    let is_huffman = from.first().is_some_and(|first| first & 0x80 != 0);
    let length = integer(from, 7)?;
    let (text, rest) = from.split_at_checked(length).ok_or(BadBlock::Malformed)?;
    *from = rest;
    if is_huffman {
        huffman::decode(text).map(Bytes::from).ok_or(BadBlock::Malformed)
    } else {
        Ok(Bytes::copy_from_slice(text))
    }
}

/// Writes blocks of header fields. The client has to get them in the same order.
#[derive(Debug, Default)]
pub struct Encoder {
    table: Table,
    /// The client has changed the size of the table: the smallest since the last block.
    smallest: Option<usize>,
}

impl Encoder {
    /// The client allows the table to be this large.
    pub fn resize(&mut self, max: usize) {
        let max = max.min(DEFAULT_SIZE);
        if max != self.table.max {
            self.smallest = Some(self.smallest.map_or(max, |smallest| smallest.min(max)));
            self.table.resize(max);
        }
    }

    /// One block. Secret values that an observer could guess from the block's size are kept out of the table, as in hyper-h2.
    pub fn encode(&mut self, fields: &[Field]) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(smallest) = self.smallest.take() {
            if smallest != self.table.max {
                put_integer(smallest, 5, 0x20, &mut out);
            }
            put_integer(self.table.max, 5, 0x20, &mut out);
        }
        for (name, value) in fields {
            let is_secret = matches!(&name[..], b"authorization" | b"proxy-authorization")
                || &name[..] == b"cookie" && value.len() < 20;
            let found = self.table.find(name, value, false);
            if let Some((index, true)) = found.filter(|_| !is_secret) {
                put_integer(index, 7, 0x80, &mut out);
                continue;
            }
            let (bits, mark) = if is_secret { (4, 0x10) } else { (6, 0x40) };
            put_integer(found.map_or(0, |(index, _)| index), bits, mark, &mut out);
            if found.is_none() {
                put_string(name, &mut out);
            }
            put_string(value, &mut out);
            if !is_secret {
                self.table.add((name.clone(), value.clone()));
            }
        }
        out
    }

    /// One block, or a part of one, that does not use the dynamic tables, because other blocks may overtake it.
    pub fn encode_alone(fields: &[Field]) -> Vec<u8> {
        let mut out = Vec::new();
        let table = Table::default();
        for (name, value) in fields {
            match table.find(name, value, true) {
                Some((index, true)) => put_integer(index, 7, 0x80, &mut out),
                Some((index, false)) => {
                    put_integer(index, 4, 0, &mut out);
                    put_string(value, &mut out);
                }
                None => {
                    out.push(0);
                    put_string(name, &mut out);
                    put_string(value, &mut out);
                }
            }
        }
        out
    }
}

fn put_integer(value: usize, bits: u32, mark: u8, out: &mut Vec<u8>) {
    let mask = (1usize << bits) - 1;
    if value < mask {
        out.push(mark | value as u8);
        return;
    }
    out.push(mark | mask as u8);
    let mut rest = value - mask;
    while rest >= 128 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn put_string(text: &[u8], out: &mut Vec<u8>) {
    let length = huffman::encoded_len(text);
    if length < text.len() {
        put_integer(length, 7, 0x80, out);
        huffman::encode(text, out);
    } else {
        put_integer(text.len(), 7, 0, out);
        out.extend_from_slice(text);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(name: &str, value: &str) -> Field {
        (Bytes::copy_from_slice(name.as_bytes()), Bytes::copy_from_slice(value.as_bytes()))
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
    }

    #[test]
    fn requests_of_the_rfc_with_huffman() {
        // Appendix C.4.
        let mut decoder = Decoder::default();
        let mut encoder = Encoder::default();
        let mut fields = vec![
            field(":method", "GET"),
            field(":scheme", "http"),
            field(":path", "/"),
            field(":authority", "www.example.com"),
        ];
        let block = hex("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff");
        assert_eq!(decoder.decode(&block, 1000).unwrap(), fields);
        assert_eq!(encoder.encode(&fields), block);
        fields.push(field("cache-control", "no-cache"));
        let block = hex("8286 84be 5886 a8eb 1064 9cbf");
        assert_eq!(decoder.decode(&block, 1000).unwrap(), fields);
        assert_eq!(encoder.encode(&fields), block);
        let fields = vec![
            field(":method", "GET"),
            field(":scheme", "https"),
            field(":path", "/index.html"),
            field(":authority", "www.example.com"),
            field("custom-key", "custom-value"),
        ];
        let block = hex("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf");
        assert_eq!(decoder.decode(&block, 1000).unwrap(), fields);
        assert_eq!(encoder.encode(&fields), block);
        assert_eq!(decoder.table.size, 164);
    }

    #[test]
    fn responses_of_the_rfc_without_huffman_and_with_eviction() {
        // Appendix C.5, a table of 256 bytes.
        let mut decoder = Decoder::default();
        decoder.table.resize(256);
        let first = hex(
            "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120
             474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        );
        decoder.decode(&first, 1000).unwrap();
        assert_eq!(decoder.table.size, 222);
        let second = decoder.decode(&hex("4803 3330 37c1 c0bf"), 1000).unwrap();
        assert_eq!(second[0], field(":status", "307"));
        assert_eq!(second[3], field("location", "https://www.example.com"));
        assert_eq!(decoder.table.size, 222);
    }

    #[test]
    fn malformed_blocks_are_refused() {
        for (block, why) in [
            (&b"\x80"[..], "index 0"),
            (b"\xff\x80\x80\x80\x80\x80\x01", "an endless integer"),
            (b"\xbe", "an index without an entry"),
            (b"\x3f\xe2\x1f\x82", "a table larger than agreed"),
            (b"\x82\x20", "a size behind a field"),
            (b"\x20", "a size and nothing behind it"),
            (b"\x40\x0aabc", "less than announced"),
            (b"\x40\x01a", "no value"),
            (b"\x00\x81\x00\x00", "no Huffman code"),
        ] {
            assert_eq!(Decoder::default().decode(block, 1000), Err(BadBlock::Malformed), "{why}");
        }
        assert_eq!(Decoder::default().decode(&[0x82; 30], 29 * 42), Err(BadBlock::TooLarge));
        assert!(Decoder::default().decode(&[0x82; 30], 30 * 42).is_ok());
    }

    #[test]
    fn secrets_stay_out_of_the_table() {
        let mut encoder = Encoder::default();
        let fields = [field("authorization", "Basic x"), field("cookie", "a=b")];
        assert_eq!(encoder.encode(&fields), encoder.encode(&fields));
        assert_eq!(encoder.table.size, 0);
    }

    #[test]
    fn a_new_size_is_announced_with_the_smallest_in_between() {
        let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
        let fields = [field("x-name", "value")];
        decoder.decode(&encoder.encode(&fields), 1000).unwrap();
        encoder.resize(0);
        encoder.resize(1 << 20);
        let block = encoder.encode(&fields);
        assert_eq!(&block[..4], b"\x20\x3f\xe1\x1f");
        assert_eq!(decoder.decode(&block, 1000).unwrap(), fields);
        assert_eq!(decoder.table.entries.len(), 1);
    }

    fn names() -> impl Strategy<Value = Bytes> {
        prop_oneof![
            "[a-z-]{0,12}".prop_map(Bytes::from),
            prop::sample::select(
                STATIC.iter().map(|(name, _)| Bytes::from_static(name.as_bytes())).collect::<Vec<_>>()
            ),
            prop::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from),
        ]
    }

    fn blocks() -> impl Strategy<Value = Vec<Vec<Field>>> {
        let field = (names(), prop::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from));
        prop::collection::vec(prop::collection::vec(field, 0..20), 0..8)
    }

    proptest! {
        #[test]
        fn both_sides_keep_in_step(blocks in blocks(), sizes: Vec<u16>) {
            let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
            let mut sizes = sizes.into_iter();
            for fields in blocks {
                if fields.is_empty() {
                    continue;
                }
                encoder.resize(sizes.next().unwrap_or(4096).into());
                prop_assert_eq!(decoder.decode(&encoder.encode(&fields), usize::MAX).unwrap(), fields.clone());
                prop_assert_eq!(&decoder.table.entries, &encoder.table.entries);
                prop_assert!(encoder.table.size <= encoder.table.max);
                prop_assert_eq!(decoder.decode(&Encoder::encode_alone(&fields), usize::MAX).unwrap(), fields);
            }
        }

        #[test]
        fn nothing_panics(block: Vec<u8>) {
            let _ = Decoder::default().decode(&block, 10_000);
        }
    }
}
