//! The rows as Parquet files: tags as strings, fields as longs, zstd.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::{Hosts, LAYOUT, START_MS, TICK_MS};
use crate::cmu::random::{Purpose, Random};

const FILES: u64 = 8;
/// All hosts of so many ticks are a batch.
const BATCH_TICKS: u64 = 128;
const FIELD_MAX: f64 = 100.0;

/// What one field of one host does.
struct Walk {
    random: Random,
    value: f64,
}

impl Walk {
    fn new(seed: u64, number: u64) -> Self {
        let mut random = Random::new(seed, Purpose::HostField, number);
        let value = random.unit() * FIELD_MAX;
        Self { random, value }
    }

    /// The whole number that is reported, and a step.
    fn next(&mut self) -> i64 {
        let reported = self.value as i64;
        self.value = (self.value + self.random.normal()).clamp(0.0, FIELD_MAX);
        reported
    }
}

pub fn write(hosts: &Hosts, folder: &Path) -> anyhow::Result<()> {
    let fields = LAYOUT.measures.len() as u64;
    let mut walks: Vec<Walk> = (0..hosts.hosts * fields).map(|number| Walk::new(hosts.seed, number)).collect();
    let schema = schema();
    for file in 0..FILES {
        let ticks = hosts.ticks * file / FILES..hosts.ticks * (file + 1) / FILES;
        let compression = Compression::ZSTD(ZstdLevel::try_new(1)?);
        let properties = WriterProperties::builder().set_compression(compression).build();
        let path = folder.join(format!("part-{file:02}.parquet"));
        let mut writer = ArrowWriter::try_new(File::create(path)?, schema.clone(), Some(properties))?;
        for start in ticks.clone().step_by(BATCH_TICKS as usize) {
            let batch_ticks = start..(start + BATCH_TICKS).min(ticks.end);
            writer.write(&RecordBatch::try_new(schema.clone(), columns(hosts, batch_ticks, &mut walks))?)?;
        }
        writer.close()?;
    }
    Ok(())
}

fn schema() -> SchemaRef {
    let field = |name: &str, data_type: DataType| Field::new(name, data_type, false);
    let mut fields = vec![field("timestamp", DataType::Timestamp(TimeUnit::Millisecond, None))];
    fields.extend(LAYOUT.dimensions.iter().map(|(name, _)| field(name, DataType::Utf8)));
    fields.extend(LAYOUT.measures.iter().map(|(name, _)| field(name, DataType::Int64)));
    Arc::new(Schema::new(fields))
}

/// Host by host within a tick.
fn columns(hosts: &Hosts, ticks: std::ops::Range<u64>, walks: &mut [Walk]) -> Vec<ArrayRef> {
    let rows =
        || (ticks.start * hosts.hosts..ticks.end * hosts.hosts).map(|row| (row / hosts.hosts, row % hosts.hosts));
    let times = rows().map(|(tick, _)| START_MS + tick as i64 * TICK_MS);
    let mut columns: Vec<ArrayRef> = vec![Arc::new(TimestampMillisecondArray::from_iter_values(times))];
    let tags: Vec<_> = (0..hosts.hosts).map(|host| hosts.tags(host)).collect();
    let of_tag = |tag: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows().map(|(_, host)| &tags[host as usize][tag])))
    };
    columns.extend((0..LAYOUT.dimensions.len()).map(of_tag));
    let fields = LAYOUT.measures.len();
    for field in 0..fields {
        let values = rows().map(|(_, host)| walks[host as usize * fields + field].next());
        columns.push(Arc::new(Int64Array::from_iter_values(values)));
    }
    columns
}
