//! The four JSON formats: objects or arrays, in one JSON array or one a line.

use henge_query::answer::ResultColumn;

use super::cell::Cells;
use super::json_text::write_string;
use super::{Layout, ResultFormat};

/// Writes rows as JSON objects or arrays.
pub struct JsonRows {
    layout: Layout,
    columns: Vec<ResultColumn>,
    /// `"name":` of each column, escaped once; keys keep the order of the SELECT list.
    keys: Vec<Vec<u8>>,
    is_first: bool,
}

impl JsonRows {
    /// `layout.format` is one of the JSON formats.
    pub fn new(layout: Layout, columns: Vec<ResultColumn>) -> Self {
        let key = |column: &ResultColumn| {
            let mut key = Vec::new();
            write_string(&column.name, &mut key);
            key.push(b':');
            key
        };
        let keys = columns.iter().map(key).collect();
        Self { layout, columns, keys, is_first: true }
    }

    fn is_lines(&self) -> bool {
        matches!(self.layout.format, ResultFormat::ObjectLines | ResultFormat::ArrayLines)
    }

    fn is_objects(&self) -> bool {
        matches!(self.layout.format, ResultFormat::Object | ResultFormat::ObjectLines)
    }

    pub fn start(&mut self, out: &mut Vec<u8>) {
        if !self.is_lines() {
            out.push(b'[');
        }
        if !self.layout.header.names {
            return;
        }
        if self.is_objects() {
            self.write_object_header(out);
        } else {
            self.write_array_headers(out);
        }
    }

    pub fn row(&mut self, cells: &[Cells], row: usize, out: &mut Vec<u8>) {
        self.open_row(out);
        let is_objects = self.is_objects();
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            if is_objects {
                out.extend_from_slice(&self.keys[at]);
            }
            cell.write_json(row, &self.layout.time, self.layout.arrays, out);
        }
        self.close_row(out);
    }

    /// The last LF tells a reader that nothing was cut off.
    pub fn finish(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.is_lines() { b"\n" } else { b"]\n" });
    }

    fn open_row(&mut self, out: &mut Vec<u8>) {
        if !self.is_first && !self.is_lines() {
            out.push(b',');
        }
        self.is_first = false;
        out.push(if self.is_objects() { b'{' } else { b'[' });
    }

    fn close_row(&self, out: &mut Vec<u8>) {
        out.push(if self.is_objects() { b'}' } else { b']' });
        if self.is_lines() {
            out.push(b'\n');
        }
    }

    /// One object: each column's types under its name, or null where no types are asked for.
    fn write_object_header(&mut self, out: &mut Vec<u8>) {
        self.open_row(out);
        let header = self.layout.header;
        for (at, column) in self.columns.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&self.keys[at]);
            if !header.druid_types && !header.sql_types {
                out.extend_from_slice(b"null");
                continue;
            }
            out.push(b'{');
            if header.druid_types {
                out.extend_from_slice(b"\"type\":");
                write_string(&column.druid_type, out);
            }
            if header.sql_types {
                out.extend_from_slice(if header.druid_types { b",\"sqlType\":" } else { b"\"sqlType\":" });
                write_string(&column.sql_type, out);
            }
            out.push(b'}');
        }
        self.close_row(out);
    }

    /// Up to three rows of strings: names, Druid's types, SQL types.
    fn write_array_headers(&mut self, out: &mut Vec<u8>) {
        let columns = std::mem::take(&mut self.columns);
        for texts in super::header_rows(self.layout.header, &columns) {
            self.open_row(out);
            for (at, text) in texts.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_string(text, out);
            }
            self.close_row(out);
        }
    }
}
