//! HPACK by itself.

use bytes::Bytes;

use super::Target;
use crate::{
    http::h2::{BadBlock, Decoder, Encoder, Field},
    input::Cursor,
    meter::Bounds,
};

/// The most that the fields of a block may cost, as for a connection.
const LIMIT: usize = 65_536;

/// A block that refers to long entries of the table is short: the fields are bounded by [`LIMIT`], not by the input.
pub const TARGET: Target = Target {
    name: "hpack",
    bounds: Bounds { work: 2_000_000, work_per_byte: 20_000, memory: 1 << 20, memory_per_byte: 1_000 },
    run: hpack,
};

/// Blocks, each behind a byte with its length, for one decoder.
///
/// * Bounded: the fields of a block cost no more than the limit.
/// * decode∘encode: what was decoded is encoded and decoded to the same, with the table and without.
fn hpack(data: &[u8]) {
    let mut cursor = Cursor(data);
    let (mut decoder, mut encoder, mut mirror) = (Decoder::default(), Encoder::default(), Decoder::default());
    while !cursor.is_empty() {
        let fields = match decoder.decode(cursor.text(), LIMIT) {
            Ok(fields) => fields,
            Err(BadBlock::Malformed | BadBlock::TooLarge) => return,
        };
        let cost: usize = fields.iter().map(|(name, value)| name.len() + value.len() + 32).sum();
        assert!(cost <= LIMIT);
        if fields.is_empty() {
            continue;
        }
        encoder.resize(usize::from(cursor.byte()) * 17);
        let written = encoder.encode(&fields);
        assert_eq!(mirror.decode(&written, LIMIT).as_ref(), Ok(&fields));
        assert_eq!(Decoder::default().decode(&Encoder::encode_alone(&fields), LIMIT), Ok(fields));
    }
}
