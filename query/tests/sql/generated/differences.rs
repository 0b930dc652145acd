//! Which statements are answered otherwise, and how little of them still is.

use std::fmt;
use std::ops::Range;

use super::column::Dialect;
use super::say;
use super::statement::Statement;
use crate::differential::canonical::{self, Row};
use crate::differential::duckdb::DuckDb;
use crate::differential::queries::Query;
use crate::differential::stages::{Stage, Way};

/// More than a person reads; the first few tell enough.
const SHOWN_MAX: usize = 10;
/// Statements asked to make one smaller.
const SHRINK_QUESTIONS_MAX: usize = 2_000;

type Answer = Result<Vec<Row>, String>;

/// Whom to ask what is asked of DuckDB, and how.
pub struct Asked<'a> {
    pub stage: &'a Stage,
    pub way: Way,
    /// Names the form and its events for people.
    pub place: String,
}

/// Statements, and what DuckDB answers.
pub struct Comparison {
    statements: Vec<Statement>,
    queries: Vec<Query>,
    expected: Vec<Answer>,
}

/// What all comparisons found.
#[derive(Debug, Default)]
pub struct Tally {
    asked: usize,
    /// With rows on both sides.
    found_something: usize,
    /// Both sides found a sum that leaves 64 bits.
    overflowed: usize,
    different: usize,
    /// Plans looked at, and how many of them have operators on codes.
    planned: usize,
    native: usize,
}

impl Comparison {
    pub fn new(statements: Vec<Statement>, duckdb: &mut DuckDb) -> Self {
        let queries: Vec<Query> = statements.iter().map(|statement| statement.query("generated")).collect();
        let texts: Vec<String> = statements.iter().map(|statement| statement.sql(Dialect::DuckDb)).collect();
        let expected = duckdb.ask(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        Self { statements, queries, expected }
    }

    /// Asks the statements of this range.
    pub async fn run(&self, asked: &Asked<'_>, range: Range<usize>, duckdb: &mut DuckDb, tally: &mut Tally) {
        let answers = asked.stage.answers(&self.queries[range.clone()], asked.way).await;
        for (at, found) in range.zip(&answers) {
            let expected = &self.expected[at];
            tally.count(expected, found);
            if let Some(difference) = difference(&self.queries[at], expected, found) {
                tally.different += 1;
                if tally.different <= SHOWN_MAX {
                    let shrunk = shrink(&self.statements[at], difference, asked, duckdb).await;
                    say(&format!(
                        "\nstatement {at} of {}, {:?}, answers differently:\n{}\nthe smallest:\n{shrunk}",
                        asked.place,
                        asked.way,
                        self.statements[at].sql(Dialect::Henge)
                    ));
                }
            }
        }
    }
}

impl Comparison {
    /// Looks at the plans of this range.
    pub async fn count_native(&self, stage: &Stage, range: Range<usize>, tally: &mut Tally) {
        let explained = self.queries[range].iter().map(|query| Query::new("plan", format!("EXPLAIN {}", query.sql)));
        let plans = stage.answers(&explained.collect::<Vec<_>>(), Way::NATIVE).await;
        let is_native = |plan: &&Answer| plan.as_ref().is_ok_and(|rows| rows[0][0].contains("SegmentAggregate"));
        tally.planned += plans.len();
        tally.native += plans.iter().filter(is_native).count();
    }
}

impl Tally {
    fn count(&mut self, expected: &Answer, found: &Answer) {
        self.asked += 1;
        match (expected, found) {
            (Ok(expected), Ok(found)) if !expected.is_empty() && !found.is_empty() => self.found_something += 1,
            (Err(_), Err(_)) => self.overflowed += 1,
            _ => {}
        }
    }

    /// Fails where answers differ, or where they say too little to.
    pub fn check(&self) {
        assert_eq!(self.different, 0, "answers differ, see above: {self}");
        assert!(self.found_something * 2 > self.asked, "too many statements find nothing: {self}");
        assert!(self.native * 4 > self.planned, "too few statements are answered on codes: {self}");
        assert!(self.overflowed * 10 < self.asked, "too many statements fail: {self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, found_something, overflowed, different, planned, native } = self;
        write!(
            f,
            "{asked} answers compared, {found_something} with rows, {overflowed} sums out of 64 bits on both sides, \
             {different} different; {native} of {planned} plans have operators on codes"
        )
    }
}

fn difference(query: &Query, expected: &Answer, found: &Answer) -> Option<String> {
    match (expected, found) {
        (Ok(expected), Ok(found)) => canonical::difference(query, expected, found),
        (Err(expected), Err(found)) if expected.contains("INT128") && found.starts_with("SUM overflow") => None,
        (expected, found) => {
            let shown = |answer: &Answer| match answer {
                Ok(rows) => format!("{} rows", rows.len()),
                Err(error) => error.clone(),
            };
            Some(format!("  expected {}\n  found    {}", shown(expected), shown(found)))
        }
    }
}

/// Drops clauses, columns and parts of conditions while the answers differ, and says what is left. `first`: the difference
/// that was found, for the case that it is not found again.
async fn shrink(statement: &Statement, first: String, asked: &Asked<'_>, duckdb: &mut DuckDb) -> String {
    let mut smallest = (statement.clone(), format!("  not found again\n{first}"));
    let mut candidates = vec![statement.clone()];
    let mut questions = 0;
    while let Some(candidate) = candidates.pop() {
        questions += 1;
        let query = candidate.query("smallest");
        let expected = duckdb.ask(&[&candidate.sql(Dialect::DuckDb)]).remove(0);
        let found = asked.stage.answers(std::slice::from_ref(&query), asked.way).await.remove(0);
        if let Some(difference) = difference(&query, &expected, &found) {
            candidates = candidate.simpler();
            candidates.reverse();
            smallest = (candidate, difference);
        }
        if questions == SHRINK_QUESTIONS_MAX {
            break;
        }
    }
    let (statement, difference) = smallest;
    format!("Henge:  {}\nDuckDB: {}\n{difference}", statement.sql(Dialect::Henge), statement.sql(Dialect::DuckDb))
}
