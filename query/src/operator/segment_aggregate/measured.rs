//! What an operator did in DataFusion's terms, for `EXPLAIN ANALYZE`.

use std::sync::Arc;
use std::time::Duration;

use datafusion::physical_plan::metrics::{Metric, MetricValue, MetricsSet, Time};

use crate::operator::OperatorMetrics;
use crate::scan::counted;

pub(in crate::operator) fn metrics(measured: &OperatorMetrics) -> MetricsSet {
    let counts = [
        ("segments", &measured.segments),
        ("kept_segments", &measured.kept_segments),
        ("rows", &measured.rows),
        ("groups", &measured.groups),
        ("spilled_bytes", &measured.spilled_bytes),
    ];
    let times = [
        ("filter", &measured.filter_ns),
        ("scan", &measured.scan_ns),
        ("merge", &measured.merge_ns),
        ("output", &measured.output_ns),
    ];
    let mut set = MetricsSet::new();
    for (name, counter) in counts {
        set.push(counted(name, counter.get()));
    }
    measured.ways.add_to(&mut set);
    for (name, counter) in times {
        let time = Time::new();
        time.add_duration(Duration::from_nanos(counter.get()));
        set.push(Arc::new(Metric::new(MetricValue::Time { name: name.into(), time }, None)));
    }
    set
}
