//! Content that is sent in parts with pauses between them: the result of the `trickle` pipe.
//!
//! Follows wptserve 4.0.3, `pipes.py`, the generator inside `trickle`: the steps are made one at a time, when the sender asks for
//! the next. These are plain values; the sender does the sleeping.

use std::{ops::Range, time::Duration};

use bytes::{Bytes, BytesMut};

/// The number of instructions in a row that neither send nor wait after which a schedule counts as endless.
const MAX_IDLE: u32 = 1_000_000;
/// The most bytes that a schedule may produce when another pipe needs the whole content at once.
const MAX_DRAINED: usize = 1 << 30;

/// One instruction of a schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instruction {
    /// Send this many of the next bytes. A negative number steps back, as Python's slices make it.
    Bytes(i128),
    /// Wait this many seconds.
    Delay(f64),
    /// At the end of a schedule: repeat this many instructions before this one until all bytes are sent. Elsewhere without effect.
    Repeat(i128),
}

/// The next step of the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrickleStep {
    /// Wait.
    Wait(Duration),
    /// Send these bytes; there is at least one.
    Send(Bytes),
    /// Python refuses to sleep for that long: the answer breaks off here.
    Fail(BadDelay),
    /// No more bytes will ever be sent, but the schedule does not end: wptserve would loop for ever here.
    Stall,
}

/// Why Python's `time.sleep` refuses a number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDelay {
    /// `ValueError`
    #[error("sleep length must be non-negative")]
    Negative,
    /// `ValueError`
    #[error("Invalid value NaN (not a number)")]
    Nan,
    /// `OverflowError`
    #[error("timestamp too large to convert to C _PyTime_t")]
    TooLong,
}

/// Why the content of a trickle cannot be produced at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undrainable {
    /// Python refuses a delay.
    #[error(transparent)]
    Delay(#[from] BadDelay),
    /// The content never ends. wptserve takes memory until none is left.
    #[error(
        "the trickle pipe repeats its content for ever, so no other pipe can be applied: give its last r a d or a number to repeat"
    )]
    Endless,
}

/// Content and the schedule by which it is sent. An iterator of [`TrickleStep`]s that keeps its place.
#[derive(Clone, Debug)]
pub struct Trickle {
    content: Bytes,
    parts: Vec<Instruction>,
    /// The instructions that repeat.
    cycle: Option<Range<usize>>,
    repeating: bool,
    at: usize,
    /// The number of content bytes that have been sent. Negative after a step back over the beginning.
    offset: i128,
    idle: u32,
    done: bool,
}

impl Trickle {
    /// Content that is sent as `parts` say, and its rest at the end.
    pub fn new(content: Bytes, parts: Vec<Instruction>) -> Trickle {
        let cycle = match parts.last() {
            // wptserve slices `delays[-(value + 1):-1]`.
            Some(Instruction::Repeat(count)) => {
                Some(slice_range(parts.len(), Some(-count.saturating_add(1)), Some(-1)))
            }
            _ => None,
        };
        Trickle { content, parts, cycle, repeating: false, at: 0, offset: 0, idle: 0, done: false }
    }

    /// All bytes that the schedule would send and the time that it would take, without waiting.
    ///
    /// # Errors
    /// Python refuses a delay, or the content never ends.
    pub fn drain(&mut self) -> (Duration, Result<Bytes, Undrainable>) {
        let mut waited = Duration::ZERO;
        let mut all = BytesMut::new();
        while let Some(step) = self.next() {
            match step {
                TrickleStep::Wait(time) => waited = waited.saturating_add(time),
                TrickleStep::Send(bytes) if all.len() + bytes.len() <= MAX_DRAINED => all.extend_from_slice(&bytes),
                TrickleStep::Fail(cause) => return (waited, Err(cause.into())),
                TrickleStep::Send(_) | TrickleStep::Stall => return (waited, Err(Undrainable::Endless)),
            }
            if self.is_circular() {
                return (waited, Err(Undrainable::Endless));
            }
        }
        (waited, Ok(all.freeze()))
    }

    /// Whether the repeated part makes no progress towards the end of the content.
    fn is_circular(&self) -> bool {
        let cycle = self.cycle.clone().filter(|_| self.repeating && !self.done);
        let parts = cycle.and_then(|cycle| self.parts.get(cycle));
        parts.is_some_and(|parts| parts.iter().fold(0i128, |sum, part| sum.saturating_add(part.bytes())) <= 0)
    }

    fn sent_all(&self) -> bool {
        self.offset >= self.content.len() as i128
    }

    /// The next instruction; `None` at the end.
    fn next_part(&mut self) -> Option<Instruction> {
        if !self.repeating {
            if let Some(part) = self.parts.get(self.at) {
                self.at += 1;
                return Some(*part);
            }
            self.repeating = true;
            self.at = usize::MAX;
        }
        let cycle = self.cycle.clone()?;
        if self.at >= cycle.end {
            // wptserve checks only here whether all bytes have been sent, so a round is always completed.
            if self.sent_all() {
                return None;
            }
            self.at = cycle.start;
            if cycle.is_empty() {
                self.idle = MAX_IDLE;
            }
        }
        let part = self.parts.get(self.at).copied().unwrap_or(Instruction::Bytes(0));
        self.at += 1;
        Some(part)
    }

    fn take(&mut self, count: i128) -> Bytes {
        let end = self.offset.saturating_add(count);
        let range = slice_range(self.content.len(), Some(self.offset), Some(end));
        self.offset = end;
        self.content.slice(range)
    }
}

impl Instruction {
    fn bytes(&self) -> i128 {
        match self {
            Instruction::Bytes(count) => *count,
            Instruction::Delay(_) | Instruction::Repeat(_) => 0,
        }
    }
}

impl Iterator for Trickle {
    type Item = TrickleStep;

    fn next(&mut self) -> Option<TrickleStep> {
        while !self.done {
            let step = match self.next_part() {
                Some(Instruction::Bytes(count)) => Some(TrickleStep::Send(self.take(count))),
                Some(Instruction::Delay(seconds)) => {
                    Some(pause(seconds).map_or_else(TrickleStep::Fail, TrickleStep::Wait))
                }
                Some(Instruction::Repeat(_)) => None,
                None => {
                    self.done = true;
                    let rest = slice_range(self.content.len(), Some(self.offset), None);
                    (self.cycle.is_none() && !self.sent_all()).then(|| TrickleStep::Send(self.content.slice(rest)))
                }
            };
            match step {
                Some(TrickleStep::Send(bytes)) if bytes.is_empty() => {}
                Some(TrickleStep::Wait(Duration::ZERO)) | None => {}
                Some(TrickleStep::Fail(cause)) => {
                    self.done = true;
                    return Some(TrickleStep::Fail(cause));
                }
                Some(step) => {
                    self.idle = 0;
                    return Some(step);
                }
            }
            self.idle += 1;
            if self.idle > MAX_IDLE && !self.done {
                self.done = true;
                return Some(TrickleStep::Stall);
            }
        }
        None
    }
}

/// The duration of `time.sleep(seconds)`.
fn pause(seconds: f64) -> Result<Duration, BadDelay> {
    /// Python keeps times as nanoseconds in 64 bits.
    const MAX: f64 = 9_223_372_036.0;
    match seconds {
        _ if seconds.is_nan() => Err(BadDelay::Nan),
        _ if seconds >= MAX => Err(BadDelay::TooLong),
        _ if seconds < -MAX => Err(BadDelay::TooLong),
        _ if seconds < 0.0 => Err(BadDelay::Negative),
        _ => Ok(Duration::from_secs_f64(seconds)),
    }
}

/// The part of a sequence of `len` items that Python's `[start:end]` stands for.
pub fn slice_range(len: usize, start: Option<i128>, end: Option<i128>) -> Range<usize> {
    let place = |index: i128| {
        let from_start = if index < 0 { index.saturating_add(len as i128).max(0) } else { index };
        usize::try_from(from_start).unwrap_or(usize::MAX).min(len)
    };
    let start = start.map_or(0, place);
    let end = end.map_or(len, place);
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        Instruction::{Bytes as B, Delay as D, Repeat as R},
        *,
    };

    /// Steps as text: `0.5` for a wait, the bytes themselves for bytes.
    fn steps(parts: &[Instruction], limit: usize) -> Vec<String> {
        let trickle = Trickle::new(Bytes::from_static(b"0123456789"), parts.to_vec());
        let text = |step| match step {
            TrickleStep::Wait(time) => time.as_secs_f64().to_string(),
            TrickleStep::Send(bytes) => crate::http::text::latin1(&bytes),
            TrickleStep::Fail(cause) => cause.to_string(),
            TrickleStep::Stall => "stall".to_owned(),
        };
        trickle.map(text).take(limit).collect()
    }

    /// Recorded from wptserve 4.0.3 with a `time.sleep` that takes notes.
    #[test]
    fn schedules_run_as_in_wptserve() {
        let table: &[(&[Instruction], &[&str])] = &[
            (&[D(1.0)], &["1", "0123456789"]),
            (&[D(0.0)], &["0123456789"]),
            (&[B(3)], &["012", "3456789"]),
            (&[B(3), D(0.5), B(20)], &["012", "0.5", "3456789"]),
            (&[B(3), D(0.5)], &["012", "0.5", "3456789"]),
            (&[B(4), D(0.5), R(2)], &["0123", "0.5", "4567", "0.5", "89", "0.5"]),
            (&[D(0.5), B(5), R(2)], &["0.5", "01234", "0.5", "56789"]),
            (&[B(2), D(0.5), B(4), R(2)], &["01", "0.5", "2345", "0.5", "6789"]),
            (&[B(5), R(0)], &["01234", "stall"]),
            (&[B(10), R(0)], &["0123456789"]),
            (&[D(1.0), R(2)], &["1", "1", "1"]),
            (&[R(2), B(3)], &["012", "3456789"]),
            (&[R(2), B(3), R(2)], &["012", "345", "678", "9"]),
            (&[B(3), R(200)], &["012", "345", "678", "9"]),
            (&[B(2), D(0.5), R(-2)], &["01", "0.5", "0.5", "0.5"]),
            (&[B(-3)], &["0123456", "789"]),
            (&[B(-3), R(2)], &["0123456", "stall"]),
            (&[B(5), D(0.5), B(-5), R(2)], &["01234", "0.5", "0.5"]),
            (&[B(0), D(0.5), R(2)], &["0.5", "0.5", "0.5"]),
            (&[B(1), D(-1.0)], &["0", "sleep length must be non-negative"]),
            (&[D(f64::NAN)], &["Invalid value NaN (not a number)"]),
            (&[D(f64::INFINITY)], &["timestamp too large to convert to C _PyTime_t"]),
            (&[D(1e10)], &["timestamp too large to convert to C _PyTime_t"]),
        ];
        for (parts, expected) in table {
            let limit = if expected.last() == Some(&"0.5") || expected == &["1"; 3] { expected.len() } else { 100 };
            assert_eq!(steps(parts, limit), *expected, "{parts:?}");
        }
    }

    #[test]
    fn all_of_it_can_be_had_at_once() {
        let drain = |parts: &[Instruction]| Trickle::new(Bytes::from_static(b"0123456789"), parts.to_vec()).drain();
        let all = |bytes: &'static [u8]| Ok(Bytes::from_static(bytes));
        assert_eq!(drain(&[D(0.5), B(4), R(2)]), (Duration::from_millis(1500), all(b"0123456789")));
        assert_eq!(drain(&[B(-3), D(1.0)]), (Duration::from_secs(1), all(b"0123456789")));
        assert_eq!(drain(&[D(1.0), B(2), D(-1.0)]).1, Err(Undrainable::Delay(BadDelay::Negative)));
        for endless in [&[D(1.0), R(2)][..], &[B(5), D(0.5), B(-5), R(4)], &[B(1), R(0)]] {
            assert_eq!(drain(endless).1, Err(Undrainable::Endless), "{endless:?}");
        }
    }

    #[test]
    fn slices_are_those_of_python() {
        for (start, end, expected) in [
            (None, None, 0..10),
            (Some(2), None, 2..10),
            (Some(-2), None, 8..10),
            (Some(-20), Some(-8), 0..2),
            (Some(20), Some(30), 10..10),
            (Some(5), Some(2), 5..5),
            (Some(i128::MIN), Some(i128::MAX), 0..10),
        ] {
            assert_eq!(slice_range(10, start, end), expected);
        }
    }

    fn part() -> impl Strategy<Value = Instruction> {
        prop_oneof![
            (-4i128..9).prop_map(B),
            Just(D(0.0)),
            Just(D(0.5)),
            (-4i128..9).prop_map(R),
            any::<i128>().prop_map(B)
        ]
    }

    proptest! {
        #[test]
        fn never_panics(parts in proptest::collection::vec(part(), 0..6), len in 0usize..20) {
            let content = Bytes::from(vec![b'x'; len]);
            for step in Trickle::new(content, parts).take(50) {
                prop_assert!(step != TrickleStep::Send(Bytes::new()));
            }
        }
    }
}
