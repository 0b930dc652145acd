//! What Tab puts in at the prompt: commands, tables, columns, functions, and words of SQL.

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

/// With what they are called by at the prompt; those that take an argument end with a blank.
pub const COMMANDS: [&str; 5] = ["\\d ", "\\format ", "\\help", "\\q", "\\timing"];

const WORDS: [&str; 32] = [
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "CASE",
    "CAST",
    "CROSS JOIN",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "EXPLAIN PLAN FOR",
    "FILTER",
    "FROM",
    "GROUP BY",
    "HAVING",
    "IN",
    "INTERVAL",
    "IS NOT NULL",
    "IS NULL",
    "JOIN",
    "LEFT JOIN",
    "LIKE",
    "LIMIT",
    "NOT",
    "ORDER BY",
    "OVER",
    "SELECT",
    "UNION ALL",
    "WHEN",
    "WHERE",
    "WITH",
];

/// The names that can be completed; those of the server are as it had them when the prompt began.
#[derive(Debug, Default)]
pub struct Names {
    tables: Vec<String>,
    columns: Vec<String>,
    functions: Vec<String>,
}

impl Names {
    pub fn new(tables: Vec<String>, columns: Vec<String>, functions: Vec<String>) -> Self {
        let called = |mut name: String| {
            name.make_ascii_uppercase();
            name.push('(');
            name
        };
        Self { tables, columns, functions: functions.into_iter().map(called).collect() }
    }

    /// What the word before the cursor may become, and where it begins.
    fn candidates(&self, before: &str) -> (usize, Vec<String>) {
        if before.starts_with('\\') && !before.contains(' ') {
            return (0, matching(before, COMMANDS));
        }
        let start = before
            .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')))
            .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
        let word = &before[start..];
        let last = before[..start].split_whitespace().next_back().unwrap_or_default().to_ascii_uppercase();
        let tables = self.tables.iter().map(String::as_str);
        let found = match last.as_str() {
            "\\D" | "FROM" | "JOIN" => matching(word, tables),
            "\\FORMAT" => matching(word, super::Format::NAMES),
            _ if word.is_empty() => Vec::new(),
            _ => {
                let names = self.columns.iter().chain(&self.functions).map(String::as_str);
                matching(word, names.chain(tables).chain(WORDS))
            }
        };
        (start, found)
    }
}

/// Those that begin so, whatever the case of their letters.
fn matching<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<String> {
    let begins = |name: &&str| name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let mut found: Vec<String> = names.into_iter().filter(begins).map(str::to_owned).collect();
    found.sort_by_key(|name| name.to_lowercase());
    found.dedup();
    found
}

impl Completer for Names {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> Result<(usize, Vec<String>), ReadlineError> {
        Ok(self.candidates(&line[..pos]))
    }
}

impl Hinter for Names {
    type Hint = String;
}

impl Highlighter for Names {}
impl Validator for Names {}
impl Helper for Names {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_completed_by_what_can_stand_there() {
        let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let names = Names::new(texts(&["usage", "users"]), texts(&["org", "topic"]), texts(&["time_floor", "sum"]));
        let cases: [(&str, usize, &[&str]); 9] = [
            ("SELECT o", 7, &["ORDER BY", "org", "OVER"]),
            ("SELECT time_", 7, &["TIME_FLOOR("]),
            ("SELECT * FROM us", 14, &["usage", "users"]),
            ("SELECT * FROM ", 14, &["usage", "users"]),
            ("SELECT SUM(t", 11, &["TIME_FLOOR(", "topic"]),
            ("SELECT ", 7, &[]),
            ("\\t", 0, &["\\timing"]),
            ("\\d use", 3, &["users"]),
            ("\\format c", 8, &["csv"]),
        ];
        for (before, start, expected) in cases {
            assert_eq!(names.candidates(before), (start, texts(expected)), "{before}");
        }
        assert_eq!(names.candidates("é SELECT ü"), (10, Vec::new()));
    }
}
