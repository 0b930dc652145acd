//! Operators of our own on dictionary codes and packed blocks; DataFusion plans around them.

pub(crate) mod aggregate;
mod context;
mod metrics;
pub(crate) mod scan_top;
mod segment_aggregate;
mod segment_rows;
mod series_fold;
mod spread;
#[cfg(test)]
mod test_rows;
pub(crate) mod values;

pub(crate) use self::context::OperatorContext;
pub(crate) use self::metrics::OperatorMetrics;
pub(crate) use self::segment_aggregate::SegmentAggregateExec;
pub(crate) use self::segment_rows::{RowsTask, SegmentRowsExec};
pub(crate) use self::series_fold::{Numbers, SeriesFoldExec, SeriesFoldTask};
