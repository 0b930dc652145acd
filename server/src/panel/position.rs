//! Where in the text that was sent a mistake is, though the engine read another one.

use henge_query::error::QueryError;
use henge_query::pieces::{Piece, Place};
use serde::Serialize;

use crate::error::{ApiError, sql_place};

/// Counted from 1, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Position {
    pub line: u64,
    pub column: u64,
    pub length: u64,
}

impl Position {
    pub fn of(piece: &Piece, sql: &str) -> Self {
        let Place { line, column } = piece.place;
        Self { line, column, length: sql[piece.bytes.clone()].chars().count() as u64 }
    }
}

/// A text that was made of another, and which piece of that each of its parts stands for.
#[derive(Debug, Clone, Default)]
pub struct Fragment {
    pub text: String,
    /// Ascending: from this byte on, the piece.
    marks: Vec<(usize, usize)>,
}

impl Fragment {
    pub fn push(&mut self, text: &str, piece: usize) {
        self.marks.push((self.text.len(), piece));
        self.text.push_str(text);
    }

    pub fn push_fragment(&mut self, fragment: &Self) {
        let start = self.text.len();
        self.marks.extend(fragment.marks.iter().map(|(at, piece)| (start + at, *piece)));
        self.text.push_str(&fragment.text);
    }

    /// The piece that a line and a column of the text stand for.
    fn piece_at(&self, line: u32, column: u32) -> Option<usize> {
        let start = match line {
            0 | 1 => 0,
            line => self.text.match_indices('\n').nth(line as usize - 2)?.0 + 1,
        };
        let mut characters = self.text[start..].char_indices();
        let byte = characters.nth((column as usize).saturating_sub(1)).map_or(self.text.len(), |(at, _)| start + at);
        let marked = self.marks.partition_point(|(at, _)| *at <= byte);
        Some(self.marks.get(marked.checked_sub(1)?)?.1)
    }

    /// The error of the engine, with the place that the text as sent has instead of its own.
    pub fn error(&self, error: QueryError, sql: &str, pieces: &[Piece]) -> ApiError {
        let place = sql_place(&error.message);
        let found = place.and_then(|(line, column)| self.piece_at(line, column)).and_then(|piece| pieces.get(piece));
        match (place, found) {
            (Some((line, column)), Some(piece)) => {
                let position = Position::of(piece, sql);
                let message = moved(&error.message, (line, column), position);
                ApiError::from(QueryError { message, ..error }).at(position)
            }
            _ => error.into(),
        }
    }
}

/// The message with another place in it.
fn moved(message: &str, (line, column): (u32, u32), position: Position) -> String {
    let Position { line: new_line, column: new_column, .. } = position;
    message
        .replace(&format!("Line: {line}, Column: {column}"), &format!("Line: {new_line}, Column: {new_column}"))
        .replace(&format!("line [{line}], column [{column}]"), &format!("line [{new_line}], column [{new_column}]"))
}
