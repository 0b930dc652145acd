//! The time series benchmark suite's devops data, cpu only: hosts that say every ten seconds how busy they are.
//!
//! hosts -> rows -> Parquet; windows and hosts for the queries
//!
//! As in the suite: tags fixed for each host, ten fields that walk between 0 and 100 by normal steps and are written as
//! whole numbers, all hosts in each tick.

mod parquet;

use std::fs;
use std::path::Path;

use anyhow::ensure;
use henge_segment_store::schema::{Aggregation, DimensionType};

use crate::cmu::random::{Purpose, Random};
use crate::reader::Layout;

/// 2016-01-01T00:00:00Z.
pub const START_MS: i64 = 1_451_606_400_000;
const TICK_MS: i64 = 10_000;

pub const LAYOUT: Layout = Layout {
    dimensions: &[
        ("hostname", DimensionType::String),
        ("region", DimensionType::String),
        ("datacenter", DimensionType::String),
        ("rack", DimensionType::String),
        ("os", DimensionType::String),
        ("arch", DimensionType::String),
        ("team", DimensionType::String),
        ("service", DimensionType::String),
        ("service_version", DimensionType::String),
        ("service_environment", DimensionType::String),
    ],
    measures: &[
        ("usage_user", Aggregation::LongSum),
        ("usage_system", Aggregation::LongSum),
        ("usage_idle", Aggregation::LongSum),
        ("usage_nice", Aggregation::LongSum),
        ("usage_iowait", Aggregation::LongSum),
        ("usage_irq", Aggregation::LongSum),
        ("usage_softirq", Aggregation::LongSum),
        ("usage_steal", Aggregation::LongSum),
        ("usage_guest", Aggregation::LongSum),
        ("usage_guest_nice", Aggregation::LongSum),
    ],
};

/// Each with how many data centres it has.
const REGIONS: [(&str, u64); 9] = [
    ("us-east-1", 4),
    ("us-west-1", 2),
    ("us-west-2", 3),
    ("eu-west-1", 3),
    ("eu-central-1", 2),
    ("ap-southeast-1", 2),
    ("ap-southeast-2", 2),
    ("ap-northeast-1", 2),
    ("sa-east-1", 3),
];

/// Hosts, and for how long each reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hosts {
    pub hosts: u64,
    pub ticks: u64,
    pub seed: u64,
}

impl Hosts {
    /// The suite's small size is 400 hosts and three days: 10,368,000 rows.
    pub fn new(rows: u64, hosts: u64, seed: u64) -> Self {
        Self { hosts, ticks: rows / hosts, seed }
    }

    pub fn rows(&self) -> u64 {
        self.hosts * self.ticks
    }

    pub fn end_ms(&self) -> i64 {
        START_MS + self.ticks as i64 * TICK_MS
    }

    /// The values of a host's tags, in the layout's order.
    fn tags(&self, host: u64) -> [String; LAYOUT.dimensions.len()] {
        let mut random = Random::new(self.seed, Purpose::Host, host);
        let (region, data_centers) = REGIONS[random.below(REGIONS.len() as u64) as usize];
        let data_center = char::from(b'a' + random.below(data_centers) as u8);
        let mut of = |values: &[&str]| values[random.below(values.len() as u64) as usize].to_owned();
        let os = of(&["Ubuntu16.10", "Ubuntu16.04LTS", "Ubuntu15.10"]);
        let arch = of(&["x64", "x86"]);
        let team = of(&["SF", "NYC", "LON", "CHI"]);
        let environment = of(&["production", "staging", "test"]);
        let (rack, service, version) = (random.below(100), random.below(20), random.below(2));
        [
            format!("host_{host}"),
            region.into(),
            format!("{region}{data_center}"),
            rack.to_string(),
            os,
            arch,
            team,
            service.to_string(),
            version.to_string(),
            environment,
        ]
    }
}

/// Writes all rows to `DIR/parquet/part-NN.parquet`, unless the folder has those of the same hosts.
pub fn generate(hosts: &Hosts, folder: &Path) -> anyhow::Result<()> {
    ensure!(hosts.rows() > 0, "there must be a row for each host");
    let (mark, wanted) = (folder.join("hosts.txt"), format!("{hosts:?}"));
    if let Ok(found) = fs::read_to_string(&mark) {
        ensure!(found == wanted, "{} holds {found}: name another folder", folder.display());
        return Ok(());
    }
    let files = folder.join("parquet");
    fs::create_dir_all(&files)?;
    parquet::write(hosts, &files)?;
    Ok(fs::write(mark, wanted)?)
}

/// A window of event time that lies within the data, in milliseconds; the same for the same query.
pub fn window_ms(hosts: &Hosts, query: u64, hours: i64) -> (i64, i64) {
    let length = (hours * 3_600_000).min(hosts.end_ms() - START_MS);
    let room_s = ((hosts.end_ms() - START_MS - length) / 1000) as u64;
    let start = START_MS + Random::new(hosts.seed, Purpose::TsbsQuery, query).below(room_s + 1) as i64 * 1000;
    (start, start + length)
}

/// Names of different hosts.
pub fn some_hosts(hosts: &Hosts, query: u64, count: usize) -> Vec<String> {
    let mut random = Random::new(hosts.seed, Purpose::TsbsQuery, query + (1 << 32));
    let mut chosen: Vec<u64> = Vec::new();
    while chosen.len() < count.min(hosts.hosts as usize) {
        let host = random.below(hosts.hosts);
        if !chosen.contains(&host) {
            chosen.push(host);
        }
    }
    chosen.into_iter().map(|host| format!("host_{host}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_lie_within_the_data_and_hosts_are_different() {
        let hosts = Hosts::new(400 * 8_640, 400, 1);
        for query in 0..100 {
            let (start, end) = window_ms(&hosts, query, 12);
            assert!(START_MS <= start && end <= hosts.end_ms() && end - start == 12 * 3_600_000);
            let mut names = some_hosts(&hosts, query, 8);
            names.sort();
            names.dedup();
            assert_eq!(names.len(), 8);
        }
        assert_eq!(window_ms(&hosts, 3, 48), (START_MS, hosts.end_ms()), "no longer than the data");
    }

    #[test]
    fn a_host_keeps_its_tags() {
        let hosts = Hosts::new(400, 400, 1);
        assert_eq!(hosts.tags(7), hosts.tags(7));
        let [name, region, data_center, ..] = hosts.tags(7);
        assert_eq!(name, "host_7");
        assert!(data_center.starts_with(&region));
    }
}
