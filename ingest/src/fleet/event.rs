//! One event of the fleet: a cluster's topic was used by a principal.

use std::io::Write;

use henge_segment_store::time::TimestampMs;

use super::random::{Random, hash};
use super::world::{Cluster, METRICS, Topic, World};

/// A seeded stream of events; the event at a row number is always the same but for its time.
#[derive(Debug, Clone)]
pub struct Fleet {
    seed: u64,
    world: World,
}

/// Everything that an event says but its time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FleetEvent<'a> {
    pub metric: &'static str,
    pub cluster: &'a Cluster,
    /// The cluster's rank by activity.
    pub rank: u64,
    pub topic: &'a Topic,
    pub partition: u32,
    /// One event in a hundred has none.
    pub principal: Option<&'a str>,
    pub broker: u32,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub requests: u32,
    pub errors: u32,
    pub latency_us: u64,
    /// How long before it was produced it happened.
    pub delay_ms: i64,
}

impl Fleet {
    /// Activity is Zipf-distributed over `clusters`.
    pub fn new(seed: u64, clusters: u32) -> Self {
        Self { seed, world: World::new(seed, clusters) }
    }

    pub fn world(&self) -> &World {
        &self.world
    }

    /// The event at `row`: a pure function of the seed and the row.
    pub fn event(&self, row: u64) -> FleetEvent<'_> {
        let mut random = Random(hash(self.seed, 11, row));
        let rank = random.zipf(self.world.clusters.len() as u64);
        let cluster = &self.world.clusters[rank as usize];
        let topic = &cluster.topics[random.zipf(cluster.topics.len() as u64) as usize];
        let partition = random.below(topic.partitions.into()) as u32;
        let principal = &cluster.principals[random.zipf(cluster.principals.len() as u64) as usize];
        let has_principal = random.unit() >= 0.01;
        let bytes_in = if random.unit() < 0.12 { 0 } else { random.log_normal(4096f64.ln(), 2.2) as u64 };
        let bytes_out = (bytes_in as f64 * random.log_normal(0.7, 0.8)) as u64;
        FleetEvent {
            metric: METRICS[random.zipf(METRICS.len() as u64) as usize],
            cluster,
            rank,
            topic,
            partition,
            principal: has_principal.then_some(principal.as_str()),
            broker: partition % cluster.brokers,
            bytes_in,
            bytes_out,
            requests: 1 + (bytes_in / 16_384) as u32 + random.below(3) as u32,
            errors: if random.unit() < 0.02 { 1 + random.below(20) as u32 } else { 0 },
            latency_us: (random.log_normal(4f64.ln(), 0.9) * 1_000.0) as u64,
            delay_ms: (-200.0 * random.unit().ln()) as i64,
        }
    }
}

impl FleetEvent<'_> {
    /// Appends the event as one JSON object of 17 fields and about 360 bytes, produced at `now`.
    pub fn write_json(&self, now: TimestampMs, out: &mut Vec<u8>) {
        let Cluster { id, org_id, env_id, kind, cloud, region, .. } = self.cluster;
        let Self { metric, partition, broker, bytes_in, bytes_out, requests, errors, .. } = self;
        let (topic, latency_ms) = (&self.topic.name, self.latency_us / 1_000);
        let time = now.0 - self.delay_ms;
        let written = write!(
            out,
            "{{\"timestamp\":{time},\"metric\":\"{metric}\",\"org_id\":\"{org_id}\",\"env_id\":\"{env_id}\",\
             \"cluster_id\":\"{id}\",\"cluster_type\":\"{kind}\",\"topic\":\"{topic}\",\"partition\":{partition},"
        )
        .and_then(|()| match self.principal {
            Some(principal) => write!(out, "\"principal\":\"{principal}\","),
            None => write!(out, "\"principal\":null,"),
        })
        .and_then(|()| {
            write!(
                out,
                "\"broker\":{broker},\"region\":\"{region}\",\"cloud\":\"{cloud}\",\"bytes_in\":{bytes_in},\
                 \"bytes_out\":{bytes_out},\"requests\":{requests},\"errors\":{errors},\"latency_ms\":{latency_ms}.{:03}}}",
                self.latency_us % 1_000
            )
        });
        written.expect("writing to memory cannot fail");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_repeat_with_the_seed_and_are_json_of_17_fields() {
        let fleet = Fleet::new(1, 100);
        let mut total = 0;
        for row in 0..1_000 {
            let mut json = Vec::new();
            fleet.event(row).write_json(TimestampMs(1_800_000_000_000), &mut json);
            let mut again = Vec::new();
            Fleet::new(1, 100).event(row).write_json(TimestampMs(1_800_000_000_000), &mut again);
            assert_eq!(json, again, "row {row}");
            let value: serde_json::Value = serde_json::from_slice(&json).expect("an event is JSON");
            assert_eq!(value.as_object().map(serde_json::Map::len), Some(17), "{value}");
            total += json.len();
        }
        assert!((330_000..390_000).contains(&total), "{total} bytes in 1,000 events");
    }
}
