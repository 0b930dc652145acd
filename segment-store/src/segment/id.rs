use std::fmt;

use serde::{Deserialize, Serialize};

use crate::schema::DataSourceName;
use crate::time::{Granularity, Interval, TimestampMs};

/// Names one immutable segment for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SegmentId {
    pub data_source: DataSourceName,
    pub chunk: Interval,
    /// The commit that made it; later commits have greater versions.
    pub version: String,
    /// Number among the segments that one commit made of one time chunk.
    pub shard: u32,
}

impl SegmentId {
    /// Where the segment lies in the object store.
    pub fn path(&self) -> String {
        let chunk = format!("{}_{}", self.chunk.start(), self.chunk.end()).replace(':', "");
        format!("segments/{}/{chunk}/{}_{}.parquet", self.data_source, self.version, self.shard)
    }

    /// The epoch of the process that made it, which each commit's name begins with.
    pub(crate) fn epoch(&self) -> Option<u64> {
        self.version.split_once('-')?.0.parse().ok()
    }

    /// The epoch of the process that made the file of a segment.
    pub(crate) fn epoch_of_path(path: &str) -> Option<u64> {
        path.rsplit('/').next()?.split_once('-')?.0.parse().ok()
    }
}

/// `datasource_start_end_version_shard`, as Druid writes it.
impl fmt::Display for SegmentId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = (self.chunk.start(), self.chunk.end());
        write!(out, "{}_{start}_{end}_{}_{}", self.data_source, self.version, self.shard)
    }
}

impl From<SegmentId> for String {
    fn from(id: SegmentId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for SegmentId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a segment id");
        // A datasource's name may hold `_`, so the fields are taken from the end.
        let mut fields = text.rsplitn(5, '_');
        let mut next = || fields.next().ok_or_else(wrong);
        let shard = next()?.parse().map_err(|_| wrong())?;
        let version = next()?.to_owned();
        let end = TimestampMs::parse_shown(next()?).ok_or_else(wrong)?;
        let start = TimestampMs::parse_shown(next()?).ok_or_else(wrong)?;
        let data_source = DataSourceName::new(next()?).map_err(|_| wrong())?;
        let chunk = Interval::new(start, end).ok_or_else(wrong)?;
        Ok(Self { data_source, chunk, version, shard })
    }
}

/// What the manifest says of a segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentMeta {
    pub id: SegmentId,
    pub path: String,
    pub bytes: u64,
    /// Of the whole file, in hex.
    pub blake3: String,
    pub rows: u64,
    /// Accepted events that the rows stand for: more than `rows` where they were rolled up.
    pub events: u64,
    /// The earliest event time.
    pub time_min: TimestampMs,
    /// The latest event time, inclusive.
    pub time_max: TimestampMs,
    /// What the rows' times are floored to; unknown for segments that are older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_granularity: Option<Granularity>,
    /// When the file was made; unknown for segments that are older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_at: Option<TimestampMs>,
    /// `None` for a segment that holds the rows of one cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<MergeHistory>,
}

/// What it took to make a segment by merging: so that write amplification can be bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeHistory {
    /// How often the rows were merged that were merged most often; at least 1.
    pub merges: u32,
    /// Bytes of the cuts' segments that the rows come from.
    pub cut_bytes: u64,
    /// Bytes that were written for these rows, the cuts' and this segment's included.
    pub written_bytes: u64,
}

impl SegmentMeta {
    /// How the segment came to be; a cut's segment was written once.
    pub fn history(&self) -> MergeHistory {
        self.merged.unwrap_or(MergeHistory { merges: 0, cut_bytes: self.bytes, written_bytes: self.bytes })
    }
}

#[cfg(test)]
impl SegmentMeta {
    /// One row in the first hour of 1970.
    pub(crate) fn sample() -> Self {
        let chunk = Interval::new(TimestampMs(0), TimestampMs(3_600_000)).expect("an hour is no empty interval");
        let data_source = DataSourceName::new("usage").expect("a plain name");
        let id = SegmentId { data_source, chunk, version: "00000001-00000001".into(), shard: 0 };
        Self {
            path: id.path(),
            id,
            bytes: 1_000,
            blake3: String::new(),
            rows: 1,
            events: 1,
            time_min: TimestampMs(0),
            time_max: TimestampMs(0),
            query_granularity: None,
            written_at: None,
            merged: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_equal_and_its_path_is_plain() {
        let chunk = Interval::new(TimestampMs(0), TimestampMs(3_600_000)).unwrap();
        let data_source = DataSourceName::new("my_usage").unwrap();
        let id = SegmentId { data_source, chunk, version: "00000001-00000002".into(), shard: 3 };
        assert_eq!(SegmentId::try_from(id.to_string()), Ok(id.clone()));
        let path = "segments/my_usage/1970-01-01T000000.000Z_1970-01-01T010000.000Z/00000001-00000002_3.parquet";
        assert_eq!(id.path(), path);
        assert!(SegmentId::try_from("a_b_c".to_owned()).is_err());
        let last_day = Interval::new(TimestampMs(TimestampMs::MAX.0 - 86_400_000), TimestampMs::MAX).unwrap();
        let id = SegmentId { chunk: last_day, ..id };
        assert_eq!(SegmentId::try_from(id.to_string()), Ok(id));
    }
}
