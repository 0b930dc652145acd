//! When what is open is frozen and published.

use henge_segment_store::data_source::OpenStats;

use crate::spec::CutConfig;

/// Segments open at once. Each becomes a file, so a spray of event times over many chunks is cut early; nothing is refused
/// for it.
const SEGMENTS_MAX: usize = 1_000;
/// Beyond this multiple of a cut's size, reading waits for the publish that is under way.
const PRESSURE_FACTOR: u64 = 2;

/// Why a cut is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutCause {
    Rows,
    Bytes,
    Segments,
    Age,
    /// The memory of all datasources is nearly used up.
    Memory,
}

/// Decides from what is open and from how long ago the oldest of it was read; `None` while nothing was read.
pub fn due(config: &CutConfig, open: &OpenStats, age_ms: Option<i64>) -> Option<CutCause> {
    let age_ms = age_ms?;
    if open.rows as u64 >= config.rows_max {
        Some(CutCause::Rows)
    } else if open.bytes as u64 >= config.bytes_max {
        Some(CutCause::Bytes)
    } else if open.open_segments >= SEGMENTS_MAX {
        Some(CutCause::Segments)
    } else if age_ms >= config.age_ms_max {
        Some(CutCause::Age)
    } else {
        None
    }
}

/// Whether so much is open, on top of what is being published, that Kafka should hold the rest for now (invariant B1).
pub fn is_under_pressure(config: &CutConfig, open: &OpenStats) -> bool {
    open.rows as u64 >= config.rows_max.saturating_mul(PRESSURE_FACTOR)
        || open.bytes as u64 >= config.bytes_max.saturating_mul(PRESSURE_FACTOR)
        || open.open_segments >= SEGMENTS_MAX * PRESSURE_FACTOR as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: CutConfig = CutConfig { rows_max: 100, bytes_max: 1_000, age_ms_max: 60_000 };

    fn open(rows: usize, bytes: usize, open_segments: usize) -> OpenStats {
        OpenStats { rows, bytes, time_chunks: 1, open_segments, frozen_rows: 0, frozen_bytes: 0 }
    }

    #[test]
    fn whichever_bound_is_reached_first_cuts() {
        let cases = [
            (open(99, 999, 999), Some(59_999), None),
            (open(100, 0, 1), Some(0), Some(CutCause::Rows)),
            (open(1, 1_000, 1), Some(0), Some(CutCause::Bytes)),
            (open(1, 0, 1_000), Some(0), Some(CutCause::Segments)),
            (open(1, 0, 1), Some(60_000), Some(CutCause::Age)),
            // Refused records alone move the checkpoint too.
            (open(0, 0, 0), Some(60_000), Some(CutCause::Age)),
            (open(0, 0, 0), None, None),
        ];
        for (open, age_ms, expected) in cases {
            assert_eq!(due(&CONFIG, &open, age_ms), expected, "{open:?} {age_ms:?}");
        }
    }

    #[test]
    fn pressure_begins_at_twice_a_cut() {
        assert!(!is_under_pressure(&CONFIG, &open(199, 1_999, 1)));
        assert!(is_under_pressure(&CONFIG, &open(200, 0, 1)));
        assert!(is_under_pressure(&CONFIG, &open(0, 2_000, 1)));
    }
}
