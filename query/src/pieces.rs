//! The text of a statement in pieces, cut where the engine will cut it: for whoever puts values into it.

use std::ops::Range;

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer};

use crate::error::QueryError;
use crate::guard::{self, StatementLimits};
use crate::statement::parse_error;

/// Pieces follow each other without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub kind: PieceKind,
    /// Of the text.
    pub bytes: Range<usize>,
    pub place: Place,
}

/// Line and column, both counted from 1, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PieceKind {
    /// White space, or a comment.
    Blank,
    /// A keyword or a name, without the quotes that it may have.
    Word {
        text: String,
        is_quoted: bool,
    },
    /// A text between plain single quotes.
    Text,
    Number,
    /// `$name`, or a `$` by itself.
    Dollar(String),
    /// Operators, punctuation, and texts in other quotes.
    Other,
}

/// Cuts a text up.
///
/// # Errors
/// It is too long, or has a quote or a comment that does not end.
///
/// ```
/// # use henge_query::pieces::{PieceKind, pieces};
/// let sql = "SELECT $org";
/// let kinds: Vec<PieceKind> = pieces(sql).unwrap().into_iter().map(|piece| piece.kind).collect();
/// let select = PieceKind::Word { text: "SELECT".to_owned(), is_quoted: false };
/// assert_eq!(kinds, [select, PieceKind::Blank, PieceKind::Dollar("org".to_owned())]);
/// ```
pub fn pieces(sql: &str) -> Result<Vec<Piece>, QueryError> {
    guard::check_text(sql, StatementLimits::DEFAULT.text_bytes)?;
    let tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize_with_location()
        .map_err(|error| parse_error(&ParserError::TokenizerError(error.to_string())))?;
    guard::check_tokens(&tokens, &StatementLimits::DEFAULT)?;
    let mut offsets = Offsets::new(sql);
    let mut pieces: Vec<Piece> = Vec::with_capacity(tokens.len());
    for spanned in &tokens {
        if spanned.token == Token::EOF {
            continue;
        }
        let start = offsets.of(spanned.span.start);
        if let Some(before) = pieces.last_mut() {
            before.bytes.end = start;
        }
        let place = Place { line: spanned.span.start.line, column: spanned.span.start.column };
        let kind = kind_of(&spanned.token, &sql[start..]);
        pieces.push(Piece { kind, bytes: start..sql.len(), place });
    }
    Ok(pieces)
}

fn kind_of(token: &Token, source: &str) -> PieceKind {
    match token {
        Token::Whitespace(_) => PieceKind::Blank,
        Token::Word(word) => PieceKind::Word { text: word.value.clone(), is_quoted: word.quote_style.is_some() },
        Token::SingleQuotedString(_) if source.starts_with('\'') => PieceKind::Text,
        Token::Number(..) => PieceKind::Number,
        Token::Placeholder(name) if name.starts_with('$') => PieceKind::Dollar(name[1..].to_owned()),
        _ => PieceKind::Other,
    }
}

/// Where in a text places are, asked for one after the other.
struct Offsets<'a> {
    rest: std::str::CharIndices<'a>,
    length: usize,
    at: Location,
}

impl<'a> Offsets<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.char_indices(), length: text.len(), at: Location { line: 1, column: 1 } }
    }

    fn of(&mut self, wanted: Location) -> usize {
        while (self.at.line, self.at.column) < (wanted.line, wanted.column) {
            match self.rest.next() {
                Some((_, '\n')) => self.at = Location { line: self.at.line + 1, column: 1 },
                Some(_) => self.at.column += 1,
                None => break,
            }
        }
        self.length - self.rest.as_str().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_put_together_are_the_text() {
        let texts = [
            "SELECT 'it''s', \"a \"\"b\"\"\" -- \u{e9}\u{1f600} $x\n, $__timeFilter(t), ${v:csv} /* ' */ FROM \"x\"\r\n\tWHERE a='\u{e9}'AND b",
            "",
            "  ",
            "SELECT E'a\\'b', N'x', X'00', U&'\\0041', 1.5e3, a->>b, `t`, $1, $",
            "-- only a comment",
            "a\u{2028}b\u{a0}c",
        ];
        for text in texts {
            let cut = pieces(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let together: String = cut.iter().map(|piece| &text[piece.bytes.clone()]).collect();
            assert_eq!(together, text);
            assert!(cut.iter().all(|piece| !piece.bytes.is_empty()), "{cut:?}");
        }
    }

    #[test]
    fn what_starts_with_a_dollar_is_told_from_what_only_holds_one() {
        let dollars = |sql: &str| -> Vec<String> {
            let kinds = pieces(sql).expect("it is a text").into_iter().map(|piece| piece.kind);
            kinds.filter_map(|kind| if let PieceKind::Dollar(name) = kind { Some(name) } else { None }).collect()
        };
        assert_eq!(dollars("$a + ${b} $__c(x)"), ["a", "", "__c"]);
        assert_eq!(dollars("'$a' \"$b\" x$c -- $d\n /* $e */ E'$f'"), [""; 0]);
    }
}
