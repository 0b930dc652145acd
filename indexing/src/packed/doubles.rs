//! A column of doubles, any of which may be null. Each comes back bit for bit.
//!
//! ```text
//! doubles = head (nullable.rs) with 3 as format, total, zones, blocks (blocks.rs, double_block.rs), validity (nullable.rs)
//! total   = least f64, greatest f64, nulls u32, NaN u8, sum f64
//! zones   = lists (bits.rs) of: least and greatest as numbers of the same order, nulls, NaN (0 or 1), bits of the sum
//! ```

use bytes::Bytes;

use super::bits::BitList;
use super::blocks::{Blocks, BlocksWriter, block_count};
use super::double_block;
use super::masks;
use super::nullable::{self, Head, NullableRows};
use crate::row_order::order_of_double;
use crate::zone_map::DoubleZone;
use crate::{BLOCK_ROWS, BlockMask, ByteReader, ByteWriter, FormatError};

const FORMAT: u8 = 3;

/// Doubles in blocks of 1,024 rows, each with its zone.
#[derive(Debug, Clone)]
pub struct PackedDoubles {
    rows: NullableRows,
    total: DoubleZone,
    zones: Zones,
    blocks: Blocks,
}

impl PackedDoubles {
    /// Packs a value for each row; where `validity` is false, the row is null. Fewer than 2^31 rows.
    ///
    /// # Panics
    /// Where `validity` has another length than `values`.
    pub fn encode(values: &[f64], validity: Option<&[bool]>) -> Vec<u8> {
        let validity = nullable::checked(validity, values.len());
        let (mut total, mut zones) = (DoubleZone::EMPTY, Vec::new());
        let mut blocks = BlocksWriter::default();
        for (values, valid) in nullable::blocks_of(values, validity) {
            let zone = match valid {
                None => {
                    double_block::write(values, blocks.bytes());
                    zone_of_block(values)
                }
                Some(valid) => {
                    double_block::write(&filled(values, valid), blocks.bytes());
                    let mut zone = DoubleZone::EMPTY;
                    values.iter().zip(valid).for_each(|(value, valid)| zone.add(valid.then_some(*value)));
                    zone
                }
            };
            blocks.end_block();
            total.merge(&zone);
            zones.push(zone);
        }
        let rows = values.len() as u32;
        let mut out = ByteWriter::default();
        nullable::write_head(FORMAT, rows, validity.is_some(), &mut out);
        write_total(&total, &mut out);
        Zones::write(&zones, &mut out);
        blocks.finish(&mut out);
        nullable::write_validity(validity, &mut out);
        out.finish()
    }

    /// Opens what [`PackedDoubles::encode`] made, without copying.
    ///
    /// # Errors
    /// The bytes end early, or are no doubles.
    pub fn decode(bytes: Bytes) -> Result<Self, FormatError> {
        let mut reader = ByteReader::new("packed doubles", bytes);
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
        let error = |detail| FormatError { what: "packed doubles", detail };
        let (mut values, mut valid) = ([0.0; BLOCK_ROWS], [0; BLOCK_ROWS / 64]);
        let mut total = DoubleZone::EMPTY;
        for block in 0..self.block_count() {
            let rows = self.validity(block, &mut valid);
            let read = double_block::read_sound(self.blocks.get(block), &mut values[..rows]);
            read.ok_or(error("a block cannot be read"))?;
            let mut zone = DoubleZone::EMPTY;
            (0..rows).for_each(|row| zone.add(masks::is_set(&valid, row).then_some(values[row])));
            if !is_same(&zone, &self.zone(block)) {
                return Err(error("a block and its zone differ"));
            }
            total.merge(&zone);
        }
        if is_same(&total, &self.total) { Ok(()) } else { Err(error("the column and its total differ")) }
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

    /// Writes the values of `block`, 0.0 for null, to the front of `out` and returns its rows: 0 past the end. The rest
    /// of `out` is arbitrary.
    pub fn unpack(&self, block: usize, out: &mut [f64; BLOCK_ROWS]) -> usize {
        let rows = self.rows.of_block(block);
        if rows == 0 {
            return 0;
        }
        double_block::read(self.blocks.get(block), &mut out[..rows]);
        if self.has_nulls() && self.zones.nulls.get(block) > 0 {
            self.rows.clear_nulls(block, out);
        }
        rows
    }

    /// The value of `row`; `None` for null and past the end.
    pub fn get(&self, row: u32) -> Option<f64> {
        let (block, place) = self.rows.place(row)?;
        let mut values = [0.0; BLOCK_ROWS];
        self.unpack(block, &mut values);
        Some(values[place])
    }

    /// The zone of `block`; arbitrary past the end.
    pub fn zone(&self, block: usize) -> DoubleZone {
        self.zones.get(block, self.rows.of_block(block) as u32)
    }

    /// The zone of all rows. Its sum adds up those of the blocks.
    pub fn total(&self) -> DoubleZone {
        self.total
    }

    /// Writes which rows of `block` are not null, and returns the number of rows: 0 past the end.
    pub fn validity(&self, block: usize, out: &mut BlockMask) -> usize {
        self.rows.validity(block, out)
    }
}

/// What adding row by row gives, in less time where no value is NaN.
fn zone_of_block(values: &[f64]) -> DoubleZone {
    if values.iter().any(|value| value.is_nan()) {
        let mut zone = DoubleZone::EMPTY;
        values.iter().for_each(|value| zone.add(Some(*value)));
        return zone;
    }
    let orders = || values.iter().map(|value| order_of_double(*value));
    DoubleZone {
        least: orders().min().map_or(f64::INFINITY, double_of_order),
        greatest: orders().max().map_or(f64::NEG_INFINITY, double_of_order),
        sum: values.iter().fold(0.0, |sum, value| sum + value),
        ..DoubleZone::EMPTY
    }
}

/// Nulls take no bits of their own where they equal the row before.
fn filled(values: &[f64], valid: &[bool]) -> Vec<f64> {
    let mut before = valid.iter().position(|valid| *valid).map_or(0.0, |first| values[first]);
    let fill = |(value, valid): (&f64, &bool)| {
        before = if *valid { *value } else { before };
        before
    };
    values.iter().zip(valid).map(fill).collect()
}

/// Bit for bit, where NaN sums may differ in their bits.
fn is_same(left: &DoubleZone, right: &DoubleZone) -> bool {
    let bits = |zone: &DoubleZone| {
        let sum = if zone.sum.is_nan() { f64::NAN } else { zone.sum };
        [zone.least, zone.greatest, sum].map(f64::to_bits)
    };
    bits(left) == bits(right) && (left.null_count, left.has_nan) == (right.null_count, right.has_nan)
}

fn write_total(zone: &DoubleZone, out: &mut ByteWriter) {
    out.f64(zone.least);
    out.f64(zone.greatest);
    out.u32(zone.null_count);
    out.u8(zone.has_nan.into());
    out.f64(zone.sum);
}

fn read_total(reader: &mut ByteReader) -> Result<DoubleZone, FormatError> {
    Ok(DoubleZone {
        least: reader.f64()?,
        greatest: reader.f64()?,
        null_count: reader.u32()?,
        has_nan: reader.u8()? == 1,
        sum: reader.f64()?,
    })
}

/// The zones of all blocks.
#[derive(Debug, Clone)]
struct Zones {
    least: BitList,
    greatest: BitList,
    nulls: BitList,
    nan: BitList,
    sum: BitList,
}

impl Zones {
    fn write(zones: &[DoubleZone], out: &mut ByteWriter) {
        let mut list = |of: fn(&DoubleZone) -> u64| BitList::write(&zones.iter().map(of).collect::<Vec<_>>(), out);
        list(|zone| order_of_double(zone.least));
        list(|zone| order_of_double(zone.greatest));
        list(|zone| zone.null_count.into());
        list(|zone| zone.has_nan.into());
        list(|zone| zone.sum.to_bits());
    }

    fn read(blocks: usize, reader: &mut ByteReader) -> Result<Self, FormatError> {
        let mut list = || BitList::read(blocks, reader);
        Ok(Self { least: list()?, greatest: list()?, nulls: list()?, nan: list()?, sum: list()? })
    }

    fn get(&self, block: usize, rows: u32) -> DoubleZone {
        DoubleZone {
            least: double_of_order(self.least.get(block)),
            greatest: double_of_order(self.greatest.get(block)),
            null_count: (self.nulls.get(block) as u32).min(rows),
            has_nan: self.nan.get(block) == 1,
            sum: f64::from_bits(self.sum.get(block)),
        }
    }
}

/// The double whose [`order_of_double`] is `order`.
fn double_of_order(order: u64) -> f64 {
    f64::from_bits(if order >> 63 == 1 { order ^ 1 << 63 } else { !order })
}
