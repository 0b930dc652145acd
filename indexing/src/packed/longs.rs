//! A column of longs, any of which may be null.
//!
//! ```text
//! longs  = head (nullable.rs) with 2 as format, total, zones, blocks (blocks.rs), each counted from its least value
//!          (block.rs), nulls as the least value; validity (nullable.rs)
//! total  = least i64, greatest i64, nulls u32, sum i128
//! zones  = lists (bits.rs) of: least with its highest bit flipped, greatest - least, nulls, then of
//!          sum - least x (rows - nulls) the low and the high 64 bits; 0 except for `nulls` where all rows are null
//! ```

use bytes::Bytes;

use super::bits::BitList;
use super::blocks::{Blocks, BlocksWriter, block_count, rows_of};
use super::masks;
use super::nullable::{self, Head, NullableRows};
use super::{block, block_writer};
use crate::row_order::order_of_long;
use crate::zone_map::LongZone;
use crate::{BLOCK_ROWS, BlockMask, ByteReader, ByteWriter, FormatError};

const FORMAT: u8 = 2;

/// Longs in blocks of 1,024 rows, each with its zone.
#[derive(Debug, Clone)]
pub struct PackedLongs {
    rows: NullableRows,
    total: LongZone,
    zones: Zones,
    blocks: Blocks,
}

impl PackedLongs {
    /// Packs a value for each row; where `validity` is false, the row is null. Fewer than 2^31 rows.
    ///
    /// # Panics
    /// Where `validity` has another length than `values`.
    pub fn encode(values: &[i64], validity: Option<&[bool]>) -> Vec<u8> {
        let validity = nullable::checked(validity, values.len());
        let (mut total, mut zones) = (LongZone::EMPTY, Vec::new());
        let mut blocks = BlocksWriter::default();
        for (values, valid) in nullable::blocks_of(values, validity) {
            let zone = match valid {
                None => write_block(values, blocks.bytes()),
                Some(valid) => write_block_with_nulls(values, valid, blocks.bytes()),
            };
            blocks.end_block();
            total.merge(&zone);
            zones.push(zone);
        }
        let rows = values.len() as u32;
        let mut out = ByteWriter::default();
        nullable::write_head(FORMAT, rows, validity.is_some(), &mut out);
        write_total(&total, &mut out);
        Zones::write(&zones, rows, &mut out);
        blocks.finish(&mut out);
        nullable::write_validity(validity, &mut out);
        out.finish()
    }

    /// Opens what [`PackedLongs::encode`] made, without copying.
    ///
    /// # Errors
    /// The bytes end early, or are no longs.
    pub fn decode(bytes: Bytes) -> Result<Self, FormatError> {
        let mut reader = ByteReader::new("packed longs", bytes);
        let head = Head::read(FORMAT, &mut reader)?;
        let total = read_total(&mut reader)?;
        let zones = Zones::read(block_count(head.rows), &mut reader)?;
        let blocks = Blocks::read(block_count(head.rows), &mut reader)?;
        Ok(Self { rows: head.read_validity(reader)?, total, zones, blocks })
    }

    /// Reads every block.
    ///
    /// # Errors
    /// A block is not what an encoder writes, or its zone is another's.
    pub fn verify(&self) -> Result<(), FormatError> {
        let error = |detail| FormatError { what: "packed longs", detail };
        let mut total = LongZone::EMPTY;
        for block in 0..self.block_count() {
            let zone = self.zone_of_values(block).ok_or(error("a block cannot be read"))?;
            if zone != self.zone(block) {
                return Err(error("a block and its zone differ"));
            }
            total.merge(&zone);
        }
        if total == self.total { Ok(()) } else { Err(error("the column and its total differ")) }
    }

    /// The zone as the values give it; `None` where they cannot be read.
    fn zone_of_values(&self, block: usize) -> Option<LongZone> {
        let mut valid = [0; BLOCK_ROWS / 64];
        let rows = self.validity(block, &mut valid);
        let least = self.zones.least(block);
        let bytes = self.blocks.get(block);
        let mut zone = LongZone::EMPTY;
        if bytes.is_empty() {
            let count = valid.iter().map(|word| word.count_ones()).sum::<u32>();
            if count > 0 {
                zone = LongZone { least, greatest: least, null_count: 0, sum: i128::from(least) * i128::from(count) };
            }
            zone.null_count = rows as u32 - count;
            return Some(zone);
        }
        let mut values = [0; BLOCK_ROWS];
        block::read_sound(bytes, least, &mut values[..rows])?;
        (0..rows).for_each(|row| zone.add(masks::is_set(&valid, row).then_some(values[row])));
        Some(zone)
    }

    /// The number of rows.
    pub fn len(&self) -> u32 {
        self.rows.count()
    }

    /// There are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of blocks.
    pub fn block_count(&self) -> usize {
        self.rows.block_count()
    }

    /// Some rows may be null.
    pub fn has_nulls(&self) -> bool {
        self.rows.has_nulls()
    }

    /// Writes the values of `block`, 0 for null, to the front of `out` and returns its rows: 0 past the end. The rest of
    /// `out` is arbitrary.
    pub fn unpack(&self, block: usize, out: &mut [i64; BLOCK_ROWS]) -> usize {
        let rows = self.rows.of_block(block);
        if rows == 0 {
            return 0;
        }
        block::read(self.blocks.get(block), self.zones.least(block), &mut out[..rows]);
        if self.has_nulls() && self.zones.nulls.get(block) > 0 {
            self.rows.clear_nulls(block, out);
        }
        rows
    }

    /// Writes the values at some `places` of `block`, ascending, arbitrary ones for null and past the end, to `out`, which
    /// holds as many. Reads the whole block only where it must.
    pub fn unpack_at(&self, block: usize, places: &[u16], out: &mut [i64]) {
        let is_full = self.rows.of_block(block) == BLOCK_ROWS;
        if is_full && block::read_at(self.blocks.get(block), self.zones.least(block), places, out).is_some() {
            return;
        }
        let mut values = [0; BLOCK_ROWS];
        self.unpack(block, &mut values);
        out.iter_mut().zip(places).for_each(|(slot, place)| *slot = values[usize::from(*place)]);
    }

    /// The value of `row`; `None` for null and past the end.
    pub fn get(&self, row: u32) -> Option<i64> {
        let (block, place) = self.rows.place(row)?;
        let mut value = [0];
        self.unpack_at(block, &[place as u16], &mut value);
        Some(value[0])
    }

    /// The zone of `block`; arbitrary past the end.
    pub fn zone(&self, block: usize) -> LongZone {
        self.zones.get(block, self.rows.of_block(block) as u32)
    }

    /// The zone of all rows.
    pub fn total(&self) -> LongZone {
        self.total
    }

    /// Writes which rows of `block` are not null, and returns the number of rows: 0 past the end.
    pub fn validity(&self, block: usize, out: &mut BlockMask) -> usize {
        self.rows.validity(block, out)
    }
}

fn write_block(values: &[i64], out: &mut ByteWriter) -> LongZone {
    let least = values.iter().copied().min().unwrap_or(0);
    let greatest = values.iter().copied().max().unwrap_or(0);
    block_writer::write(values, least, out);
    LongZone { least, greatest, null_count: 0, sum: sum_of_block(values) }
}

/// Adds up halves of 32 bits, which 64 bits hold; a sum in 128 bits takes several times as long.
fn sum_of_block(values: &[i64]) -> i128 {
    let (mut low, mut high) = (0_u64, 0_u64);
    for value in values {
        let order = order_of_long(*value);
        low += order & u64::from(u32::MAX);
        high += order >> 32;
    }
    i128::from(low) + (i128::from(high) << 32) - ((values.len() as i128) << 63)
}

fn write_block_with_nulls(values: &[i64], valid: &[bool], out: &mut ByteWriter) -> LongZone {
    let mut zone = LongZone::EMPTY;
    values.iter().zip(valid).for_each(|(value, valid)| zone.add(valid.then_some(*value)));
    let least = if zone.least <= zone.greatest { zone.least } else { 0 };
    let filled: Vec<i64> = values.iter().zip(valid).map(|(value, valid)| if *valid { *value } else { least }).collect();
    block_writer::write(&filled, least, out);
    zone
}

fn write_total(zone: &LongZone, out: &mut ByteWriter) {
    out.i64(zone.least);
    out.i64(zone.greatest);
    out.u32(zone.null_count);
    out.i128(zone.sum);
}

fn read_total(reader: &mut ByteReader) -> Result<LongZone, FormatError> {
    Ok(LongZone { least: reader.i64()?, greatest: reader.i64()?, null_count: reader.u32()?, sum: reader.i128()? })
}

/// The zones of all blocks.
#[derive(Debug, Clone)]
struct Zones {
    least: BitList,
    spread: BitList,
    nulls: BitList,
    sum_low: BitList,
    sum_high: BitList,
}

impl Zones {
    fn write(zones: &[LongZone], rows: u32, out: &mut ByteWriter) {
        let mut lists: [Vec<u64>; 5] = Default::default();
        for (block, zone) in zones.iter().enumerate() {
            let is_empty = zone.least > zone.greatest;
            let (least, greatest) = if is_empty { (0, 0) } else { (zone.least, zone.greatest) };
            let valid = rows_of(rows, block) as i128 - i128::from(zone.null_count);
            let sum_above = (zone.sum - i128::from(least) * valid).cast_unsigned();
            let numbers = [
                order_of_long(least),
                greatest.wrapping_sub(least).cast_unsigned(),
                zone.null_count.into(),
                sum_above as u64,
                (sum_above >> 64) as u64,
            ];
            lists.iter_mut().zip(numbers).for_each(|(list, number)| list.push(number));
        }
        lists.iter().for_each(|list| BitList::write(list, out));
    }

    fn read(blocks: usize, reader: &mut ByteReader) -> Result<Self, FormatError> {
        let mut list = || BitList::read(blocks, reader);
        Ok(Self { least: list()?, spread: list()?, nulls: list()?, sum_low: list()?, sum_high: list()? })
    }

    fn least(&self, block: usize) -> i64 {
        order_of_long(self.least.get(block).cast_signed()).cast_signed()
    }

    fn get(&self, block: usize, rows: u32) -> LongZone {
        let null_count = (self.nulls.get(block) as u32).min(rows);
        if null_count == rows {
            return LongZone { null_count, ..LongZone::EMPTY };
        }
        let least = self.least(block);
        let sum_above = u128::from(self.sum_low.get(block)) | u128::from(self.sum_high.get(block)) << 64;
        let sum_of_least = i128::from(least) * i128::from(rows - null_count);
        LongZone {
            least,
            greatest: least.wrapping_add(self.spread.get(block).cast_signed()),
            null_count,
            sum: sum_of_least.wrapping_add(sum_above.cast_signed()),
        }
    }
}
