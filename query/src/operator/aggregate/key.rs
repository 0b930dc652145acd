//! What rows are grouped by within one segment: small numbers, codes, that stand for the values of a key.

mod buckets;
mod number_codes;

use std::cmp::Ordering;

use henge_indexing::{
    BLOCK_ROWS, BlockMask, Column, DoubleColumn, FlagColumn, LongColumn, TextColumn, text_of_double, text_of_flag,
    text_of_long,
};
use henge_segment_store::schema::TIME_COLUMN;
use henge_segment_store::segment_reader::SegmentReader;
use henge_segment_store::time::{Granularity, Interval, TimestampMs};

use self::buckets::Buckets;
use self::number_codes::NumberCodes;
use super::picks::Picks;
use super::{GroupKey, InputColumn};
use crate::error::QueryError;

/// Longs this near to each other need no search for their codes.
const NEAR_LONGS: i128 = 1 << 20;

/// One key of a segment. Code 0 is null.
#[derive(Debug)]
pub(super) struct SegmentKey<'s> {
    source: Source<'s>,
}

#[derive(Debug)]
enum Source<'s> {
    /// Null in every row.
    Null,
    Text(TextColumn<'s>),
    /// `false` is 1, `true` is 2.
    Flags(FlagColumn<'s>),
    /// The place of the bucket in the segment, from 1 on.
    Buckets(LongColumn<'s>, Buckets),
    /// The distance from `least`, from 1 on.
    Near {
        longs: LongColumn<'s>,
        least: i64,
        count: u32,
    },
    /// In the order of first sight, as the others below.
    Longs(LongColumn<'s>, NumberCodes),
    /// Starts of buckets that are too many to be counted.
    Floored(LongColumn<'s>, Granularity, NumberCodes),
    Doubles(DoubleColumn<'s>, NumberCodes),
}

/// A value of a key, as the segment has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum KeyValue<'v> {
    Null,
    Text(&'v [u8]),
    Flag(bool),
    Long(i64),
    Double(f64),
}

/// Where the values of a block are unpacked to.
pub(super) struct KeyBuffers {
    codes: Box<[u32; BLOCK_ROWS]>,
    longs: [Box<[i64; BLOCK_ROWS]>; 2],
    doubles: [Box<[f64; BLOCK_ROWS]>; 2],
}

impl KeyBuffers {
    pub fn new() -> Self {
        let longs = || Box::new([0; BLOCK_ROWS]);
        let doubles = || Box::new([0.0; BLOCK_ROWS]);
        Self { codes: Box::new([0; BLOCK_ROWS]), longs: [longs(), longs()], doubles: [doubles(), doubles()] }
    }
}

impl<'s> SegmentKey<'s> {
    pub fn new(key: &GroupKey, reader: &'s SegmentReader) -> Result<Self, QueryError> {
        let source = match key {
            GroupKey::TimeBucket(granularity) => bucket_source(granularity, reader)?,
            GroupKey::Column(InputColumn { name, .. }) => {
                return Self::of_column(name, reader);
            }
        };
        Ok(Self { source })
    }

    pub fn of_column(name: &str, reader: &'s SegmentReader) -> Result<Self, QueryError> {
        let source = match reader.column(name).map_err(|error| QueryError::from(&error))? {
            Column::Missing => Source::Null,
            Column::Text(texts) => Source::Text(texts),
            Column::Flags(flags) => Source::Flags(flags),
            Column::Doubles(doubles) => Source::Doubles(doubles, NumberCodes::default()),
            Column::Longs(longs) => long_source(longs),
        };
        Ok(Self { source })
    }

    /// All codes are below; `None` where that is not known.
    pub fn code_end(&self) -> Option<u32> {
        match &self.source {
            Source::Null => Some(1),
            Source::Text(texts) => Some(texts.distinct() + 1),
            Source::Flags(_) => Some(3),
            Source::Buckets(_, buckets) => Some(buckets.count() + 1),
            Source::Near { count, .. } => Some(count + 1),
            Source::Longs(..) | Source::Floored(..) | Source::Doubles(..) => None,
        }
    }

    /// The code of all rows of a block, where they are known to have the same one.
    pub fn constant(&mut self, block: usize) -> Option<u32> {
        match &mut self.source {
            Source::Null => Some(0),
            Source::Text(texts) => {
                texts.bounds(block).filter(|(least, greatest)| least == greatest).map(|(code, _)| code)
            }
            Source::Buckets(times, buckets) => {
                let zone = times.zone(block)?;
                let code = buckets.code(zone.least);
                (zone.null_count == 0 && code == buckets.code(zone.greatest)).then_some(code)
            }
            Source::Near { longs, least, .. } => constant_long(longs, block).map(|long| near_code(long, *least)),
            Source::Longs(longs, codes) => constant_long(longs, block).map(|long| codes.code(long.cast_unsigned())),
            Source::Doubles(doubles, codes) => {
                let zone = doubles.zone(block)?;
                let is_constant =
                    zone.null_count == 0 && !zone.has_nan && zone.least.to_bits() == zone.greatest.to_bits();
                is_constant.then(|| codes.code(bits_of(zone.least)))
            }
            Source::Flags(_) | Source::Floored(..) => None,
        }
    }

    /// The codes of some rows of a block, at the front of `out`.
    pub fn codes(&mut self, block: usize, picks: &Picks, buffers: &mut KeyBuffers, out: &mut [u32; BLOCK_ROWS]) {
        let KeyBuffers {
            codes: code_buffer,
            longs: [long_buffer, picked_longs],
            doubles: [double_buffer, picked_doubles],
        } = buffers;
        let mut validity = None;
        match &mut self.source {
            Source::Null => out[..picks.len()].fill(0),
            Source::Text(texts) => {
                picks.codes(texts, block, code_buffer, out);
            }
            Source::Flags(flags) => {
                let (_, values) = flags.values(block);
                let mut number = 0;
                picks.for_each(|row| {
                    out[number] = 1 + (values[row / 64] >> (row % 64) & 1) as u32;
                    number += 1;
                });
                validity = flags.validity(block);
            }
            Source::Buckets(times, buckets) => {
                let times = picks.longs(times, block, [long_buffer, picked_longs]);
                buckets.codes(times, out);
            }
            Source::Near { longs, least, .. } => {
                let values = picks.longs(longs, block, [long_buffer, picked_longs]);
                out.iter_mut().zip(values).for_each(|(code, value)| *code = near_code(*value, *least));
                validity = longs.validity(block);
            }
            Source::Longs(longs, codes) => {
                let values = picks.longs(longs, block, [long_buffer, picked_longs]);
                out.iter_mut().zip(values).for_each(|(code, value)| *code = codes.code(value.cast_unsigned()));
                validity = longs.validity(block);
            }
            Source::Floored(times, granularity, codes) => {
                let times = picks.longs(times, block, [long_buffer, picked_longs]);
                let mut last: Option<Interval> = None;
                for (code, time) in out.iter_mut().zip(times) {
                    let time = TimestampMs(*time);
                    let bucket = last.filter(|last| last.contains(time)).unwrap_or_else(|| granularity.bucket(time));
                    last = Some(bucket);
                    *code = codes.code(bucket.start().0.cast_unsigned());
                }
            }
            Source::Doubles(doubles, codes) => {
                let values = picks.of(doubles.values(block, double_buffer), picked_doubles);
                out.iter_mut().zip(values).for_each(|(code, value)| *code = codes.code(bits_of(*value)));
                validity = doubles.validity(block);
            }
        }
        if let Some(validity) = validity {
            clear_nulls(&validity, picks, out);
        }
    }

    /// The value that a code stands for; `buffer` may be used to hold it.
    pub fn value<'v>(&'v self, code: u32, buffer: &'v mut Vec<u8>) -> KeyValue<'v> {
        if code == 0 {
            return KeyValue::Null;
        }
        match &self.source {
            Source::Null => KeyValue::Null,
            Source::Text(texts) => KeyValue::Text(texts.text(code, buffer)),
            Source::Flags(_) => KeyValue::Flag(code == 2),
            Source::Buckets(_, buckets) => KeyValue::Long(buckets.start(code)),
            Source::Near { least, .. } => KeyValue::Long(least.wrapping_add(i64::from(code) - 1)),
            Source::Longs(_, codes) | Source::Floored(_, _, codes) => KeyValue::Long(codes.value(code).cast_signed()),
            Source::Doubles(_, codes) => KeyValue::Double(f64::from_bits(codes.value(code))),
        }
    }

    /// The column of strings whose codes these are.
    pub fn texts(&self) -> Option<&TextColumn<'s>> {
        match &self.source {
            Source::Text(texts) => Some(texts),
            _ => None,
        }
    }

    /// The order of the strings that two codes stand for, neither of which is null's.
    pub fn compare_texts(&self, left: u32, right: u32) -> Ordering {
        match &self.source {
            Source::Text(TextColumn::Sorted { .. }) => left.cmp(&right),
            Source::Text(TextColumn::Growing { dictionary, .. }) => dictionary.value(left).cmp(dictionary.value(right)),
            _ => {
                let text = |code| match self.value(code, &mut Vec::new()) {
                    KeyValue::Long(long) => text_of_long(long),
                    KeyValue::Double(double) => text_of_double(double),
                    KeyValue::Flag(flag) => text_of_flag(flag).to_owned(),
                    KeyValue::Null | KeyValue::Text(_) => String::new(),
                };
                text(left).cmp(&text(right))
            }
        }
    }

    /// Memory taken by what is not the segment's own.
    pub fn bytes(&self) -> usize {
        match &self.source {
            Source::Longs(_, codes) | Source::Floored(_, _, codes) | Source::Doubles(_, codes) => codes.bytes(),
            _ => 0,
        }
    }
}

fn bucket_source<'s>(granularity: &Granularity, reader: &'s SegmentReader) -> Result<Source<'s>, QueryError> {
    let Column::Longs(times) = reader.column(TIME_COLUMN).map_err(|error| QueryError::from(&error))? else {
        return Err(QueryError::internal("a segment's times are no longs"));
    };
    let bounds = match reader {
        SegmentReader::Open(rows) => rows.time_bounds(),
        SegmentReader::Published(..) => {
            times.total().map(|total| (TimestampMs(total.least), TimestampMs(total.greatest)))
        }
    };
    let bounds = bounds.filter(|(earliest, latest)| earliest <= latest);
    let (earliest, latest) = bounds.unwrap_or((TimestampMs(0), TimestampMs(0)));
    Ok(match Buckets::new(granularity, earliest, latest) {
        Some(buckets) => Source::Buckets(times, buckets),
        None => Source::Floored(times, granularity.clone(), NumberCodes::default()),
    })
}

fn long_source(longs: LongColumn<'_>) -> Source<'_> {
    if let Some(total) = longs.total() {
        let count = i128::from(total.greatest) - i128::from(total.least) + 1;
        if (1..=NEAR_LONGS).contains(&count) {
            return Source::Near { longs, least: total.least, count: count as u32 };
        }
    }
    Source::Longs(longs, NumberCodes::default())
}

fn constant_long(longs: &LongColumn<'_>, block: usize) -> Option<i64> {
    let zone = longs.zone(block)?;
    (zone.null_count == 0 && zone.least == zone.greatest).then_some(zone.least)
}

fn near_code(value: i64, least: i64) -> u32 {
    (value.wrapping_sub(least) as u32).wrapping_add(1)
}

/// Both zeros are one value, and every NaN.
fn bits_of(value: f64) -> u64 {
    (if value.is_nan() { f64::NAN } else { value + 0.0 }).to_bits()
}

fn clear_nulls(validity: &BlockMask, picks: &Picks, codes: &mut [u32; BLOCK_ROWS]) {
    let mut number = 0;
    picks.for_each(|row| {
        codes[number] = if validity[row / 64] >> (row % 64) & 1 == 1 { codes[number] } else { 0 };
        number += 1;
    });
}
