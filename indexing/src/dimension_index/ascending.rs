//! A list of numbers that never decrease, in about 2 + log2(greatest / count) bits each, with random access: the encoding
//! of Elias and Fano (Vigna, "Quasi-succinct indices", WSDM 2013).
//!
//! ```text
//! ascending = count u32, greatest u32, low bits of each number, high bits, samples
//! low bits  : floor(log2((greatest + 1) / count)) bits of each number, at least 0, packed
//! high bits : for each number, what its low bits leave of it less the same of the one before, as so many zeros, and a
//!             one; in whole u64
//! samples   : u32 for each 64th number: the place of its one
//! ```
//!
//! Bytes that no encoder wrote give arbitrary numbers, none above `greatest`.

use std::ops::Range;

use bytes::Bytes;

use crate::packed::bits;
use crate::{ByteReader, ByteWriter, FormatError};

/// Numbers between two samples.
const SAMPLE: usize = 64;

/// Numbers that never decrease, kept in their bytes.
#[derive(Debug, Clone)]
pub(super) struct Ascending {
    count: usize,
    greatest: u32,
    low_width: u32,
    low: Bytes,
    high: Bytes,
    samples: Bytes,
}

impl Ascending {
    /// Appends the numbers, which must not decrease.
    pub(super) fn write(numbers: &[u32], out: &mut ByteWriter) {
        let greatest = numbers.last().copied().unwrap_or(0);
        let low_width = low_width(numbers.len(), greatest);
        let (mut low, mut samples) = (Vec::new(), Vec::new());
        bits::pack(numbers.iter().map(|&number| u64::from(number) & ones(low_width)), low_width, &mut low);
        let mut high = vec![0_u64; high_words(numbers.len(), greatest)];
        for (index, number) in numbers.iter().enumerate() {
            let place = (u64::from(*number) >> low_width) as usize + index;
            high[place / 64] |= 1 << (place % 64);
            if index.is_multiple_of(SAMPLE) {
                samples.push(place as u32);
            }
        }
        out.u32(numbers.len() as u32);
        out.u32(greatest);
        out.slice(&low);
        high.into_iter().for_each(|word| out.u64(word));
        samples.into_iter().for_each(|place| out.u32(place));
    }

    /// Bytes that [`write`](Self::write) appends for so many numbers.
    pub(super) fn byte_len(count: usize, greatest: u32) -> usize {
        let low = bits::byte_len(count, low_width(count, greatest));
        8 + low + high_words(count, greatest) * 8 + count.div_ceil(SAMPLE) * 4
    }

    pub(super) fn read(reader: &mut ByteReader) -> Result<Self, FormatError> {
        let (count, greatest) = (reader.u32()? as usize, reader.u32()?);
        let low_width = low_width(count, greatest);
        let low = reader.slice(bits::byte_len(count, low_width))?;
        let high = reader.slice(high_words(count, greatest) * 8)?;
        let samples = reader.slice(count.div_ceil(SAMPLE) * 4)?;
        let list = Self { count, greatest, low_width, low, high, samples };
        // So numbers hardly ever decrease, and what lies between them is read once, whatever the bytes are.
        if list.are_samples_right() { Ok(list) } else { Err(reader.error("samples are not where the numbers are")) }
    }

    fn are_samples_right(&self) -> bool {
        let mut samples = self.samples.as_chunks().0.iter().map(|place: &[u8; 4]| u32::from_le_bytes(*place) as usize);
        let (mut sample, mut sampled, mut ones_before) = (samples.next(), 0, 0);
        for (index, word) in self.high.as_chunks().0.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            let ones = word.count_ones() as usize;
            if sample.is_some() && sampled < ones_before + ones {
                if sample != Some(index * 64 + select(word, (sampled - ones_before) as u32) as usize) {
                    return false;
                }
                (sample, sampled) = (samples.next(), sampled + SAMPLE);
            }
            ones_before += ones;
        }
        sample.is_none()
    }

    /// The number of numbers.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The last number, and any past the end.
    pub(super) fn greatest(&self) -> u32 {
        self.greatest
    }

    /// The number at `index`; the greatest past the end.
    pub(super) fn get(&self, index: usize) -> u32 {
        match self.place(index) {
            Some(place) => self.number(index, place),
            None => self.greatest,
        }
    }

    /// The number at `index` and the one after it.
    pub(super) fn pair(&self, index: usize) -> (u32, u32) {
        let Some(place) = self.place(index) else { return (self.greatest, self.greatest) };
        let next = if index + 1 < self.count { self.next_one(place + 1) } else { None };
        let next = next.map_or(self.greatest, |place| self.number(index + 1, place));
        (self.number(index, place), next)
    }

    /// From the number at one index to that at another: where numbers are starts of what lies between them.
    pub(super) fn span(&self, indexes: Range<u32>) -> Range<u32> {
        let (start, end) = (indexes.start as usize, indexes.end as usize);
        if end == start + 1 {
            let (start, end) = self.pair(start);
            return start..end;
        }
        self.get(start)..self.get(end)
    }

    fn number(&self, index: usize, place: usize) -> u32 {
        let high = place.saturating_sub(index) as u64;
        let number = high << self.low_width | bits::get(&self.low, self.low_width, index);
        number.min(self.greatest.into()) as u32
    }

    /// Where the one of a number is.
    fn place(&self, index: usize) -> Option<usize> {
        if index >= self.count {
            return None;
        }
        let sample = self.samples.get(index / SAMPLE * 4..)?.first_chunk()?;
        let start = u32::from_le_bytes(*sample) as usize;
        let mut ones_before = (index % SAMPLE) as u32;
        let (mut word_index, mut word) = (start / 64, self.word(start / 64)? & u64::MAX << (start % 64));
        while word.count_ones() <= ones_before {
            ones_before -= word.count_ones();
            word_index += 1;
            word = self.word(word_index)?;
        }
        Some(word_index * 64 + select(word, ones_before) as usize)
    }

    /// The first one from `place` on.
    fn next_one(&self, place: usize) -> Option<usize> {
        let (mut word_index, mut word) = (place / 64, self.word(place / 64)? & u64::MAX << (place % 64));
        while word == 0 {
            word_index += 1;
            word = self.word(word_index)?;
        }
        Some(word_index * 64 + word.trailing_zeros() as usize)
    }

    fn word(&self, index: usize) -> Option<u64> {
        Some(u64::from_le_bytes(*self.high.get(index * 8..)?.first_chunk()?))
    }
}

fn ones(width: u32) -> u64 {
    (1 << width) - 1
}

fn low_width(count: usize, greatest: u32) -> u32 {
    ((u64::from(greatest) + 1) / count.max(1) as u64).checked_ilog2().unwrap_or(0)
}

fn high_words(count: usize, greatest: u32) -> usize {
    if count == 0 { 0 } else { (count + (u64::from(greatest) >> low_width(count, greatest)) as usize).div_ceil(64) }
}

/// The place of the one that has `ones_before` ones below it. The word has more ones than that.
fn select(word: u64, mut ones_before: u32) -> u32 {
    let mut place = 0;
    for width in [32, 16, 8, 4, 2, 1] {
        let below = (word >> place & ones(width)).count_ones();
        if ones_before >= below {
            ones_before -= below;
            place += width;
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(numbers: &[u32]) -> Vec<u8> {
        let mut out = ByteWriter::default();
        Ascending::write(numbers, &mut out);
        out.finish()
    }

    fn read(bytes: Vec<u8>) -> Result<Ascending, FormatError> {
        Ascending::read(&mut ByteReader::new("test", bytes.into()))
    }

    /// Puts samples where they have to be for the high bits, and nothing after them.
    fn repair_samples(count: usize, greatest: u32, bytes: &mut Vec<u8>) {
        let high_end = 8 + bits::byte_len(count, low_width(count, greatest)) + high_words(count, greatest) * 8;
        let high_start = high_end - high_words(count, greatest) * 8;
        bytes.truncate(high_end + count.div_ceil(SAMPLE) * 4);
        let places = (0..(high_end - high_start) * 8).filter(|bit| bytes[high_start + bit / 8] >> (bit % 8) & 1 == 1);
        let sampled: Vec<u32> = places.step_by(SAMPLE).map(|place| place as u32).collect();
        for (sample, place) in bytes[high_end..].as_chunks_mut::<4>().0.iter_mut().zip(sampled) {
            *sample = place.to_le_bytes();
        }
    }

    #[test]
    fn samples_that_are_not_where_the_numbers_are_are_refused() {
        let numbers: Vec<u32> = (0..200).map(|number| number * 5).collect();
        let mut bytes = encoded(&numbers);
        let last_sample = bytes.len() - 4;
        assert!(read(bytes.clone()).is_ok());
        bytes.copy_within(last_sample - 4..last_sample, last_sample);
        assert!(read(bytes).is_err());
    }

    fn numbers() -> impl Strategy<Value = Vec<u32>> {
        let step = prop_oneof![8 => 0_u32..9, 1 => 0_u32..100_000, 1 => Just(0)];
        let all = prop::collection::vec(step, 0..700);
        (all, 0_usize..700, 0_u32..1 << 30).prop_map(|(mut steps, place, jump)| {
            if let Some(step) = steps.get_mut(place) {
                *step = jump;
            }
            let mut sum = 0;
            steps
                .iter()
                .map(|step| {
                    sum += step;
                    sum
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn numbers_are_read_at_any_place(numbers in numbers()) {
            let bytes = encoded(&numbers);
            let greatest = numbers.last().copied().unwrap_or(0);
            prop_assert_eq!(bytes.len(), Ascending::byte_len(numbers.len(), greatest));
            let list = read(bytes).expect("a list");
            prop_assert_eq!((list.count(), list.greatest()), (numbers.len(), greatest));
            let at = |index: usize| numbers.get(index).copied().unwrap_or(greatest);
            for index in 0..numbers.len() + 70 {
                prop_assert_eq!(list.get(index), at(index));
                prop_assert_eq!(list.pair(index), (at(index), at(index + 1)));
            }
        }

        #[test]
        fn random_bytes_give_numbers_up_to_the_greatest(
            count in 0_u32..400, greatest in 0_u32..3_000, bytes in prop::collection::vec(any::<u8>(), 1_500),
        ) {
            let mut all = [count.to_le_bytes(), greatest.to_le_bytes()].concat();
            let random = bytes.iter().enumerate().map(|(at, byte)| if at % 4 == 0 { *byte } else { byte & (byte / 2) });
            all.extend(random);
            repair_samples(count as usize, greatest, &mut all);
            if let Ok(list) = read(all) {
                prop_assert!((0..500).all(|index| list.get(index) <= greatest));
                prop_assert!((0..500).all(|index| list.pair(index).0 == list.get(index)));
            }
        }
    }

    #[test]
    fn a_number_takes_two_bits_more_than_the_gap_to_the_next() {
        let numbers: Vec<u32> = (0..64_000).map(|number| number * 16).collect();
        assert_eq!(encoded(&numbers).len(), 8 + 64_000 * (2 + 4) / 8 + 4_000);
    }
}
