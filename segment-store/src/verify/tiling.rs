//! Whether what was consumed tiles the partitions and is all accounted for (invariants M2, M3).
//!
//! The manifest checks the same when a record is written; this adds up the records once more by other means and compares
//! the sums with the state that they lead to.

use std::collections::BTreeMap;

use super::report::{Check, Finding, Report};
use crate::ledger::{Gap, LedgerCounts};
use crate::manifest::{Change, ConsumedRange, DataSourceState, ManifestRecord, ManifestState, Publish};
use crate::schema::DataSourceName;
use crate::segment::SegmentMeta;
use crate::stream::{Offset, StreamPartition, TopicId};

const RESTORE: &str = "restore the manifest from a backup, or reset the supervisor and read the topic again";

/// What the records so far consumed.
#[derive(Debug, Default)]
pub(super) struct Tiling {
    data_sources: BTreeMap<DataSourceName, Consumption>,
}

#[derive(Debug, Default)]
struct Consumption {
    generation: u32,
    /// Per partition of this generation: where its last range ended, and in which topic.
    ends: BTreeMap<StreamPartition, (Offset, Option<TopicId>)>,
    /// Of all generations.
    ledger: BTreeMap<StreamPartition, LedgerCounts>,
    /// Events of the live segments.
    live_events: u64,
    /// Events that left by retention.
    retired_events: u64,
}

impl Tiling {
    /// Where a snapshot stands: what came before it is believed.
    pub fn at(state: &ManifestState) -> Self {
        let consumption = |state: &DataSourceState| Consumption {
            generation: state.generation,
            ends: state
                .checkpoint
                .iter()
                .map(|(name, position)| (name.clone(), (position.next, position.topic_id)))
                .collect(),
            ledger: state.ledger.clone(),
            live_events: events_of(state),
            retired_events: state.retired.events,
        };
        Self {
            data_sources: state.data_sources.iter().map(|(name, state)| (name.clone(), consumption(state))).collect(),
        }
    }

    /// Adds a record to the sums. `before` is the state that it changes.
    pub fn observe(&mut self, record: &ManifestRecord, before: &ManifestState, report: &mut Report) {
        match &record.change {
            Change::Reset { data_source, .. } => {
                let consumption = self.data_sources.entry(data_source.clone()).or_default();
                consumption.generation += 1;
                consumption.ends.clear();
            }
            Change::Publish(publish) => {
                let consumption = self.data_sources.entry(publish.data_source.clone()).or_default();
                let found = &mut |check, object: String, detail: String| {
                    let object = format!("record {}, {object}", record.number);
                    report.push(Finding::error(check, object, detail, RESTORE));
                };
                let known = before.data_sources.get(&publish.data_source);
                consumption.publish(publish, known, found);
            }
            Change::Retire { data_source, segments, .. } => {
                let known = before.data_sources.get(data_source);
                let events = sum(segments.iter().filter_map(|id| known?.segments.get(id)));
                let consumption = self.data_sources.entry(data_source.clone()).or_default();
                consumption.live_events = consumption.live_events.saturating_sub(events);
                consumption.retired_events += events;
            }
            _ => {}
        }
    }

    /// Holds the sums against the state at the end.
    pub fn compare(&self, state: &ManifestState, report: &mut Report) {
        for (name, state) in &state.data_sources {
            report.checked.data_sources += 1;
            report.checked.partitions += state.ledger.len() as u64;
            let none = Consumption::default();
            let consumption = self.data_sources.get(name).unwrap_or(&none);
            for (check, detail) in consumption.disagreements(state) {
                report.push(Finding::error(check, format!("datasource `{name}`"), detail, RESTORE));
            }
        }
    }
}

impl Consumption {
    fn publish(
        &mut self,
        publish: &Publish,
        before: Option<&DataSourceState>,
        found: &mut impl FnMut(Check, String, String),
    ) {
        if publish.generation != self.generation {
            let detail = format!("it was read in generation {}, this is {}", publish.generation, self.generation);
            found(Check::Tiling, format!("datasource `{}`", publish.data_source), detail);
        }
        for consumed in &publish.consumed {
            if let Err(detail) = self.tile(consumed, &publish.gaps) {
                found(Check::Tiling, consumed.partition.to_string(), detail);
            }
            let (seen, offsets) = (consumed.counts.seen(), consumed.range.len());
            if seen > offsets {
                let detail = format!("{seen} records are counted in {offsets} offsets");
                found(Check::Ledger, consumed.partition.to_string(), detail);
            }
            self.ledger.entry(consumed.partition.clone()).or_default().add(&consumed.counts);
        }
        let retired = publish.retired.iter().filter_map(|id| before?.segments.get(id));
        let (added, retired) = (sum(publish.added.iter()), sum(retired));
        let accepted: u64 = publish.consumed.iter().map(|consumed| consumed.counts.accepted).sum();
        if added != accepted + retired {
            let detail = format!("{accepted} accepted and {retired} retired events became {added}");
            found(Check::Ledger, format!("datasource `{}`", publish.data_source), detail);
        }
        self.live_events = (self.live_events + added).saturating_sub(retired);
    }

    /// Moves a partition's end over a range, which begins where the last one ended or behind a recorded gap.
    fn tile(&mut self, consumed: &ConsumedRange, gaps: &[Gap]) -> Result<(), String> {
        let (range, known) = (consumed.range, self.ends.get(&consumed.partition).copied());
        let topic_id = consumed.topic_id.or(known.and_then(|(_, id)| id));
        self.ends.insert(consumed.partition.clone(), (range.end, topic_id));
        if range.end < range.start {
            return Err(format!("range {range} ends before it starts"));
        }
        let Some((end, known_id)) = known else { return Ok(()) };
        if known_id.is_some() && known_id != topic_id {
            return Err(format!("range {range} belongs to another topic of the same name"));
        }
        let is_recorded = |gap: &Gap| gap.partition == consumed.partition && gap.from == end && gap.to == range.start;
        match range.start.cmp(&end) {
            std::cmp::Ordering::Less => Err(format!("range {range} overlaps what was consumed up to {end}")),
            std::cmp::Ordering::Greater if !gaps.iter().any(is_recorded) => {
                Err(format!("offsets {end} to {} were skipped without a recorded gap", range.start))
            }
            _ => Ok(()),
        }
    }

    fn disagreements(&self, state: &DataSourceState) -> Vec<(Check, String)> {
        let mut found = Vec::new();
        let ends: BTreeMap<_, _> = state.checkpoint.iter().map(|(name, position)| (name, position.next)).collect();
        if !self.ends.iter().map(|(name, (end, _))| (name, *end)).eq(ends) || self.generation != state.generation {
            found.push((Check::Tiling, "the checkpoint is not where the consumed ranges end".to_owned()));
        }
        if self.ledger != state.ledger {
            found.push((Check::Ledger, "the ledger is not the sum of the records".to_owned()));
        }
        let (live, retired) = (events_of(state), state.retired.events);
        if (self.live_events, self.retired_events) != (live, retired) {
            let detail = format!(
                "its segments hold {live} events and {retired} were retired, the records account for {} and {}",
                self.live_events, self.retired_events
            );
            found.push((Check::Ledger, detail));
        }
        found
    }
}

fn events_of(state: &DataSourceState) -> u64 {
    sum(state.segments.values())
}

fn sum<'a>(segments: impl Iterator<Item = &'a SegmentMeta>) -> u64 {
    segments.map(|segment| segment.events).sum()
}
