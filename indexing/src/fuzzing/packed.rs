//! Packed columns of any bytes, and columns of one block of any bytes.

use bytes::Bytes;

use crate::{BLOCK_ROWS, BlockMask, ByteWriter, PackedCodes, PackedDoubles, PackedFlags, PackedLongs};

/// A few bytes make columns of 2^31 rows, so that only so many blocks at either end are read.
const BLOCKS_READ: usize = 16;

/// The blocks to read: some at either end, and two that are not there.
fn blocks(block_count: usize) -> impl Iterator<Item = usize> {
    let first = 0..block_count.min(BLOCKS_READ);
    first.clone().chain(block_count.saturating_sub(BLOCKS_READ).max(first.end)..block_count + 1).chain([usize::MAX])
}

/// The rows of a block.
fn rows(rows: u32, block: usize) -> usize {
    (rows as usize).saturating_sub(block.saturating_mul(BLOCK_ROWS)).min(BLOCK_ROWS)
}

/// Some rows of a block, counted from the column's start: reading one may take as long as reading all of them.
fn places(rows: usize) -> impl Iterator<Item = usize> {
    (0..rows).step_by(97).chain(rows.checked_sub(1))
}

fn row(block: usize, place: usize) -> u32 {
    (block * BLOCK_ROWS + place) as u32
}

/// No bit past the last row is set.
fn assert_within(mask: &BlockMask, rows: usize) {
    let last = mask.iter().rposition(|word| *word != 0);
    let end = last.map_or(0, |word| word * 64 + (u64::BITS - mask[word].leading_zeros()) as usize);
    assert!(end <= rows, "bit {end} of {rows} rows");
}

fn is_set(mask: &BlockMask, place: usize) -> bool {
    mask[place / 64] >> (place % 64) & 1 == 1
}

/// Reads [`PackedCodes`].
pub fn packed_codes(bytes: &[u8]) -> bool {
    let Ok(codes) = PackedCodes::decode(Bytes::copy_from_slice(bytes)) else { return false };
    let mut unpacked = [0; BLOCK_ROWS];
    for block in blocks(codes.block_count()) {
        let count = codes.unpack(block, &mut unpacked);
        assert_eq!(count, rows(codes.len(), block));
        for place in places(count) {
            assert_eq!(codes.get(row(block, place)), unpacked[place]);
        }
        if let Some(runs) = codes.runs(block) {
            let repeated = runs.flat_map(|(code, rows)| std::iter::repeat_n(code, rows as usize));
            assert!(repeated.eq(unpacked[..count].iter().copied()));
        }
        codes.bounds(block);
    }
    assert_eq!(codes.get(codes.len()), 0);
    if codes.block_count() <= 2 * BLOCKS_READ && codes.verify().is_ok() {
        for block in 0..codes.block_count() {
            let (count, (least, greatest)) = (codes.unpack(block, &mut unpacked), codes.bounds(block));
            assert!(unpacked[..count].iter().all(|code| (least..=greatest).contains(code)));
        }
    }
    true
}

/// Reads [`PackedLongs`].
pub fn packed_longs(bytes: &[u8]) -> bool {
    let Ok(longs) = PackedLongs::decode(Bytes::copy_from_slice(bytes)) else { return false };
    let (mut unpacked, mut valid) = ([0; BLOCK_ROWS], BlockMask::default());
    for block in blocks(longs.block_count()) {
        let count = longs.unpack(block, &mut unpacked);
        assert_eq!(count, rows(longs.len(), block));
        assert_eq!(longs.validity(block, &mut valid), count);
        assert_within(&valid, count);
        for place in places(count) {
            let expected = is_set(&valid, place).then_some(unpacked[place]);
            assert_eq!(longs.get(row(block, place)), expected);
        }
        assert!(longs.zone(block).null_count as usize <= count);
    }
    assert_eq!((longs.get(longs.len()), longs.get(u32::MAX)), (None, None));
    longs.total();
    if longs.block_count() <= 2 * BLOCKS_READ && longs.verify().is_ok() {
        for block in 0..longs.block_count() {
            let (count, zone) = (longs.unpack(block, &mut unpacked), longs.zone(block));
            longs.validity(block, &mut valid);
            let in_zone = |place: usize| (zone.least..=zone.greatest).contains(&unpacked[place]);
            assert!((0..count).filter(|place| is_set(&valid, *place)).all(in_zone));
        }
    }
    true
}

/// Reads [`PackedDoubles`].
pub fn packed_doubles(bytes: &[u8]) -> bool {
    let Ok(doubles) = PackedDoubles::decode(Bytes::copy_from_slice(bytes)) else { return false };
    let (mut unpacked, mut valid) = ([0.0; BLOCK_ROWS], BlockMask::default());
    for block in blocks(doubles.block_count()) {
        let count = doubles.unpack(block, &mut unpacked);
        assert_eq!(count, rows(doubles.len(), block));
        assert_eq!(doubles.validity(block, &mut valid), count);
        assert_within(&valid, count);
        for place in places(count) {
            let expected = is_set(&valid, place).then_some(unpacked[place].to_bits());
            assert_eq!(doubles.get(row(block, place)).map(f64::to_bits), expected);
        }
        assert!(doubles.zone(block).null_count as usize <= count);
    }
    assert_eq!((doubles.get(doubles.len()), doubles.get(u32::MAX)), (None, None));
    doubles.total();
    if doubles.block_count() <= 2 * BLOCKS_READ {
        let _ = doubles.verify();
    }
    true
}

/// Reads [`PackedFlags`].
pub fn packed_flags(bytes: &[u8]) -> bool {
    let Ok(flags) = PackedFlags::decode(Bytes::copy_from_slice(bytes)) else { return false };
    let (mut values, mut valid) = (BlockMask::default(), BlockMask::default());
    for block in blocks(flags.block_count()) {
        let count = flags.values(block, &mut values);
        assert_eq!(count, rows(flags.len(), block));
        assert_eq!(flags.validity(block, &mut valid), count);
        assert_within(&values, count);
        assert_within(&valid, count);
        for place in places(count) {
            let expected = is_set(&valid, place).then(|| is_set(&values, place));
            assert_eq!(flags.get(row(block, place)), expected);
        }
    }
    assert_eq!((flags.get(flags.len()), flags.get(u32::MAX)), (None, None));
    if flags.block_count() <= 2 * BLOCKS_READ {
        let _ = flags.verify();
    }
    true
}

/// Reads a block of any bytes in a column that is whole otherwise, so that lengths and lists need not be guessed.
///
/// ```text
/// input = kind u8 (modulo 4: codes, longs, doubles, flags), rows - 1 u16 (modulo 1,024), block
/// ```
pub fn packed_block(bytes: &[u8]) -> bool {
    let Some((&[kind, low, high], block)) = bytes.split_first_chunk() else { return false };
    let rows = u32::from(u16::from_le_bytes([low, high])) % BLOCK_ROWS as u32 + 1;
    let kind = Kind::of(kind);
    let body = match kind {
        Kind::Codes => packed_codes,
        Kind::Longs => packed_longs,
        Kind::Doubles => packed_doubles,
        Kind::Flags => packed_flags,
    };
    assert!(body(&column_of(kind, rows, &[block.len() as u32], block)), "the column around the block is whole");
    true
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Codes,
    Longs,
    Doubles,
    Flags,
}

impl Kind {
    fn of(number: u8) -> Self {
        [Self::Codes, Self::Longs, Self::Doubles, Self::Flags][usize::from(number % 4)]
    }
}

/// A column without nulls, of blocks with the given ends. All numbers of its zones are 0.
pub(super) fn column_of(kind: Kind, rows: u32, ends: &[u32], blocks: &[u8]) -> Vec<u8> {
    // Of a total, of lists that hold a number for each block.
    let (total_bytes, lists) = match kind {
        Kind::Codes => (0, 2),
        Kind::Longs => (36, 5),
        Kind::Doubles => (29, 5),
        Kind::Flags => (0, 0),
    };
    let mut out = ByteWriter::default();
    out.u8(kind as u8 + 1);
    out.u32(rows);
    if kind != Kind::Codes {
        out.u8(0);
    }
    out.slice(&vec![0; total_bytes]);
    (0..lists).for_each(|_| write_list(&[0], &mut out));
    write_list(ends, &mut out);
    out.varint(blocks.len() as u64);
    out.slice(blocks);
    out.finish()
}

/// A list of bit-packed numbers: bits are left out where there is only one number, for all blocks.
fn write_list(numbers: &[u32], out: &mut ByteWriter) {
    if let [number] = numbers {
        out.u64((*number).into());
        out.u8(0);
    } else {
        out.u64(0);
        out.u8(32);
        numbers.iter().for_each(|number| out.u32(*number));
    }
}
