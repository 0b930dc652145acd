//! Answers that must agree with each other, without anyone else's: the whole with its parts, the coarse with the fine,
//! the first rows with all rows, and each way of finding rows with the slow one.

use super::column::{Dialect, Literal, REQUESTS};
use super::form::Form;
use super::groups::{Groups, Limit, limit_sql};
use super::merge::merged;
use super::rows::Rows;
use super::{SEED, STATEMENTS, events, number_of, say};
use crate::differential::canonical::{self, Row};
use crate::differential::data::Numbers;
use crate::differential::queries::Query;
use crate::differential::random_filters;
use crate::differential::stages::{Stage, Way};

const EVENTS: usize = 3_000;
/// Of the statements of the other tests, one in this many is asked in parts: each takes some questions.
const ONE_IN: u64 = 6;

/// What the rows of several answers must be when they are put together.
struct Law {
    name: &'static str,
    whole: String,
    parts: Vec<String>,
    together: Box<dyn Fn(Vec<Vec<Row>>) -> Vec<Row>>,
    is_ordered: bool,
    way_of_parts: Way,
}

async fn check(stage: &Stage, laws: impl Iterator<Item = Law>, place: &str) {
    let mut told = 0;
    let mut asked = 0;
    let mut broken = 0;
    for law in laws {
        let whole = Query { is_ordered: law.is_ordered, ..Query::new(law.name, law.whole.clone()) };
        let parts: Vec<Query> = law.parts.iter().map(|part| Query::new(law.name, part.clone())).collect();
        let rows = |answers: Vec<Result<Vec<Row>, String>>| {
            let rows: Result<Vec<Vec<Row>>, String> = answers.into_iter().collect();
            rows.unwrap_or_else(|error| panic!("{place}, {}: {error}\n{}", law.name, law.whole))
        };
        let expected = rows(stage.answers(std::slice::from_ref(&whole), Way::NATIVE).await).remove(0);
        let found = rows(stage.answers(&parts, law.way_of_parts).await);
        asked += 1;
        told += usize::from(!expected.is_empty());
        if let Some(difference) = canonical::difference(&whole, &expected, &(law.together)(found)) {
            broken += 1;
            say(&format!("\n{place}, whole and parts differ:\n{difference}\nthe parts:\n{}", law.parts.join("\n")));
        }
    }
    assert_eq!(broken, 0, "of {asked} laws; see above");
    assert!(told * 4 > asked, "only {told} of {asked} say something");
}

/// Keys and mergeable aggregates, without anything around.
fn mergeable(numbers: &mut Numbers, keys: usize) -> Groups {
    loop {
        let mut groups = Groups::plain(numbers, &REQUESTS, keys);
        groups.aggregates.retain(|aggregate| aggregate.merge().is_some());
        if !groups.aggregates.is_empty() && groups.keys.len() == keys {
            return groups;
        }
    }
}

/// The groups of rows that meet one more condition.
fn also(groups: &Groups, condition: &str) -> String {
    let filter = groups.filter.as_ref().map(|filter| format!("{} AND ", filter.sql(Dialect::Henge)));
    groups.sql_where(&format!("{}{condition}", filter.unwrap_or_default()))
}

fn put_together(groups: &Groups, keys: usize) -> Box<dyn Fn(Vec<Vec<Row>>) -> Vec<Row>> {
    let functions: Vec<_> = groups.aggregates.iter().filter_map(|aggregate| aggregate.merge()).collect();
    let first = groups.keys.len();
    Box::new(move |answers| merged(answers.concat(), keys, first, &functions))
}

/// A span of time is what its halves are.
fn time_split(numbers: &mut Numbers) -> Law {
    let keys = numbers.below(3) as usize;
    let groups = mergeable(numbers, keys);
    let at = Literal::Time(events::START_MS + numbers.below(48 * 3_600_000) as i64).sql(Dialect::Henge);
    let parts = vec![also(&groups, &format!("__time < {at}")), also(&groups, &format!("__time >= {at}"))];
    let together = put_together(&groups, keys);
    Law {
        name: "time split",
        whole: groups.sql(Dialect::Henge),
        parts,
        together,
        is_ordered: false,
        way_of_parts: Way::NATIVE,
    }
}

/// All rows are those of which a condition is true, false or null.
fn filter_partition(numbers: &mut Numbers) -> Law {
    let keys = numbers.below(3) as usize;
    let groups = mergeable(numbers, keys);
    let condition = random_filters::filter(numbers, 2);
    let parts = ["IS TRUE", "IS FALSE", "IS NULL"].map(|truth| also(&groups, &format!("(({condition}) {truth})")));
    let parts = match numbers.below(2) {
        0 => parts.to_vec(),
        // The same in the words that indexes know.
        _ => vec![
            also(&groups, &format!("({condition})")),
            also(&groups, &format!("(NOT ({condition}))")),
            parts[2].clone(),
        ],
    };
    let together = put_together(&groups, keys);
    Law {
        name: "filter partition",
        whole: groups.sql(Dialect::Henge),
        parts,
        together,
        is_ordered: false,
        way_of_parts: Way::NATIVE,
    }
}

/// Groups are what their finer groups add up to.
fn reaggregation(numbers: &mut Numbers) -> Law {
    let keys = 2 + numbers.below(3) as usize;
    let fine = mergeable(numbers, keys);
    // Without any key there is a group even of no rows.
    let kept = 1 + numbers.below(keys as u64 - 1) as usize;
    let coarse = Groups { keys: fine.keys[..kept].to_vec(), ..fine.clone() };
    Law {
        name: "re-aggregation",
        whole: coarse.sql(Dialect::Henge),
        parts: vec![fine.sql(Dialect::Henge)],
        together: put_together(&fine, kept),
        is_ordered: false,
        way_of_parts: Way::NATIVE,
    }
}

/// The first groups are the first of all groups.
fn top_groups(numbers: &mut Numbers) -> Law {
    let keys = 1 + numbers.below(2) as usize;
    let mut groups = Groups::plain(numbers, &REQUESTS, keys);
    while groups.is_near() || groups.keys.is_empty() {
        groups = Groups::plain(numbers, &REQUESTS, keys);
    }
    groups.order_by_anything(numbers);
    let limit = Limit::random(numbers);
    let all = Groups { limit: None, ..groups }.sql(Dialect::Henge);
    prefix("top groups", all, limit)
}

/// The first rows are the first of all rows.
fn top_rows(numbers: &mut Numbers) -> Law {
    let mut rows = Rows::random(numbers);
    rows.order_by_anything(numbers);
    let limit = Limit::random(numbers);
    let all = Rows { limit: None, ..rows }.sql(Dialect::Henge);
    prefix("top rows", all, limit)
}

fn prefix(name: &'static str, all: String, limit: Limit) -> Law {
    let Limit { rows, offset } = limit;
    let together = move |mut answers: Vec<Vec<Row>>| {
        answers.remove(0).into_iter().skip(offset as usize).take(rows as usize).collect::<Vec<Row>>()
    };
    let whole = format!("{all}{}", limit_sql(Some(limit)));
    Law { name, whole, parts: vec![all], together: Box::new(together), is_ordered: true, way_of_parts: Way::NATIVE }
}

/// Operators on codes and indexes answer what reading every row does.
fn slow_way(numbers: &mut Numbers) -> Law {
    let groups = loop {
        let groups = Groups::random(numbers, &REQUESTS);
        if !groups.is_near() {
            break groups;
        }
    };
    let sql = groups.sql(Dialect::Henge);
    Law {
        name: "slow way",
        whole: sql.clone(),
        parts: vec![sql],
        together: Box::new(|mut answers| answers.remove(0)),
        is_ordered: !groups.order.is_empty(),
        way_of_parts: Way::REFERENCE,
    }
}

async fn check_in(form: Form, lawful: &[fn(&mut Numbers) -> Law]) {
    let seed = number_of("HENGE_SEED", SEED);
    let count = number_of("HENGE_GENERATED_QUERIES", STATEMENTS) / ONE_IN;
    let mut numbers = Numbers::new(seed);
    let stage = form.stage(&events::events(&mut numbers, EVENTS)).await;
    let laws = (0..count).map(|at| lawful[at as usize % lawful.len()](&mut numbers));
    check(&stage, laws, &format!("{form:?}, HENGE_SEED={seed}")).await;
}

#[tokio::test]
async fn generated_spans_and_conditions_add_up_to_the_whole() {
    check_in(Form::Mixed, &[time_split, filter_partition]).await;
}

#[tokio::test]
async fn generated_groups_add_up_to_coarser_ones_and_limits_take_the_first() {
    check_in(Form::ManySegments, &[reaggregation, top_groups, top_rows, slow_way]).await;
}
