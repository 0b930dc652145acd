//! A text of several statements, taken apart.

use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use crate::error::QueryError;
use crate::guard;
use crate::settings::blank_before;
use crate::statement::tokenize;

/// More at once are refused.
const STATEMENTS_MAX: usize = 100;
/// Of a statement that is no query; what comes later says nothing about it.
const PIECES_MAX: usize = 64;

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// At the lines and columns where it was in the script.
    pub sql: String,
    /// What it begins with.
    pub pieces: Vec<Piece>,
}

/// A word or sign of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it is written, without quotes.
    Word(String),
    /// A quoted text, without its quotes.
    Text(String),
    /// Anything else.
    Sign(String),
}

impl Statement {
    /// The word at a place, in upper case; nothing where none stands there.
    pub fn keyword(&self, at: usize) -> String {
        match self.pieces.get(at) {
            Some(Piece::Word(word)) => word.to_ascii_uppercase(),
            _ => String::new(),
        }
    }
}

/// The statements of a script in their order; those that are empty are left out.
///
/// # Errors
/// The script is longer than a statement may be, holds more than a hundred of them, or breaks off in a literal.
///
/// ```
/// # use henge_query::postgres::statements::split;
/// let statements = split("BEGIN; SELECT ';'", 1_000).unwrap();
/// assert_eq!(statements[0].keyword(0), "BEGIN");
/// assert_eq!(statements[1].sql.trim(), "SELECT ';'");
/// ```
pub fn split(script: &str, bytes_max: usize) -> Result<Vec<Statement>, QueryError> {
    guard::check_text(script, bytes_max)?;
    let tokens = tokenize(script, &PostgreSqlDialect {})?;
    let mut statements = Vec::new();
    for part in tokens.split(|spanned| spanned.token == Token::SemiColon) {
        let said: Vec<&TokenWithSpan> = part.iter().filter(|spanned| is_said(&spanned.token)).collect();
        let (Some(first), Some(last)) = (said.first(), said.last()) else { continue };
        if statements.len() == STATEMENTS_MAX {
            return Err(QueryError::limit(format!("a text has at most {STATEMENTS_MAX} statements: send it in parts")));
        }
        let until = &script[..byte_offset(script, last.span.end)];
        let pieces = said.iter().take(PIECES_MAX).map(|spanned| piece(&spanned.token)).collect();
        statements.push(Statement { sql: blank_before(until, first.span.start), pieces });
    }
    Ok(statements)
}

fn is_said(token: &Token) -> bool {
    !matches!(token, Token::Whitespace(_) | Token::EOF)
}

fn piece(token: &Token) -> Piece {
    match token {
        Token::Word(word) => Piece::Word(word.value.clone()),
        Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => Piece::Text(text.clone()),
        other => Piece::Sign(other.to_string()),
    }
}

/// Of a place that is counted in lines and characters, both from 1.
fn byte_offset(text: &str, place: Location) -> usize {
    let lines_before = place.line.saturating_sub(1) as usize;
    let start: usize = text.split_inclusive('\n').take(lines_before).map(str::len).sum();
    let columns_before = place.column.saturating_sub(1) as usize;
    start + text[start..].chars().take(columns_before).map(char::len_utf8).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(script: &str) -> Vec<String> {
        split(script, 1_000).unwrap().into_iter().map(|statement| statement.sql).collect()
    }

    #[test]
    fn statements_end_at_semicolons_and_stay_where_they_were() {
        let cases: [(&str, &[&str]); 7] = [
            ("", &[]),
            (" ;; -- nothing\n;", &[]),
            ("SELECT 1", &["SELECT 1"]),
            ("SELECT ';é'; ", &["SELECT ';é'"]),
            ("BEGIN;SELECT\n 2;", &["BEGIN", "      SELECT\n 2"]),
            ("SELECT $$;$$, \";\" /* ; */;\n SHOW x", &["SELECT $$;$$, \";\"", "\n SHOW x"]),
            ("SELECT 'é'; SELECT é", &["SELECT 'é'", "            SELECT é"]),
        ];
        for (script, expected) in cases {
            assert_eq!(texts(script), expected, "{script}");
        }
    }

    #[test]
    fn what_is_too_long_or_breaks_off_is_refused() {
        assert!(split("SELECT 'open", 1_000).is_err());
        assert!(split("SELECT 1", 3).is_err());
        assert!(split(&"SELECT 1;".repeat(100), 1_000).is_ok());
        assert!(split(&"SELECT 1;".repeat(101), 1_000).is_err());
    }

    #[test]
    fn pieces_are_words_texts_and_signs() {
        let statement = split("set \"Time Zone\" = 'UTC'", 1_000).unwrap().remove(0);
        let word = |text: &str| Piece::Word(text.into());
        let expected = [word("set"), word("Time Zone"), Piece::Sign("=".into()), Piece::Text("UTC".into())];
        assert_eq!(statement.pieces, expected);
        assert_eq!((statement.keyword(0).as_str(), statement.keyword(3).as_str()), ("SET", ""));
    }
}
