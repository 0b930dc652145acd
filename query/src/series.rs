//! The two-stage aggregate of metrics, as a plan of native operators.
//!
//! ```text
//! rows -> samples: a minute of a series, merged as the measure merges     SegmentAggregate
//!      -> a bucket of a series: its samples by `time_agg`                 SeriesFold
//!      -> a bucket of a group: its series by `agg`                        SeriesFold
//! ```
//!
//! Stages that change nothing are left out: of a counter, sums of sums of sums, only the first is left, over the groups
//! themselves.

mod filter;
mod number_text;
mod plan;
mod request;

pub(crate) use self::plan::{metric_of, plan};
pub use self::request::{GroupOrder, LabelFilter, LabelTest, SeriesRequest, SeriesValue};
