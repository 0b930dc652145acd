//! The columns of one segment, as the target's schema wants them.

use henge_indexing::{
    BLOCK_ROWS, BlockMask, Column, Dictionary, DoubleColumn, FlagColumn, FormatError, LongColumn, PackedBytes,
    PackedCodes, PackedDoubles, PackedFlags, PackedLongs, TextColumn, order_of_double, order_of_long, text_of_double,
    text_of_flag, text_of_long,
};

use super::MergeTarget;
use super::block::{Block, Cells, MeasureCells};
use crate::schema::{ColumnKind, DimensionType};
use crate::segment::{ServingError, ServingSegment, SketchBytes, Strings};
use crate::sketch_values::SketchValues;
use crate::time::{Granularity, TimestampMs};

/// A segment whose columns are found and, where the schema has widened them to strings, converted.
pub struct Input<'a> {
    row_count: u32,
    times: &'a PackedLongs,
    floor: Option<&'a Granularity>,
    chunk_start: i64,
    dimensions: Vec<Source<'a>>,
    measures: Vec<MeasureSource<'a>>,
}

/// Where a measure's values come from.
enum MeasureSource<'a> {
    Numbers(Source<'a>),
    /// `None`: the segment has no such column.
    Sketches(Option<&'a PackedBytes>),
}

/// Where a column's values come from.
enum Source<'a> {
    /// The segment has no such column: all null.
    MissingTexts,
    MissingNumbers,
    Codes {
        dictionary: &'a Dictionary,
        codes: &'a PackedCodes,
    },
    /// Numbers or booleans as the strings that they have become.
    Converted(Converted),
    Longs {
        longs: &'a PackedLongs,
        encode: fn(i64) -> u64,
    },
    Doubles {
        doubles: &'a PackedDoubles,
        encode: fn(f64) -> u64,
    },
    Flags(&'a PackedFlags),
}

#[derive(Default)]
struct Converted {
    /// Strictly ascending.
    texts: Strings,
    /// 0 is null, any other code is the place in `texts` plus 1.
    codes: Vec<u32>,
}

/// The strings of a column; a string's code is its place plus 1.
pub enum Texts<'a> {
    None,
    Dictionary(&'a Dictionary),
    Listed(&'a Strings),
}

impl<'a> Input<'a> {
    pub fn open(segment: &'a ServingSegment, target: &'a MergeTarget) -> Result<Self, ServingError> {
        let schema = &target.schema;
        let dimension = |name: &str, kind| Source::open(segment, name, kind, true);
        let dimensions = schema.dimensions.iter().map(|column| dimension(&column.name, column.kind));
        let measures = schema
            .measures
            .iter()
            .map(|measure| MeasureSource::open(segment, &measure.name, measure.aggregation.column_kind()));
        Ok(Self {
            row_count: segment.row_count(),
            times: segment.times()?,
            floor: target.granularity.as_ref(),
            chunk_start: target.chunk.start().0,
            dimensions: dimensions.collect::<Result<_, _>>()?,
            measures: measures.collect::<Result<_, _>>()?,
        })
    }

    pub fn row_count(&self) -> u32 {
        self.row_count
    }

    /// Bytes of all sketches.
    pub fn sketch_bytes(&self) -> u64 {
        let of_column = |packed: &PackedBytes| {
            (0..packed.block_count()).map(|block| packed.bytes_of_block(block) as u64).sum::<u64>()
        };
        let packed = self.measures.iter().filter_map(|source| match source {
            MeasureSource::Sketches(packed) => *packed,
            MeasureSource::Numbers(_) => None,
        });
        packed.map(of_column).sum()
    }

    /// Whether a measure is there in every row, as whole numbers.
    pub fn has_longs_without_null(&self, measure: usize) -> bool {
        matches!(&self.measures[measure], MeasureSource::Numbers(Source::Longs { longs, .. }) if !longs.has_nulls())
    }

    pub fn block_count(&self) -> usize {
        (self.row_count as usize).div_ceil(BLOCK_ROWS)
    }

    pub fn texts(&self, dimension: usize) -> Texts<'_> {
        match &self.dimensions[dimension] {
            Source::Codes { dictionary, .. } => Texts::Dictionary(dictionary),
            Source::Converted(converted) => Texts::Listed(&converted.texts),
            _ => Texts::None,
        }
    }

    /// The rows of one block; strings by the codes that `codes` has for the segment's own, one list for each dimension.
    pub fn block(&self, block: usize, codes: &[&[u32]]) -> Block {
        let rows = BLOCK_ROWS.min(self.row_count as usize - block * BLOCK_ROWS);
        let dimensions = self.dimensions.iter().zip(codes).map(|(source, codes)| source.cells(block, rows, codes));
        let measures = self.measures.iter().map(|source| source.cells(block, rows));
        Block { times: self.times(block), dimensions: dimensions.collect(), measures: measures.collect() }
    }

    fn times(&self, block: usize) -> Vec<i64> {
        let mut times = [0; BLOCK_ROWS];
        let rows = self.times.unpack(block, &mut times);
        let mut times = times[..rows].to_vec();
        if let Some(granularity) = self.floor {
            // As when events are appended: a bucket that begins before its time chunk would leave the chunk.
            let floor = |time: &mut i64| *time = granularity.floor(TimestampMs(*time)).0.max(self.chunk_start);
            times.iter_mut().for_each(floor);
        }
        times
    }
}

impl<'a> MeasureSource<'a> {
    fn open(segment: &'a ServingSegment, name: &str, wanted: ColumnKind) -> Result<Self, ServingError> {
        let wanted = match wanted {
            ColumnKind::Value(wanted) => return Source::open(segment, name, wanted, false).map(Self::Numbers),
            ColumnKind::Sketch(wanted) => wanted,
        };
        match segment.sketches(name)? {
            SketchValues::Packed(stored, packed) if stored.coarser(wanted).is_some() => {
                Ok(Self::Sketches(Some(packed)))
            }
            SketchValues::Missing if !segment.layout().iter().any(|column| column.name == name) => {
                Ok(Self::Sketches(None))
            }
            _ => Err(never_widened(name)),
        }
    }

    fn cells(&self, block: usize, rows: usize) -> MeasureCells {
        let packed = match self {
            Self::Numbers(source) => return MeasureCells::Numbers(source.cells(block, rows, &[])),
            Self::Sketches(packed) => packed,
        };
        let is_valid =
            packed.map_or_else(|| vec![false; rows], |packed| bits(rows, |mask| packed.validity(block, mask)));
        let mut sketches = SketchBytes::default();
        for (row, is_valid) in is_valid.into_iter().enumerate() {
            sketches.push(packed.filter(|_| is_valid).map(|packed| packed.get(block, row)));
        }
        MeasureCells::Sketches(sketches)
    }
}

fn never_widened(column: &str) -> ServingError {
    let source = FormatError { what: "column", detail: "of a type that the schema has never widened" };
    ServingError::Column { column: column.to_owned(), source }
}

impl<'a> Source<'a> {
    fn open(
        segment: &'a ServingSegment,
        name: &str,
        wanted: DimensionType,
        is_key: bool,
    ) -> Result<Self, ServingError> {
        let as_long = if is_key { order_of_long } else { i64::cast_unsigned };
        let as_double = if is_key { order_of_double } else { f64::to_bits };
        let widened: fn(i64) -> u64 =
            if is_key { |long| order_of_double(long as f64) } else { |long| (long as f64).to_bits() };
        use DimensionType as Kind;
        Ok(match (segment.column(name)?, wanted) {
            (Column::Missing, Kind::String) => Self::MissingTexts,
            (Column::Missing, _) => Self::MissingNumbers,
            (Column::Text(TextColumn::Sorted { dictionary, codes, .. }), Kind::String) => {
                Self::Codes { dictionary, codes }
            }
            (Column::Longs(LongColumn::Packed(longs)), Kind::Long) => Self::Longs { longs, encode: as_long },
            (Column::Longs(LongColumn::Packed(longs)), Kind::Double) => Self::Longs { longs, encode: widened },
            (Column::Doubles(DoubleColumn::Packed(doubles)), Kind::Double) => {
                Self::Doubles { doubles, encode: as_double }
            }
            (Column::Flags(FlagColumn::Packed(flags)), Kind::Boolean) => Self::Flags(flags),
            (Column::Longs(LongColumn::Packed(longs)), Kind::String) => {
                let values = Self::Longs { longs, encode: i64::cast_unsigned };
                Self::Converted(values.converted(segment, |bits| text_of_long(bits.cast_signed())))
            }
            (Column::Doubles(DoubleColumn::Packed(doubles)), Kind::String) => {
                let values = Self::Doubles { doubles, encode: f64::to_bits };
                Self::Converted(values.converted(segment, |bits| text_of_double(f64::from_bits(bits))))
            }
            (Column::Flags(FlagColumn::Packed(flags)), Kind::String) => {
                Self::Converted(Self::Flags(flags).converted(segment, |bit| text_of_flag(bit == 1).to_owned()))
            }
            _ => return Err(never_widened(name)),
        })
    }

    /// One block's values; `codes` are what strings' own codes become.
    fn cells(&self, block: usize, rows: usize, codes: &[u32]) -> Cells {
        let shared = |code: u32| u64::from(codes.get(code as usize).copied().unwrap_or(0));
        match self {
            Self::MissingTexts => Cells { values: vec![0; rows], validity: None },
            Self::MissingNumbers => Cells { values: vec![0; rows], validity: Some(vec![false; rows]) },
            Self::Codes { codes: own, .. } => {
                let mut unpacked = [0; BLOCK_ROWS];
                let rows = own.unpack(block, &mut unpacked);
                Cells { values: unpacked[..rows].iter().map(|&code| shared(code)).collect(), validity: None }
            }
            Self::Converted(converted) => {
                let own = &converted.codes[block * BLOCK_ROWS..][..rows];
                Cells { values: own.iter().map(|&code| shared(code)).collect(), validity: None }
            }
            Self::Longs { longs, encode } => {
                let mut unpacked = [0; BLOCK_ROWS];
                let rows = longs.unpack(block, &mut unpacked);
                let validity = longs.has_nulls().then(|| bits(rows, |mask| longs.validity(block, mask)));
                numbers(unpacked[..rows].iter().map(|&long| encode(long)), validity)
            }
            Self::Doubles { doubles, encode } => {
                let mut unpacked = [0.0; BLOCK_ROWS];
                let rows = doubles.unpack(block, &mut unpacked);
                let validity = doubles.has_nulls().then(|| bits(rows, |mask| doubles.validity(block, mask)));
                numbers(unpacked[..rows].iter().map(|&double| encode(double)), validity)
            }
            Self::Flags(flags) => {
                let values = bits(rows, |mask| flags.values(block, mask));
                let validity = flags.has_nulls().then(|| bits(rows, |mask| flags.validity(block, mask)));
                numbers(values.into_iter().map(u64::from), validity)
            }
        }
    }

    /// All values as strings.
    fn converted(&self, segment: &ServingSegment, text: impl Fn(u64) -> String) -> Converted {
        let row_count = segment.row_count() as usize;
        let mut all: Vec<Option<u64>> = Vec::with_capacity(row_count);
        for block in 0..row_count.div_ceil(BLOCK_ROWS) {
            let cells = self.cells(block, BLOCK_ROWS.min(row_count - block * BLOCK_ROWS), &[]);
            all.extend((0..cells.values.len()).map(|row| cells.get(row)));
        }
        let mut distinct: Vec<u64> = all.iter().copied().flatten().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let mut by_text: Vec<(String, u64)> = distinct.iter().map(|&bits| (text(bits), bits)).collect();
        by_text.sort_unstable();
        let mut texts = Strings::default();
        let mut code_of: Vec<u32> = vec![0; distinct.len()];
        let mut last: Option<&str> = None;
        for (text, bits) in &by_text {
            // Two values may have one text: both zeros, for example.
            if last != Some(text) {
                texts.push(text.as_bytes());
                last = Some(text);
            }
            code_of[distinct.binary_search(bits).expect("it is one of them")] = texts.len() as u32;
        }
        let code = |bits: u64| code_of[distinct.binary_search(&bits).expect("it is one of them")];
        let codes = all.into_iter().map(|bits| bits.map_or(0, code)).collect();
        Converted { texts, codes }
    }
}

/// Numbers that may be null, whose value is then 0.
fn numbers(values: impl Iterator<Item = u64>, validity: Option<Vec<bool>>) -> Cells {
    let mut values: Vec<u64> = values.collect();
    if let Some(validity) = &validity {
        values.iter_mut().zip(validity).filter(|(_, is_valid)| !**is_valid).for_each(|(value, _)| *value = 0);
    }
    Cells { values, validity }
}

fn bits(rows: usize, fill: impl FnOnce(&mut BlockMask) -> usize) -> Vec<bool> {
    let mut mask = [0; BLOCK_ROWS / 64];
    fill(&mut mask);
    (0..rows).map(|row| mask[row / 64] >> (row % 64) & 1 == 1).collect()
}
