use std::sync::Arc;
use std::time::Duration;

use henge_segment_store::dataset::{Dataset, SeriesFunction};
use henge_segment_store::time::{Granularity, Interval};

use crate::reader::Reader;
use crate::request::AskedLimits;

/// A question about one metric.
///
/// The answer's columns: for each field of `group_by` a text that may be null; `timestamp`, the start of a bucket, unless
/// `granularity` is `None`; and `value`, a decimal or a double, unless only labels are asked for. Buckets without a sample
/// are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesRequest {
    /// Whose series count.
    pub reader: Reader,
    pub dataset: Arc<Dataset>,
    pub metric: String,
    pub value: SeriesValue,
    pub filter: Option<LabelFilter>,
    /// Fields, each once: `metric.topic`, `resource.kafka.id`.
    pub group_by: Vec<String>,
    /// The length of a bucket; `None` is one bucket for all intervals.
    pub granularity: Option<Granularity>,
    /// One at least; what several of them cover counts once.
    pub intervals: Vec<Interval>,
    pub order: GroupOrder,
    /// What [`crate::engine::QueryEngine::cancel`] and the logs call this query.
    pub query_id: String,
    /// `None` takes the default; more than the limit becomes the limit.
    pub timeout: Option<Duration>,
    /// Limits of its own, below the engine's.
    pub limits: AskedLimits,
}

/// What is asked of the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesValue {
    /// `None`: the metric's own functions.
    Aggregate { time_agg: Option<SeriesFunction>, agg: Option<SeriesFunction> },
    /// Only which groups there are.
    Labels,
}

/// Which series count. A series without a label passes no test of it, and so passes the negation of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelFilter {
    Test { field: String, test: LabelTest, value: String },
    All(Vec<LabelFilter>),
    Any(Vec<LabelFilter>),
    Not(Box<LabelFilter>),
}

/// A test of a label as text, byte by byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelTest {
    Equal,
    Greater,
    GreaterOrEqual,
}

/// Which groups come, and in which order; the points of a group are in the order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupOrder {
    /// By labels, those without one first: up to `count` groups that come behind the labels `after`.
    ByLabels { after: Option<Vec<Option<String>>>, count: usize },
    /// The `count` groups with the greatest, or the least values, equal ones by labels. For one bucket only.
    ByValue { is_descending: bool, count: usize },
}

impl LabelFilter {
    pub fn equal(field: impl Into<String>, value: impl Into<String>) -> Self {
        Self::Test { field: field.into(), test: LabelTest::Equal, value: value.into() }
    }
}

impl SeriesRequest {
    /// From the start of the first interval to the end of the last.
    pub(crate) fn hull(&self) -> Option<Interval> {
        let start = self.intervals.iter().map(|interval| interval.start()).min()?;
        let end = self.intervals.iter().map(|interval| interval.end()).max()?;
        Interval::new(start, end)
    }

    /// For those who watch what runs.
    pub(crate) fn shown(&self) -> String {
        let groups = self.group_by.join(", ");
        let time = self.hull().map(|hull| format!("{}/{}", hull.start(), hull.end())).unwrap_or_default();
        format!("metric {} by [{groups}] over {time}", self.metric)
    }
}
