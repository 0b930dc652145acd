//! Events as rows of Henge, from their Parquet files; a random id is left out.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMillisecondType};
use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::schema::{Aggregation, DataSourceSchema, Dimension, DimensionType, Measure};
use henge_segment_store::time::{Granularity, TimestampMs};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// The columns of a workload's events beside the time, in the order of their declaration.
pub struct Layout {
    pub dimensions: &'static [(&'static str, DimensionType)],
    pub measures: &'static [(&'static str, Aggregation)],
}

/// Cluster metering and usage.
pub const CMU: Layout = Layout {
    dimensions: &[
        ("metric", DimensionType::String),
        ("org_id", DimensionType::String),
        ("env_id", DimensionType::String),
        ("cluster_id", DimensionType::String),
        ("cluster_type", DimensionType::String),
        ("pkc", DimensionType::String),
        ("tenant", DimensionType::String),
        ("topic", DimensionType::String),
        ("partition", DimensionType::Long),
        ("principal", DimensionType::String),
        ("broker", DimensionType::Long),
        ("az", DimensionType::String),
        ("region", DimensionType::String),
        ("cloud", DimensionType::String),
    ],
    measures: &[
        ("bytes_in", Aggregation::LongSum),
        ("bytes_out", Aggregation::LongSum),
        ("requests", Aggregation::LongSum),
        ("errors", Aggregation::LongSum),
        ("latency_ms", Aggregation::DoubleSum),
    ],
};

const BATCH_ROWS: usize = 16_384;

/// Each event a row.
pub fn schema(layout: &Layout, sort: &[String], segment_granularity: &str) -> anyhow::Result<DataSourceSchema> {
    let dimensions = layout.dimensions.iter().map(|(name, kind)| Dimension { name: (*name).into(), kind: *kind });
    let measures =
        layout.measures.iter().map(|(name, aggregation)| Measure { name: (*name).into(), aggregation: *aggregation });
    Ok(DataSourceSchema {
        dimensions: dimensions.collect(),
        measures: measures.collect(),
        rollup: false,
        query_granularity: Granularity::NONE,
        segment_granularity: segment_granularity.parse()?,
        sort: sort.to_vec(),
        tenant: None,
    })
}

/// Visits the events of all files in a folder, a batch at a time, in the order of the files' names.
pub fn for_each_batch(
    layout: &Layout,
    folder: &Path,
    mut visit: impl FnMut(&[EventRow]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut events = vec![EventRow::new(layout.dimensions.len(), layout.measures.len()); BATCH_ROWS];
    for path in files(folder)? {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path)?)?;
        for batch in reader.with_batch_size(BATCH_ROWS).build()? {
            let batch = batch?;
            fill(layout, &mut events[..batch.num_rows()], &batch).with_context(|| path.display().to_string())?;
            visit(&events[..batch.num_rows()])?;
        }
    }
    Ok(())
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "parquet"));
    files.sort();
    ensure!(!files.is_empty(), "{} holds no Parquet files: the bench `peers` makes them", folder.display());
    Ok(files)
}

fn fill(layout: &Layout, events: &mut [EventRow], batch: &RecordBatch) -> anyhow::Result<()> {
    let column = |name: &str| batch.column_by_name(name).with_context(|| format!("column `{name}` is missing"));
    let times = column("timestamp")?.as_primitive::<TimestampMillisecondType>().values();
    for (event, time) in events.iter_mut().zip(times) {
        event.clear();
        event.time = TimestampMs(*time);
    }
    for (number, (name, _)) in layout.dimensions.iter().enumerate() {
        let array = column(name)?;
        if let DataType::Utf8 = array.data_type() {
            for (event, text) in events.iter_mut().zip(array.as_string::<i32>()) {
                event.set_dimension(number, text.map_or(DimensionValue::Null, DimensionValue::String));
            }
        } else {
            for (row, event) in events.iter_mut().enumerate() {
                event.set_dimension(number, long_at(array, row).map_or(DimensionValue::Null, DimensionValue::Long));
            }
        }
    }
    for (number, (name, aggregation)) in layout.measures.iter().enumerate() {
        let array = column(name)?;
        for (row, event) in events.iter_mut().enumerate() {
            event.set_measure(
                number,
                match aggregation.is_long() {
                    true => long_at(array, row).map_or(MeasureValue::Null, MeasureValue::Long),
                    false => MeasureValue::Double(array.as_primitive::<Float64Type>().value(row)),
                },
            );
        }
    }
    Ok(())
}

fn long_at(array: &ArrayRef, row: usize) -> Option<i64> {
    (!array.is_null(row)).then(|| match array.data_type() {
        DataType::Int32 => i64::from(array.as_primitive::<Int32Type>().value(row)),
        _ => array.as_primitive::<Int64Type>().value(row),
    })
}
