use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::schema::DataSourceName;
use crate::time::{Interval, TimestampMs};

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
}

impl SegmentMeta {
    /// Whether `file` is the segment's whole file, by length and digest.
    ///
    /// Parquet itself notices next to no damage: most flipped bits would give a wrong answer.
    pub fn check(&self, file: &[u8]) -> Result<(), StoreError> {
        let corrupt = |detail| StoreError::Corrupt { id: self.id.clone(), detail };
        if file.len() as u64 != self.bytes {
            return Err(corrupt(format!("it has {} bytes instead of {}", file.len(), self.bytes)));
        }
        if blake3::hash(file).to_hex().as_str() != self.blake3 {
            return Err(corrupt("its digest is not the manifest's".to_owned()));
        }
        Ok(())
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
