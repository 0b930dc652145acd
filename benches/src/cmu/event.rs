//! One event: which cluster, topic and principal, how much of what, and when.

use std::f64::consts::TAU;

use super::fleet::Fleet;
use super::names::METRICS;
use super::random::{Purpose, Random, hash};

const DAY_MS: f64 = 86_400_000.0;
const HOUR_MS: f64 = 3_600_000.0;
/// Requests of this region fail often in the last ten minutes of the day: eu-west-1.
const INCIDENT_REGION: u8 = 2;
const INCIDENT_MS: f64 = 600_000.0;

/// Numbers for names: they are spelled where they are written.
#[derive(Debug)]
pub struct Event {
    pub timestamp_ms: i64,
    pub event_id: u128,
    /// Index of [`METRICS`].
    pub metric: u8,
    /// Rank of the cluster, from 0.
    pub cluster: u32,
    pub topic: u32,
    pub partition: u32,
    pub principal: Option<u32>,
    pub broker: u8,
    pub zone: u8,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub requests: u32,
    pub errors: u32,
    pub latency_us: u64,
}

impl Fleet {
    /// The event of a row: one in 200 repeats one of the last minute exactly, one in 2,000 one of the last hour.
    pub fn event(&self, row: u64) -> Event {
        let mut random = Random::new(self.seed, Purpose::Repeat, row);
        let minute = (self.rows / 1440).max(1);
        let back = match random.unit() {
            draw if draw < 0.005 => 1 + random.below(minute),
            draw if draw < 0.0055 => 10 * minute + random.below(50 * minute),
            _ => 0,
        };
        self.original(row.saturating_sub(back))
    }

    /// The order of the draws is part of the workload.
    fn original(&self, row: u64) -> Event {
        let mut random = Random::new(self.seed, Purpose::Event, row);
        let produced_ms = diurnal((row as f64 + 0.5) / self.rows as f64) * DAY_MS;
        let delay_ms = delay_ms(&mut random);
        let event_id = u128::from(random.bits()) << 64 | u128::from(random.bits());
        let metric = (random.zipf(METRICS.len() as u64, 1.0) - 1) as u8;
        let rank = (random.zipf(self.clusters.len() as u64, 1.0) - 1) as u32;
        let cluster = &self.clusters[rank as usize];
        let topic = cluster.topic_first + (random.zipf(u64::from(cluster.topics), 1.1) - 1) as u32;
        let partition = self.partition(topic, &mut random);
        let principal = (random.unit() >= 0.01)
            .then(|| cluster.principal_first + (random.zipf(u64::from(cluster.principals), 1.0) - 1) as u32);
        let place = u64::from(topic) << 16 | u64::from(partition);
        let broker = (hash(self.seed, Purpose::Broker, place) % u64::from(cluster.brokers)) as u8;
        let bytes_in = if random.unit() < 0.12 { 0 } else { (4096_f64.ln() + 2.2 * random.normal()).exp() as u64 };
        let bytes_out = (bytes_in as f64 * (0.7 + 0.8 * random.normal()).exp()) as u64;
        let mean_requests = (bytes_in as f64 / 16_384.0).max(1.0);
        let requests = (random.unit().ln() / (mean_requests / (mean_requests + 1.0)).ln()).min(4e9) as u32;
        let is_incident = cluster.region == INCIDENT_REGION && produced_ms >= DAY_MS - INCIDENT_MS;
        let has_errors = random.unit() < if is_incident { 0.30 } else { 0.02 };
        let errors = if has_errors { 1 + random.below(20) as u32 } else { 0 };
        let slowness = 0.7 + 0.06 * f64::from(cluster.region);
        let latency_us = ((4_f64.ln() + 0.9 * random.normal()).exp() * slowness * 1000.0).round() as u64;
        Event {
            timestamp_ms: self.end_ms - DAY_MS as i64 + (produced_ms - delay_ms).floor() as i64,
            event_id,
            metric,
            cluster: rank,
            topic,
            partition,
            principal,
            broker,
            zone: broker % 3,
            bytes_in,
            bytes_out,
            requests: 1 + requests,
            errors,
            latency_us,
        }
    }

    /// Half of what comes to a hot-keyed topic, one in fifty, goes to its first partition.
    fn partition(&self, topic: u32, random: &mut Random) -> u32 {
        let is_hot_keyed = hash(self.seed, Purpose::HotKey, u64::from(topic)) % 100 < 2;
        if is_hot_keyed && random.unit() < 0.5 {
            return 0;
        }
        random.below(self.partitions(topic)) as u32
    }
}

/// The place in the day, 0 to 1, of a share of its events: traffic is 30 % lower at night than on average, and as much
/// higher at noon. Four steps of Newton's method.
fn diurnal(share: f64) -> f64 {
    let mut place = share;
    for _ in 0..4 {
        let turn = TAU * place;
        place -= (place - 0.3 / TAU * turn.sin() - share) / (1.0 - 0.3 * turn.cos());
    }
    place.clamp(0.0, 0.999_999_999)
}

/// From the event to its arrival: seconds mostly, minutes to hours for one in thirty.
fn delay_ms(random: &mut Random) -> f64 {
    match random.unit() {
        draw if draw < 0.965 => -2_000.0 * random.unit().ln(),
        draw if draw < 0.99 => 60e3 + random.unit() * 540e3,
        draw if draw < 0.999 => 600e3 + random.unit() * (6.0 * HOUR_MS - 600e3),
        _ => (6.0 + random.unit() * 66.0) * HOUR_MS,
    }
}
