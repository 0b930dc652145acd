//! Comma-separated values with LF line ends.

use henge_query::answer::ResultColumn;

use super::cell::Cells;
use super::csv_text::write_field;
use super::{Layout, header_rows};

/// Writes rows as CSV; null and `""` are both empty.
pub struct CsvRows {
    layout: Layout,
    columns: Vec<ResultColumn>,
}

impl CsvRows {
    pub fn new(layout: Layout, columns: Vec<ResultColumn>) -> Self {
        Self { layout, columns }
    }

    pub fn start(&self, out: &mut Vec<u8>) {
        for texts in header_rows(self.layout.header, &self.columns) {
            let line_start = out.len();
            for (at, text) in texts.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_field(text, out);
            }
            end_line(line_start, out);
        }
    }

    pub fn row(&self, cells: &[Cells], row: usize, out: &mut Vec<u8>) {
        let line_start = out.len();
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            cell.write_csv(row, &self.layout.time, out);
        }
        end_line(line_start, out);
    }

    /// A blank line tells a reader that nothing was cut off.
    pub fn finish(&self, out: &mut Vec<u8>) {
        out.push(b'\n');
    }
}

/// A row of one empty field is quoted, for a blank line would be the end of the result.
fn end_line(line_start: usize, out: &mut Vec<u8>) {
    if out.len() == line_start {
        out.extend_from_slice(b"\"\"");
    }
    out.push(b'\n');
}
