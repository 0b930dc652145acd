//! Stands in for the dimension index until that lands.

use bytes::Bytes;

use crate::{CodeSet, FormatError, RowSet};

#[derive(Debug)]
pub struct DimensionIndex {
    rows: Vec<Vec<u32>>,
    row_count: u32,
}

pub struct BuiltIndex {
    pub bytes: Vec<u8>,
    pub form: IndexForm,
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum IndexForm {
    Runs,
    Roaring,
    RowList,
    None,
}

impl std::fmt::Display for IndexForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl DimensionIndex {
    pub fn build(codes: &[u32], _distinct: u32) -> BuiltIndex {
        let bytes = codes.iter().flat_map(|code| code.to_le_bytes()).collect();
        BuiltIndex { bytes, form: IndexForm::RowList, reason: "stand-in".into() }
    }

    pub fn decode(bytes: Bytes, row_count: u32, distinct: u32) -> Result<Self, FormatError> {
        let mut rows = vec![Vec::new(); distinct as usize + 1];
        for (row, code) in bytes.as_chunks::<4>().0.iter().enumerate() {
            if let Some(rows) = rows.get_mut(u32::from_le_bytes(*code) as usize) {
                rows.push(row as u32);
            }
        }
        Ok(Self { rows, row_count })
    }

    pub fn form(&self) -> IndexForm {
        IndexForm::RowList
    }

    fn rows_of(&self, codes: &CodeSet) -> impl Iterator<Item = &Vec<u32>> {
        codes.iter().filter_map(|code| self.rows.get(code as usize))
    }

    pub fn rows(&self, codes: &CodeSet) -> Option<RowSet> {
        let rows = self.rows_of(codes).flatten().copied().collect();
        Some(RowSet::from_sorted_rows(self.row_count, rows))
    }

    pub fn estimated_rows(&self, codes: &CodeSet) -> Option<u64> {
        Some(self.rows_of(codes).map(|rows| rows.len() as u64).sum())
    }
}
