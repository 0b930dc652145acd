//! Counters in Prometheus' text format: `GET /metrics`.

mod exposition_text;

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use henge_ingest::memory::MemoryLimit;
use henge_ingest::status::SupervisorStatus;
use henge_query::plan_cache::PlanCacheFigures;
use henge_query::result_cache::ResultCacheFigures;
use henge_segment_store::clock;
use henge_segment_store::data_source::DataSource;
use henge_segment_store::ledger::LedgerCounts;
use henge_segment_store::time::TimestampMs;

use self::exposition_text::{Exposition, Kind};
use crate::app::{App, Services};
use crate::query_metrics::{BUCKETS_S, QueryMetrics, QueryOutcome};
use crate::upkeep_metrics::UpkeepMetrics;
use crate::{held_memory, process};

pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    let mut out = Exposition::default();
    write_process(&app, &mut out);
    write_queries(&app.queries, &mut out);
    write_upkeep(&app.upkeep, &mut out);
    if let Some(services) = app.services() {
        write_engine(services, &mut out);
        write_plan_cache(services.engine.plan_cache(), &mut out);
        write_result_cache(services.engine.result_cache(), &mut out);
        write_data_sources(services, &mut out);
        write_supervisors(services, &mut out);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], out.finish()).into_response()
}

fn write_process(app: &App, out: &mut Exposition) {
    let usage = process::usage();
    out.family("process_cpu_seconds_total", Kind::Counter, "User and system CPU time.").value(&[], usage.cpu_seconds);
    let resident = usage.resident_bytes as f64;
    out.family("process_resident_memory_bytes", Kind::Gauge, "Resident memory.").value(&[], resident);
    let help = "Resident memory of no file: what is accounted for, and what the allocator has not given back.";
    out.family("henge_anonymous_memory_bytes", Kind::Gauge, help).value(&[], usage.anonymous_bytes as f64);
    out.family("process_open_fds", Kind::Gauge, "Open file descriptors.").value(&[], usage.open_files as f64);
    let uptime = app.started_at.elapsed().as_secs_f64();
    out.family("henge_uptime_seconds", Kind::Gauge, "Time since the process started.").value(&[], uptime);
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    out.family("henge_build_info", Kind::Gauge, "Always 1; the version is a label.").value(&version, 1.0);
}

fn write_queries(queries: &QueryMetrics, out: &mut Exposition) {
    let mut family = out.family("henge_queries_total", Kind::Counter, "Queries by how they ended.");
    for outcome in QueryOutcome::ALL {
        family.value(&[("outcome", outcome.as_str())], queries.count(outcome) as f64);
    }
    let help = "Time from a query's request to the end of its answer.";
    let buckets = queries.cumulative_buckets().map(|count| count as f64);
    out.family("henge_query_duration_seconds", Kind::Histogram, help).histogram(
        &BUCKETS_S,
        &buckets,
        queries.seconds(),
    );
}

fn write_plan_cache(figures: PlanCacheFigures, out: &mut Exposition) {
    let mut family =
        out.family("henge_plan_cache_lookups_total", Kind::Counter, "Statements by whether their plan was kept.");
    family.value(&[("outcome", "hit")], figures.hits as f64);
    family.value(&[("outcome", "miss")], figures.misses as f64);
    let entries = figures.entries as f64;
    out.family("henge_plan_cache_entries", Kind::Gauge, "Kept plans, and shapes that have one for each value.")
        .value(&[], entries);
    let bytes = figures.bytes as f64;
    out.family("henge_plan_cache_bytes", Kind::Gauge, "Estimated memory of the kept plans.").value(&[], bytes);
}

fn write_result_cache(figures: ResultCacheFigures, out: &mut Exposition) {
    let help = "Published segments of aggregations by whether their part of the answer was kept.";
    let mut family = out.family("henge_result_cache_lookups_total", Kind::Counter, help);
    family.value(&[("outcome", "hit")], figures.hits as f64);
    family.value(&[("outcome", "miss")], figures.misses as f64);
    let help = "Kept parts of answers that made room for others.";
    out.family("henge_result_cache_evictions_total", Kind::Counter, help).value(&[], figures.evictions as f64);
    let entries = figures.entries as f64;
    out.family("henge_result_cache_entries", Kind::Gauge, "Kept parts of answers.").value(&[], entries);
    let bytes = figures.bytes as f64;
    out.family("henge_result_cache_bytes", Kind::Gauge, "Memory of the kept parts of answers.").value(&[], bytes);
}

fn write_engine(services: &Services, out: &mut Exposition) {
    let engine = &services.engine;
    let gauges: [(&'static str, &'static str, usize); 3] = [
        ("henge_queries_running", "Queries from their requests to the ends of their answers.", engine.running()),
        ("henge_queries_waiting", "Those of them that wait for others to end.", engine.waiting()),
        ("henge_query_memory_bytes", "What the operators of all queries hold.", engine.memory_bytes()),
    ];
    for (name, help, value) in gauges {
        out.family(name, Kind::Gauge, help).value(&[], value as f64);
    }
    let mut family = out.family("henge_memory_bytes", Kind::Gauge, "Memory that is accounted for, by owner.");
    for (owner, bytes) in held_memory::by_owner(services) {
        family.value(&[("owner", owner)], bytes as f64);
    }
    let spilled = engine.spilled();
    let help = "Disk that queries take for what does not fit into memory.";
    out.family("henge_spill_bytes", Kind::Gauge, help).value(&[], spilled.bytes as f64);
    let help = "What queries have put on disk because it did not fit into memory.";
    out.family("henge_spilled_bytes_total", Kind::Counter, help).value(&[], spilled.written_bytes as f64);
}

fn write_upkeep(upkeep: &UpkeepMetrics, out: &mut Exposition) {
    let figures = upkeep.figures();
    let counters: [(&'static str, &'static str, f64); 15] = [
        ("henge_compactions_total", "Merges of segments.", figures.compactions as f64),
        ("henge_compaction_rows_total", "Rows that merges have read.", figures.compaction_rows as f64),
        ("henge_compaction_read_bytes_total", "Bytes of the merged files.", figures.compaction_read_bytes as f64),
        ("henge_compaction_written_bytes_total", "Bytes that merges wrote.", figures.compaction_written_bytes as f64),
        ("henge_compaction_seconds_total", "Time of merges, pauses included.", figures.compaction_ms as f64 / 1_000.0),
        ("henge_upkeep_failures_total", "Merges and other upkeep that failed.", figures.failures as f64),
        ("henge_retention_segments_total", "Segments that rules have retired.", figures.retired_segments as f64),
        ("henge_retention_bytes_total", "Bytes of the retired segments' files.", figures.retired_bytes as f64),
        ("henge_sweep_files_total", "Deleted files.", figures.swept_files as f64),
        ("henge_sweep_bytes_total", "Bytes of the deleted files.", figures.swept_bytes as f64),
        ("henge_scrub_segments_total", "Segments whose files were read again.", figures.scrub.segments as f64),
        ("henge_scrub_bytes_total", "Bytes of files that were read again.", figures.scrub.bytes as f64),
        ("henge_scrub_damaged_total", "Segments found damaged, and put into quarantine.", figures.scrub.damaged as f64),
        ("henge_scrub_restored_total", "Segments of which a good copy was back.", figures.scrub.restored as f64),
        ("henge_scrub_discarded_total", "Damaged serving forms.", figures.scrub.serving_discarded as f64),
    ];
    for (name, help, value) in counters {
        out.family(name, Kind::Counter, help).value(&[], value);
    }
    let pending = figures.compactions_planned as f64;
    out.family("henge_compactions_pending", Kind::Gauge, "Merges that are due.").value(&[], pending);
}

/// What one datasource stores, read once so that its figures fit together.
struct Stored {
    name: String,
    segments: usize,
    quarantined: usize,
    bytes: u64,
    published_rows: u64,
    open_rows: usize,
    open_bytes: usize,
    gaps: usize,
}

impl Stored {
    fn of(data_source: &DataSource) -> Self {
        let (published, open) = (data_source.published_segments(), data_source.open_stats());
        Self {
            name: data_source.name().to_string(),
            segments: published.len(),
            quarantined: published.iter().filter(|segment| segment.damage().is_some()).count(),
            bytes: published.iter().map(|segment| segment.meta.bytes).sum(),
            published_rows: published.iter().map(|segment| segment.meta.rows).sum(),
            open_rows: open.rows + open.frozen_rows,
            open_bytes: open.bytes,
            gaps: data_source.progress().gaps.len(),
        }
    }
}

fn write_data_sources(services: &Services, out: &mut Exposition) {
    let names = services.store.data_sources();
    let data_sources = names.iter().filter_map(|name| services.store.data_source(name.as_str()));
    let stored: Vec<Stored> = data_sources.map(|data_source| Stored::of(&data_source)).collect();
    type Figure = (&'static str, &'static str, fn(&Stored) -> f64);
    let figures: [Figure; 7] = [
        ("henge_segments", "Published segments.", |stored| stored.segments as f64),
        ("henge_quarantined_segments", "Damaged ones; queries of theirs fail.", |stored| stored.quarantined as f64),
        ("henge_segment_bytes", "Bytes of the published segments' files.", |stored| stored.bytes as f64),
        ("henge_published_rows", "Rows of published segments.", |stored| stored.published_rows as f64),
        ("henge_open_rows", "Queryable rows that are not published yet.", |stored| stored.open_rows as f64),
        ("henge_open_bytes", "Memory of open segments.", |stored| stored.open_bytes as f64),
        ("henge_gaps", "Ranges of offsets that were lost before they were read.", |stored| stored.gaps as f64),
    ];
    for (name, help, figure) in figures {
        let mut family = out.family(name, Kind::Gauge, help);
        for stored in &stored {
            family.value(&[("datasource", &stored.name)], figure(stored));
        }
    }
}

fn write_supervisors(services: &Services, out: &mut Exposition) {
    let now = clock::now();
    let names = services.supervisors.list();
    let of_name = |name: &str| Some((name.to_owned(), services.supervisors.status(name)?));
    let statuses: Vec<_> = names.iter().filter_map(|name| of_name(name.as_str())).collect();
    for (name, help, figure) in SUPERVISOR_GAUGES {
        let mut family = out.family(name, Kind::Gauge, help);
        for (name, status) in &statuses {
            if let Some(value) = figure(status, now) {
                family.value(&[("datasource", name)], value);
            }
        }
    }
    write_partitions(&statuses, out);
    write_ingest_memory(services.supervisors.memory(), out);
    let help = "Records read by what became of them: accepted, or why not.";
    let mut family = out.family("henge_ingest_records_total", Kind::Counter, help);
    for (name, status) in &statuses {
        write_ledger(name, &status.counts, &mut family);
    }
    let mut family = out.family("henge_publishes_total", Kind::Counter, "Publishes since the start by outcome.");
    for (name, status) in &statuses {
        family.value(&[("datasource", name), ("outcome", "success")], status.publishes as f64);
        family.value(&[("datasource", name), ("outcome", "failure")], status.publish_failures as f64);
    }
}

/// A figure of a supervisor at a moment; `None` while there is none.
type SupervisorFigure = fn(&SupervisorStatus, TimestampMs) -> Option<f64>;

const SUPERVISOR_GAUGES: [(&str, &str, SupervisorFigure); 6] = [
    ("henge_supervisor_healthy", "1 while a supervisor does what it should.", |status, _| {
        Some(f64::from(u8::from(status.is_healthy())))
    }),
    ("henge_ingest_lag_records", "Records at the broker that are not read yet.", |status, _| {
        status.lag_records().map(|records| records as f64)
    }),
    ("henge_ingest_lag_ms", "Age of the newest event read while there is more.", |status, now| {
        status.lag_ms(now).map(|millis| millis as f64)
    }),
    ("henge_ingest_newest_event_ms", "Time of the newest event read since the start.", |status, _| {
        status.totals.newest_event.map(|time| time.0 as f64)
    }),
    ("henge_ingest_paused", "1 while reading waits for a publish or for memory.", |status, _| {
        Some(f64::from(u8::from(status.pause.is_some())))
    }),
    ("henge_last_publish_seconds", "From the last cut until it was published.", |status, _| {
        status.last_publish.map(|last| last.elapsed_ms as f64 / 1_000.0)
    }),
];

fn write_partitions(statuses: &[(String, SupervisorStatus)], out: &mut Exposition) {
    let help = "Records of a partition at the broker that are not read yet.";
    let mut family = out.family("henge_ingest_partition_lag_records", Kind::Gauge, help);
    for (name, status) in statuses {
        for (stream, status) in &status.partitions {
            if let Some(records) = status.lag_records() {
                let partition = stream.partition.to_string();
                let labels = [("datasource", name.as_str()), ("topic", &stream.topic), ("partition", &partition)];
                family.value(&labels, records as f64);
            }
        }
    }
}

fn write_ingest_memory(memory: &MemoryLimit, out: &mut Exposition) {
    out.family("henge_ingest_memory_bytes", Kind::Gauge, "Memory of all rows that are not published yet.")
        .value(&[], memory.taken() as f64);
    out.family("henge_ingest_memory_limit_bytes", Kind::Gauge, "What they may take; beyond it nothing is read.")
        .value(&[], memory.bytes_max() as f64);
}

fn write_ledger(name: &str, ledger: &LedgerCounts, family: &mut exposition_text::Family<'_>) {
    family.value(&[("datasource", name), ("outcome", "accepted")], ledger.accepted as f64);
    for (reason, count) in &ledger.refused {
        family.value(&[("datasource", name), ("outcome", reason.as_str())], *count as f64);
    }
}
