use std::cmp::Ordering;

use crate::schema::SortKey;
use crate::segment::SketchBytes;

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

/// Values of a measure.
#[derive(Debug, Clone)]
pub enum MeasureCells {
    Numbers(Cells),
    Sketches(SketchBytes),
}

impl MeasureCells {
    /// The bits of a number; null of sketches.
    pub fn number(&self, row: usize) -> Option<u64> {
        match self {
            Self::Numbers(cells) => cells.get(row),
            Self::Sketches(_) => None,
        }
    }

    /// The bytes of a sketch; null of numbers.
    pub fn sketch(&self, row: usize) -> Option<&[u8]> {
        match self {
            Self::Numbers(_) => None,
            Self::Sketches(sketches) => sketches.get(row),
        }
    }

    fn append(&mut self, other: &Self) {
        match (self, other) {
            (Self::Numbers(cells), Self::Numbers(other)) => cells.append(other),
            (Self::Sketches(sketches), Self::Sketches(other)) => {
                other.iter().for_each(|sketch| sketches.push(sketch));
            }
            _ => unreachable!("a measure is of one kind in all blocks"),
        }
    }
}

/// Some rows of an input.
#[derive(Debug, Clone, Default)]
pub struct Block {
    pub times: Vec<i64>,
    /// In the order of the schema.
    pub dimensions: Vec<Cells>,
    pub measures: Vec<MeasureCells>,
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
        if self.times.is_empty() {
            *self = other.clone();
            return;
        }
        self.times.extend_from_slice(&other.times);
        self.dimensions.iter_mut().zip(&other.dimensions).for_each(|(column, other)| column.append(other));
        self.measures.iter_mut().zip(&other.measures).for_each(|(column, other)| column.append(other));
    }
}
