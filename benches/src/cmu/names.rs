//! What things are called: metrics, regions, zones, topics.

use std::fmt::Write;

pub const METRICS: [&str; 20] = [
    "io.kafka.server/received_bytes",
    "io.kafka.server/sent_bytes",
    "io.kafka.server/received_records",
    "io.kafka.server/sent_records",
    "io.kafka.server/request_count",
    "io.kafka.server/request_bytes",
    "io.kafka.server/response_bytes",
    "io.kafka.server/retained_bytes",
    "io.kafka.server/active_connection_count",
    "io.kafka.server/successful_authentication_count",
    "io.kafka.server/partition_count",
    "io.kafka.server/consumer_lag_offsets",
    "io.kafka.server/cluster_load_percent",
    "io.kafka.server/cluster_link_count",
    "io.kafka.server/cluster_link_mirror_topic_bytes",
    "io.kafka.server/hot_partition_ingress",
    "io.kafka.server/hot_partition_egress",
    "io.kafka.connect/sent_records",
    "io.kafka.ksql/streaming_unit_count",
    "io.kafka.schema_registry/request_count",
];

pub const CLUSTER_TYPES: [&str; 5] = ["basic", "standard", "enterprise", "dedicated", "freight"];

/// Regions of a cloud, the busiest first, as a range of [`REGIONS`], and the cloud's share of all clusters.
pub const CLOUDS: [(usize, usize, f64); 3] = [(0, 8, 0.60), (8, 5, 0.22), (13, 5, 0.18)];

/// Cloud and region.
pub const REGIONS: [(&str, &str); 18] = [
    ("aws", "us-east-1"),
    ("aws", "us-west-2"),
    ("aws", "eu-west-1"),
    ("aws", "eu-central-1"),
    ("aws", "ap-southeast-1"),
    ("aws", "ap-northeast-1"),
    ("aws", "ap-south-1"),
    ("aws", "sa-east-1"),
    ("gcp", "us-central1"),
    ("gcp", "us-east4"),
    ("gcp", "europe-west1"),
    ("gcp", "europe-west4"),
    ("gcp", "asia-southeast1"),
    ("azure", "eastus"),
    ("azure", "westus2"),
    ("azure", "westeurope"),
    ("azure", "northeurope"),
    ("azure", "southeastasia"),
];

const DOMAINS: [&str; 20] = [
    "orders",
    "billing",
    "payments",
    "inventory",
    "shipping",
    "users",
    "sessions",
    "clicks",
    "search",
    "fraud",
    "catalog",
    "pricing",
    "audit",
    "telemetry",
    "notifications",
    "ledger",
    "support",
    "marketing",
    "logs",
    "iot",
];
const ENTITIES: [&str; 25] = [
    "created",
    "updated",
    "deleted",
    "events",
    "snapshot",
    "changelog",
    "commands",
    "replies",
    "errors",
    "metrics",
    "state",
    "keys",
    "values",
    "batch",
    "stream",
    "raw",
    "clean",
    "enriched",
    "joined",
    "hourly",
    "daily",
    "retry",
    "outbox",
    "inbox",
    "history",
];
const ENVIRONMENTS: [&str; 4] = ["us", "eu", "ap", "test"];
/// Of a domain, an entity and an environment.
const COMBINATIONS: u32 = 2_000;

/// Appends the name of a topic: each number has a combination and a version of its own, so that no two names are equal.
pub fn write_topic(topic: u32, is_dead_letters: bool, out: &mut String) {
    let combination = (u64::from(topic) * 1_103 + 71) % u64::from(COMBINATIONS);
    let domain = DOMAINS[(combination % 20) as usize];
    let entity = ENTITIES[(combination / 20 % 25) as usize];
    let environment = ENVIRONMENTS[(combination / 500) as usize];
    let version = topic / COMBINATIONS + 1;
    let suffix = if is_dead_letters { "-dlq" } else { "" };
    write!(out, "{domain}.{entity}.{environment}.v{version}{suffix}").expect("a string takes all text");
}

/// Appends the name of a zone of a region, as its cloud writes it.
pub fn write_zone(region: u8, zone: u8, out: &mut String) {
    let (cloud, name) = REGIONS[usize::from(region)];
    let letter = (b'a' + zone) as char;
    match cloud {
        "aws" => write!(out, "{name}{letter}"),
        "gcp" => write!(out, "{name}-{letter}"),
        _ => write!(out, "{name}-{}", zone + 1),
    }
    .expect("a string takes all text");
}
