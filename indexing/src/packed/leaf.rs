//! Up to 1,024 small words as bits: all with the same width, the few that need more patched afterwards.
//!
//! ```text
//! leaf    = width u8, bits, (patches where the high bit of `width` is set)
//! bits    = the lowest `width` bits of each word: 1,024 words in lanes (word.rs), fewer in a list (bits.rs)
//! patches = count - 1 as u8, part bytes u8 (1, 2, 4 or 8), `count` parts: the bits of a word above `width`,
//!           `count` gaps: the words between this patch and the one before, 255 for each 255 of them, then the rest
//! ```

use super::bits;
use super::cursor::Cursor;
use super::word::{Word, ones};
use crate::{BLOCK_ROWS, ByteWriter};

/// Set in the byte of the width where patches follow.
const PATCHED: u8 = 0x80;
/// Most patches of a leaf, so that the count fits a byte.
const PATCHES_MAX: usize = 256;
/// Bytes that a patch must save besides its own: reading one takes as long as unpacking a few words.
const PATCH_COST: usize = 1;

/// How a leaf will be written.
#[derive(Debug, Clone, Copy)]
pub struct LeafPlan {
    width: u32,
    patches: usize,
    part_bytes: usize,
    /// What it takes, within a few bytes.
    pub bytes: usize,
}

impl LeafPlan {
    /// What it costs: bytes, and the time of patches as bytes.
    fn cost(&self) -> usize {
        self.bytes + self.patches * PATCH_COST
    }
}

/// The best width for the words.
pub fn plan<W: Word>(words: &[W]) -> LeafPlan {
    plan_bits(words.len(), &count_bits(words))
}

/// How many words need how many bits. Four counts at once, because equal words in a row would wait for each other.
fn count_bits<W: Word>(words: &[W]) -> [u16; u64::BITS as usize + 1] {
    let mut counts = [[0_u16; u64::BITS as usize + 1]; 4];
    let (fours, rest) = words.as_chunks::<4>();
    for four in fours {
        counts.iter_mut().zip(four).for_each(|(counts, word)| counts[word.bits() as usize] += 1);
    }
    rest.iter().for_each(|word| counts[0][word.bits() as usize] += 1);
    std::array::from_fn(|bits| counts.iter().map(|counts| counts[bits]).sum())
}

fn plan_bits(words: usize, of_bits: &[u16; u64::BITS as usize + 1]) -> LeafPlan {
    let width_max = of_bits.iter().rposition(|count| *count > 0).unwrap_or(0) as u32;
    let bytes = 1 + bits::byte_len(words, width_max);
    let mut best = LeafPlan { width: width_max, patches: 0, part_bytes: 0, bytes };
    let mut patches = 0;
    for width in (0..width_max).rev() {
        patches += usize::from(of_bits[width as usize + 1]);
        if patches > PATCHES_MAX {
            break;
        }
        let part_bytes = ((width_max - width).div_ceil(8) as usize).next_power_of_two();
        let bytes = 1 + bits::byte_len(words, width) + 2 + patches * (part_bytes + 1) + 1;
        let other = LeafPlan { width, patches, part_bytes, bytes };
        best = if other.cost() < best.cost() { other } else { best };
    }
    best
}

/// Appends the leaf.
pub fn write<W: Word>(words: &[W], plan: LeafPlan, out: &mut ByteWriter) {
    let ones = W::from_u64(ones(plan.width));
    out.u8(plan.width as u8 | if plan.patches > 0 { PATCHED } else { 0 });
    match <&[W; BLOCK_ROWS]>::try_from(words) {
        Ok(block) if plan.patches == 0 => W::pack(block, plan.width, out.bytes()),
        Ok(block) => W::pack(&block.map(|word| word.and(ones)), plan.width, out.bytes()),
        Err(_) => bits::pack(words.iter().map(|word| word.and(ones).to_u64()), plan.width, out.bytes()),
    }
    if plan.patches > 0 {
        write_patches(words, plan, out);
    }
}

fn write_patches<W: Word>(words: &[W], plan: LeafPlan, out: &mut ByteWriter) {
    out.u8((plan.patches - 1) as u8);
    out.u8(plan.part_bytes as u8);
    let (mut gaps, mut gap) = (Vec::with_capacity(plan.patches + 4), 0);
    for word in words {
        let part = word.to_u64().checked_shr(plan.width).unwrap_or(0);
        if part == 0 {
            gap += 1;
            continue;
        }
        out.slice(&part.to_le_bytes()[..plan.part_bytes]);
        gaps.extend(std::iter::repeat_n(u8::MAX, gap / usize::from(u8::MAX)));
        gaps.push((gap % usize::from(u8::MAX)) as u8);
        gap = 0;
    }
    out.slice(&gaps);
}

/// Reads a leaf of as many words as `out` holds and adds `base` to each. `None` where the bytes end early or make no
/// sense; what `out` holds then is arbitrary.
pub fn read<W: Word>(cursor: &mut Cursor<'_>, base: W, out: &mut [W]) -> Option<()> {
    let head = cursor.u8()?;
    let width = u32::from(head & !PATCHED);
    if width > W::BITS {
        return None;
    }
    let packed = cursor.slice(bits::byte_len(out.len(), width))?;
    match <&mut [W; BLOCK_ROWS]>::try_from(&mut *out) {
        Ok(block) => W::unpack(packed, width, base, block)?,
        Err(_) => bits::unpack(packed, width, base, out),
    }
    if head & PATCHED == 0 {
        return Some(());
    }
    read_patches(cursor, width, out.len(), |place, part: W| {
        out[place] = out[place].wrapping_add(part);
    })
}

/// Reads the words at `places`, ascending, of a leaf of 1,024, and adds `base` to each. As [`read`] else; `out` holds as
/// many words as there are places.
pub fn read_at<W: Word>(cursor: &mut Cursor<'_>, base: W, places: &[u16], out: &mut [W]) -> Option<()> {
    let head = cursor.u8()?;
    let width = u32::from(head & !PATCHED);
    if width > W::BITS {
        return None;
    }
    let packed = cursor.slice(bits::byte_len(BLOCK_ROWS, width))?;
    for (slot, place) in out.iter_mut().zip(places) {
        *slot = W::unpack_one(packed, width, usize::from(*place))?.wrapping_add(base);
    }
    if head & PATCHED == 0 {
        return Some(());
    }
    let mut wanted = places.iter().zip(out).peekable();
    read_patches(cursor, width, BLOCK_ROWS, |place, part: W| {
        while wanted.next_if(|(wanted, _)| usize::from(**wanted) < place).is_some() {}
        if let Some((_, word)) = wanted.next_if(|(wanted, _)| usize::from(**wanted) == place) {
            *word = word.wrapping_add(part);
        }
    })
}

/// Reads the patches of a leaf of `words` words: `add` is given the place of each, ascending, and what is missing there.
fn read_patches<W: Word>(cursor: &mut Cursor<'_>, width: u32, words: usize, add: impl FnMut(usize, W)) -> Option<()> {
    let count = usize::from(cursor.u8()?) + 1;
    let part_bytes = usize::from(cursor.u8()?);
    let parts = cursor.slice(count * part_bytes)?;
    if width >= W::BITS {
        return None;
    }
    match part_bytes {
        1 => patch(cursor, width, parts.as_chunks::<1>().0, words, add),
        2 => patch(cursor, width, parts.as_chunks::<2>().0, words, add),
        4 => patch(cursor, width, parts.as_chunks::<4>().0, words, add),
        8 => patch(cursor, width, parts.as_chunks::<8>().0, words, add),
        _ => None,
    }
}

fn patch<W: Word, const N: usize>(
    cursor: &mut Cursor<'_>,
    width: u32,
    parts: &[[u8; N]],
    words: usize,
    mut add: impl FnMut(usize, W),
) -> Option<()> {
    let mut place = 0;
    for part in parts {
        let mut gap = cursor.u8()?;
        // Beyond the end nothing more is read: damaged blocks may overlap, and each must not take longer than its rows.
        while gap == u8::MAX && place < words {
            place += usize::from(gap);
            gap = cursor.u8()?;
        }
        place += usize::from(gap);
        if place >= words {
            return None;
        }
        let mut bits = [0; 8];
        bits[..N].copy_from_slice(part);
        add(place, W::from_u64(u64::from_le_bytes(bits) << width));
        place += 1;
    }
    Some(())
}
