//! A supervisor's state in the shapes of Druid's answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use henge_ingest::spec::Topics;
use henge_ingest::status::{State, SupervisorStatus};
use henge_segment_store::data_source::Progress;
use henge_segment_store::ledger::LedgerCounts;
use henge_segment_store::stream::StreamPartition;
use henge_segment_store::time::TimestampMs;
use serde_json::{Map, Value, json};

/// Druid's word for a state; ours stands beside it as `detailedState`.
pub fn druid_state(state: State) -> &'static str {
    match state {
        State::Connecting => "PENDING",
        State::Running => "RUNNING",
        State::Degraded => "UNHEALTHY_TASKS",
        State::Suspended => "SUSPENDED",
        State::Halted => "UNHEALTHY_SUPERVISOR",
        State::Stopping => "STOPPING",
    }
}

/// An entry of the list with states.
pub fn state(id: &str, status: &SupervisorStatus) -> Value {
    json!({
        "id": id,
        "state": druid_state(status.state),
        "detailedState": status.state.to_string(),
        "healthy": status.is_healthy(),
        "suspended": status.state == State::Suspended,
    })
}

/// Everything that the answers about one supervisor are made from.
pub struct Report {
    pub id: String,
    pub topics: Topics,
    pub status: SupervisorStatus,
    /// As published.
    pub progress: Arc<Progress>,
}

impl Report {
    /// Druid's status, and beside it what only Henge knows: the ledger, gaps, resets and publishes.
    pub fn status(&self, now: TimestampMs) -> Value {
        let status = &self.status;
        let offsets = self.per_partition(|partition| Some(partition.next.0));
        let lag = self.per_partition(|partition| partition.lag_records());
        let task = json!({
            "id": self.id,
            "startingOffsets": self.checkpoint(),
            "type": "ACTIVE",
            "currentOffsets": offsets,
            "lag": lag,
        });
        let ledger = &self.status.counts;
        json!({
            "id": self.id,
            "generationTime": now.to_string(),
            "payload": {
                "dataSource": self.id,
                "stream": self.topics.as_str(),
                "partitions": status.partitions.len(),
                "replicas": 1,
                "activeTasks": [task],
                "publishingTasks": [],
                "latestOffsets": self.per_partition(|partition| Some(partition.high_watermark?.0)),
                "minimumLag": lag,
                "aggregateLag": status.lag_records(),
                "lagMs": status.lag_ms(now),
                "suspended": status.state == State::Suspended,
                "healthy": status.is_healthy(),
                "state": druid_state(status.state),
                "detailedState": status.state.to_string(),
                "detail": status.detail,
                "recovering": status.is_recovering,
                "newestEventTime": status.totals.newest_event.map(|time| time.to_string()),
                "paused": status.pause.map(|pause| pause.to_string()),
                "recentErrors": self.recent_errors(),
                "stoppedPartitions": self.per_partition(|partition| partition.stopped.clone()),
                "generation": self.progress.generation,
                "records": {
                    "seen": ledger.seen(),
                    "accepted": ledger.accepted,
                    "rejected": ledger.rejected(),
                    "filtered": ledger.filtered(),
                    "refusedByReason": refused(ledger),
                },
                "gaps": self.progress.gaps,
                "resets": self.progress.resets,
                "publishes": status.publishes,
                "publishFailures": status.publish_failures,
                "lastPublish": status.last_publish.map(|last| json!({
                    "at": last.at.to_string(),
                    "segments": last.segments,
                    "rows": last.rows,
                    "bytes": last.bytes,
                    "elapsedMs": last.elapsed_ms,
                })),
            },
        })
    }

    /// Druid's row statistics of the one task group that a supervisor is here.
    pub fn stats(&self) -> Value {
        let rates = &self.status.rates;
        let windows = ["1m", "5m", "15m"].iter().enumerate().map(|(window, name)| {
            let rates = json!({
                "processed": rates.processed.per_second()[window],
                "processedBytes": rates.processed_bytes.per_second()[window],
                "unparseable": rates.rejected.per_second()[window],
                "thrownAway": rates.filtered.per_second()[window],
                "processedWithError": 0.0,
            });
            ((*name).to_owned(), rates)
        });
        let ledger = &self.status.counts;
        let totals = json!({
            "processed": ledger.accepted,
            "processedBytes": self.status.totals.bytes,
            "unparseable": ledger.rejected(),
            "thrownAway": ledger.filtered(),
            "processedWithError": 0,
        });
        let task = json!({
            "movingAverages": { "buildSegments": windows.collect::<Map<_, _>>() },
            "totals": { "buildSegments": totals },
        });
        json!({ "0": { self.id.as_str(): task } })
    }

    /// The newest refused records, those not yet published included.
    pub fn parse_errors(&self) -> Value {
        let records = self.progress.refused.records().iter().chain(self.status.refused.records());
        let entries = records.map(|record| {
            json!({
                "timeOfException": record.refused_at.to_string(),
                "errorType": record.reason.as_str(),
                "details": [record.detail],
                "input": record.sample,
                "topic": record.partition.topic,
                "partition": record.partition.partition,
                "offset": record.offset,
            })
        });
        entries.collect()
    }

    /// By partition, as Druid names them; partitions without a value are left out.
    fn per_partition<T: Into<Value>>(
        &self,
        value: impl Fn(&henge_ingest::status::PartitionStatus) -> Option<T>,
    ) -> Map<String, Value> {
        let entries = self.status.partitions.iter();
        entries.filter_map(|(stream, partition)| Some((self.key(stream), value(partition)?.into()))).collect()
    }

    /// Of these topics: the spec may have named others before.
    fn checkpoint(&self) -> Map<String, Value> {
        let positions = self.progress.checkpoint.iter().filter(|(stream, _)| self.topics.includes(&stream.topic));
        positions.map(|(stream, position)| (self.key(stream), position.next.0.into())).collect()
    }

    /// Druid's name of a partition: its number, behind the topic's name where several are read.
    fn key(&self, stream: &StreamPartition) -> String {
        match self.topics {
            Topics::One(_) => stream.partition.to_string(),
            Topics::Matching(_) => format!("{}:{}", stream.topic, stream.partition),
        }
    }

    fn recent_errors(&self) -> Vec<Value> {
        let error = |(at, message): &(TimestampMs, String)| json!({ "timestamp": at.to_string(), "message": message });
        self.status.recent_errors.iter().map(error).collect()
    }
}

fn refused(ledger: &LedgerCounts) -> BTreeMap<&'static str, u64> {
    ledger.refused.iter().map(|(reason, count)| (reason.as_str(), *count)).collect()
}
