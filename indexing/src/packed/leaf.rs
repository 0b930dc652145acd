//! Up to 1,024 small words as bits: all with the same width, the few that need more patched afterwards.
//!
//! ```text
//! leaf    = width u8, bits, (patches where the high bit of `width` is set)
//! bits    = the lowest `width` bits of each word: 1,024 words in lanes (word.rs), fewer in a list (bits.rs)
//! patches = count - 1 as u8, gap width u8, part width u8,
//!           count gaps (words between this patch and the one before), count parts (bits above `width`)
//! ```

use super::bits;
use super::cursor::Cursor;
use super::word::{Word, ones};
use crate::{BLOCK_ROWS, ByteWriter};

/// Set in the byte of the width where patches follow.
const PATCHED: u8 = 0x80;
/// Most patches of a leaf: more cost more time than they save bytes, and so the count fits a byte.
const PATCHES_MAX: usize = 256;
/// Bytes of the counts and widths of patches.
const PATCHES_HEAD: usize = 3;

/// How a leaf will be written.
#[derive(Debug, Clone, Copy)]
pub struct LeafPlan {
    width: u32,
    patches: usize,
    /// What it takes, within a few bytes.
    pub bytes: usize,
}

/// The width that takes the fewest bytes.
pub fn plan<W: Word>(words: &[W]) -> LeafPlan {
    let mut of_bits = [0_usize; u64::BITS as usize + 1];
    words.iter().for_each(|word| of_bits[word.bits() as usize] += 1);
    let width_max = of_bits.iter().rposition(|count| *count > 0).unwrap_or(0) as u32;
    let mut best = LeafPlan { width: width_max, patches: 0, bytes: 1 + bits::byte_len(words.len(), width_max) };
    let mut patches = 0;
    for width in (0..width_max).rev() {
        patches += of_bits[width as usize + 1];
        if patches > PATCHES_MAX {
            break;
        }
        let gap_width = expected_gap_width(words.len(), patches);
        let patch_bytes = bits::byte_len(patches, gap_width) + bits::byte_len(patches, width_max - width);
        let bytes = 1 + bits::byte_len(words.len(), width) + PATCHES_HEAD + patch_bytes;
        if bytes < best.bytes {
            best = LeafPlan { width, patches, bytes };
        }
    }
    best
}

/// The greatest of `patches` gaps that lie by chance is about ln(patches) times the mean.
fn expected_gap_width(words: usize, patches: usize) -> u32 {
    let greatest = words as f64 / patches as f64 * ((patches as f64).ln() + 1.0);
    u64::BITS - (greatest.min(words as f64) as u64).leading_zeros()
}

/// Appends the leaf.
pub fn write<W: Word>(words: &[W], plan: LeafPlan, out: &mut ByteWriter) {
    let ones = W::from_u64(ones(plan.width));
    out.u8(plan.width as u8 | if plan.patches > 0 { PATCHED } else { 0 });
    let mut bytes = Vec::new();
    match <&[W; BLOCK_ROWS]>::try_from(words) {
        Ok(block) => W::pack(&block.map(|word| word.and(ones)), plan.width, &mut bytes),
        Err(_) => bits::pack(words.iter().map(|word| word.and(ones).to_u64()), plan.width, &mut bytes),
    }
    if plan.patches > 0 {
        write_patches(words, plan, &mut bytes);
    }
    out.slice(&bytes);
}

fn write_patches<W: Word>(words: &[W], plan: LeafPlan, out: &mut Vec<u8>) {
    let patched = |place: &usize| words[*place].bits() > plan.width;
    let places: Vec<usize> = (0..words.len()).filter(patched).collect();
    let before = std::iter::once(0).chain(places.iter().map(|place| place + 1));
    let gaps: Vec<u64> = places.iter().zip(before).map(|(place, before)| (place - before) as u64).collect();
    let parts: Vec<u64> = places.iter().map(|place| words[*place].to_u64() >> plan.width).collect();
    let width_of = |numbers: &[u64]| numbers.iter().fold(0, |all, number| all | number).bits();
    let (gap_width, part_width) = (width_of(&gaps), width_of(&parts));
    out.extend([(places.len() - 1) as u8, gap_width as u8, part_width as u8]);
    bits::pack(gaps.into_iter(), gap_width, out);
    bits::pack(parts.into_iter(), part_width, out);
}

/// Reads a leaf of `count` words and adds `base` to each. `None` where the bytes end early or make no sense; what `out`
/// holds then, and past `count`, is arbitrary.
pub fn read<W: Word>(cursor: &mut Cursor<'_>, count: usize, base: W, out: &mut [W; BLOCK_ROWS]) -> Option<()> {
    let head = cursor.u8()?;
    let width = u32::from(head & !PATCHED);
    if width > W::BITS {
        return None;
    }
    let packed = cursor.slice(bits::byte_len(count, width))?;
    if count == BLOCK_ROWS {
        W::unpack(packed, width, base, out)?;
    } else {
        for (index, word) in out.get_mut(..count)?.iter_mut().enumerate() {
            *word = W::from_u64(bits::get(packed, width, index)).wrapping_add(base);
        }
    }
    if head & PATCHED == 0 { Some(()) } else { read_patches(cursor, width, out.get_mut(..count)?) }
}

fn read_patches<W: Word>(cursor: &mut Cursor<'_>, width: u32, out: &mut [W]) -> Option<()> {
    let count = usize::from(cursor.u8()?) + 1;
    let (gap_width, part_width) = (u32::from(cursor.u8()?), u32::from(cursor.u8()?));
    if width >= W::BITS || gap_width > u64::BITS || part_width > u64::BITS {
        return None;
    }
    let gaps = cursor.slice(bits::byte_len(count, gap_width))?;
    let parts = cursor.slice(bits::byte_len(count, part_width))?;
    let mut place = 0_usize;
    for index in 0..count {
        place = place.checked_add(usize::try_from(bits::get(gaps, gap_width, index)).ok()?)?;
        let word = out.get_mut(place)?;
        *word = word.wrapping_add(W::from_u64(bits::get(parts, part_width, index) << width));
        place += 1;
    }
    Some(())
}

/// The word at `index` of a leaf of 1,024 without patches; `None` also where there are patches.
pub fn read_one<W: Word>(cursor: &mut Cursor<'_>, index: usize) -> Option<W> {
    let width = u32::from(cursor.u8()?);
    if width > W::BITS {
        return None;
    }
    W::unpack_one(cursor.slice(bits::byte_len(BLOCK_ROWS, width))?, width, index)
}
