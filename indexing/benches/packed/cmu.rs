//! Columns of the CMU workload (cluster metering and usage) with codes in the order of the strings they stand for.
//!
//! Distributions, seeds and names are those of the workload's generator, so that sizes carry over; strings are made
//! only to order them.

use std::fmt::Write as _;

const HORIZON_MS: i64 = 24 * 3600 * 1000;
const END_MS: i64 = 1_772_409_600_000;
const SEED: u64 = 1;
const METRICS: u64 = 20;
/// Position of each metric among the names in byte order, the most frequent first.
const METRIC_RANKS: [u32; 20] = [13, 17, 12, 16, 15, 14, 11, 10, 1, 5, 9, 2, 3, 4, 6, 7, 8, 0, 18, 19];
const DEDICATED: u32 = 3;
/// First region, regions and share of rows of each cloud.
const CLOUDS: [(u32, u32, f64); 3] = [(0, 8, 0.60), (8, 5, 0.22), (13, 5, 0.18)];
/// Region whose requests fail in the last ten minutes of the horizon.
const INCIDENT_REGION: u32 = 2;

/// Spreads the bits of a number over all 64 (SplitMix64).
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
    z ^ (z >> 31)
}

/// A hash of what it is for and which one.
fn hash(purpose: u64, index: u64) -> u64 {
    mix(mix(SEED ^ purpose.wrapping_mul(0x9e3779b97f4a7c15)).wrapping_add(index.wrapping_mul(0xd1342543de82ef95)))
}

fn unit(bits: u64) -> f64 {
    ((bits >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        mix(self.0)
    }

    fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Zipf rank in 1..=n with exponent `s`, by rejection from the integral of x^-s.
    fn zipf(&mut self, n: u64, s: f64) -> u64 {
        let is_harmonic = (s - 1.0).abs() < 1e-9;
        let q = if is_harmonic { 0.0 } else { 1.0 / (1.0 - s) };
        let total = if is_harmonic { 1.0 + (n as f64).ln() } else { ((n as f64).powf(1.0 - s) - s) * q };
        loop {
            let p = self.unit() * total;
            let at = match p {
                p if p <= 1.0 => p,
                p if is_harmonic => (p - 1.0).exp(),
                p => (p * (1.0 - s) + s).powf(q),
            };
            let x = (at + 1.0).floor();
            let ratio = x.powf(-s) * if x > 1.0 { at.powf(s) } else { 1.0 };
            if self.unit() < ratio {
                return (x as u64).min(n);
            }
        }
    }
}

struct Cluster {
    id: u32,
    env: u32,
    org: u32,
    kind: u32,
    pkc: u32,
    region: u32,
    brokers: u32,
    topic_first: u32,
    topics: u32,
    principal_first: u32,
    principals: u32,
}

/// A permutation of 0..2^24.
fn feistel24(value: u32) -> u32 {
    let (mut left, mut right) = (value >> 12, value & 0xfff);
    for round in 0..4 {
        (left, right) = (right, left ^ (hash(100 + round, right.into()) as u32 & 0xfff));
    }
    left << 12 | right
}

fn log_normal_count(purpose: u64, index: u64, mu: f64, sigma: f64, most: f64) -> u32 {
    (mu + sigma * Random(hash(purpose, index)).normal()).exp().clamp(1.0, most).round() as u32
}

fn region_of(pkc: u32) -> u32 {
    let mut at = unit(hash(5, pkc.into()));
    for (first, count, share) in CLOUDS {
        if at >= share {
            at -= share;
            continue;
        }
        let weights: Vec<f64> = (1..=count).map(|rank| f64::from(rank).powf(-0.8)).collect();
        let mut left = at / share * weights.iter().sum::<f64>();
        for (offset, weight) in weights.iter().enumerate() {
            if left < *weight {
                return first + offset as u32;
            }
            left -= weight;
        }
        return first + count - 1;
    }
    17
}

fn kind_of(rank: u64, clusters: u64) -> u32 {
    // Dedicated clusters are 8 % of all, but 40 % of the busiest twentieth.
    let dedicated = if rank * 20 < clusters { 0.40 } else { (0.08 - 0.05 * 0.40) / 0.95 };
    let at = unit(hash(4, rank));
    if at < dedicated {
        return DEDICATED;
    }
    match (at - dedicated) / (1.0 - dedicated) * 0.92 {
        x if x < 0.55 => 0,
        x if x < 0.80 => 1,
        x if x < 0.90 => 2,
        _ => 4,
    }
}

fn clusters(count: u64) -> Vec<Cluster> {
    let (mut topics, mut principals) = (0, 0);
    let cluster = |rank| {
        let env = hash(1, rank) % (count / 3).max(1);
        let pkc = (hash(3, rank) % (count / 50).max(1)) as u32;
        let cluster = Cluster {
            id: feistel24(rank as u32),
            env: env as u32,
            org: (hash(2, env) % (count / 10).max(1)) as u32,
            kind: kind_of(rank, count),
            pkc,
            region: region_of(pkc),
            brokers: (60.0 - 6.0 * ((rank + 1) as f64).log2()).clamp(3.0, 60.0) as u32,
            topic_first: topics,
            topics: log_normal_count(6, rank, 1.0, 1.1, 20_000.0),
            principal_first: principals,
            principals: log_normal_count(7, rank, 0.6, 0.8, 50.0),
        };
        topics += cluster.topics;
        principals += cluster.principals;
        cluster
    };
    (0..count).map(cluster).collect()
}

/// Orders like the topic's name, `{domain}.{entity}.{env}.v{n}`, except within ties of the first three parts.
fn topic_name(topic: u32) -> String {
    let combination = (u64::from(topic) * 1_103 + 71) % 2_000;
    let mut name = String::new();
    let _ = write!(
        name,
        "{:02}.{:02}.{}.v{}",
        combination % 20,
        combination / 20 % 25,
        combination / 500,
        topic / 2_000 + 1
    );
    name
}

fn topic_partitions(topic: u32) -> u64 {
    match hash(9, topic.into()) % 100 {
        0..=9 => 1,
        10..=69 => 6,
        70..=89 => 12,
        90..=97 => 48,
        _ => 384,
    }
}

/// Place of the row in the horizon, 0..1, when traffic is 30 % lower at night than on average, and higher at noon.
fn diurnal(share: f64) -> f64 {
    let mut x = share;
    for _ in 0..4 {
        let turn = std::f64::consts::TAU * x;
        x -= (x - 0.3 / std::f64::consts::TAU * turn.sin() - share) / (1.0 - 0.3 * turn.cos());
    }
    x.clamp(0.0, 0.999_999_999)
}

/// A column: what the dimensions and measures of the workload become in a segment.
pub enum Values {
    Codes(Vec<u32>),
    Longs(Vec<i64>),
    Doubles(Vec<f64>),
}

/// Columns by name, in the order in which the workload lists them.
pub struct Columns {
    pub rows: usize,
    pub columns: Vec<(&'static str, Values)>,
}

const NAMES: [&str; 15] = [
    "metric",
    "org_id",
    "env_id",
    "cluster_id",
    "cluster_type",
    "pkc",
    "tenant",
    "topic",
    "partition",
    "principal",
    "broker",
    "az",
    "region",
    "cloud",
    "__time",
];
const MEASURES: [&str; 5] = ["bytes_in", "bytes_out", "requests", "errors", "latency_ms"];

/// Codes from 1 on in the order of `keys`, of those that occur; 0 stays null where `is_null`.
fn codes<K: Ord>(values: Vec<u32>, is_null: u32, key: impl Fn(u32) -> K) -> Vec<u32> {
    let mut present = values.clone();
    present.sort_unstable();
    present.dedup();
    present.retain(|value| *value != is_null);
    present.sort_by_cached_key(|value| key(*value));
    let mut ranks = vec![0; present.iter().max().map_or(0, |greatest| *greatest as usize + 1)];
    present.iter().enumerate().for_each(|(rank, value)| ranks[*value as usize] = rank as u32 + 1);
    values.into_iter().map(|value| if value == is_null { 0 } else { ranks[value as usize] }).collect()
}

/// Makes `rows` rows of `count` clusters.
pub fn columns(rows: usize, count: u64) -> Columns {
    let clusters = clusters(count);
    let mut dimensions: [Vec<u32>; 14] = Default::default();
    let (mut times, mut latencies) = (Vec::new(), Vec::new());
    let mut measures: [Vec<i64>; 4] = Default::default();
    for number in 0..rows as u64 {
        let row = row(&clusters, number, rows as u64);
        dimensions.iter_mut().zip(row.dimensions).for_each(|(column, value)| column.push(value));
        measures.iter_mut().zip(row.measures).for_each(|(column, value)| column.push(value));
        times.push(row.time_ms);
        latencies.push(row.latency_ms);
    }
    let mut columns = Vec::new();
    for (name, values) in NAMES.into_iter().zip(dimensions) {
        let codes = match name {
            "topic" => codes(values, u32::MAX, topic_name),
            "partition" | "broker" => codes(values, u32::MAX, |number| number.to_string()),
            _ => codes(values, u32::MAX, |value| value),
        };
        columns.push((name, Values::Codes(codes)));
    }
    columns.push((NAMES[14], Values::Longs(times)));
    columns.extend(MEASURES.into_iter().zip(measures.map(Values::Longs)));
    columns.push((MEASURES[4], Values::Doubles(latencies)));
    Columns { rows, columns }
}

struct Row {
    dimensions: [u32; 14],
    time_ms: i64,
    measures: [i64; 4],
    latency_ms: f64,
}

/// The row at `number`; one in 200 repeats a row from the last minute exactly, fewer one from the last hour.
fn row(clusters: &[Cluster], number: u64, rows: u64) -> Row {
    let mut random = Random(hash(10, number));
    let draw = random.unit();
    let minute = (rows / 1440).max(1);
    let back = match draw {
        draw if draw < 0.005 => 1 + random.below(minute),
        draw if draw < 0.0055 => 10 * minute + random.below(50 * minute),
        _ => 0,
    };
    original(clusters, number.saturating_sub(back), rows)
}

fn original(clusters: &[Cluster], number: u64, rows: u64) -> Row {
    let mut random = Random(hash(11, number));
    let produced = diurnal((number as f64 + 0.5) / rows as f64) * HORIZON_MS as f64;
    let delay_ms = match random.unit() {
        draw if draw < 0.965 => -2_000.0 * random.unit().ln(),
        draw if draw < 0.99 => 60e3 + random.unit() * 540e3,
        draw if draw < 0.999 => 600e3 + random.unit() * (6.0 * 3600e3 - 600e3),
        _ => (6.0 + random.unit() * 66.0) * 3600e3,
    };
    let metric = METRIC_RANKS[random.zipf(METRICS, 1.0) as usize - 1];
    let of = &clusters[random.zipf(clusters.len() as u64, 1.0) as usize - 1];
    let topic = of.topic_first + (random.zipf(of.topics.into(), 1.1) - 1) as u32;
    let is_hot_keyed = hash(12, topic.into()) % 100 < 2;
    let is_hot = is_hot_keyed && random.unit() < 0.5;
    let partition = if is_hot { 0 } else { random.below(topic_partitions(topic)) } as u32;
    let has_principal = random.unit() >= 0.01;
    let principal = of.principal_first + (random.zipf(of.principals.into(), 1.0) - 1) as u32;
    let broker = (hash(13, u64::from(topic) << 16 | u64::from(partition)) % u64::from(of.brokers)) as u32;
    let bytes_in = if random.unit() < 0.12 { 0 } else { (4096f64.ln() + 2.2 * random.normal()).exp() as i64 };
    let bytes_out = (bytes_in as f64 * (0.7 + 0.8 * random.normal()).exp()) as i64;
    let mean = (bytes_in as f64 / 16_384.0).max(1.0);
    let requests = 1 + (random.unit().ln() / (mean / (mean + 1.0)).ln()).min(4e9) as i64;
    let is_incident = of.region == INCIDENT_REGION && produced >= (HORIZON_MS - 600_000) as f64;
    let errors = if random.unit() < if is_incident { 0.30 } else { 0.02 } { 1 + random.below(20) as i64 } else { 0 };
    let slow = 0.7 + 0.06 * f64::from(of.region);
    let latency_us = ((4f64.ln() + 0.9 * random.normal()).exp() * slow * 1000.0).round();
    let tenant = if of.kind == DEDICATED { of.id } else { 1 << 24 | of.org };
    let zone = of.region * 3 + broker % 3;
    let cloud = u32::from(of.region >= 8) + u32::from(of.region >= 13);
    Row {
        dimensions: [
            metric,
            of.org,
            of.env,
            of.id,
            of.kind,
            of.pkc,
            tenant,
            topic,
            partition,
            if has_principal { principal } else { u32::MAX },
            broker,
            zone,
            of.region,
            cloud,
        ],
        time_ms: END_MS - HORIZON_MS + (produced - delay_ms).floor() as i64,
        measures: [bytes_in, bytes_out, requests, errors],
        latency_ms: latency_us / 1000.0,
    }
}
