//! A segment's rows in their final order, column by column: what a freeze, a merge or a Parquet file yields, and what
//! both of a segment's files are encoded from.

use std::sync::Arc;

use henge_indexing::DictionaryPrefix;

use crate::schema::{ColumnKind, DataSourceSchema, DimensionType};
use crate::sketch::SketchKind;
use crate::time::TimestampMs;

/// Rows of one time chunk, sorted as the schema says (invariant S2). All columns have as many values as `times`.
#[derive(Debug, Clone, PartialEq)]
pub struct SortedRows {
    pub schema: Arc<DataSourceSchema>,
    pub times: Vec<i64>,
    /// In the order of the schema.
    pub dimensions: Vec<SortedColumn>,
    /// In the order of the schema; longs, doubles or sketches.
    pub measures: Vec<SortedColumn>,
}

/// The values of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum SortedColumn {
    Text(TextValues),
    Longs(Values<i64>),
    Doubles(Values<f64>),
    Flags(Values<bool>),
    Sketches(SketchKind, SketchBytes),
}

/// A column of sketches, each by its bytes. Any may be null.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SketchBytes {
    /// Empty where null.
    bytes: Strings,
    is_valid: Vec<bool>,
}

impl SketchBytes {
    pub fn push(&mut self, sketch: Option<&[u8]>) {
        self.bytes.push(sketch.unwrap_or_default());
        self.is_valid.push(sketch.is_some());
    }

    pub fn len(&self) -> usize {
        self.is_valid.len()
    }

    pub fn is_empty(&self) -> bool {
        self.is_valid.is_empty()
    }

    /// Panics where there is no such row.
    pub fn get(&self, row: usize) -> Option<&[u8]> {
        self.is_valid[row].then(|| self.bytes.get(row))
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&[u8]>> {
        (0..self.len()).map(|row| self.get(row))
    }
}

impl FromIterator<Option<Vec<u8>>> for SketchBytes {
    fn from_iter<I: IntoIterator<Item = Option<Vec<u8>>>>(items: I) -> Self {
        let mut sketches = Self::default();
        items.into_iter().for_each(|sketch| sketches.push(sketch.as_deref()));
        sketches
    }
}

/// A column of strings: each distinct one once, and a code for every row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextValues {
    /// Strictly ascending in byte order, every one in use.
    pub distinct: Strings,
    /// 0 is null, any other code is the place in `distinct` plus 1.
    pub codes: Vec<u32>,
}

/// Values that may be null.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values<T> {
    /// The default where null.
    pub values: Vec<T>,
    /// `None` where no value is null.
    pub validity: Option<Vec<bool>>,
}

impl<T: Copy + Default> Values<T> {
    pub fn get(&self, row: usize) -> Option<T> {
        let is_valid = self.validity.as_ref().is_none_or(|validity| validity[row]);
        is_valid.then(|| self.values[row])
    }
}

impl<T: Copy + Default> FromIterator<Option<T>> for Values<T> {
    fn from_iter<I: IntoIterator<Item = Option<T>>>(items: I) -> Self {
        let (values, validity): (Vec<T>, Vec<bool>) =
            items.into_iter().map(|item| (item.unwrap_or_default(), item.is_some())).unzip();
        let has_null = validity.contains(&false);
        Self { values, validity: has_null.then_some(validity) }
    }
}

/// Many strings in one allocation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strings {
    bytes: Vec<u8>,
    /// Where each string ends.
    ends: Vec<usize>,
}

impl Strings {
    /// The strings of a dictionary in byte order; `ranks` are those of the dictionary.
    pub(crate) fn in_order_of_ranks(dictionary: &DictionaryPrefix, ranks: &[u32]) -> Self {
        let mut by_rank = vec![0_u32; dictionary.distinct()];
        for (code, &rank) in ranks.iter().enumerate().skip(1) {
            by_rank[rank as usize - 1] = code as u32;
        }
        let mut strings = Self::default();
        by_rank.iter().for_each(|&code| strings.push(dictionary.value(code)));
        strings
    }

    pub fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Panics where there is no such string.
    pub fn get(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.get(index))
    }
}

impl SortedRows {
    pub fn row_count(&self) -> usize {
        self.times.len()
    }

    /// The earliest and the latest time, both inclusive; `None` without rows.
    pub fn time_bounds(&self) -> Option<(TimestampMs, TimestampMs)> {
        let earliest = self.times.iter().min()?;
        let latest = self.times.iter().max()?;
        Some((TimestampMs(*earliest), TimestampMs(*latest)))
    }

    /// Names and values, dimensions first.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &SortedColumn)> {
        let dimensions = self.schema.dimensions.iter().map(|dimension| dimension.name.as_str()).zip(&self.dimensions);
        dimensions.chain(self.schema.measures.iter().map(|measure| measure.name.as_str()).zip(&self.measures))
    }
}

impl SortedColumn {
    pub fn kind(&self) -> ColumnKind {
        match self {
            Self::Text(_) => ColumnKind::Value(DimensionType::String),
            Self::Longs(_) => ColumnKind::Value(DimensionType::Long),
            Self::Doubles(_) => ColumnKind::Value(DimensionType::Double),
            Self::Flags(_) => ColumnKind::Value(DimensionType::Boolean),
            Self::Sketches(kind, _) => ColumnKind::Sketch(*kind),
        }
    }
}
