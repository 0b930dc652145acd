//! What a builder computes of the rows of a bucket.

use henge_segment_store::schema::{Aggregation, TIME_COLUMN};
use serde::Deserialize;

use super::answer::Notice;
use super::draft::Draft;
use super::sql_text;
use crate::error::ApiError;

#[derive(Debug, Clone, Deserialize)]
pub struct Measure {
    pub aggregate: Aggregate,
    /// May be missing where rows are counted.
    #[serde(default)]
    pub column: Option<String>,
    #[serde(default)]
    pub alias: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Aggregate {
    Sum,
    Count,
    Avg,
    Min,
    Max,
    CountDistinct,
    ApproxCountDistinct,
    P50,
    P90,
    P95,
    P99,
    First,
    Last,
    Rate,
    Increase,
}

impl Aggregate {
    fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Count => "count",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::CountDistinct => "count_distinct",
            Self::ApproxCountDistinct => "approx_count_distinct",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::First => "first",
            Self::Last => "last",
            Self::Rate => "rate",
            Self::Increase => "increase",
        }
    }
}

impl Aggregate {
    /// Whether what it makes of bytes are bytes, or bytes a second.
    pub fn keeps_unit(self) -> bool {
        !matches!(self, Self::Count | Self::CountDistinct | Self::ApproxCountDistinct)
    }
}

impl Measure {
    /// What its column in the answer is called.
    pub fn alias(&self) -> String {
        match (&self.alias, &self.column) {
            (Some(alias), _) if !alias.trim().is_empty() => alias.clone(),
            (_, Some(column)) => format!("{}_{column}", self.aggregate.name()),
            (_, None) => self.aggregate.name().to_owned(),
        }
    }

    /// The expression in SQL. `seconds`: what a rate is divided by, or why there is none.
    pub fn expression(&self, draft: &mut Draft<'_>, seconds: &Result<String, ApiError>) -> Result<String, ApiError> {
        let Some(column) = self.column.as_deref().filter(|column| !column.is_empty() && *column != "*") else {
            return match self.aggregate {
                Aggregate::Count => Ok(events_counted(draft)),
                other => Err(ApiError::invalid(format!("`{}` needs a column", other.name()))),
            };
        };
        let name = draft.name(column)?;
        let quantile = |rank: &str| format!("APPROX_QUANTILE_DS({name}, {rank})");
        Ok(match self.aggregate {
            Aggregate::Sum => format!("SUM({name})"),
            Aggregate::Count => format!("COUNT({name})"),
            Aggregate::Avg => format!("AVG({name})"),
            Aggregate::Min => format!("MIN({name})"),
            Aggregate::Max => format!("MAX({name})"),
            Aggregate::CountDistinct => format!("COUNT(DISTINCT {name})"),
            Aggregate::ApproxCountDistinct => format!("APPROX_COUNT_DISTINCT({name})"),
            Aggregate::P50 => quantile("0.5"),
            Aggregate::P90 => quantile("0.9"),
            Aggregate::P95 => quantile("0.95"),
            Aggregate::P99 => quantile("0.99"),
            Aggregate::First => format!("EARLIEST({name})"),
            Aggregate::Last => format!("LATEST({name})"),
            Aggregate::Rate if is_added(draft, column) => format!("CAST(SUM({name}) AS DOUBLE) / {}", seconds.clone()?),
            Aggregate::Increase if is_added(draft, column) => format!("SUM({name})"),
            Aggregate::Rate => of_samples(draft, "RATE", &name),
            Aggregate::Increase => of_samples(draft, "INCREASE", &name),
        })
    }
}

/// Rows may stand for several events each, which a measure of the datasource counts.
fn events_counted(draft: &Draft<'_>) -> String {
    let schema = draft.context.sight.find(draft.data_source).map(|found| found.schema());
    let counting = schema.and_then(|schema| {
        let counting = schema.measures.iter().find(|measure| measure.aggregation == Aggregation::Count);
        counting.map(|measure| measure.name.clone())
    });
    counting.map_or_else(|| "COUNT(*)".to_owned(), |measure| format!("SUM({})", sql_text::name(&measure)))
}

/// Whether values of a column are what was added since the one before: then growth is their sum.
fn is_added(draft: &Draft<'_>, column: &str) -> bool {
    let schema = draft.context.sight.find(draft.data_source).map(|found| found.schema());
    schema.is_some_and(|schema| {
        let is_sum =
            |aggregation| matches!(aggregation, Aggregation::Count | Aggregation::LongSum | Aggregation::DoubleSum);
        schema.measures.iter().any(|measure| measure.name == column && is_sum(measure.aggregation))
    })
}

fn of_samples(draft: &mut Draft<'_>, function: &str, name: &str) -> String {
    draft.notices.push(Notice::info(format!(
        "{function} takes the values of {name} for samples of a counter: group by what tells its series apart"
    )));
    format!("{function}({name}, {})", sql_text::name(TIME_COLUMN))
}
