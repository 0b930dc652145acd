use super::{Node, period};

/// When the open segments of a datasource are frozen and published. Whichever bound is reached first cuts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutConfig {
    /// Rows in open segments, all time chunks together. The default is the segment size that Druid aims at.
    pub rows_max: u64,
    /// Memory of the open segments. The default leaves room, on a machine of 2 GiB, for the segments that grow while the
    /// frozen ones are still being written.
    pub bytes_max: u64,
    /// Age of the oldest open row, by the clock. It bounds how much of the topic is read again after a crash, at the
    /// price of one file for each time chunk and cut; the default makes twelve an hour.
    pub age_ms_max: i64,
}

impl Default for CutConfig {
    fn default() -> Self {
        Self { rows_max: 5_000_000, bytes_max: 256 * 1024 * 1024, age_ms_max: 5 * 60_000 }
    }
}

impl CutConfig {
    pub(super) fn read(node: &Node<'_>) -> Option<Self> {
        let fields = node.fields(&["rows", "bytes", "age"])?;
        let default = Self::default();
        let number = |name, otherwise| fields.get(name).map_or(Some(otherwise), |node| node.number(1));
        let rows_max = number("rows", default.rows_max);
        let bytes_max = number("bytes", default.bytes_max);
        let age_ms_max = fields.get("age").map_or(Some(default.age_ms_max), |node| Self::read_age(&node));
        Some(Self { rows_max: rows_max?, bytes_max: bytes_max?, age_ms_max: age_ms_max? })
    }

    fn read_age(node: &Node<'_>) -> Option<i64> {
        let age = period::read(node)?;
        if age == 0 {
            node.problem("an age of nothing would cut at every event: use at least `1s`");
        }
        (age > 0).then_some(age)
    }

    pub(super) fn write(&self) -> serde_json::Value {
        serde_json::json!({ "rows": self.rows_max, "bytes": self.bytes_max, "age": period::write(self.age_ms_max) })
    }
}
