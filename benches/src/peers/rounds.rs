//! Every query on every system: first whether the answer is right, then how long it takes.

use anyhow::Context;

use super::Asked;
use super::comparison;
use super::query::{Places, Query};
use super::systems::{Form, Question, System, Systems};
use super::workload::Bound;
use crate::median;

/// What one system did with one query.
#[derive(Debug)]
pub enum Outcome {
    /// In turns.
    Right(Vec<Asked>),
    /// A wrong answer is as good as none.
    Wrong(String),
    Failed(String),
}

impl Outcome {
    /// The median of the turns' medians.
    pub fn wall_ms(&self) -> Option<f64> {
        match self {
            Self::Right(turns) if !turns.is_empty() => {
                let mut turns: Vec<f64> = turns.iter().map(|turn| median(&mut turn.wall_ms.clone())).collect();
                Some(median(&mut turns))
            }
            _ => None,
        }
    }

    pub fn cpu_ms(&self) -> Option<f64> {
        match self {
            Self::Right(turns) if !turns.is_empty() => {
                Some(median(&mut turns.iter().map(|turn| turn.cpu_ms).collect::<Vec<_>>()))
            }
            _ => None,
        }
    }
}

#[derive(Debug)]
pub struct QueryResult {
    pub query: Query,
    pub rows: usize,
    /// How many rows, or values, the query's limit is for.
    pub limit_count: Option<f64>,
    /// One a system.
    pub of_systems: Vec<SystemResult>,
}

#[derive(Debug)]
pub struct SystemResult {
    pub system: System,
    question: Question,
    pub outcome: Outcome,
}

impl QueryResult {
    pub fn of(&self, system: System) -> Option<&Outcome> {
        self.of_systems.iter().find(|result| result.system == system).map(|result| &result.outcome)
    }
}

/// Compares each system's answers with the oracle's.
pub fn check(systems: &mut Systems, queries: &[Bound]) -> anyhow::Result<Vec<QueryResult>> {
    let mut results = Vec::new();
    for Bound { query, places } in queries {
        let oracle = query.oracle(System::DuckDb.table(), places);
        let mut expected = systems.answer(System::DuckDb, &Question { sql: oracle, form: Form::Json })?;
        let form = Form::of(expected.rows.len());
        let mut of_systems = Vec::new();
        for system in systems.chosen.clone() {
            let question = Question { sql: query.sql(system.dialect(), system.table(), places), form };
            let outcome = match systems.answer(system, &question) {
                Err(error) => Outcome::Failed(format!("{error:#}")),
                Ok(mut answer) => {
                    let difference = match &query.top {
                        Some(top) => comparison::difference_of_top(&mut expected, &mut answer, top),
                        None => comparison::difference(&mut expected, &mut answer),
                    };
                    difference.map_or(Outcome::Right(Vec::new()), Outcome::Wrong)
                }
            };
            if let Outcome::Wrong(text) | Outcome::Failed(text) = &outcome {
                println!("{} {}: {text}", query.id, system.name());
            }
            of_systems.push(SystemResult { system, question, outcome });
        }
        let limit_count = limit_count(systems, query, places)?;
        results.push(QueryResult { query: query.clone(), rows: expected.rows.len(), limit_count, of_systems });
    }
    Ok(results)
}

fn limit_count(systems: &mut Systems, query: &Query, places: &Places) -> anyhow::Result<Option<f64>> {
    let count = query.limit_count(System::DuckDb.table(), places);
    let Some(sql) = count else { return Ok(None) };
    let counted = systems.answer(System::DuckDb, &Question { sql, form: Form::Json })?;
    Ok(Some(counted.rows.first().and_then(|row| row[0].number()).context("a count is a number")?))
}

/// Asks those that become faster while they run, until they have.
pub fn warm_up(systems: &Systems, results: &[QueryResult]) -> anyhow::Result<()> {
    for of_system in results.iter().flat_map(|result| &result.of_systems) {
        if matches!(of_system.outcome, Outcome::Right(_)) {
            systems.warm_up(of_system.system, &of_system.question)?;
        }
    }
    Ok(())
}

/// Asks what was answered rightly: in each round every query, and of each query every system in turn.
pub fn measure(systems: &mut Systems, results: &mut [QueryResult], rounds: usize, turn_ms: f64) -> anyhow::Result<()> {
    for round in 1..=rounds {
        for result in &mut *results {
            for of_system in &mut result.of_systems {
                if let Outcome::Right(turns) = &mut of_system.outcome {
                    turns.push(systems.ask(of_system.system, &of_system.question, turn_ms)?);
                }
            }
        }
        let load = std::fs::read_to_string("/proc/loadavg")?;
        eprintln!("round {round} of {rounds}, load {}", load.split(' ').next().unwrap_or_default());
    }
    Ok(())
}
