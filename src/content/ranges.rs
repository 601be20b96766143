//! Byte ranges.
//!
//! Follows wptserve 4.0.3, `ranges.py`: one bad range makes the whole header bad, and neighbouring ranges that overlap or touch are
//! joined; the result is in ascending order. Unlike in RFC 9110, an unknown unit is an error instead of being ignored.

use super::error::ContentError;
use crate::http::text::{latin1, parse_int, repr};

/// The largest answer, in sizes of the file. Overlapping ranges in a crafted order are not joined, so a header of 64 KiB could ask for
/// the whole file thousands of times. wptserve has no limit.
const MAX_REPEATS: u64 = 4;

/// The bytes from `start` up to, but not including, `end`. Never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ByteRange {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl ByteRange {
    pub(crate) fn len(self) -> u64 {
        self.end - self.start
    }

    /// The value of `Content-Range` for this part of a file.
    pub(crate) fn content_range(self, file_size: u64) -> String {
        format!("bytes {}-{}/{file_size}", self.start, self.end - 1)
    }
}

/// Reads a `Range` header for a file of `file_size` bytes. The result has at least one range.
pub(crate) fn parse(header: &[u8], file_size: u64) -> Result<Vec<ByteRange>, ContentError> {
    if !header.is_ascii() {
        // wptserve means to answer 400 here, but loses the exception and fails on a variable that it has not set.
        return Err(ContentError::Server(
            "UnboundLocalError: cannot access local variable 'byte_ranges' where it is not associated with a value \
             (the Range header is not ASCII: send `bytes=` and numbers)"
                .into(),
        ));
    }
    let header = latin1(header);
    // wptserve's exception for an unknown unit gets its message as a keyword argument, so its text lacks the message.
    let list = header.strip_prefix("bytes=").ok_or_else(|| ContentError::Range("416".into()))?;
    let mut ranges = Vec::new();
    for item in list.split(',') {
        let range = parse_one(item, file_size).ok_or_else(|| {
            let message = format!("Bad range specifier {item}");
            ContentError::Range(format!("(416, {})", repr(&message)))
        })?;
        ranges.push(range);
    }
    let ranges = coalesce(ranges);
    let total = ranges.iter().fold(0u64, |total, range| total.saturating_add(range.len()));
    if total > file_size.saturating_mul(MAX_REPEATS) {
        return Err(ContentError::Range(format!(
            "the ranges cover the file more than {MAX_REPEATS} times: send ranges that do not overlap"
        )));
    }
    Ok(ranges)
}

fn parse_one(item: &str, file_size: u64) -> Option<ByteRange> {
    let (first, last) = item.split_once('-')?;
    if last.contains('-') {
        return None;
    }
    // The item is split at dashes, so no number has a sign.
    let number = |text: &str| parse_int(text.as_bytes()).map(|n| u64::try_from(n).unwrap_or(u64::MAX));
    let (start, end) = match (first, last) {
        ("", "") => (0, file_size),
        ("", suffix) => (file_size.saturating_sub(number(suffix)?), file_size),
        (start, "") => (number(start)?, file_size),
        (start, last) => (number(start)?, number(last)?.saturating_add(1).min(file_size)),
    };
    (start < end).then_some(ByteRange { start, end })
}

/// Joins ranges that overlap or touch, from the last range to the first. As in wptserve, each range is compared only with the next
/// one, even if it also covers later ones: `-1,8-23,0-` of 50 bytes is 0-49 and 49-49.
fn coalesce(mut ranges: Vec<ByteRange>) -> Vec<ByteRange> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<ByteRange> = Vec::new();
    for range in ranges.into_iter().rev() {
        match joined.last_mut() {
            Some(next) if range.end >= next.start => {
                *next = ByteRange { start: range.start, end: next.end.max(range.end) };
            }
            _ => joined.push(range),
        }
    }
    joined.reverse();
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranges(header: &str, size: u64) -> Result<Vec<(u64, u64)>, String> {
        let found = parse(header.as_bytes(), size).map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(|range| (range.start, range.end)).collect())
    }

    #[test]
    fn good_ranges() {
        for (header, expected) in [
            ("bytes=0-3", vec![(0, 4)]),
            ("bytes=-", vec![(0, 10)]),
            ("bytes=4-", vec![(4, 10)]),
            ("bytes=-4", vec![(6, 10)]),
            ("bytes=-40", vec![(0, 10)]),
            ("bytes=9-99999999999999999999999999999999999999999999", vec![(9, 10)]),
            ("bytes= +1 - 0_2 ", vec![(1, 3)]),
            ("bytes=0-1,4-5", vec![(0, 2), (4, 6)]),
            ("bytes=4-5,0-1", vec![(0, 2), (4, 6)]),
            ("bytes=0-1,2-3", vec![(0, 4)]),
            ("bytes=0-5,1-2,8-8", vec![(0, 6), (8, 9)]),
            ("bytes=-1,3-5,0-", vec![(0, 10), (9, 10)]),
        ] {
            assert_eq!(ranges(header, 10), Ok(expected), "{header}");
        }
    }

    #[test]
    fn bad_ranges_have_the_odd_messages_of_wptserve() {
        for (header, expected) in [
            ("lines=0-1", "416"),
            ("Bytes=0-1", "416"),
            ("bytes=", "(416, 'Bad range specifier ')"),
            ("bytes=0-1,", "(416, 'Bad range specifier ')"),
            ("bytes=3-1", "(416, 'Bad range specifier 3-1')"),
            ("bytes=10-", "(416, 'Bad range specifier 10-')"),
            ("bytes=-0", "(416, 'Bad range specifier -0')"),
            ("bytes=--1", "(416, 'Bad range specifier --1')"),
            ("bytes=1", "(416, 'Bad range specifier 1')"),
            ("bytes=a-b'", "(416, \"Bad range specifier a-b'\")"),
        ] {
            assert_eq!(ranges(header, 10), Err(expected.into()), "{header}");
        }
        assert!(ranges("bytes=-", 0).is_err());
        assert!(matches!(parse(b"bytes=\xe9", 1), Err(ContentError::Server(_))));
    }

    #[test]
    fn overlapping_ranges_do_not_multiply_the_file() {
        let list: Vec<String> = (0..20).map(|n| format!("{}-{},{}-", n * 4 + 2, n * 4 + 2, n * 4)).collect();
        let message = ranges(&format!("bytes={}", list.join(",")), 100).unwrap_err();
        assert!(message.starts_with("the ranges cover"), "{message}");
    }

    #[test]
    fn content_range_names_the_last_byte() {
        assert_eq!(ByteRange { start: 2, end: 5 }.content_range(9), "bytes 2-4/9");
    }

    proptest! {
        #[test]
        fn ranges_lie_in_the_file(header in "bytes=([0-9]{0,2}-[0-9]{0,2},?){0,4}", size in 0u64..50) {
            if let Ok(found) = parse(header.as_bytes(), size) {
                prop_assert!(!found.is_empty());
                prop_assert!(found.iter().all(|range| range.start < range.end && range.end <= size));
                prop_assert!(found.windows(2).all(|pair| pair[0].start < pair[1].start));
            }
        }
    }
}
