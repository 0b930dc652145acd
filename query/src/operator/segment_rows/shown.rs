//! What rows are asked for in the words of SQL, for `EXPLAIN`.

use std::fmt::{self, Formatter};

use henge_indexing::SortOrder;
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::timeline::SegmentView;

use super::RowsTask;
use crate::scan::write_filter;

pub(super) fn write(
    name: &DataSourceName,
    task: &RowsTask,
    segments_total: usize,
    out: &mut Formatter<'_>,
) -> fmt::Result {
    let output = task.output().fields();
    let order = task.order();
    let order = joined(order.iter().map(|&(column, order)| sorted(output[column].name(), order)));
    let filter = match task {
        RowsTask::TopRows(task) => {
            write!(out, "SegmentTopRows: {name} order=[{order}] fetch={}", task.count)?;
            &task.filter
        }
        RowsTask::Values(task) => {
            write!(out, "SegmentValues: {name} order=[{order}]")?;
            if let Some(count) = task.count {
                write!(out, " fetch={count}")?;
            }
            &task.filter
        }
    };
    write_filter(filter.as_ref(), out)?;
    let open = task.segments().iter().filter(|segment: &&SegmentView| segment.is_open()).count();
    write!(out, " segments={}/{segments_total} (open={open})", task.segments().len())?;
    write!(out, " projection=[{}]", joined(output.iter().map(|field| field.name().clone())))
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn sorted(column: &str, order: SortOrder) -> String {
    let direction = if order.is_descending { " DESC" } else { "" };
    let nulls = if order.is_nulls_first { "FIRST" } else { "LAST" };
    format!("{column}{direction} NULLS {nulls}")
}
