//! Numbers of the same width one after the other, from the lowest bit of the first byte on, at any length.
//!
//! ```text
//! list = base u64, width u8, ceil(count x width / 8) bytes; value = base + bits. The reader knows the count.
//! ```

use bytes::Bytes;

use super::word::{Word, ones};
use crate::{ByteReader, ByteWriter, FormatError};

/// Bytes that `count` numbers of `width` bits take.
pub fn byte_len(count: usize, width: u32) -> usize {
    (count * width as usize).div_ceil(8)
}

/// Appends the `width` lowest bits of each number; the others must be 0.
pub fn pack(numbers: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    let (mut word, mut filled) = (0_u128, 0);
    for number in numbers {
        word |= u128::from(number) << filled;
        filled += width;
        if filled >= u64::BITS {
            out.extend_from_slice(&(word as u64).to_le_bytes());
            word >>= u64::BITS;
            filled -= u64::BITS;
        }
    }
    out.extend_from_slice(&(word as u64).to_le_bytes()[..filled.div_ceil(8) as usize]);
}

/// The number at `index`; bits past the end are 0. `width` is at most 64.
pub fn get(bytes: &[u8], width: u32, index: usize) -> u64 {
    let bit = (index as u64).wrapping_mul(width.into());
    let rest = usize::try_from(bit / 8).ok().and_then(|start| bytes.get(start..)).unwrap_or_default();
    let word = match rest.first_chunk() {
        Some(chunk) => u128::from_le_bytes(*chunk),
        None => {
            let mut chunk = [0; 16];
            chunk[..rest.len()].copy_from_slice(rest);
            u128::from_le_bytes(chunk)
        }
    };
    (word >> (bit % 8)) as u64 & ones(width)
}

/// Reads as many numbers as `out` holds and adds `base` to each. `width` is at most 64.
pub fn unpack<W: Word>(bytes: &[u8], width: u32, base: W, out: &mut [W]) {
    let ones = ones(width);
    // Eight bytes hold seven bits that are skipped and 57 that are not.
    let whole_words = if width <= 57 { bytes.len().saturating_sub(7) } else { 0 };
    let fast = out.len().min((whole_words * 8).checked_div(width as usize).unwrap_or(0));
    let (fast_out, slow_out) = out.split_at_mut(fast);
    for (index, value) in fast_out.iter_mut().enumerate() {
        let bit = index * width as usize;
        let word =
            bytes.get(bit / 8..).and_then(|rest| rest.first_chunk()).map_or(0, |chunk| u64::from_le_bytes(*chunk));
        *value = W::from_u64(word >> (bit % 8) & ones).wrapping_add(base);
    }
    for (index, value) in slow_out.iter_mut().enumerate() {
        *value = W::from_u64(get(bytes, width, fast + index)).wrapping_add(base);
    }
}

/// A list with random access, kept in its bytes.
#[derive(Debug, Clone)]
pub struct BitList {
    base: u64,
    width: u32,
    bits: Bytes,
}

impl BitList {
    pub fn write(numbers: &[u64], out: &mut ByteWriter) {
        let base = numbers.iter().copied().min().unwrap_or(0);
        let greatest = numbers.iter().copied().max().unwrap_or(0);
        let width = u64::BITS - (greatest - base).leading_zeros();
        let mut bits = Vec::with_capacity(byte_len(numbers.len(), width));
        pack(numbers.iter().map(|number| number - base), width, &mut bits);
        out.u64(base);
        out.u8(width as u8);
        out.slice(&bits);
    }

    pub fn read(count: usize, reader: &mut ByteReader) -> Result<Self, FormatError> {
        let (base, width) = (reader.u64()?, u32::from(reader.u8()?));
        if width > u64::BITS {
            return Err(reader.error("numbers of more than 64 bits"));
        }
        Ok(Self { base, width, bits: reader.slice(byte_len(count, width))? })
    }

    /// The number at `index`; arbitrary past the end.
    pub fn get(&self, index: usize) -> u64 {
        self.base.wrapping_add(get(&self.bits, self.width, index))
    }
}
