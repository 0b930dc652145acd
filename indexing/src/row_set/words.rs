//! Bits in words: bit `i` of word `w` is row `w * 64 + i`.

use std::ops::Range;

/// Applies `change(word, bits)` to each word that holds rows of `range`, with their bits.
fn for_each_word(words: &mut [u64], range: Range<u32>, change: impl Fn(&mut u64, u64)) {
    if range.is_empty() {
        return;
    }
    let (first, last) = (range.start as usize / 64, (range.end - 1) as usize / 64);
    let from = u64::MAX << (range.start % 64);
    let to = u64::MAX >> (63 - (range.end - 1) % 64);
    if first == last {
        return change(&mut words[first], from & to);
    }
    change(&mut words[first], from);
    words[first + 1..last].iter_mut().for_each(|word| change(word, u64::MAX));
    change(&mut words[last], to);
}

/// Adds the rows of a range.
pub(super) fn set(words: &mut [u64], range: Range<u32>) {
    for_each_word(words, range, |word, bits| *word |= bits);
}

/// Removes the rows of a range.
pub(super) fn clear(words: &mut [u64], range: Range<u32>) {
    for_each_word(words, range, |word, bits| *word &= !bits);
}

pub(super) fn contains(words: &[u64], row: u32) -> bool {
    words[row as usize / 64] >> (row % 64) & 1 == 1
}

/// The number of rows, and of runs of neighbouring rows.
pub(super) fn count(words: &[u64]) -> (u64, usize) {
    let (mut rows, mut runs, mut carry) = (0, 0, 0);
    for &word in words {
        rows += u64::from(word.count_ones());
        runs += (word & !(word << 1 | carry)).count_ones() as usize;
        carry = word >> 63;
    }
    (rows, runs)
}

/// Runs of neighbouring rows, ascending.
#[derive(Debug, Clone)]
pub(super) struct Runs<'a> {
    words: &'a [u64],
    /// Where the next run is looked for.
    from: Range<u32>,
}

impl<'a> Runs<'a> {
    pub(super) fn new(words: &'a [u64]) -> Self {
        Self::within(words, 0..words.len() as u32 * 64)
    }

    /// Runs of the rows in `range`, which ends within the words.
    pub(super) fn within(words: &'a [u64], range: Range<u32>) -> Self {
        Self { words, from: range }
    }

    /// The first row from `from.start` on whose bit, flipped with `flip`, is set; or the end.
    fn next_bit(&self, flip: u64) -> u32 {
        let Range { start, end } = self.from;
        let mut index = start as usize / 64;
        let Some(&first) = self.words.get(index) else { return end };
        let mut word = (first ^ flip) & (u64::MAX << (start % 64));
        let words_end = (end as usize).div_ceil(64);
        while word == 0 {
            index += 1;
            if index >= words_end {
                return end;
            }
            word = self.words[index] ^ flip;
        }
        (index as u32 * 64 + word.trailing_zeros()).min(end)
    }
}

impl Iterator for Runs<'_> {
    type Item = Range<u32>;

    fn next(&mut self) -> Option<Range<u32>> {
        self.from.start = self.next_bit(0);
        if self.from.is_empty() {
            return None;
        }
        let start = self.from.start;
        self.from.start = self.next_bit(u64::MAX);
        Some(start..self.from.start)
    }
}
