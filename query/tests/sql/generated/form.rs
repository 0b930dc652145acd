//! What becomes of events on their way through the store.

use henge_segment_store::time::TimestampMs;
use henge_segment_store::upkeep::{RollupTier, UpkeepPolicy};

use super::events::{self, Event};
use crate::differential::data;
use crate::differential::stages::Stage;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Open,
    OneSegment,
    ManySegments,
    /// Published, frozen and open at once.
    Mixed,
    Compacted,
    /// Compacted, and to coarser times than they came with.
    RolledUp,
}

impl Form {
    pub const ALL: [Self; 6] =
        [Self::Open, Self::OneSegment, Self::ManySegments, Self::Mixed, Self::Compacted, Self::RolledUp];

    pub async fn stage(self, events: &[Event]) -> Stage {
        let stage = match self {
            Self::OneSegment => Stage::new(events::raw_schema("all"), data::rollup_schema("all")).await,
            Self::RolledUp => {
                let (after, granularity) = ("1d".parse().expect("a period"), "6h".parse().expect("a granularity"));
                let rollup_after = vec![RollupTier { after, granularity }];
                let upkeep = UpkeepPolicy { rollup_after, ..UpkeepPolicy::default() };
                Stage::with_upkeep(events::raw_schema("6h"), data::rollup_schema("6h"), upkeep).await
            }
            _ => Stage::new(events::raw_schema("6h"), data::rollup_schema("6h")).await,
        };
        match self {
            Self::Open => append(&stage, events),
            Self::OneSegment => {
                append(&stage, events);
                stage.publish().await;
                assert_eq!(stage.published(), [1, 1]);
            }
            Self::ManySegments => publish_in_parts(&stage, events).await,
            Self::Mixed => {
                let third = events.len() / 3;
                append(&stage, &events[..third]);
                stage.publish().await;
                append(&stage, &events[third..2 * third]);
                stage.freeze();
                append(&stage, &events[2 * third..]);
            }
            Self::Compacted | Self::RolledUp => {
                publish_in_parts(&stage, events).await;
                let many = stage.published();
                // All time chunks are older than a day but those of the far future.
                stage.compact(TimestampMs(events::END_MS + 30 * 86_400_000)).await;
                let compacted = stage.published();
                assert!(compacted[0] < many[0] && compacted[1] < many[1], "{many:?} became {compacted:?}");
            }
        }
        stage
    }
}

/// Late events make further segments of earlier time chunks.
async fn publish_in_parts(stage: &Stage, events: &[Event]) {
    for part in events.chunks(events.len().div_ceil(4)) {
        append(stage, part);
        stage.publish().await;
    }
}

fn append(stage: &Stage, events: &[Event]) {
    let raw: Vec<_> = events.iter().map(Event::raw).collect();
    let rolled_up: Vec<_> = events.iter().map(Event::rolled_up).collect();
    stage.append_rows(&raw, &rolled_up);
}
