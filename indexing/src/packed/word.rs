//! Words of 32 or 64 bits, and the kernels that pack 1,024 of them with the same number of bits each.
//!
//! ```text
//! packed block = width x 128 bytes: `width` lines of 32 words of 32 bits, or of 16 words of 64 bits
//! ```
//!
//! Value `i` lies in lane `i % lanes`; a lane holds its values one after the other from the lowest bit on, across
//! lines. So 128 bytes are shifted by the same number of bits, which compilers turn into vector instructions
//! (the interleaved layout of FastLanes, PVLDB 16(9), without its reordering of rows).

use crate::BLOCK_ROWS;

/// Bytes of one line: one word of each lane.
const LINE_BYTES: usize = 128;

/// What blocks are made of: bits that are added and shifted as an unsigned number's.
pub trait Word: Copy + Ord + Default {
    const BITS: u32;

    /// The lowest bits of `value`.
    fn from_u64(value: u64) -> Self;
    /// The bits, zeros above them.
    fn to_u64(self) -> u64;
    fn wrapping_add(self, other: Self) -> Self;
    fn wrapping_sub(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;

    /// The number of bits up to the highest that is set; 0 for 0.
    fn bits(self) -> u32 {
        u64::BITS - self.to_u64().leading_zeros()
    }

    /// Appends `width` lines that hold the `width` lowest bits of each value; the other bits must be 0.
    fn pack(values: &[Self; BLOCK_ROWS], width: u32, out: &mut Vec<u8>);

    /// Reads what [`Word::pack`] wrote and adds `base` to each value. `None` where `lines` has another length.
    fn unpack(lines: &[u8], width: u32, base: Self, out: &mut [Self; BLOCK_ROWS]) -> Option<()>;

    /// The value at `index` of what [`Word::pack`] wrote.
    fn unpack_one(lines: &[u8], width: u32, index: usize) -> Option<Self>;
}

/// A number of `width` ones, at most 64.
pub fn ones(width: u32) -> u64 {
    u64::MAX.checked_shr(u64::BITS.saturating_sub(width)).unwrap_or(0)
}

macro_rules! word {
    ($word:ty, $unsigned:ty, $bytes:literal) => {
        impl Word for $word {
            const BITS: u32 = <$word>::BITS;

            fn from_u64(value: u64) -> Self {
                value as $word
            }

            fn to_u64(self) -> u64 {
                (self as $unsigned).into()
            }

            fn wrapping_add(self, other: Self) -> Self {
                <$word>::wrapping_add(self, other)
            }

            fn wrapping_sub(self, other: Self) -> Self {
                <$word>::wrapping_sub(self, other)
            }

            fn and(self, other: Self) -> Self {
                self & other
            }

            fn pack(values: &[Self; BLOCK_ROWS], width: u32, out: &mut Vec<u8>) {
                const LANES: usize = LINE_BYTES / $bytes;
                let mut lines = vec![[0 as $unsigned; LANES]; width as usize];
                for (row, lanes) in values.as_chunks::<LANES>().0.iter().enumerate().filter(|_| width > 0) {
                    let bit = row as u32 * width;
                    let (line, shift) = ((bit / Self::BITS) as usize, bit % Self::BITS);
                    for (word, value) in lines[line].iter_mut().zip(lanes) {
                        *word |= (*value as $unsigned) << shift;
                    }
                    if shift + width > Self::BITS {
                        for (word, value) in lines[line + 1].iter_mut().zip(lanes) {
                            *word = (*value as $unsigned) >> (Self::BITS - shift);
                        }
                    }
                }
                out.extend(lines.iter().flatten().flat_map(|word| word.to_le_bytes()));
            }

            fn unpack(lines: &[u8], width: u32, base: Self, out: &mut [Self; BLOCK_ROWS]) -> Option<()> {
                const LANES: usize = LINE_BYTES / $bytes;
                let (lines, []) = lines.as_chunks::<LINE_BYTES>() else { return None };
                if width > Self::BITS || lines.len() != width as usize {
                    return None;
                }
                if width == 0 {
                    out.fill(base);
                    return Some(());
                }
                let ones = ones(width) as $unsigned;
                let plus_base = |word: $unsigned| ((word & ones) as $word).wrapping_add(base);
                for (row, lanes) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                    let bit = row as u32 * width;
                    let (line, shift) = ((bit / Self::BITS) as usize, bit % Self::BITS);
                    let low = lines[line].as_chunks::<$bytes>().0;
                    if shift + width <= Self::BITS {
                        for (value, word) in lanes.iter_mut().zip(low) {
                            *value = plus_base(<$unsigned>::from_le_bytes(*word) >> shift);
                        }
                    } else {
                        let high = lines[line + 1].as_chunks::<$bytes>().0;
                        let rest = Self::BITS - shift;
                        for ((value, low), high) in lanes.iter_mut().zip(low).zip(high) {
                            let (low, high) = (<$unsigned>::from_le_bytes(*low), <$unsigned>::from_le_bytes(*high));
                            *value = plus_base(low >> shift | high << rest);
                        }
                    }
                }
                Some(())
            }

            fn unpack_one(lines: &[u8], width: u32, index: usize) -> Option<Self> {
                const LANES: usize = LINE_BYTES / $bytes;
                if width == 0 {
                    return Some(0);
                }
                let word = |line: usize| {
                    let words = lines.get(line * LINE_BYTES..)?.as_chunks::<$bytes>().0;
                    words.get(index % LANES).map(|word| <$unsigned>::from_le_bytes(*word))
                };
                let bit = (index / LANES) as u32 * width;
                let (line, shift) = ((bit / Self::BITS) as usize, bit % Self::BITS);
                let low = word(line)? >> shift;
                let high = if shift + width > Self::BITS { word(line + 1)? << (Self::BITS - shift) } else { 0 };
                Some(((low | high) & ones(width) as $unsigned) as $word)
            }
        }
    };
}

word!(u32, u32, 4);
word!(u64, u64, 8);
word!(i64, u64, 8);
