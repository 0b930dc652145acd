//! Columns and rows of a table of the catalogue, as short as they can be said.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::common::Result;
use datafusion::datasource::MemTable;

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Text(String),
    Long(i64),
    Flag(bool),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Long(number)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// The values by column; other columns have what all rows have.
pub(super) type Row = HashMap<&'static str, Cell>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: &'static str,
    kind: DataType,
    /// In rows that say nothing of it; `None` is null.
    value: Option<Cell>,
}

/// `name kind value, ..`, where the kind is `text`, `long` or `flag`, and the value is one of that kind, or absent for
/// null. Panics where the text is another, which is a mistake in the table's file.
fn read_columns(text: &'static str) -> Vec<Column> {
    let column = |text: &'static str| {
        let mut words = text.split_whitespace();
        let name = words.next().expect("a column has a name");
        let kind = words.next().expect("a column has a kind");
        let value = words.next();
        match kind {
            "text" => {
                Column { name, kind: DataType::Utf8View, value: value.map(|text| text.trim_matches('\'').into()) }
            }
            "long" => {
                let value = value.map(|digits| Cell::Long(digits.parse().expect("the value is a number")));
                Column { name, kind: DataType::Int64, value }
            }
            "flag" => Column { name, kind: DataType::Boolean, value: value.map(|word| (word == "true").into()) },
            other => panic!("`{other}` is no kind of column"),
        }
    };
    text.split(',').map(column).collect()
}

/// Panics where a row has a value of another kind than its column.
pub(super) fn table(columns: &'static str, rows: Vec<Row>) -> Result<Arc<dyn TableProvider>> {
    let columns = read_columns(columns);
    let fields = columns.iter().map(|column| Field::new(column.name, column.kind.clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    debug_assert!(
        rows.iter().flat_map(Row::keys).all(|name| columns.iter().any(|column| column.name == *name)),
        "each value has a column"
    );
    let arrays = columns.iter().map(|column| array(column, &rows)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options)?;
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
}

fn array(column: &Column, rows: &[Row]) -> ArrayRef {
    let cells = rows.iter().map(|row| row.get(column.name).or(column.value.as_ref()));
    match column.kind {
        DataType::Int64 => Arc::new(Int64Array::from_iter(cells.map(|cell| match cell? {
            Cell::Long(number) => Some(*number),
            other => panic!("`{}` cannot be {other:?}", column.name),
        }))),
        DataType::Boolean => Arc::new(BooleanArray::from_iter(cells.map(|cell| match cell? {
            Cell::Flag(flag) => Some(*flag),
            other => panic!("`{}` cannot be {other:?}", column.name),
        }))),
        _ => Arc::new(StringViewArray::from_iter(cells.map(|cell| match cell? {
            Cell::Text(text) => Some(text.as_str()),
            other => panic!("`{}` cannot be {other:?}", column.name),
        }))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::catalog::all;

    #[test]
    fn columns_of_all_tables_are_read() {
        for known in all() {
            assert!(table(known.columns, Vec::new()).is_ok(), "{}", known.name);
        }
        let column = |name, kind, value| Column { name, kind, value };
        let expected = [
            column("a", DataType::Utf8View, Some("x".into())),
            column("b", DataType::Int64, Some((-1).into())),
            column("c", DataType::Boolean, None),
            column("d", DataType::Utf8View, Some("".into())),
        ];
        assert_eq!(read_columns("a text x, b long -1, c flag, d text ''"), expected);
    }
}
