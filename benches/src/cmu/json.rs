//! Events as JSON, as producers write them.

use std::io::Write;

use super::fleet::Fleet;
use super::names::{self, CLUSTER_TYPES, METRICS, REGIONS};

/// Appends the event of a row as one object, without its random id and without the end of a line.
pub fn write_event(fleet: &Fleet, row: u64, out: &mut Vec<u8>) {
    let event = fleet.event(row);
    let cluster = &fleet.clusters[event.cluster as usize];
    let (cloud, region) = REGIONS[usize::from(cluster.region)];
    let (mut tenant, mut topic, mut zone) = (String::new(), String::new(), String::new());
    cluster.write_tenant(&mut tenant);
    fleet.write_topic(event.topic, &mut topic);
    names::write_zone(cluster.region, event.zone, &mut zone);
    let principal = match event.principal {
        Some(principal) => format!("\"sa-{principal:06x}\""),
        None => "null".to_owned(),
    };
    // No name has a character that JSON escapes.
    write!(
        out,
        "{{\"timestamp\":{},\"metric\":\"{}\",\"org_id\":\"org-{:05}\",\"env_id\":\"env-{:05x}\",\
         \"cluster_id\":\"lkc-{:06x}\",\"cluster_type\":\"{}\",\"pkc\":\"pkc-{:05x}\",\"tenant\":\"{tenant}\",\
         \"topic\":\"{topic}\",\"partition\":{},\"principal\":{principal},\"broker\":{},\"az\":\"{zone}\",\
         \"region\":\"{region}\",\"cloud\":\"{cloud}\",\"bytes_in\":{},\"bytes_out\":{},\"requests\":{},\"errors\":{},\
         \"latency_ms\":{}.{:03}}}",
        event.timestamp_ms,
        METRICS[usize::from(event.metric)],
        cluster.organization,
        cluster.environment,
        cluster.id,
        CLUSTER_TYPES[usize::from(cluster.cluster_type)],
        cluster.physical_cluster,
        event.partition,
        event.broker,
        event.bytes_in,
        event.bytes_out,
        event.requests,
        event.errors,
        event.latency_us / 1000,
        event.latency_us % 1000,
    )
    .expect("a vector takes all bytes");
}
