//! How the tests of filters were made, counted by column, for `EXPLAIN ANALYZE`.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::physical_plan::metrics::{Count, Metric, MetricValue, MetricsSet};
use henge_indexing::Way;

/// For each column and way how many segments were tested so; filters have few of both.
#[derive(Debug, Default)]
pub(crate) struct WaysTaken(Mutex<Vec<(Box<str>, Way, u64)>>);

impl WaysTaken {
    /// A test of one segment.
    pub fn note(&self, column: &str, way: Way) {
        let mut ways = self.ways();
        match ways.iter_mut().find(|(known, known_way, _)| **known == *column && *known_way == way) {
            Some((.., count)) => *count += 1,
            None => ways.push((column.into(), way, 1)),
        }
    }

    /// Adds a count for each, such as `index(tenant)=12`.
    pub fn add_to(&self, set: &mut MetricsSet) {
        let mut ways = self.ways().clone();
        ways.sort_unstable();
        for (column, way, tested) in ways {
            set.push(counted(format!("{}({column})", way.as_str()), tested));
        }
    }

    fn ways(&self) -> MutexGuard<'_, Vec<(Box<str>, Way, u64)>> {
        // What a panic leaves behind is whole: each change is one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number with its name.
pub(crate) fn counted(name: impl Into<Cow<'static, str>>, number: u64) -> Arc<Metric> {
    let count = Count::new();
    count.add(usize::try_from(number).unwrap_or(usize::MAX));
    Arc::new(Metric::new(MetricValue::Count { name: name.into(), count }, None))
}
