//! `SET key = value;` before a statement: keys of the query's context, told in its text.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use crate::error::{QueryError, QueryErrorKind};

/// More are refused.
const SETTINGS_MAX: usize = 64;

#[derive(Debug, Clone, PartialEq)]
pub enum SettingValue {
    Text(String),
    Long(i64),
    Boolean(bool),
}

/// A statement without the settings before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// In the order of the text: a later one of a key counts.
    pub values: Vec<(String, SettingValue)>,
    /// The rest of the text, at the lines and columns where it was.
    pub sql: String,
}

impl Settings {
    /// Reads what stands before the statement. Other text comes back as it is. How long the text may be is for whoever reads
    /// the request, and then for the engine, to say.
    ///
    /// ```
    /// # use henge_query::settings::{SettingValue, Settings};
    /// let settings = Settings::read("SET timeout = 500; SELECT 1").unwrap();
    /// assert_eq!(settings.values, [("timeout".to_owned(), SettingValue::Long(500))]);
    /// assert_eq!(settings.sql.trim_start(), "SELECT 1");
    /// ```
    pub fn read(sql: &str) -> Result<Self, QueryError> {
        let none = || Self { values: Vec::new(), sql: sql.to_owned() };
        // Most statements need not be read for this.
        if !starts_with_set(sql) {
            return Ok(none());
        }
        let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location();
        // What is no SQL is told when the statement is read.
        let Ok(tokens) = tokens else { return Ok(none()) };
        let tokens = tokens.iter().filter(|spanned| !matches!(spanned.token, Token::Whitespace(_) | Token::EOF));
        let mut reader = Reader { tokens: tokens.collect(), at: 0 };
        let mut values = Vec::new();
        while reader.is_set() {
            values.push(reader.setting()?);
            if values.len() > SETTINGS_MAX {
                return Err(QueryError::limit(format!("a statement has at most {SETTINGS_MAX} settings before it")));
            }
        }
        if values.is_empty() {
            return Ok(none());
        }
        let start = reader.tokens.get(reader.at).map(|spanned| spanned.span.start);
        Ok(Self { values, sql: start.map_or_else(String::new, |start| blank_before(sql, start)) })
    }
}

/// Comments may stand before it.
fn starts_with_set(sql: &str) -> bool {
    let mut rest = sql.trim_start();
    while let Some(after) = after_comment(rest) {
        rest = after.trim_start();
    }
    rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("SET"))
}

/// What follows the comment that the text starts with; comments may hold others.
fn after_comment(text: &str) -> Option<&str> {
    if let Some(line) = text.strip_prefix("--") {
        return line.split_once('\n').map(|(_, rest)| rest);
    }
    if !text.starts_with("/*") {
        return None;
    }
    let (mut at, mut depth) = (0, 0);
    loop {
        let step = text.as_bytes().get(at..at + 2)?;
        depth = match step {
            b"/*" => depth + 1,
            b"*/" => depth - 1,
            _ => {
                at += 1;
                continue;
            }
        };
        at += 2;
        if depth == 0 {
            return Some(&text[at..]);
        }
    }
}

struct Reader<'t> {
    tokens: Vec<&'t TokenWithSpan>,
    at: usize,
}

impl Reader<'_> {
    fn is_set(&self) -> bool {
        matches!(self.peek(), Some(Token::Word(word)) if word.keyword == Keyword::SET && word.quote_style.is_none())
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|spanned| &spanned.token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn setting(&mut self) -> Result<(String, SettingValue), QueryError> {
        let fail = || {
            QueryError::new(
                QueryErrorKind::Parse,
                "a setting is written SET key = value; with a number, TRUE, FALSE or a quoted text",
            )
        };
        self.next();
        let Some(Token::Word(key)) = self.next() else { return Err(fail()) };
        let Some(Token::Eq) = self.next() else { return Err(fail()) };
        let value = match (self.next(), self.peek()) {
            (Some(Token::SingleQuotedString(text)), _) => SettingValue::Text(text),
            (Some(Token::Number(digits, _)), _) => SettingValue::Long(digits.parse().map_err(|_| fail())?),
            (Some(Token::Minus), Some(Token::Number(digits, _))) => {
                let number = format!("-{digits}").parse().map_err(|_| fail())?;
                self.at += 1;
                SettingValue::Long(number)
            }
            (Some(Token::Word(word)), _) if word.keyword == Keyword::TRUE => SettingValue::Boolean(true),
            (Some(Token::Word(word)), _) if word.keyword == Keyword::FALSE => SettingValue::Boolean(false),
            _ => return Err(fail()),
        };
        match self.next() {
            Some(Token::SemiColon) => Ok((key.value, value)),
            _ => Err(fail()),
        }
    }
}

/// Blanks in the place of what comes before, so that errors name the places where things are.
pub(crate) fn blank_before(sql: &str, start: Location) -> String {
    let lines_before = start.line.saturating_sub(1) as usize;
    let line = sql.split('\n').nth(lines_before).unwrap_or_default();
    let columns_before = start.column.saturating_sub(1) as usize;
    let kept: usize = sql.split_inclusive('\n').take(lines_before).map(str::len).sum();
    let skipped: usize = line.chars().take(columns_before).map(char::len_utf8).sum();
    "\n".repeat(lines_before) + &" ".repeat(columns_before) + &sql[kept + skipped..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_taken_off_and_the_rest_stays_where_it_was() {
        let text = "-- zone\n/* of /* the */-- viewer */SET sqlTimeZone = 'Europe/Berlin'; set \"timeout\"=-5;SET useCache = TRUE;\n SET x = 1; SELECT é FROM t";
        let settings = Settings::read(text).unwrap();
        let expected = [
            ("sqlTimeZone", SettingValue::Text("Europe/Berlin".into())),
            ("timeout", SettingValue::Long(-5)),
            ("useCache", SettingValue::Boolean(true)),
            ("x", SettingValue::Long(1)),
        ];
        assert_eq!(settings.values, expected.map(|(key, value)| (key.to_owned(), value)));
        assert_eq!(settings.sql, format!("\n\n{}SELECT é FROM t", " ".repeat(12)));
    }

    #[test]
    fn other_statements_come_back_whole_and_broken_settings_are_errors() {
        for sql in
            ["SELECT 1", "-- SET\nSELECT 1", "SETTING", "", "SELECT 'open", "/* /* */ SET x = 1; SELECT 1", "--", "/*/"]
        {
            let settings = Settings::read(sql).unwrap();
            assert_eq!(settings, Settings { values: Vec::new(), sql: sql.to_owned() });
        }
        for sql in ["SET x", "SET x = ; SELECT 1", "SET x = 1 SELECT 1", "SET 'x' = 1; SELECT 1", "SET x = NULL;"] {
            assert!(Settings::read(sql).is_err(), "{sql}");
        }
    }
}
