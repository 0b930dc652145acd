//! What the queries ask for: clusters that are busy, less busy and hardly seen, and what belongs to them.

use serde::{Deserialize, Serialize};

use super::fleet::Fleet;
use super::names::METRICS;
use super::random::{Purpose, hash};

/// How busy a cluster is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    #[default]
    Hot,
    Warm,
    Cold,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    pub rows: u64,
    pub seed: u64,
    pub clusters: usize,
    pub topics: u64,
    pub principals: u64,
    /// The end of the data, in milliseconds since 1970.
    pub end_ms: i64,
    pub metric: String,
    pub hot: ClusterParameters,
    pub warm: ClusterParameters,
    pub cold: ClusterParameters,
    /// Clusters of the ranks 101 to 20,000.
    pub many: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterParameters {
    /// From 1, the busiest.
    pub rank: u64,
    pub cluster: String,
    pub org: String,
    pub pkc: String,
    /// Up to ten, the busiest first.
    pub topics: Vec<String>,
}

impl Parameters {
    pub fn of(fleet: &Fleet) -> Self {
        // The first of the busiest ten, after the two largest, that has ten topics.
        let has_ten_topics = |rank: &u64| fleet.clusters[*rank as usize - 1].topics >= 10;
        let hot = (3..=fleet.clusters.len().min(10) as u64).find(has_ten_topics).unwrap_or(3);
        Self {
            rows: fleet.rows,
            seed: fleet.seed,
            clusters: fleet.clusters.len(),
            topics: fleet.topics,
            principals: fleet.principals,
            end_ms: fleet.end_ms,
            metric: METRICS[0].to_owned(),
            hot: cluster(fleet, hot),
            warm: cluster(fleet, 1_000),
            cold: cluster(fleet, 100_000),
            many: many(fleet),
        }
    }

    /// Every query asks for the cluster of this rank, from 1.
    pub fn of_rank(&self, fleet: &Fleet, rank: u64) -> Self {
        let of = cluster(fleet, rank);
        Self { hot: of.clone(), warm: of.clone(), cold: of, ..self.clone() }
    }

    pub fn cluster(&self, rank: Rank) -> &ClusterParameters {
        match rank {
            Rank::Hot => &self.hot,
            Rank::Warm => &self.warm,
            Rank::Cold => &self.cold,
        }
    }
}

/// The last cluster, if there are not so many.
fn cluster(fleet: &Fleet, rank: u64) -> ClusterParameters {
    let of = &fleet.clusters[(rank.min(fleet.clusters.len() as u64) - 1) as usize];
    let topic = |index| {
        let mut name = String::new();
        fleet.write_topic(of.topic_first + index, &mut name);
        name
    };
    ClusterParameters {
        rank,
        cluster: format!("lkc-{:06x}", of.id),
        org: format!("org-{:05}", of.organization),
        pkc: format!("pkc-{:05x}", of.physical_cluster),
        topics: (0..of.topics.min(10)).map(topic).collect(),
    }
}

fn many(fleet: &Fleet) -> Vec<String> {
    let rank = |index| 101 + hash(fleet.seed, Purpose::ManyClusters, index) % 19_900;
    let mut ranks: Vec<u64> = (0..1_200).map(rank).collect();
    ranks.sort_unstable();
    ranks.dedup();
    let known = ranks.into_iter().filter(|rank| *rank <= fleet.clusters.len() as u64).take(1_000);
    known.map(|rank| format!("lkc-{:06x}", fleet.clusters[rank as usize - 1].id)).collect()
}
