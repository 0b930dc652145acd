//! What a statement has in common with others that differ from it only in the values of their filters.

use std::fmt::Write;
use std::ops::Range;

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use henge_segment_store::time::TimestampMs;
use jiff::tz::TimeZone;

use super::operand::Operands;
use super::value::Value;

/// A statement without the values that its filters compare with.
#[derive(Debug, PartialEq)]
pub(crate) struct Shape {
    /// Equal for two statements where their tokens are, but for values of the same kind.
    pub key: String,
    pub values: Vec<PlacedValue>,
}

/// A value and the tokens that make it.
#[derive(Debug, PartialEq)]
pub(crate) struct PlacedValue {
    pub value: Value,
    pub tokens: Range<usize>,
    /// It moves with the current time.
    pub reads_clock: bool,
}

impl Shape {
    /// `settings`: whatever else a plan depends on. `None` where the current time is asked for other than to compare
    /// something with it.
    pub fn of(tokens: &[TokenWithSpan], settings: &str, zone: &TimeZone, now: TimestampMs) -> Option<Self> {
        let operands = Operands::new(tokens, zone, now);
        let mut key = String::with_capacity(512);
        write!(key, "{}:{settings}", settings.len()).expect("a string takes all text");
        let mut reader = ShapeReader { operands, key, values: Vec::new(), levels: vec![Level::Off] };
        reader.read()?;
        Some(Self { key: reader.key, values: reader.values })
    }

    /// The key of statements with these values only.
    pub fn key_with_values(&self) -> String {
        let mut key = self.key.clone();
        for placed in &self.values {
            write!(key, "\u{1}{:?}", placed.value).expect("a string takes all text");
        }
        key
    }

    pub fn reads_clock(&self) -> bool {
        self.values.iter().any(|placed| placed.reads_clock)
    }

    /// The tokens with `$1`, `$2`, .. in the place of values.
    pub fn with_placeholders(&self, tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
        let mut replaced = Vec::with_capacity(tokens.len());
        let mut at = 0;
        for (number, placed) in self.values.iter().enumerate() {
            replaced.extend_from_slice(&tokens[at..placed.tokens.start]);
            let placeholder = Token::Placeholder(format!("${}", number + 1));
            replaced.push(TokenWithSpan::new(placeholder, tokens[placed.tokens.start].span));
            at = placed.tokens.end;
        }
        replaced.extend_from_slice(&tokens[at..]);
        replaced
    }
}

/// What stands between one pair of parentheses, or CASE and END.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// Select lists, groupings: a value there is part of the plan.
    Off,
    /// Behind WHERE or HAVING.
    Filter,
    /// The list of an IN in a filter.
    List,
    /// Where a WHERE is no filter of rows: in an aggregate's own FILTER, and in CASE.
    Never,
}

struct ShapeReader<'a> {
    operands: Operands<'a>,
    key: String,
    values: Vec<PlacedValue>,
    levels: Vec<Level>,
}

impl ShapeReader<'_> {
    fn read(&mut self) -> Option<()> {
        let mut at = 0;
        while let Some(token) = self.operands.token(at) {
            if self.operands.is_clock(at) {
                return None;
            }
            self.follow(at, token);
            write_token(&mut self.key, token);
            at += 1;
            at = match token {
                Token::Word(word) if word.keyword == Keyword::BETWEEN => self.take_range(at),
                token if self.is_before_value(token) => self.take_value(at),
                _ => at,
            };
        }
        Some(())
    }

    fn level(&self) -> Level {
        self.levels.last().copied().unwrap_or(Level::Off)
    }

    /// Keeps track of where among the clauses a token stands.
    fn follow(&mut self, at: usize, token: &Token) {
        match token {
            Token::LParen => {
                let before = at.checked_sub(1).and_then(|before| self.operands.keyword(before));
                let level = match (self.level(), before) {
                    (_, Some(Keyword::FILTER)) | (Level::Never, _) => Level::Never,
                    (Level::Filter, Some(Keyword::IN)) => Level::List,
                    (Level::Filter, _) => Level::Filter,
                    (Level::Off | Level::List, _) => Level::Off,
                };
                self.levels.push(level);
            }
            Token::RParen => self.close(),
            Token::Word(word) => match word.keyword {
                Keyword::CASE => self.levels.push(Level::Never),
                Keyword::END => self.close(),
                Keyword::WHERE | Keyword::HAVING => self.enter(Level::Filter),
                Keyword::SELECT
                | Keyword::FROM
                | Keyword::GROUP
                | Keyword::ORDER
                | Keyword::LIMIT
                | Keyword::OFFSET => {
                    self.enter(Level::Off);
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn enter(&mut self, clause: Level) {
        if let Some(level) = self.levels.last_mut().filter(|level| **level != Level::Never) {
            *level = clause;
        }
    }

    fn close(&mut self) {
        if self.levels.len() > 1 {
            self.levels.pop();
        }
    }

    fn is_before_value(&self, token: &Token) -> bool {
        match self.level() {
            Level::Filter => matches!(
                token,
                Token::Eq | Token::DoubleEq | Token::Neq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq
            ),
            Level::List => matches!(token, Token::LParen | Token::Comma),
            Level::Off | Level::Never => false,
        }
    }

    /// Takes `value`, where that is all that is compared with. Returns where to go on.
    fn take_value(&mut self, at: usize) -> usize {
        let Some((end, value)) = self.operands.read(at) else { return at };
        let is_whole = match self.level() {
            Level::List => matches!(self.operands.token(end), Some(Token::Comma | Token::RParen)),
            _ => self.operands.ends(end),
        };
        if is_whole {
            self.push(value);
            return end;
        }
        at
    }

    /// Takes `low AND high`.
    fn take_range(&mut self, at: usize) -> usize {
        if self.level() != Level::Filter {
            return at;
        }
        let Some((and, low)) = self.operands.read(at) else { return at };
        if self.operands.keyword(and) != Some(Keyword::AND) {
            return at;
        }
        let Some((end, high)) = self.operands.read(and + 1) else { return at };
        if !self.operands.ends(end) {
            return at;
        }
        self.push(low);
        self.key.push_str("AND ");
        self.push(high);
        end
    }

    fn push(&mut self, value: PlacedValue) {
        self.key.push_str(value.value.mark());
        self.values.push(value);
    }
}

/// In a form that no other token has.
fn write_token(key: &mut String, token: &Token) {
    let written = match token {
        Token::Word(word) => {
            let quote = word.quote_style.unwrap_or('w');
            write!(key, "{quote}{}:{} ", word.value.len(), word.value)
        }
        Token::Number(digits, is_long) => write!(key, "n{digits}{} ", if *is_long { "L" } else { "" }),
        Token::SingleQuotedString(text) => write!(key, "s{}:{text} ", text.len()),
        other => write!(key, "{other:?} "),
    };
    written.expect("a string takes all text");
}

#[cfg(test)]
mod tests;
