//! An input, taken apart: four bytes decide what is up to chance (where input is cut, which sizes are used), the rest is what
//! the target reads. So a seed is four bytes and a file as it is, and libFuzzer changes both.

/// Where an input is cut, and whatever else the target leaves to chance: a small generator, the same for the same four bytes.
#[derive(Clone, Debug)]
pub struct Dice(u32);

impl Dice {
    /// The dice and the rest of an input.
    pub fn split(data: &[u8]) -> (Dice, &[u8]) {
        match data.split_first_chunk() {
            Some((seed, rest)) => (Dice(u32::from_le_bytes(*seed)), rest),
            None => (Dice(0), data),
        }
    }

    /// A number from 0 to `below`, which it is not (xorshift32).
    pub fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        // A seed of nothing but zeros stays there: no cuts.
        self.0 as usize % below.max(1)
    }

    /// Cuts `text` into pieces: a few long ones, or many short ones.
    pub fn pieces<'a>(&mut self, text: &'a [u8]) -> Vec<&'a [u8]> {
        let longest = [text.len(), 1, 3, 17, 300][self.roll(5)].max(1);
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let size = if self.0 == 0 { rest.len() } else { 1 + self.roll(longest) };
            let (piece, behind) = rest.split_at(size.min(rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        pieces
    }
}

/// Takes values off the front of an input; zeros and nothing when it has ended.
#[derive(Debug)]
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    /// At most `count` bytes.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// As many bytes as the next byte says.
    pub fn text(&mut self) -> &'a [u8] {
        let count = self.byte();
        self.take(count.into())
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
