//! Rows as an aligned table.

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};
use serde_json::value::RawValue;

use super::client::ClientError;
use crate::cli::visible_text::visible;

/// Below this a terminal does not tell its true width, and wrapping would leave a letter a line.
const WIDTH_MIN: u16 = 20;

/// A table and how many rows it has, the header not counted.
#[derive(Debug)]
pub struct RenderedTable {
    pub text: String,
    pub row_count: usize,
}

/// Renders an `arrayLines` answer with all three header rows: names, Druid's types, SQL types.
pub fn render(lines: &[u8], is_coloured: bool) -> Result<RenderedTable, ClientError> {
    let text = std::str::from_utf8(lines).map_err(|error| ClientError::NoResult(error.to_string()))?;
    let mut rows = text.lines().filter(|line| !line.is_empty());
    let mut header = || -> Result<Vec<String>, ClientError> {
        let line = rows.next().ok_or_else(|| ClientError::NoResult("it has no header".to_owned()))?;
        serde_json::from_str(line).map_err(|error| ClientError::NoResult(error.to_string()))
    };
    let (names, _druid_types, sql_types) = (header()?, header()?, header()?);

    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    if table.width().is_some_and(|width| width >= WIDTH_MIN) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    if is_coloured {
        table.enforce_styling();
    }
    table.set_header(names.iter().map(|name| {
        let cell = Cell::new(visible(name));
        if is_coloured { cell.add_attribute(Attribute::Bold) } else { cell }
    }));
    let mut row_count = 0;
    for line in rows {
        // Raw, because a decimal of 38 digits must not pass through a double.
        let values: Vec<&RawValue> =
            serde_json::from_str(line).map_err(|error| ClientError::NoResult(error.to_string()))?;
        table.add_row(values.iter().map(|value| cell(value.get(), is_coloured)));
        row_count += 1;
    }
    for (column, sql_type) in table.column_iter_mut().zip(&sql_types) {
        if is_number(sql_type) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    Ok(RenderedTable { text: format!("{table}\n"), row_count })
}

fn cell(json: &str, is_coloured: bool) -> Cell {
    if json == "null" {
        let cell = Cell::new("NULL");
        return if is_coloured { cell.add_attribute(Attribute::Dim) } else { cell };
    }
    match serde_json::from_str::<String>(json) {
        Ok(text) => Cell::new(visible(&text)),
        Err(_) => Cell::new(json),
    }
}

fn is_number(sql_type: &str) -> bool {
    let name = sql_type.split('(').next().unwrap_or_default();
    matches!(name, "TINYINT" | "SMALLINT" | "INTEGER" | "BIGINT" | "FLOAT" | "REAL" | "DOUBLE" | "DECIMAL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right_nulls_are_visible_and_control_characters_are_shown() {
        let lines = concat!(
            "[\"org\",\"total\"]\n",
            "[\"STRING\",\"STRING\"]\n",
            "[\"VARCHAR\",\"DECIMAL\"]\n",
            "[\"a\\u001b[31mb\",170141183460469231731687303715884105]\n",
            "[null,7]\n",
            "[\"\",null]\n",
            "\n"
        );
        let rendered = render(lines.as_bytes(), false).unwrap();
        let expected = "\
┌──────────────┬──────────────────────────────────────┐
│ org          ┆                                total │
╞══════════════╪══════════════════════════════════════╡
│ a\\u{1b}[31mb ┆ 170141183460469231731687303715884105 │
│ NULL         ┆                                    7 │
│              ┆                                 NULL │
└──────────────┴──────────────────────────────────────┘
";
        assert_eq!((rendered.text.as_str(), rendered.row_count), (expected, 3));
    }

    #[test]
    fn an_answer_without_its_headers_is_no_table() {
        assert_eq!(
            render(b"\n", false).unwrap_err().to_string(),
            "the answer is no result of a query: it has no header"
        );
    }
}
