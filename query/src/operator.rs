//! Operators of our own on dictionary codes and packed blocks; DataFusion plans around them.

pub(crate) mod aggregate;
mod context;
mod metrics;
mod segment_aggregate;

pub(crate) use self::context::OperatorContext;
pub(crate) use self::metrics::OperatorMetrics;
pub(crate) use self::segment_aggregate::SegmentAggregateExec;
