use super::column::{HOURLY, REQUESTS};
use super::events;
use super::form::Form;
use super::statement::Statement;
use super::{EVENTS, SEED};
use crate::differential::data::Numbers;
use crate::differential::queries::Query;
use crate::differential::result_cache::compare;

const STATEMENTS: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generated_statements_answer_alike_by_what_is_kept() {
    let mut numbers = Numbers::new(SEED);
    let events = events::events(&mut numbers, EVENTS);
    let tables = [&REQUESTS, &HOURLY];
    let queries: Vec<Query> =
        (0..STATEMENTS).map(|at| Statement::random(&mut numbers, tables[at % 2]).query("generated")).collect();
    for form in [Form::OneSegment, Form::ManySegments, Form::Mixed] {
        let stage = form.stage(&events).await;
        compare(&stage, &queries).await;
        let figures = stage.engine().result_cache();
        assert!(figures.hits > 50, "{form:?}: {figures:?}");
    }
}
