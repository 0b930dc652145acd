use std::cmp::Ordering;

use crate::schema::SortKey;

/// Values of one column, as numbers. Of a dimension they compare like the values: codes of strings (0 is null), or what
/// `order_of_long` and `order_of_double` make of numbers. Of a measure they are the value's bits.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    /// 0 where null.
    pub values: Vec<u64>,
    /// `None` where no value is null; strings never have one.
    pub validity: Option<Vec<bool>>,
}

impl Cells {
    pub fn get(&self, row: usize) -> Option<u64> {
        self.is_valid(row).then(|| self.values[row])
    }

    /// Nulls first.
    pub fn compare(&self, row: usize, other: &Self, other_row: usize) -> Ordering {
        let valid = self.is_valid(row).cmp(&other.is_valid(other_row));
        valid.then_with(|| self.values[row].cmp(&other.values[other_row]))
    }

    fn is_valid(&self, row: usize) -> bool {
        self.validity.as_ref().is_none_or(|validity| validity[row])
    }

    fn append(&mut self, other: &Self) {
        let rows = self.values.len();
        if self.validity.is_some() || other.validity.is_some() {
            let validity = self.validity.get_or_insert_with(|| vec![true; rows]);
            match &other.validity {
                Some(other) => validity.extend_from_slice(other),
                None => validity.resize(rows + other.values.len(), true),
            }
        }
        self.values.extend_from_slice(&other.values);
    }
}

/// Some rows of an input.
#[derive(Debug, Clone, Default)]
pub struct Block {
    pub times: Vec<i64>,
    /// In the order of the schema.
    pub dimensions: Vec<Cells>,
    pub measures: Vec<Cells>,
}

impl Block {
    pub fn row_count(&self) -> usize {
        self.times.len()
    }

    /// The order of two rows by `keys`.
    pub fn compare(&self, row: usize, other: &Self, other_row: usize, keys: &[SortKey]) -> Ordering {
        for key in keys {
            let order = match *key {
                SortKey::Time => self.times[row].cmp(&other.times[other_row]),
                SortKey::Dimension(dimension) => {
                    self.dimensions[dimension].compare(row, &other.dimensions[dimension], other_row)
                }
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }

    pub fn append(&mut self, other: &Self) {
        self.times.extend_from_slice(&other.times);
        append_columns(&mut self.dimensions, &other.dimensions);
        append_columns(&mut self.measures, &other.measures);
    }
}

fn append_columns(columns: &mut Vec<Cells>, others: &[Cells]) {
    columns.resize_with(others.len(), Cells::default);
    columns.iter_mut().zip(others).for_each(|(column, other)| column.append(other));
}
