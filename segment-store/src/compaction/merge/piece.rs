//! Gathers merged rows column by column.

use std::sync::Arc;

use super::MergeTarget;
use super::block::{Block, Cells};
use super::merged_sketches::MergedSketches;
use super::shared_codes::SharedCodes;
use crate::schema::{Aggregation, ColumnKind, DataSourceSchema, DimensionType};
use crate::segment::{SortedColumn, SortedRows, TextValues, Values};
use crate::sketch::SketchError;

/// The rows of a piece so far.
pub struct PieceBuilder<'a> {
    schema: Arc<DataSourceSchema>,
    shared: &'a [SharedCodes<'a>],
    times: Vec<i64>,
    dimensions: Vec<KeyColumn>,
    measures: Vec<MeasureColumn>,
    /// What the numbers of the last row become, while it is not certain that all can be merged.
    merged: Vec<Option<u64>>,
}

enum KeyColumn {
    /// Shared codes.
    Codes(Vec<u32>),
    Numbers(DimensionType, Numbers),
}

enum MeasureColumn {
    /// Bits of the values.
    Numbers(Aggregation, Numbers),
    Sketches(MergedSketches),
}

/// Values that may be null: 9 bytes a row.
#[derive(Default)]
struct Numbers {
    /// 0 where null.
    values: Vec<u64>,
    validity: Vec<bool>,
}

impl Numbers {
    fn push(&mut self, value: Option<u64>) {
        self.values.push(value.unwrap_or_default());
        self.validity.push(value.is_some());
    }

    fn last(&self) -> Option<u64> {
        let is_valid = self.validity.last().copied().unwrap_or_default();
        self.values.last().copied().filter(|_| is_valid)
    }

    fn pop(&mut self) {
        self.values.pop();
        self.validity.pop();
    }

    fn take<T: Copy + Default>(&mut self, decode: impl Fn(u64) -> T) -> Values<T> {
        let Self { values, validity } = std::mem::take(self);
        let has_null = validity.contains(&false);
        let decoded = values.into_iter().zip(&validity).map(|(value, is_valid)| match is_valid {
            true => decode(value),
            false => T::default(),
        });
        Values { values: decoded.collect(), validity: has_null.then_some(validity) }
    }
}

impl<'a> PieceBuilder<'a> {
    pub fn new(target: &MergeTarget, shared: &'a [SharedCodes<'a>]) -> Self {
        let mut schema = DataSourceSchema::clone(&target.schema);
        if let Some(granularity) = &target.granularity {
            schema.query_granularity = granularity.clone();
        }
        let dimensions = schema.dimensions.iter().map(|dimension| KeyColumn::new(dimension.kind)).collect();
        let measures = schema.measures.iter().map(|measure| MeasureColumn::new(measure.aggregation)).collect();
        Self { schema: Arc::new(schema), shared, times: Vec::new(), dimensions, measures, merged: Vec::new() }
    }

    pub fn row_count(&self) -> usize {
        self.times.len()
    }

    /// Memory that sketches take.
    pub fn sketch_bytes(&self) -> usize {
        let bytes = self.measures.iter().map(|column| match column {
            MeasureColumn::Numbers(..) => 0,
            MeasureColumn::Sketches(sketches) => sketches.bytes(),
        });
        bytes.sum()
    }

    /// Merges a row into the last one, if both have the same key and no sum leaves 64 bits.
    ///
    /// # Errors
    /// A sketch is damaged.
    pub fn fold(&mut self, block: &Block, row: usize) -> Result<bool, SketchError> {
        let is_same = self.times.last() == Some(&block.times[row])
            && self.dimensions.iter().zip(&block.dimensions).all(|(column, cells)| column.ends_with(cells.get(row)));
        if !is_same {
            return Ok(false);
        }
        self.merged.clear();
        for (column, cells) in self.measures.iter().zip(&block.measures) {
            let MeasureColumn::Numbers(aggregation, numbers) = column else { continue };
            match merge(*aggregation, numbers.last(), cells.number(row)) {
                Some(merged) => self.merged.push(merged),
                None => return Ok(false),
            }
        }
        let mut merged = self.merged.iter();
        for (column, cells) in self.measures.iter_mut().zip(&block.measures) {
            match column {
                MeasureColumn::Numbers(_, numbers) => {
                    numbers.pop();
                    numbers.push(*merged.next().expect("one for each measure that is a number"));
                }
                MeasureColumn::Sketches(sketches) => sketches.merge_into_last(cells.sketch(row))?,
            }
        }
        Ok(true)
    }

    pub fn push(&mut self, block: &Block, row: usize) {
        self.times.push(block.times[row]);
        self.dimensions.iter_mut().zip(&block.dimensions).for_each(|(column, cells)| column.push(cells, row));
        for (column, cells) in self.measures.iter_mut().zip(&block.measures) {
            match column {
                MeasureColumn::Numbers(_, numbers) => numbers.push(cells.number(row)),
                MeasureColumn::Sketches(sketches) => sketches.push(cells.sketch(row)),
            }
        }
    }

    /// The rows, so that the next piece can begin.
    pub fn take(&mut self) -> SortedRows {
        let dimensions = self.dimensions.iter_mut().zip(self.shared).map(|(column, shared)| column.take(shared));
        SortedRows {
            schema: self.schema.clone(),
            times: std::mem::take(&mut self.times),
            dimensions: dimensions.collect(),
            measures: self.measures.iter_mut().map(MeasureColumn::take).collect(),
        }
    }
}

impl MeasureColumn {
    fn new(aggregation: Aggregation) -> Self {
        match aggregation.column_kind() {
            ColumnKind::Value(_) => Self::Numbers(aggregation, Numbers::default()),
            ColumnKind::Sketch(kind) => Self::Sketches(MergedSketches::new(kind)),
        }
    }

    fn take(&mut self) -> SortedColumn {
        match self {
            Self::Numbers(aggregation, numbers) if aggregation.is_long() => {
                SortedColumn::Longs(numbers.take(u64::cast_signed))
            }
            Self::Numbers(_, numbers) => SortedColumn::Doubles(numbers.take(f64::from_bits)),
            Self::Sketches(sketches) => SortedColumn::Sketches(sketches.kind(), sketches.take()),
        }
    }
}

impl KeyColumn {
    fn new(kind: DimensionType) -> Self {
        match kind {
            DimensionType::String => Self::Codes(Vec::new()),
            kind => Self::Numbers(kind, Numbers::default()),
        }
    }

    fn push(&mut self, cells: &Cells, row: usize) {
        match self {
            Self::Codes(codes) => codes.push(cells.values[row] as u32),
            Self::Numbers(_, numbers) => numbers.push(cells.get(row)),
        }
    }

    fn ends_with(&self, value: Option<u64>) -> bool {
        match self {
            Self::Codes(codes) => codes.last().map(|&code| u64::from(code)) == value,
            Self::Numbers(_, numbers) => numbers.last() == value,
        }
    }

    fn take(&mut self, shared: &SharedCodes<'_>) -> SortedColumn {
        match self {
            Self::Codes(codes) => {
                let (distinct, codes) = shared.compacted(&std::mem::take(codes));
                SortedColumn::Text(TextValues { distinct, codes })
            }
            Self::Numbers(DimensionType::Double, numbers) => SortedColumn::Doubles(numbers.take(double_of_order)),
            Self::Numbers(DimensionType::Boolean, numbers) => SortedColumn::Flags(numbers.take(|key| key == 1)),
            Self::Numbers(_, numbers) => SortedColumn::Longs(numbers.take(long_of_order)),
        }
    }
}

/// Null with a value is the value. `None` where a sum of longs leaves 64 bits.
fn merge(aggregation: Aggregation, left: Option<u64>, right: Option<u64>) -> Option<Option<u64>> {
    let (Some(left), Some(right)) = (left, right) else { return Some(left.or(right)) };
    if aggregation.is_long() {
        let merged = aggregation.merge_long(left.cast_signed(), right.cast_signed())?;
        Some(Some(merged.cast_unsigned()))
    } else {
        Some(Some(aggregation.merge_double(f64::from_bits(left), f64::from_bits(right)).to_bits()))
    }
}

/// The inverse of `order_of_long`.
fn long_of_order(order: u64) -> i64 {
    (order ^ (1 << 63)).cast_signed()
}

/// The inverse of `order_of_double`.
fn double_of_order(order: u64) -> f64 {
    f64::from_bits(if order >> 63 == 1 { order ^ (1 << 63) } else { !order })
}

#[cfg(test)]
mod tests {
    use henge_indexing::{order_of_double, order_of_long};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back_from_their_order(bits in any::<u64>()) {
            prop_assert_eq!(long_of_order(order_of_long(bits.cast_signed())), bits.cast_signed());
            prop_assert_eq!(double_of_order(order_of_double(f64::from_bits(bits))).to_bits(), bits);
        }
    }
}
