//! The clusters that the events come from, by their activity.

use std::fmt::Write;

use super::names::{self, CLOUDS, REGIONS};
use super::random::{Purpose, Random, hash, permuted_24_bits, unit};

const DEDICATED: u8 = 3;

/// What is fixed for a cluster.
#[derive(Debug)]
pub struct Cluster {
    pub id: u32,
    pub environment: u32,
    pub organization: u32,
    /// Index of [`names::CLUSTER_TYPES`].
    pub cluster_type: u8,
    pub physical_cluster: u32,
    /// Index of [`names::REGIONS`].
    pub region: u8,
    pub brokers: u8,
    pub topic_first: u32,
    pub topics: u32,
    pub principal_first: u32,
    pub principals: u32,
}

impl Cluster {
    /// A dedicated cluster has its machines for itself; the others share them by organisation.
    pub fn write_tenant(&self, out: &mut String) {
        match self.cluster_type {
            DEDICATED => write!(out, "lkc-{:06x}", self.id),
            _ => write!(out, "org-{:05}", self.organization),
        }
        .expect("a string takes all text");
    }
}

/// All clusters, the busiest first, and the day of their events.
#[derive(Debug)]
pub struct Fleet {
    pub seed: u64,
    /// How many events the day has.
    pub rows: u64,
    /// The end of the day, in milliseconds since 1970.
    pub end_ms: i64,
    pub clusters: Vec<Cluster>,
    pub topics: u64,
    pub principals: u64,
}

impl Fleet {
    /// 2026-03-02T00:00:00Z.
    pub const END_MS: i64 = 1_772_409_600_000;

    pub fn new(seed: u64, rows: u64, clusters: u64) -> Self {
        let mut fleet = Self { seed, rows, end_ms: Self::END_MS, clusters: Vec::new(), topics: 0, principals: 0 };
        for rank in 0..clusters {
            let cluster = fleet.cluster(rank, clusters);
            fleet.topics += u64::from(cluster.topics);
            fleet.principals += u64::from(cluster.principals);
            fleet.clusters.push(cluster);
        }
        fleet
    }

    /// The cluster of a rank, its topics and principals numbered after those of the ranks before it.
    fn cluster(&self, rank: u64, clusters: u64) -> Cluster {
        let seed = self.seed;
        let environment = hash(seed, Purpose::Environment, rank) % (clusters / 3).max(1);
        let physical_cluster = (hash(seed, Purpose::PhysicalCluster, rank) % (clusters / 50).max(1)) as u32;
        Cluster {
            id: permuted_24_bits(seed, rank as u32),
            environment: environment as u32,
            organization: (hash(seed, Purpose::Organization, environment) % (clusters / 10).max(1)) as u32,
            cluster_type: cluster_type(seed, rank, clusters),
            physical_cluster,
            region: region(seed, physical_cluster),
            brokers: (60.0 - 6.0 * ((rank + 1) as f64).log2()).clamp(3.0, 60.0) as u8,
            topic_first: self.topics as u32,
            topics: log_normal_count(Random::new(seed, Purpose::TopicCount, rank), 1.0, 1.1, 20_000.0),
            principal_first: self.principals as u32,
            principals: log_normal_count(Random::new(seed, Purpose::PrincipalCount, rank), 0.6, 0.8, 50.0),
        }
    }

    /// Three topics of a hundred hold what could not be delivered.
    pub fn write_topic(&self, topic: u32, out: &mut String) {
        let is_dead_letters = hash(self.seed, Purpose::DeadLetters, u64::from(topic)) % 100 < 3;
        names::write_topic(topic, is_dead_letters, out);
    }

    pub fn partitions(&self, topic: u32) -> u64 {
        match hash(self.seed, Purpose::PartitionCount, u64::from(topic)) % 100 {
            0..=9 => 1,
            10..=69 => 6,
            70..=89 => 12,
            90..=97 => 48,
            _ => 384,
        }
    }
}

/// At least one and at most `most`.
fn log_normal_count(mut random: Random, mu: f64, sigma: f64, most: f64) -> u32 {
    (mu + sigma * random.normal()).exp().clamp(1.0, most).round() as u32
}

/// By the clouds' shares, and within a cloud by a Zipf distribution of exponent 0.8.
fn region(seed: u64, physical_cluster: u32) -> u8 {
    let mut place = unit(hash(seed, Purpose::Region, u64::from(physical_cluster)));
    for (first, count, share) in CLOUDS {
        if place >= share {
            place -= share;
            continue;
        }
        let weights: Vec<f64> = (1..=count).map(|rank| (rank as f64).powf(-0.8)).collect();
        let mut left = place / share * weights.iter().sum::<f64>();
        for (offset, weight) in weights.iter().enumerate() {
            if left < *weight {
                return (first + offset) as u8;
            }
            left -= weight;
        }
        return (first + count - 1) as u8;
    }
    (REGIONS.len() - 1) as u8
}

/// Dedicated clusters are 8 % of all, but 40 % of the busiest twentieth.
fn cluster_type(seed: u64, rank: u64, clusters: u64) -> u8 {
    let dedicated = if rank * 20 < clusters { 0.40 } else { (0.08 - 0.05 * 0.40) / 0.95 };
    let place = unit(hash(seed, Purpose::ClusterType, rank));
    if place < dedicated {
        return DEDICATED;
    }
    match (place - dedicated) / (1.0 - dedicated) * 0.92 {
        place if place < 0.55 => 0,
        place if place < 0.80 => 1,
        place if place < 0.90 => 2,
        _ => 4,
    }
}
