//! Reads the values that a statement compares with, as DataFusion will.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};
use henge_segment_store::time::TimestampMs;
use jiff::tz::TimeZone;

use super::shape::PlacedValue;
use super::value::Value;
use crate::dialect::read_timestamp;

/// Tokens without the blanks between them.
pub(super) struct Operands<'a> {
    tokens: &'a [TokenWithSpan],
    /// Places of what is neither blank nor comment.
    places: Vec<usize>,
    zone: &'a TimeZone,
    now: TimestampMs,
}

impl<'a> Operands<'a> {
    pub fn new(tokens: &'a [TokenWithSpan], zone: &'a TimeZone, now: TimestampMs) -> Self {
        let is_said = |place: &usize| !matches!(tokens[*place].token, Token::Whitespace(_) | Token::EOF);
        Self { tokens, places: (0..tokens.len()).filter(is_said).collect(), zone, now }
    }

    pub fn token(&self, at: usize) -> Option<&'a Token> {
        self.places.get(at).map(|place| &self.tokens[*place].token)
    }

    pub fn keyword(&self, at: usize) -> Option<Keyword> {
        self.word(at).map(|word| word.keyword)
    }

    fn word(&self, at: usize) -> Option<&'a Word> {
        match self.token(at) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Whether a comparison ends before this token.
    pub fn ends(&self, at: usize) -> bool {
        match self.token(at) {
            None | Some(Token::RParen | Token::SemiColon) => true,
            Some(Token::Word(word)) => matches!(
                word.keyword,
                Keyword::AND
                    | Keyword::OR
                    | Keyword::GROUP
                    | Keyword::HAVING
                    | Keyword::ORDER
                    | Keyword::LIMIT
                    | Keyword::UNION
                    | Keyword::EXCEPT
                    | Keyword::INTERSECT
            ),
            Some(_) => false,
        }
    }

    /// Whether this word names the current time, or may.
    pub fn is_clock(&self, at: usize) -> bool {
        const NAMES: [&str; 4] = ["CURRENT_TIMESTAMP", "NOW", "LOCALTIMESTAMP", "CURRENT_DATE"];
        self.word(at).is_some_and(|word| NAMES.iter().any(|name| word.value.eq_ignore_ascii_case(name)))
    }

    /// The value that starts here, and where it ends.
    pub fn read(&self, at: usize) -> Option<(usize, PlacedValue)> {
        let (end, value, reads_clock) = match self.token(at)? {
            Token::SingleQuotedString(text) => (at + 1, Value::Text(text.clone()), false),
            Token::Word(_) if self.is_clock(at) => {
                let (end, time) = self.moving_time(at)?;
                (end, Value::Time(time), true)
            }
            Token::Word(word) if word.keyword == Keyword::TIMESTAMP && word.quote_style.is_none() => {
                let Token::SingleQuotedString(text) = self.token(at + 1)? else { return None };
                (at + 2, Value::Time(read_timestamp(text, self.zone).ok()?), false)
            }
            Token::Word(word) if is_plain(word, "MILLIS_TO_TIMESTAMP") => {
                let (end, millis) = self.enclosed(at + 1)?;
                let Value::Long(millis) = millis else { return None };
                (end, Value::Time(TimestampMs(millis)), false)
            }
            Token::LParen => {
                let (end, value) = self.enclosed(at)?;
                (end, value, false)
            }
            _ => {
                let (end, value) = self.number(at)?;
                (end, value, false)
            }
        };
        let tokens = self.places[at]..self.places[end - 1] + 1;
        Some((end, PlacedValue { value, tokens, reads_clock }))
    }

    /// A number in parentheses.
    fn enclosed(&self, at: usize) -> Option<(usize, Value)> {
        let Token::LParen = self.token(at)? else { return None };
        // Bound parameters come with parentheses of their own where they are negative.
        let (end, value) = self.number(at + 1).or_else(|| {
            let Token::LParen = self.token(at + 1)? else { return None };
            let (end, value) = self.number(at + 2)?;
            matches!(self.token(end)?, Token::RParen).then_some((end + 1, value))
        })?;
        matches!(self.token(end)?, Token::RParen).then_some((end + 1, value))
    }

    fn number(&self, at: usize) -> Option<(usize, Value)> {
        let (is_negative, at) = match self.token(at)? {
            Token::Minus => (true, at + 1),
            _ => (false, at),
        };
        let Token::Number(digits, false) = self.token(at)? else { return None };
        Some((at + 1, number(digits, is_negative)?))
    }

    /// `CURRENT_TIMESTAMP`, plus or minus a number of units that are always as long.
    fn moving_time(&self, at: usize) -> Option<(usize, TimestampMs)> {
        let is_date = self.word(at)?.value.eq_ignore_ascii_case("CURRENT_DATE");
        if is_date || self.word(at)?.quote_style.is_some() {
            return None;
        }
        let is_call = matches!((self.token(at + 1), self.token(at + 2)), (Some(Token::LParen), Some(Token::RParen)));
        let at = if is_call { at + 3 } else { at + 1 };
        let sign = match self.token(at) {
            Some(Token::Plus) => 1,
            Some(Token::Minus) => -1,
            _ => return Some((at, self.now)),
        };
        if self.keyword(at + 1)? != Keyword::INTERVAL {
            return None;
        }
        let Token::SingleQuotedString(count) = self.token(at + 2)? else { return None };
        if count.is_empty() || count.len() > 9 || !count.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let unit_ms = match self.keyword(at + 3)? {
            Keyword::SECOND => 1_000,
            Keyword::MINUTE => 60_000,
            Keyword::HOUR => 3_600_000,
            Keyword::DAY => 86_400_000,
            _ => return None,
        };
        let time = TimestampMs(self.now.0 + sign * unit_ms * count.parse::<i64>().ok()?);
        // Beyond, DataFusion's calendar arithmetic decides.
        time.is_storable().then_some((at + 4, time))
    }
}

fn is_plain(word: &Word, name: &str) -> bool {
    word.quote_style.is_none() && word.value.eq_ignore_ascii_case(name)
}

fn number(digits: &str, is_negative: bool) -> Option<Value> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let magnitude: i64 = digits.parse().ok()?;
        let value = if is_negative { -magnitude } else { magnitude };
        return (value != 0).then_some(Value::Long(value));
    }
    let magnitude: f64 = digits.parse().ok()?;
    let value = if is_negative { -magnitude } else { magnitude };
    (value.is_finite() && value != 0.0).then_some(Value::Double(value))
}
