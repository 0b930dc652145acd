//! Which of the published segments a command is about.

use henge_segment_store::manifest::{DataSourceState, ManifestState};
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::segment::{SegmentId, SegmentMeta};
use henge_segment_store::time::{Interval, TimestampMs};

/// The segment that `id` names. The error is one line.
pub fn by_id<'a>(state: &'a ManifestState, id: &str) -> Result<&'a SegmentMeta, String> {
    let id = SegmentId::try_from(id.to_owned())?;
    let known = state.data_sources.get(&id.data_source).and_then(|known| known.segments.get(&id));
    known.ok_or_else(|| format!("segment `{id}` is not published, or was replaced; `henge segments ls` lists what is"))
}

/// A datasource's state. The error names those that there are.
pub fn data_source<'a>(
    state: &'a ManifestState,
    name: &str,
) -> Result<(&'a DataSourceName, &'a DataSourceState), String> {
    state.data_sources.iter().find(|(known, _)| known.as_str() == name).ok_or_else(|| {
        let names: Vec<&str> = state.data_sources.keys().map(DataSourceName::as_str).collect();
        match names.is_empty() {
            true => format!("there is no datasource `{name}`, nor any other"),
            false => format!("there is no datasource `{name}`; there is {}", names.join(", ")),
        }
    })
}

/// Segments by id, of one datasource or of all.
pub fn of_data_source<'a>(state: &'a ManifestState, only: Option<&str>) -> Result<Vec<&'a SegmentMeta>, String> {
    match only {
        Some(name) => Ok(data_source(state, name)?.1.segments.values().collect()),
        None => Ok(state.data_sources.values().flat_map(|known| known.segments.values()).collect()),
    }
}

/// Reads `START/END`, both as ISO-8601 instants or dates.
pub fn parse_interval(text: &str) -> Result<Interval, String> {
    let ends = text
        .split_once('/')
        .and_then(|(start, end)| Interval::new(TimestampMs::parse_iso(start)?, TimestampMs::parse_iso(end)?));
    ends.ok_or_else(|| "an interval is START/END with START before END, such as 2026-01-01/2026-02-01T12:00:00Z".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_two_instants_in_order() {
        let hour = Interval::new(TimestampMs(0), TimestampMs(3_600_000)).unwrap();
        assert_eq!(parse_interval("1970-01-01/1970-01-01T01:00:00Z"), Ok(hour));
        for wrong in ["1970-01-01", "1970-01-02/1970-01-01", "yesterday/today", "1970-01-01/1970-01-01"] {
            assert!(parse_interval(wrong).unwrap_err().starts_with("an interval is START/END"), "{wrong}");
        }
    }
}
