//! The columns of a segment that are aggregated, block by block.

use henge_indexing::{BLOCK_ROWS, BlockMask, Column, TextColumn};
use henge_segment_store::segment_reader::SegmentReader;

use super::accumulator::{Needs, Values};
use super::counted_rows::CountedRows;
use super::key::{KeyBuffers, SegmentKey};
use super::order_key::key_of_double;
use super::picks::Picks;
use super::segment_sketches::SegmentSketches;
use crate::error::QueryError;

/// So few values are read one by one; of more the whole block is unpacked.
const READ_ONE_BY_ONE_MAX: usize = 16;

/// A column that is aggregated.
pub(super) struct SegmentInput<'s> {
    column: Column<'s>,
    /// The codes of the values, where those are kept.
    codes: Option<SegmentKey<'s>>,
    /// The values, where they are sketches.
    sketches: Option<SegmentSketches<'s>>,
}

/// Where the values of a block are unpacked to.
pub(super) struct InputBuffers {
    codes: Box<[u32; BLOCK_ROWS]>,
    longs: [Box<[i64; BLOCK_ROWS]>; 3],
    doubles: [Box<[f64; BLOCK_ROWS]>; 2],
    times: Box<[i64; BLOCK_ROWS]>,
    keys: Box<[i64; BLOCK_ROWS]>,
    nulls: Box<[bool; BLOCK_ROWS]>,
    rows: Box<[u16; BLOCK_ROWS]>,
    key_buffers: KeyBuffers,
}

impl InputBuffers {
    pub fn new() -> Self {
        let longs = || Box::new([0; BLOCK_ROWS]);
        let doubles = || Box::new([0.0; BLOCK_ROWS]);
        Self {
            codes: Box::new([0; BLOCK_ROWS]),
            longs: [longs(), longs(), longs()],
            doubles: [doubles(), doubles()],
            times: longs(),
            keys: longs(),
            nulls: Box::new([false; BLOCK_ROWS]),
            rows: Box::new([0; BLOCK_ROWS]),
            key_buffers: KeyBuffers::new(),
        }
    }
}

/// What is known of all values of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KnownBlock {
    /// Those that are not null.
    pub rows: u32,
    pub sum: i128,
    /// The least and the greatest as order keys; of no meaning without rows.
    pub least: i64,
    pub greatest: i64,
}

impl<'s> SegmentInput<'s> {
    pub fn new(name: &str, needs: Needs, reader: &'s SegmentReader) -> Result<Self, QueryError> {
        let column = reader.column(name).map_err(|error| QueryError::from(&error))?;
        let codes = needs.takes_codes().then(|| SegmentKey::of_column(name, reader)).transpose()?;
        let sketches = (needs == Needs::Sketches).then(|| SegmentSketches::new(name, reader)).transpose()?;
        Ok(Self { column, codes, sketches })
    }

    /// Some rows may be null.
    pub fn has_nulls(&self) -> bool {
        match &self.column {
            Column::Missing | Column::Text(_) => true,
            Column::Longs(longs) => longs.has_nulls(),
            Column::Doubles(doubles) => doubles.has_nulls(),
            Column::Flags(flags) => flags.validity(0).is_some(),
        }
    }

    /// The rows of a block that are not null; `None` where no row of the column is null.
    pub fn validity(&self, block: usize, buffers: &mut InputBuffers) -> Option<BlockMask> {
        if let Some(sketches) = &self.sketches {
            return Some(sketches.validity(block));
        }
        match &self.column {
            Column::Missing => Some([0; BLOCK_ROWS / 64]),
            Column::Text(texts) => text_validity(texts, block, &mut buffers.codes),
            Column::Longs(longs) => longs.validity(block),
            Column::Doubles(doubles) => doubles.validity(block),
            Column::Flags(flags) => flags.validity(block),
        }
    }

    /// What a block's zone tells of all its rows, where that is what is needed.
    pub fn known(&self, block: usize, block_rows: usize, needs: Needs) -> Option<KnownBlock> {
        let rows = |null_count: u32| block_rows as u32 - null_count.min(block_rows as u32);
        match (&self.column, needs) {
            (_, needs) if needs.takes_times() => None,
            (_, Needs::Sketches) => None,
            (Column::Missing, _) => Some(KnownBlock { rows: 0, sum: 0, least: 0, greatest: 0 }),
            (Column::Longs(longs), Needs::Rows | Needs::Longs | Needs::OrderKeys | Needs::DoubleKeys) => {
                let zone = longs.zone(block)?;
                let (least, greatest) = match needs {
                    Needs::DoubleKeys => (key_of_double(zone.least as f64), key_of_double(zone.greatest as f64)),
                    _ => (zone.least, zone.greatest),
                };
                Some(KnownBlock { rows: rows(zone.null_count), sum: zone.sum, least, greatest })
            }
            (Column::Doubles(doubles), Needs::Rows | Needs::DoubleKeys) => {
                let zone = doubles.zone(block).filter(|zone| !zone.has_nan)?;
                let (least, greatest) = (key_of_double(zone.least), key_of_double(zone.greatest));
                Some(KnownBlock { rows: rows(zone.null_count), sum: 0, least, greatest })
            }
            _ => None,
        }
    }

    /// The values of some rows of a block, of no meaning where they are null.
    ///
    /// # Errors
    /// The column is of a kind that has no such values.
    pub fn values<'v>(
        &'v mut self,
        rows: CountedRows<'v>,
        needs: Needs,
        buffers: &'v mut InputBuffers,
    ) -> Result<Values<'v>, QueryError> {
        let CountedRows { block, picks, .. } = rows;
        match needs {
            Needs::TimedKeys => self.timed(rows, Needs::OrderKeys, buffers),
            Needs::TimedDoubleKeys => self.timed(rows, Needs::DoubleKeys, buffers),
            Needs::Codes | Needs::TimedCodes => self.coded(rows, needs, buffers),
            Needs::Sketches => self.sketched(block, picks, &mut buffers.rows),
            _ => self.untimed(block, picks, needs, &mut buffers.longs, &mut buffers.doubles),
        }
    }

    /// Codes, with the times of their rows if those count.
    fn coded<'v>(
        &'v mut self,
        CountedRows { block, times: all_times, picks, .. }: CountedRows<'v>,
        needs: Needs,
        buffers: &'v mut InputBuffers,
    ) -> Result<Values<'v>, QueryError> {
        let InputBuffers { codes, times, key_buffers, .. } = buffers;
        let key = self.codes.as_mut().ok_or_else(|| QueryError::internal("a column is not read by its codes"))?;
        key.codes(block, picks, key_buffers, codes);
        let times = needs.takes_times().then(|| picks.of(all_times, times));
        Ok(Values::Coded { codes: &codes[..picks.len()], times, key })
    }

    fn sketched<'v>(
        &'v self,
        block: usize,
        picks: &Picks,
        rows: &'v mut [u16; BLOCK_ROWS],
    ) -> Result<Values<'v>, QueryError> {
        let sketches = self.sketches.as_ref().ok_or_else(|| QueryError::internal("a column is not of sketches"))?;
        let mut count = 0;
        picks.for_each(|row| {
            rows[count] = row as u16;
            count += 1;
        });
        Ok(Values::Sketches { sketches, block, rows: &rows[..count] })
    }

    /// What the codes stand for, where codes are kept.
    pub fn codes(&self) -> Option<&SegmentKey<'s>> {
        self.codes.as_ref()
    }

    /// Keys with the times of their rows.
    fn timed<'v>(
        &'v self,
        rows: CountedRows<'v>,
        needs: Needs,
        buffers: &'v mut InputBuffers,
    ) -> Result<Values<'v>, QueryError> {
        let CountedRows { block, times: all_times, picks, .. } = rows;
        if picks.len() <= READ_ONE_BY_ONE_MAX {
            return self.timed_one_by_one(rows, needs, buffers);
        }
        let validity = self.validity(block, buffers);
        let InputBuffers { longs, doubles, times, keys, nulls, .. } = buffers;
        let times = picks.of(all_times, times);
        if !matches!(self.column, Column::Missing) {
            let Values::OrderKeys(values) = self.untimed(block, picks, needs, longs, doubles)? else {
                return Err(QueryError::internal(format!("{needs:?} are no order keys")));
            };
            keys[..values.len()].copy_from_slice(values);
        }
        match validity {
            None => nulls.fill(false),
            Some(mask) => {
                let mut number = 0;
                picks.for_each(|row| {
                    nulls[number] = mask[row / 64] >> (row % 64) & 1 == 0;
                    number += 1;
                });
            }
        }
        Ok(Values::Timed { times, keys: &keys[..times.len()], nulls: &nulls[..times.len()] })
    }

    /// The same for few rows.
    fn timed_one_by_one<'v>(
        &'v self,
        CountedRows { block, times: all_times, picks, .. }: CountedRows<'v>,
        needs: Needs,
        buffers: &'v mut InputBuffers,
    ) -> Result<Values<'v>, QueryError> {
        let key_of_row: &dyn Fn(u32) -> Option<i64> = match (&self.column, needs) {
            (Column::Missing, _) => &|_| None,
            (Column::Longs(longs), Needs::OrderKeys) => &|row| longs.get(row),
            (Column::Longs(longs), Needs::DoubleKeys) => &|row| longs.get(row).map(|long| key_of_double(long as f64)),
            (Column::Doubles(doubles), Needs::DoubleKeys) => &|row| doubles.get(row).map(key_of_double),
            (Column::Flags(flags), Needs::OrderKeys) => &|row| flags.get(row).map(i64::from),
            (column, needs) => return Err(other_kind(column, needs)),
        };
        let InputBuffers { times, keys, nulls, .. } = buffers;
        let mut number = 0;
        picks.for_each(|place| {
            let row = (block * BLOCK_ROWS + place) as u32;
            let key = key_of_row(row);
            times[number] = all_times[place];
            (keys[number], nulls[number]) = (key.unwrap_or_default(), key.is_none());
            number += 1;
        });
        Ok(Values::Timed { times: &times[..number], keys: &keys[..number], nulls: &nulls[..number] })
    }

    fn untimed<'v>(
        &'v self,
        block: usize,
        picks: &Picks,
        needs: Needs,
        longs: &'v mut [Box<[i64; BLOCK_ROWS]>; 3],
        doubles: &'v mut [Box<[f64; BLOCK_ROWS]>; 2],
    ) -> Result<Values<'v>, QueryError> {
        let [long_buffer, picked_longs, long_keys] = longs;
        let [double_buffer, picked_doubles] = doubles;
        Ok(match (&self.column, needs) {
            (_, Needs::Rows) => Values::Rows,
            (Column::Longs(longs), Needs::Longs) => {
                let zone = longs.zone(block);
                let values = picks.longs(longs, block, [long_buffer, picked_longs]);
                let magnitude = match zone {
                    Some(zone) => zone.least.unsigned_abs().max(zone.greatest.unsigned_abs()),
                    None => values.iter().map(|value| value.unsigned_abs()).max().unwrap_or(0),
                };
                Values::Longs { values, magnitude }
            }
            (Column::Longs(longs), Needs::OrderKeys | Needs::Keys) => {
                Values::OrderKeys(picks.longs(longs, block, [long_buffer, picked_longs]))
            }
            (Column::Doubles(doubles), Needs::Doubles) => {
                Values::Doubles(picks.of(doubles.values(block, double_buffer), picked_doubles))
            }
            (Column::Doubles(doubles), Needs::DoubleKeys) => {
                let values = picks.of(doubles.values(block, double_buffer), picked_doubles);
                picked_longs.iter_mut().zip(values).for_each(|(key, value)| *key = key_of_double(*value));
                Values::OrderKeys(&picked_longs[..picks.len()])
            }
            (Column::Longs(longs), Needs::DoubleKeys) => {
                let values = picks.longs(longs, block, [long_buffer, picked_longs]);
                long_keys.iter_mut().zip(values).for_each(|(key, value)| *key = key_of_double(*value as f64));
                Values::OrderKeys(&long_keys[..picks.len()])
            }
            (Column::Longs(longs), Needs::Doubles) => {
                let values = picks.longs(longs, block, [long_buffer, picked_longs]);
                picked_doubles.iter_mut().zip(values).for_each(|(double, long)| *double = *long as f64);
                Values::Doubles(&picked_doubles[..picks.len()])
            }
            (Column::Flags(flags), Needs::OrderKeys | Needs::Keys) => {
                let (_, values) = flags.values(block);
                let mut number = 0;
                picks.for_each(|row| {
                    picked_longs[number] = (values[row / 64] >> (row % 64) & 1).cast_signed();
                    number += 1;
                });
                Values::OrderKeys(&picked_longs[..number])
            }
            (column, needs) => return Err(other_kind(column, needs)),
        })
    }
}

fn other_kind(column: &Column<'_>, needs: Needs) -> QueryError {
    let kind = match column {
        Column::Missing => "no column",
        Column::Text(_) => "strings",
        Column::Longs(_) => "longs",
        Column::Doubles(_) => "doubles",
        Column::Flags(_) => "booleans",
    };
    QueryError::internal(format!("{kind} were asked for {needs:?}"))
}

fn text_validity(texts: &TextColumn<'_>, block: usize, codes: &mut [u32; BLOCK_ROWS]) -> Option<BlockMask> {
    if texts.bounds(block).is_some_and(|(least, _)| least > 0) {
        return None;
    }
    let mut mask = [0; BLOCK_ROWS / 64];
    for (row, code) in texts.codes(block, codes).iter().enumerate() {
        mask[row / 64] |= u64::from(*code != 0) << (row % 64);
    }
    Some(mask)
}
