//! Events as a Parquet file: names as strings, zstd, row groups of a million rows.

use std::fmt::Write;
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringBuilder};
use arrow::array::{StringArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::event::Event;
use super::fleet::{Cluster, Fleet};
use super::names::{self, CLUSTER_TYPES, METRICS, REGIONS};

const BATCH_ROWS: u64 = 65_536;

/// Writes a range of rows.
pub fn write(fleet: &Fleet, rows: Range<u64>, path: &Path) -> anyhow::Result<()> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        // Dictionaries of a million topics; the default falls back to plain strings.
        .set_dictionary_page_size_limit(64 << 20)
        .set_max_row_group_row_count(Some(1 << 20))
        .build();
    let file = File::create(path).with_context(|| path.display().to_string())?;
    let mut writer = ArrowWriter::try_new(file, schema(), Some(properties))?;
    for start in rows.clone().step_by(BATCH_ROWS as usize) {
        writer.write(&batch(fleet, start..(start + BATCH_ROWS).min(rows.end))?)?;
    }
    writer.close()?;
    Ok(())
}

fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, name == "principal");
    let number = |name: &str, data_type| Field::new(name, data_type, false);
    let mut fields = vec![number("timestamp", DataType::Timestamp(TimeUnit::Millisecond, None))];
    fields.extend(["event_id", "metric", "org_id", "env_id", "cluster_id", "cluster_type", "pkc"].map(text));
    fields.extend(["tenant", "topic"].map(text));
    fields.push(number("partition", DataType::Int32));
    fields.push(text("principal"));
    fields.push(number("broker", DataType::Int32));
    fields.extend(["az", "region", "cloud"].map(text));
    fields.extend(["bytes_in", "bytes_out", "requests", "errors"].map(|name| number(name, DataType::Int64)));
    fields.push(number("latency_ms", DataType::Float64));
    Arc::new(Schema::new(fields))
}

/// The columns of a range of rows, in the schema's order.
pub fn batch(fleet: &Fleet, rows: Range<u64>) -> anyhow::Result<RecordBatch> {
    let columns = Columns { fleet, events: rows.map(|row| fleet.event(row)).collect() };
    let times = TimestampMillisecondArray::from_iter_values(columns.events.iter().map(|event| event.timestamp_ms));
    let latencies = Float64Array::from_iter_values(columns.events.iter().map(|event| event.latency_us as f64 / 1e3));
    Ok(RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(times),
            columns.text(|event, _, out| put(out, format_args!("{:032x}", event.event_id))),
            columns.name(|event, _| METRICS[usize::from(event.metric)]),
            columns.text(|_, cluster, out| put(out, format_args!("org-{:05}", cluster.organization))),
            columns.text(|_, cluster, out| put(out, format_args!("env-{:05x}", cluster.environment))),
            columns.text(|_, cluster, out| put(out, format_args!("lkc-{:06x}", cluster.id))),
            columns.name(|_, cluster| CLUSTER_TYPES[usize::from(cluster.cluster_type)]),
            columns.text(|_, cluster, out| put(out, format_args!("pkc-{:05x}", cluster.physical_cluster))),
            columns.text(|_, cluster, out| cluster.write_tenant(out)),
            columns.text(|event, _, out| fleet.write_topic(event.topic, out)),
            columns.int(|event| event.partition as i32),
            columns.principals(),
            columns.int(|event| i32::from(event.broker)),
            columns.text(|event, cluster, out| names::write_zone(cluster.region, event.zone, out)),
            columns.name(|_, cluster| REGIONS[usize::from(cluster.region)].1),
            columns.name(|_, cluster| REGIONS[usize::from(cluster.region)].0),
            columns.long(|event| event.bytes_in as i64),
            columns.long(|event| event.bytes_out as i64),
            columns.long(|event| i64::from(event.requests)),
            columns.long(|event| i64::from(event.errors)),
            Arc::new(latencies),
        ],
    )?)
}

fn put(out: &mut String, text: std::fmt::Arguments) {
    out.write_fmt(text).expect("a string takes all text");
}

struct Columns<'a> {
    fleet: &'a Fleet,
    events: Vec<Event>,
}

impl Columns<'_> {
    fn cluster(&self, event: &Event) -> &Cluster {
        &self.fleet.clusters[event.cluster as usize]
    }

    fn name(&self, name: impl Fn(&Event, &Cluster) -> &'static str) -> ArrayRef {
        let names = self.events.iter().map(|event| name(event, self.cluster(event)));
        Arc::new(StringArray::from_iter_values(names))
    }

    fn text(&self, write: impl Fn(&Event, &Cluster, &mut String)) -> ArrayRef {
        let mut builder = StringBuilder::new();
        let mut text = String::new();
        for event in &self.events {
            text.clear();
            write(event, self.cluster(event), &mut text);
            builder.append_value(&text);
        }
        Arc::new(builder.finish())
    }

    fn principals(&self) -> ArrayRef {
        let names = self.events.iter().map(|event| event.principal.map(|principal| format!("sa-{principal:06x}")));
        Arc::new(names.collect::<StringArray>())
    }

    fn int(&self, number: impl Fn(&Event) -> i32) -> ArrayRef {
        Arc::new(Int32Array::from_iter_values(self.events.iter().map(number)))
    }

    fn long(&self, number: impl Fn(&Event) -> i64) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(self.events.iter().map(number)))
    }
}
