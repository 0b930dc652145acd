//! Values of an expression for the rows of a batch.

use std::fmt;

use henge_segment_store::schema::DimensionType;

use crate::decode::STRING_BYTES_MAX;

/// Why an expression has no value for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    DivisionByZero,
    /// A long beyond 64 bits, a double that is not finite, or a time outside of what can be stored.
    Overflow,
    TextTooLong,
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DivisionByZero => out.write_str("division by zero"),
            Self::Overflow => out.write_str("a number leaves 64 bits"),
            Self::TextTooLong => write!(out, "a text has more than {STRING_BYTES_MAX} bytes"),
        }
    }
}

/// One row's value; `None` is null.
pub(super) type Cell<T> = Result<Option<T>, Failure>;

/// One cell for each row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Column {
    Booleans(Vec<Cell<bool>>),
    Longs(Vec<Cell<i64>>),
    Doubles(Vec<Cell<f64>>),
    Texts(Texts),
}

/// Texts of many rows in one buffer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Texts {
    buffer: String,
    /// Places in the buffer.
    cells: Vec<Cell<(usize, usize)>>,
}

const KINDS_ARE_CHECKED: &str = "expressions are checked for the types of their parts when they are read";

impl Column {
    /// Nulls of a type.
    pub(super) fn nulls(kind: DimensionType, rows: usize) -> Self {
        match kind {
            DimensionType::Boolean => Self::Booleans(vec![Ok(None); rows]),
            DimensionType::Long => Self::Longs(vec![Ok(None); rows]),
            DimensionType::Double => Self::Doubles(vec![Ok(None); rows]),
            DimensionType::String => Self::Texts(Texts { buffer: String::new(), cells: vec![Ok(None); rows] }),
        }
    }

    /// The same text for all rows.
    pub(super) fn text(text: &str, rows: usize) -> Self {
        Self::Texts(Texts { buffer: text.to_owned(), cells: vec![Ok(Some((0, text.len()))); rows] })
    }

    pub(super) fn booleans(&self) -> &[Cell<bool>] {
        match self {
            Self::Booleans(cells) => cells,
            _ => panic!("{KINDS_ARE_CHECKED}"),
        }
    }

    pub(super) fn longs(&self) -> &[Cell<i64>] {
        match self {
            Self::Longs(cells) => cells,
            _ => panic!("{KINDS_ARE_CHECKED}"),
        }
    }

    pub(super) fn doubles(&self) -> &[Cell<f64>] {
        match self {
            Self::Doubles(cells) => cells,
            _ => panic!("{KINDS_ARE_CHECKED}"),
        }
    }

    pub(super) fn texts(&self) -> &Texts {
        match self {
            Self::Texts(texts) => texts,
            _ => panic!("{KINDS_ARE_CHECKED}"),
        }
    }

    pub(super) fn boolean(&self, row: usize) -> Cell<bool> {
        self.booleans()[row]
    }

    /// Whether a row's value is null.
    pub(super) fn is_null(&self, row: usize) -> Cell<bool> {
        let is_null = match self {
            Self::Booleans(cells) => cells[row].map(|value| value.is_none()),
            Self::Longs(cells) => cells[row].map(|value| value.is_none()),
            Self::Doubles(cells) => cells[row].map(|value| value.is_none()),
            Self::Texts(texts) => texts.cells[row].map(|value| value.is_none()),
        };
        is_null.map(Some)
    }

    /// Row by row the value of one of several columns of one type; a failed choice is a failed value.
    pub(super) fn choose(kind: DimensionType, columns: &[&Self], choices: &[Result<usize, Failure>]) -> Self {
        fn pick<T: Copy>(choices: &[Result<usize, Failure>], cell: impl Fn(usize, usize) -> Cell<T>) -> Vec<Cell<T>> {
            choices.iter().enumerate().map(|(row, choice)| choice.and_then(|column| cell(column, row))).collect()
        }
        match kind {
            DimensionType::Boolean => Self::Booleans(pick(choices, |column, row| columns[column].booleans()[row])),
            DimensionType::Long => Self::Longs(pick(choices, |column, row| columns[column].longs()[row])),
            DimensionType::Double => Self::Doubles(pick(choices, |column, row| columns[column].doubles()[row])),
            DimensionType::String => {
                let mut texts = Texts::default();
                for (row, choice) in choices.iter().enumerate() {
                    let cell = choice.and_then(|column| columns[column].texts().get(row));
                    texts.push_copy(cell);
                }
                Self::Texts(texts)
            }
        }
    }
}

impl Texts {
    pub(super) fn get(&self, row: usize) -> Cell<&str> {
        self.cells[row].map(|cell| cell.map(|(start, end)| &self.buffer[start..end]))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Cell<&str>> {
        (0..self.cells.len()).map(|row| self.get(row))
    }

    /// Appends a row's text as `write` writes it; `Ok(None)` from there makes it null.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut String) -> Cell<()>) {
        let start = self.buffer.len();
        let written = write(&mut self.buffer);
        let cell = match written {
            Ok(Some(())) if self.buffer.len() - start > STRING_BYTES_MAX => Err(Failure::TextTooLong),
            written => written.map(|written| written.map(|()| (start, self.buffer.len()))),
        };
        if !matches!(cell, Ok(Some(_))) {
            self.buffer.truncate(start);
        }
        self.cells.push(cell);
    }

    pub(super) fn push_copy(&mut self, cell: Cell<&str>) {
        self.push(|out| cell.map(|text| text.map(|text| out.push_str(text))));
    }
}
