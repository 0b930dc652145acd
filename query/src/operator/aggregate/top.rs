//! The groups that come first by one output column, with all that are equal to the last of them.

use std::cmp::Ordering;

use datafusion::arrow::array::{Array, ArrayRef, make_comparator};
use datafusion::arrow::compute::SortOptions;

use super::TopGroups;
use crate::error::QueryError;

impl TopGroups {
    /// Which of the column's rows are enough, ascending.
    ///
    /// # Errors
    /// Columns of that type have no order.
    pub fn rows_of(&self, column: &ArrayRef) -> Result<Vec<u32>, QueryError> {
        let mut rows: Vec<u32> = (0..column.len() as u32).collect();
        let count = self.count.get();
        if rows.len() <= count {
            return Ok(rows);
        }
        let options = SortOptions { descending: self.is_descending, nulls_first: self.is_nulls_first };
        let compare = make_comparator(column, column, options)?;
        let by_value = |left: &u32, right: &u32| compare(*left as usize, *right as usize);
        let (_, last, _) = rows.select_nth_unstable_by(count - 1, by_value);
        let last = *last;
        let mut rows: Vec<u32> = (0..column.len() as u32).collect();
        rows.retain(|row| by_value(row, &last) != Ordering::Greater);
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{Float64Array, Int64Array, StringViewArray};

    use super::*;

    fn rows(column: impl Array + 'static, is_descending: bool, is_nulls_first: bool, count: usize) -> Vec<u32> {
        let column: ArrayRef = Arc::new(column);
        let top = TopGroups { column: 0, is_descending, is_nulls_first, count: count.try_into().unwrap() };
        top.rows_of(&column).unwrap()
    }

    #[test]
    fn equals_of_the_last_are_kept() {
        let longs = || Int64Array::from(vec![Some(5), Some(1), None, Some(5), Some(9), Some(5), None]);
        assert_eq!(rows(longs(), true, false, 2), [0, 3, 4, 5]);
        assert_eq!(rows(longs(), false, false, 1), [1]);
        assert_eq!(rows(longs(), true, true, 1), [2, 6]);
        assert_eq!(rows(longs(), false, false, 6), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(rows(longs(), false, false, 9), [0, 1, 2, 3, 4, 5, 6]);
        let doubles = Float64Array::from(vec![1.0, f64::NAN, f64::INFINITY, -1.0]);
        assert_eq!(rows(doubles, true, false, 2), [1, 2]);
        let texts = StringViewArray::from(vec!["b", "a longer text than a view holds", "c", "a"]);
        assert_eq!(rows(texts, false, false, 2), [1, 3]);
    }
}
