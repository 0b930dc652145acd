//! Where a segment's rows come from, for whoever reads its file without a manifest.

use serde::{Deserialize, Serialize};

use super::SegmentId;
use crate::manifest::ConsumedRange;
use crate::schema::DataSourceSchema;

/// The footer key that holds a segment's [`Provenance`] as JSON.
pub const PROVENANCE_KEY: &str = "henge.segment";

/// What the footer of a segment's Parquet file says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    pub id: SegmentId,
    pub rows: u64,
    /// Accepted events that the rows stand for: more than `rows` where they were rolled up.
    pub events: u64,
    pub schema: DataSourceSchema,
    /// Topic, topic id, partition, offsets and what became of the records: everything that the same publish consumed, in
    /// this segment or in another time chunk's. Empty for a segment that was merged from others.
    pub consumed: Vec<ConsumedRange>,
    /// The segments that it was merged from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged_from: Vec<SegmentId>,
}
