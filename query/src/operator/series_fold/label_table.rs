//! Combinations of labels, numbered as they come.

use std::hash::BuildHasher;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::row::{Row, RowConverter, Rows, SortField};
use datafusion::common::Result;
use hashbrown::{DefaultHashBuilder, HashTable};

/// Numbers combinations of texts, any of which may be null.
#[derive(Debug)]
pub(super) struct LabelTable {
    converter: RowConverter,
    /// By number. Their bytes sort as the labels do, nulls first.
    rows: Rows,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl LabelTable {
    /// Of `labels` texts each.
    pub fn new(labels: usize) -> Result<Self> {
        // A combination of nothing is one, too; a converter wants a column.
        let fields = vec![SortField::new(DataType::Utf8View); labels.max(1)];
        let converter = RowConverter::new(fields)?;
        let rows = converter.empty_rows(0, 0);
        Ok(Self { converter, rows, numbers: HashTable::new(), hasher: DefaultHashBuilder::default() })
    }

    /// The numbers of some combinations, one array a label.
    pub fn numbers(&mut self, labels: &[ArrayRef], count: usize) -> Result<Vec<u32>> {
        if labels.is_empty() {
            return Ok(vec![0; count]);
        }
        let asked = self.converter.convert_columns(labels)?;
        Ok(asked.iter().map(|row| self.number(row)).collect())
    }

    fn number(&mut self, row: Row<'_>) -> u32 {
        let Self { rows, numbers, hasher, .. } = self;
        let hash = hasher.hash_one(row.as_ref());
        if let Some(number) = numbers.find(hash, |number| rows.row(*number as usize) == row) {
            return *number;
        }
        let number = u32::try_from(rows.num_rows()).expect("memory ends before numbers do");
        rows.push(row);
        numbers.insert_unique(hash, number, |number| hasher.hash_one(rows.row(*number as usize).as_ref()));
        number
    }

    /// The bytes of a combination, which sort as its labels do.
    pub fn key(&self, number: u32) -> &[u8] {
        if self.rows.num_rows() == 0 { &[] } else { self.rows.row(number as usize).data() }
    }

    /// The bytes of a combination that need not be here.
    pub fn key_of(&self, labels: &[ArrayRef]) -> Result<Vec<u8>> {
        Ok(self.converter.convert_columns(labels)?.row(0).as_ref().to_vec())
    }

    /// The labels of some combinations, an array each.
    pub fn labels(&self, numbers: &[u32]) -> Result<Vec<ArrayRef>> {
        if self.rows.num_rows() == 0 {
            return Ok(Vec::new());
        }
        Ok(self.converter.convert_rows(numbers.iter().map(|number| self.rows.row(*number as usize)))?)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.num_rows().max(1)
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        self.rows.size() + self.numbers.allocation_size()
    }
}
