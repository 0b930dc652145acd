//! Statements that nobody wrote answer alike in DuckDB, whose own tables hold the same events, and here, whatever has
//! become of the events (invariants Q1, R1 and S4).
//!
//! A seed decides the events and the statements. `HENGE_GENERATED_QUERIES` says how many statements there are for each of
//! the six forms, and `HENGE_SEED` which; after each thousand come other events:
//!
//! ```text
//! HENGE_GENERATED_QUERIES=20000 HENGE_SEED=7 cargo test --workspace --test sql -- --include-ignored generated
//! ```
//!
//! What DuckDB means otherwise is not asked, or asked in its words: `generated/dialect_differences.md` lists all of it.

mod aggregate;
pub mod column;
mod differences;
pub mod events;
mod form;
mod groups;
mod key;
mod merge;
mod metamorphic;
mod predicate;
mod result_cache;
mod rows;
pub mod statement;

use std::env;
use std::io::Write;

use self::column::{HOURLY, REQUESTS};
use self::differences::{Asked, Comparison, Tally};
use self::form::Form;
use self::statement::Statement;
use crate::differential::data::Numbers;
use crate::differential::duckdb::DuckDb;
use crate::differential::stages::Way;

const STATEMENTS: u64 = 300;
pub const SEED: u64 = 0x5eed_0006;
/// Almost four blocks of a segment that holds all of them.
pub const EVENTS: usize = 3_600;
/// For one set of events.
const STATEMENTS_OF_ROUND: usize = 1_000;
/// Besides its own, each form answers one of this many statements of the other table, and its own in other ways.
const OTHERS_ONE_IN: usize = 10;

pub fn number_of(variable: &str, default: u64) -> u64 {
    let read = |text: String| text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not `{text}`"));
    env::var(variable).map_or(default, read)
}

/// Printed at once and whether or not the test passes.
fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("someone reads it");
}

#[tokio::test]
#[ignore = "needs DuckDB: run with --include-ignored (needs python3 with venv, and pip to reach an index)"]
async fn generated_statements_answer_like_duckdb_in_every_form() {
    let statements = number_of("HENGE_GENERATED_QUERIES", STATEMENTS) as usize;
    let seed = number_of("HENGE_SEED", SEED);
    let mut tally = Tally::default();
    for round in 0..statements.div_ceil(STATEMENTS_OF_ROUND) {
        let count = STATEMENTS_OF_ROUND.min(statements - round * STATEMENTS_OF_ROUND);
        compare_round(seed.wrapping_add(round as u64), count, &mut tally).await;
        say(&format!("{} of {statements} statements: {tally}", round * STATEMENTS_OF_ROUND + count));
    }
    tally.check();
}

/// One set of events, in all forms. `seed`: of this round alone.
async fn compare_round(seed: u64, count: usize, tally: &mut Tally) {
    let mut numbers = Numbers::new(seed);
    let events = events::events(&mut numbers, EVENTS);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("events.json");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("a new file"));
    events::write_json(&events, &mut file).and_then(|()| file.flush()).expect("there is room for the events");
    let mut duckdb = DuckDb::start(&events::duckdb_tables(&path.display().to_string()));

    let raw: Vec<Statement> = (0..count).map(|_| Statement::random(&mut numbers, &REQUESTS)).collect();
    let merged: Vec<Statement> = (0..count).map(|_| Statement::random(&mut numbers, &HOURLY)).collect();
    let [raw, merged] = [raw, merged].map(|statements| Comparison::new(statements, &mut duckdb));
    for (at, form) in Form::ALL.into_iter().enumerate() {
        let stage = form.stage(&events).await;
        let [own, other] = if form == Form::RolledUp { [&merged, &raw] } else { [&raw, &merged] };
        let share = count / OTHERS_ONE_IN;
        let share = at * share..(at + 1) * share;
        let asked = |way| Asked { stage: &stage, way, place: format!("{form:?}, HENGE_SEED={seed}") };
        own.count_native(&stage, share.clone(), tally).await;
        own.run(&asked(Way::NATIVE), 0..count, &mut duckdb, tally).await;
        other.run(&asked(Way::NATIVE), share.clone(), &mut duckdb, tally).await;
        own.run(&asked(Way::BY_DATAFUSION), share.clone(), &mut duckdb, tally).await;
        own.run(&asked(Way::NATIVE_BY_ROW), share, &mut duckdb, tally).await;
    }
}
