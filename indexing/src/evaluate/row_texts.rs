//! The text of one row after another, whatever kind the column is stored in.

use super::column::Column;
use crate::promotion::{text_of_double, text_of_flag, text_of_long};

/// Reads a column as texts.
pub(crate) struct RowTexts<'c, 'a> {
    column: &'c Column<'a>,
    buffer: Vec<u8>,
}

impl<'c, 'a> RowTexts<'c, 'a> {
    pub fn new(column: &'c Column<'a>) -> Self {
        Self { column, buffer: Vec::new() }
    }

    /// The text of a row; `None` where it is null.
    pub fn get(&mut self, row: u32) -> Option<&[u8]> {
        let text = match self.column {
            Column::Missing => return None,
            Column::Text(column) => {
                let code = column.code(row);
                return (code != 0).then(|| column.text(code, &mut self.buffer));
            }
            Column::Longs(column) => text_of_long(column.get(row)?),
            Column::Doubles(column) => text_of_double(column.get(row)?),
            Column::Flags(column) => text_of_flag(column.get(row)?).to_owned(),
        };
        self.buffer = text.into_bytes();
        Some(&self.buffer)
    }
}
