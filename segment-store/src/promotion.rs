//! Arrow columns of a kind that the schema has widened since they were stored.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, StringViewArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::error::ArrowError;
use henge_indexing::{text_of_double, text_of_flag, text_of_long};

/// The same values in the kind that is asked for; as they are where they have it already.
///
/// # Errors
/// No schema widens the one kind to the other: only a file that was made up holds such a column.
pub(crate) fn promoted(array: ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == wanted {
        return Ok(array);
    }
    Ok(match (array.data_type(), wanted) {
        (DataType::Int64, DataType::Float64) => {
            let longs = array.as_primitive::<Int64Type>();
            Arc::new(longs.unary::<_, Float64Type>(|long| long as f64)) as ArrayRef
        }
        (DataType::Int64, DataType::Utf8View) => {
            let longs = array.as_primitive::<Int64Type>().iter();
            Arc::new(longs.map(|long| long.map(text_of_long)).collect::<StringViewArray>())
        }
        (DataType::Float64, DataType::Utf8View) => {
            let doubles: &Float64Array = array.as_primitive();
            Arc::new(doubles.iter().map(|double| double.map(text_of_double)).collect::<StringViewArray>())
        }
        (DataType::Boolean, DataType::Utf8View) => {
            let flags = array.as_boolean().iter();
            Arc::new(flags.map(|flag| flag.map(text_of_flag)).collect::<StringViewArray>())
        }
        (stored, wanted) => {
            return Err(ArrowError::CastError(format!(
                "a column is stored as {stored}, which never widens to {wanted}"
            )));
        }
    })
}

#[cfg(test)]
mod tests {
    use arrow::array::{BooleanArray, Int64Array};

    use super::*;

    #[test]
    fn values_widen_as_documented_and_nulls_stay_null() {
        let longs: ArrayRef = Arc::new(Int64Array::from(vec![Some(5), None]));
        let doubles: ArrayRef = Arc::new(Float64Array::from(vec![Some(5.0), Some(0.1), None]));
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None]));
        let texts = |texts: Vec<Option<&str>>| -> ArrayRef { Arc::new(StringViewArray::from(texts)) };
        let promoted = |array: &ArrayRef, wanted| promoted(array.clone(), &wanted).unwrap();
        assert_eq!(&promoted(&longs, DataType::Utf8View), &texts(vec![Some("5"), None]));
        assert_eq!(&promoted(&doubles, DataType::Utf8View), &texts(vec![Some("5"), Some("0.1"), None]));
        assert_eq!(&promoted(&flags, DataType::Utf8View), &texts(vec![Some("true"), None]));
        let widened: ArrayRef = Arc::new(Float64Array::from(vec![Some(5.0), None]));
        assert_eq!(&promoted(&longs, DataType::Float64), &widened);
        assert_eq!(&promoted(&doubles, DataType::Float64), &doubles);
    }

    #[test]
    fn a_kind_that_never_widens_to_the_one_asked_for_is_an_error() {
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec!["5"]));
        for (array, wanted) in [(&flags, DataType::Int64), (&texts, DataType::Int64), (&texts, DataType::Float64)] {
            let message = promoted(array.clone(), &wanted).unwrap_err().to_string();
            assert!(message.contains(&format!("which never widens to {wanted}")), "{message}");
        }
    }
}
