//! Longs that stand for other values and compare as those do.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, TimestampMillisecondArray};
use henge_segment_store::schema::DimensionType;

use super::ColumnKind;

/// The values of a column that order keys stand for.
pub(super) fn array_of_keys(keys: impl Iterator<Item = Option<i64>>, kind: ColumnKind) -> ArrayRef {
    match kind {
        ColumnKind::Time => Arc::new(keys.collect::<TimestampMillisecondArray>()),
        ColumnKind::Value(DimensionType::Double) => {
            Arc::new(keys.map(|key| key.map(double_of_key)).collect::<Float64Array>())
        }
        ColumnKind::Value(DimensionType::Boolean) => {
            Arc::new(keys.map(|key| key.map(|key| key == 1)).collect::<BooleanArray>())
        }
        ColumnKind::Value(_) | ColumnKind::Sketches => Arc::new(keys.collect::<Int64Array>()),
    }
}

/// The key of a double: keys compare as the doubles do, -0.0 before 0.0, and every NaN after all other values.
pub(super) fn key_of_double(value: f64) -> i64 {
    let bits = if value.is_nan() { f64::NAN.to_bits() & i64::MAX as u64 } else { value.to_bits() }.cast_signed();
    bits ^ (bits >> 63) & i64::MAX
}

fn double_of_key(key: i64) -> f64 {
    f64::from_bits((key ^ (key >> 63) & i64::MAX).cast_unsigned())
}
