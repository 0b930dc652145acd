//! Strings in the making: each from the one before it.

use std::ops::Range;

/// Most strings are no longer.
const FIRST_BYTES: usize = 32;

/// The first bytes of a string, and arbitrary ones after its end. They stay in registers: a string made in memory would
/// have to wait until the one before it has arrived there.
#[derive(Clone, Copy, Default)]
struct First([u8; FIRST_BYTES]);

/// From `FIRST_BYTES - n` on: `n` bytes of ones, then zeros.
const MASKS: [u8; 2 * FIRST_BYTES] = {
    let mut masks = [0; 2 * FIRST_BYTES];
    let mut index = 0;
    while index < FIRST_BYTES {
        masks[index] = 0xff;
        index += 1;
    }
    masks
};

impl First {
    fn of(value: &[u8]) -> Self {
        let mut first = [0; FIRST_BYTES];
        let len = value.len().min(FIRST_BYTES);
        first[..len].copy_from_slice(&value[..len]);
        Self(first)
    }

    /// The first `shared` bytes, and after them a suffix from the text. `None` for long strings, and where the text is
    /// too short to read some bytes more.
    #[inline]
    fn followed_by(&self, shared: usize, text: &[u8], suffix: &Range<usize>) -> Option<Self> {
        if shared + suffix.len() > FIRST_BYTES {
            return None;
        }
        // The bytes around the suffix, such that it lies where it belongs.
        let around = text.get(suffix.start.checked_sub(shared)?..)?.first_chunk::<FIRST_BYTES>()?;
        let mask = MASKS[FIRST_BYTES - shared..].first_chunk::<FIRST_BYTES>()?;
        let mut first = [0; FIRST_BYTES];
        for at in 0..FIRST_BYTES {
            first[at] = self.0[at] & mask[at] | around[at] & !mask[at];
        }
        Some(Self(first))
    }
}

/// A string.
#[derive(Default)]
pub(super) struct Value {
    first: First,
    /// The whole string, if it is longer than `first`.
    long: Vec<u8>,
    len: usize,
}

impl Value {
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        self.first.0.get(..self.len).unwrap_or(&self.long)
    }

    /// Keeps the first `shared` bytes, at most all of them, and puts a suffix from the text after them.
    #[inline]
    pub(super) fn follow(&mut self, shared: usize, text: &[u8], suffix: Range<usize>) {
        let shared = shared.min(self.len);
        match self.first.followed_by(shared, text, &suffix) {
            Some(first) => {
                self.first = first;
                self.len = shared + suffix.len();
            }
            None => self.follow_slowly(shared, &text[suffix]),
        }
    }

    #[cold]
    fn follow_slowly(&mut self, shared: usize, suffix: &[u8]) {
        if self.len <= FIRST_BYTES {
            self.long.clear();
            self.long.extend_from_slice(&self.first.0[..self.len]);
        }
        self.long.truncate(shared);
        self.long.extend_from_slice(suffix);
        self.first = First::of(&self.long);
        self.len = self.long.len();
    }
}

/// Strings one after the other.
pub(super) struct Values<'a> {
    bytes: &'a mut Vec<u8>,
    /// Where the last string ends, in `bytes`, which has room for `FIRST_BYTES` more.
    end: usize,
    ends: &'a mut Vec<u32>,
    /// The last string's.
    first: First,
    len: usize,
}

impl<'a> Values<'a> {
    /// Appends to both.
    pub(super) fn new(bytes: &'a mut Vec<u8>, ends: &'a mut Vec<u32>) -> Self {
        Self { end: bytes.len(), bytes, ends, first: First::default(), len: 0 }
    }

    pub(super) fn push(&mut self, value: &[u8]) {
        let place = self.reserve(value.len());
        self.bytes[place..place + value.len()].copy_from_slice(value);
        self.first = First::of(value);
        self.finish_one(value.len());
    }

    /// Appends the first `shared` bytes of the last string, at most all of them, and a suffix from the text.
    #[inline]
    pub(super) fn follow(&mut self, shared: usize, text: &[u8], suffix: Range<usize>) {
        let shared = shared.min(self.len);
        let len = shared + suffix.len();
        let place = self.reserve(len);
        match self.first.followed_by(shared, text, &suffix) {
            Some(first) => {
                self.first = first;
                self.bytes[place..place + FIRST_BYTES].copy_from_slice(&first.0);
            }
            None => self.first = follow_slowly(self.bytes, place - self.len..place, shared, &text[suffix]),
        }
        self.finish_one(len);
    }

    /// Makes room for a string, and returns where it starts.
    #[inline]
    fn reserve(&mut self, len: usize) -> usize {
        let needed = self.end + len + FIRST_BYTES;
        if self.bytes.len() < needed {
            grow(self.bytes, needed);
        }
        self.end
    }

    #[inline]
    fn finish_one(&mut self, len: usize) {
        self.len = len;
        self.end += len;
        self.ends.push(self.end as u32);
    }

    pub(super) fn finish(self) {
        self.bytes.truncate(self.end);
    }
}

/// Appends the first `shared` bytes of the last string and a suffix.
#[cold]
fn follow_slowly(bytes: &mut [u8], last: Range<usize>, shared: usize, suffix: &[u8]) -> First {
    let (place, len) = (last.end, shared + suffix.len());
    bytes.copy_within(last.start..last.start + shared, place);
    bytes[place + shared..place + len].copy_from_slice(suffix);
    First::of(&bytes[place..place + len])
}

#[cold]
fn grow(bytes: &mut Vec<u8>, needed: usize) {
    bytes.resize(needed.next_multiple_of(4_096), 0);
}
