//! What an aggregation does in the words of SQL, for `EXPLAIN`.

use std::fmt::{self, Formatter};

use henge_segment_store::schema::TIME_COLUMN;
use henge_segment_store::time::{Granularity, Interval};
use henge_segment_store::timeline::SegmentView;

use crate::operator::aggregate::{Aggregate, AggregateFunction, AggregateTask, Aggregation, GroupKey, TopGroups};
use crate::pushdown::shown;
use crate::scan::{RowFilter, shown_interval};

pub(super) fn write(task: &AggregateTask, segments_total: usize, out: &mut Formatter<'_>) -> fmt::Result {
    let Aggregation { keys, aggregates } = task.aggregation.as_ref();
    write!(out, " keys=[{}]", joined(keys.iter().map(key)))?;
    write!(out, " aggregates=[{}]", joined(aggregates.iter().map(aggregate)))?;
    match &task.filter {
        None => out.write_str(" filter=[FALSE]")?,
        Some(filter) => {
            if filter.interval != Interval::ALL {
                write!(out, " interval={}", shown_interval(filter.interval))?;
            }
            if let Some(predicate) = &filter.predicate {
                write!(out, " filter=[{}]", shown(predicate))?;
            }
        }
    }
    if let Some(top) = &task.top {
        write!(out, " top=[{}]", top_groups(top, &task.aggregation))?;
    }
    let open = task.segments.iter().filter(|segment: &&SegmentView| segment.is_open()).count();
    write!(out, " segments={}/{segments_total} (open={open})", task.segments.len())
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn key(key: &GroupKey) -> String {
    match key {
        GroupKey::Column(column) => column.name.to_string(),
        GroupKey::TimeBucket(granularity) => time_floor(granularity),
    }
}

/// With origin and zone only where they are not the usual ones.
fn time_floor(granularity: &Granularity) -> String {
    let zone = granularity.zone_name();
    let origin = granularity.origin().map_or_else(|| "NULL".to_owned(), |origin| format!("'{origin}'"));
    match (granularity.origin(), zone.as_str()) {
        (None, "UTC") => format!("TIME_FLOOR({TIME_COLUMN}, '{granularity}')"),
        (Some(_), "UTC") => format!("TIME_FLOOR({TIME_COLUMN}, '{granularity}', {origin})"),
        (_, zone) => format!("TIME_FLOOR({TIME_COLUMN}, '{granularity}', {origin}, '{zone}')"),
    }
}

fn aggregate(aggregate: &Aggregate) -> String {
    let function = match &aggregate.function {
        AggregateFunction::CountRows => "COUNT(*)".to_owned(),
        AggregateFunction::Count(column) => format!("COUNT({})", column.name),
        AggregateFunction::Sum(column) => format!("SUM({})", column.name),
        AggregateFunction::Min(column) => format!("MIN({})", column.name),
        AggregateFunction::Max(column) => format!("MAX({})", column.name),
        AggregateFunction::Avg(column) => format!("AVG({})", column.name),
        AggregateFunction::First(column) => format!("EARLIEST({})", column.name),
        AggregateFunction::Last(column) => format!("LATEST({})", column.name),
        AggregateFunction::CountDistinct(column) => format!("COUNT(DISTINCT {})", column.name),
        AggregateFunction::Sketch(call, column) => call.shown(&column.name),
    };
    match &aggregate.filter {
        Some(filter) => format!("{function} FILTER ({})", row_filter(filter)),
        None => function,
    }
}

fn row_filter(filter: &RowFilter) -> String {
    let interval = (filter.interval != Interval::ALL).then(|| format!("interval={}", shown_interval(filter.interval)));
    let parts: Vec<String> = interval.into_iter().chain(filter.predicate.as_ref().map(shown)).collect();
    if parts.is_empty() { "TRUE".to_owned() } else { parts.join(" AND ") }
}

fn top_groups(top: &TopGroups, aggregation: &Aggregation) -> String {
    let column = match top.column.checked_sub(aggregation.keys.len()) {
        None => key(&aggregation.keys[top.column]),
        Some(place) => aggregate(&aggregation.aggregates[place]),
    };
    let direction = if top.is_descending { "DESC" } else { "ASC" };
    let nulls = if top.is_nulls_first { "FIRST" } else { "LAST" };
    format!("{} by {column} {direction} NULLS {nulls}", top.count)
}
