use std::collections::HashMap;
use std::sync::Arc;

use henge_segment_store::data_source::DataSource;
use henge_segment_store::schema::DataSourceSchema;
use henge_segment_store::segment::PublishedSegment;
use henge_segment_store::time::{Interval, TimestampMs};
use henge_segment_store::timeline::SegmentView;
use serde_json::json;

use super::rows::{Cell, Rows};
use super::{ColumnKind, SYS, SystemSources, SystemTable};

pub(super) const TABLE: SystemTable = SystemTable {
    schema: SYS,
    name: "segments",
    columns: &[
        ("segment_id", ColumnKind::Text),
        ("datasource", ColumnKind::Text),
        ("start", ColumnKind::Text),
        ("end", ColumnKind::Text),
        ("size", ColumnKind::Long),
        ("version", ColumnKind::Text),
        ("partition_num", ColumnKind::Long),
        ("num_replicas", ColumnKind::Long),
        ("num_rows", ColumnKind::Long),
        ("is_active", ColumnKind::Long),
        ("is_published", ColumnKind::Long),
        ("is_available", ColumnKind::Long),
        ("is_realtime", ColumnKind::Long),
        ("is_overshadowed", ColumnKind::Long),
        ("shard_spec", ColumnKind::Text),
        ("dimensions", ColumnKind::Text),
        ("metrics", ColumnKind::Text),
        ("last_compaction_state", ColumnKind::Text),
        ("replication_factor", ColumnKind::Long),
    ],
    fill,
};

/// The version of segments that have none yet.
const UNPUBLISHED: &str = "unpublished";

/// A segment as Druid tells of it.
pub(super) struct Told {
    pub id: String,
    chunk: Interval,
    version: String,
    shard: i64,
    bytes: i64,
    rows: i64,
    is_published: bool,
    /// Not in quarantine.
    is_available: bool,
    merges: u32,
}

/// All segments of a datasource at one moment: published ones, then those that still grow or wait to be published.
pub(super) fn of(data_source: &DataSource) -> Vec<Told> {
    let snapshot = data_source.snapshot(Interval::ALL);
    let mut open_of_chunk: HashMap<TimestampMs, i64> = HashMap::new();
    let told = snapshot.segments.iter().map(|segment| match segment {
        SegmentView::Published(segment) => Told::published(segment),
        SegmentView::Open(rows) => {
            let shard = open_of_chunk.entry(rows.chunk().start()).or_default();
            *shard += 1;
            let (bytes, count) = (rows.bytes() as i64, rows.row_count() as i64);
            Told::open(data_source, rows.chunk(), *shard - 1, bytes, count)
        }
    });
    told.collect()
}

impl Told {
    fn published(segment: &Arc<PublishedSegment>) -> Self {
        let meta = &segment.meta;
        Self {
            id: meta.id.to_string(),
            chunk: meta.id.chunk,
            version: meta.id.version.clone(),
            shard: i64::from(meta.id.shard),
            bytes: meta.bytes as i64,
            rows: meta.rows as i64,
            is_published: true,
            is_available: segment.damage().is_none(),
            merges: meta.merged.map_or(0, |merged| merged.merges),
        }
    }

    fn open(data_source: &DataSource, chunk: Interval, shard: i64, bytes: i64, rows: i64) -> Self {
        Self {
            id: format!("{}_{}_{}_{UNPUBLISHED}_{shard}", data_source.name(), chunk.start(), chunk.end()),
            chunk,
            version: UNPUBLISHED.to_owned(),
            shard,
            bytes,
            rows,
            is_published: false,
            is_available: true,
            merges: 0,
        }
    }
}

fn fill(sources: &SystemSources<'_>, rows: &mut Rows) {
    for name in sources.data_sources() {
        let Some(data_source) = sources.store.data_source(name.as_str()) else { continue };
        let (dimensions, metrics) = column_names(&data_source.schema());
        for segment in of(&data_source) {
            let (start, end) = (segment.chunk.start().to_string(), segment.chunk.end().to_string());
            let shard = json!({ "type": "numbered", "partitionNum": segment.shard, "partitions": 0 }).to_string();
            let compacted = (segment.merges > 0).then(|| json!({ "merges": segment.merges }).to_string());
            rows.push(&[
                (&segment.id).into(),
                name.as_str().into(),
                (&start).into(),
                (&end).into(),
                segment.bytes.into(),
                (&segment.version).into(),
                segment.shard.into(),
                Cell::Long(1),
                segment.rows.into(),
                true.into(),
                segment.is_published.into(),
                segment.is_available.into(),
                (!segment.is_published).into(),
                false.into(),
                (&shard).into(),
                (&dimensions).into(),
                (&metrics).into(),
                compacted.as_ref().into(),
                Cell::Long(1),
            ]);
        }
    }
}

/// JSON lists of the names of dimensions and of measures, as they are now.
fn column_names(schema: &DataSourceSchema) -> (String, String) {
    let dimensions: Vec<&str> = schema.dimensions.iter().map(|dimension| dimension.name.as_str()).collect();
    let measures: Vec<&str> = schema.measures.iter().map(|measure| measure.name.as_str()).collect();
    (json!(dimensions).to_string(), json!(measures).to_string())
}
