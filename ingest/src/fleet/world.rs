//! What stays the same in a fleet: organisations, environments, clusters, their topics and principals.

use super::random::{Random, hash};

pub const METRICS: [&str; 8] = [
    "io.kafka.server/received_bytes",
    "io.kafka.server/sent_bytes",
    "io.kafka.server/received_records",
    "io.kafka.server/sent_records",
    "io.kafka.server/request_count",
    "io.kafka.server/retained_bytes",
    "io.kafka.connect/sent_records",
    "io.kafka.schema_registry/request_count",
];
/// With the share of clusters, in percent, up to and including each.
const CLUSTER_TYPES: [(&str, u64); 5] =
    [("basic", 55), ("standard", 80), ("enterprise", 90), ("dedicated", 98), ("freight", 100)];
/// (cloud, region), with the share of clusters in percent up to and including each.
const REGIONS: [(&str, &str, u64); 10] = [
    ("aws", "us-east-1", 26),
    ("aws", "us-west-2", 40),
    ("aws", "eu-west-1", 51),
    ("aws", "eu-central-1", 60),
    ("gcp", "us-central1", 70),
    ("gcp", "europe-west1", 77),
    ("gcp", "asia-southeast1", 82),
    ("azure", "eastus", 90),
    ("azure", "westeurope", 96),
    ("azure", "southeastasia", 100),
];
const DOMAINS: [&str; 10] =
    ["orders", "billing", "payments", "inventory", "shipping", "users", "clicks", "fraud", "audit", "telemetry"];
const ENTITIES: [&str; 8] = ["created", "updated", "deleted", "events", "snapshot", "changelog", "commands", "replies"];

/// One Kafka cluster of the fleet; its index in [`World::clusters`] is its rank by activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    pub id: String,
    pub org_id: String,
    pub env_id: String,
    pub kind: &'static str,
    pub cloud: &'static str,
    pub region: &'static str,
    pub topics: Vec<Topic>,
    pub principals: Vec<String>,
    pub brokers: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    pub name: String,
    pub partitions: u32,
}

/// All clusters, a function of (seed, how many).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    pub clusters: Vec<Cluster>,
}

impl World {
    pub fn new(seed: u64, clusters: u32) -> Self {
        Self { clusters: (0..clusters.max(1)).map(|rank| cluster(seed, rank, clusters.max(1))).collect() }
    }
}

fn cluster(seed: u64, rank: u32, clusters: u32) -> Cluster {
    let mut random = Random(hash(seed, 1, rank.into()));
    let environments = u64::from(clusters / 3).max(1);
    let organisations = u64::from(clusters / 10).max(1);
    let environment = random.below(environments);
    let region_draw = random.below(100);
    let (cloud, region, _) = REGIONS[REGIONS.partition_point(|(_, _, share)| *share <= region_draw)];
    let kind_draw = random.below(100);
    let topics = random.log_normal(1.0, 1.1).clamp(1.0, 60.0) as u64;
    let principals = random.log_normal(0.6, 0.8).clamp(1.0, 50.0) as u64;
    Cluster {
        // Odd, so a bijection on 24 bits: ids do not show the rank and never collide.
        id: format!("lkc-{:06x}", rank.wrapping_mul(0x9e_3779) & 0xff_ffff),
        org_id: format!("org-{:05}", hash(seed, 2, environment) % organisations),
        env_id: format!("env-{environment:05x}"),
        kind: CLUSTER_TYPES[CLUSTER_TYPES.partition_point(|(_, share)| *share <= kind_draw)].0,
        cloud,
        region,
        topics: (0..topics).map(|number| topic(&mut random, number)).collect(),
        principals: (0..principals).map(|number| format!("sa-{rank:04x}{number:02x}")).collect(),
        brokers: 3 + 3 * random.below(4) as u32,
    }
}

fn topic(random: &mut Random, number: u64) -> Topic {
    let domain = DOMAINS[random.below(DOMAINS.len() as u64) as usize];
    let entity = ENTITIES[random.below(ENTITIES.len() as u64) as usize];
    let partitions = [1, 6, 6, 6, 12, 48][random.below(6) as usize];
    let suffix = if random.below(100) < 3 { "-dlq" } else { "" };
    Topic { name: format!("{domain}.{entity}.v{}{suffix}", number + 1), partitions }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_world_and_ids_are_distinct() {
        let world = World::new(1, 500);
        assert_eq!(world, World::new(1, 500));
        assert_ne!(world, World::new(2, 500));
        let ids: BTreeSet<&str> = world.clusters.iter().map(|cluster| cluster.id.as_str()).collect();
        assert_eq!(ids.len(), 500);
    }
}
