//! What the demo declares for readers of metrics: the dataset `cloud` over the fleet's table.

use std::net::SocketAddr;

use henge_segment_store::dataset::{Dataset, DatasetName};
use serde_json::{Value, json};

/// Of 100 ms of latency on, a cluster is as busy as can be.
const LOAD: &str = "CASE WHEN latency_ms_max > 100 THEN 1.0 ELSE latency_ms_max / 100 END";

/// Measures that only metrics read, beside those of the fleet.
///
/// The fleet's events say what was used; how much there was, they say by what they have of it.
pub fn measures() -> Vec<(&'static str, Value)> {
    let of = |function: &str, expression: &str| json!({ function: { "expression": expression } });
    vec![
        ("sent_records", of("long_sum", "requests + errors")),
        ("authentications", of("long_sum", "CASE WHEN errors = 0 THEN 1 ELSE 0 END")),
        ("retained_bytes", of("long_max", "bytes_in * 1000")),
        ("lag", of("long_max", "bytes_out / 512")),
        ("connections", of("long_max", "requests + 1")),
        ("partitions", of("long_max", "partition + 1")),
        ("load", of("double_max", LOAD)),
    ]
}

/// The dataset's name and definition, over a table with the fleet's measures and [`measures`].
pub fn dataset(data_source: &str) -> (DatasetName, Dataset) {
    let metrics: serde_json::Map<String, Value> = METRICS.iter().map(|metric| metric.definition(data_source)).collect();
    let definition = json!({
        "resources": {
            "kafka": {
                "description": "A Kafka cluster", "id": "cluster_id",
                "labels": { "environment": { "dimension": "env_id", "description": "The environment that it is in" } },
            },
            // There are none of these, but exporters end where a type is not known.
            "connector": { "description": "A connector", "id": "connector_id" },
            "ksql": { "description": "An application of ksqlDB", "id": "ksql_id" },
            "schema_registry": { "description": "A schema registry", "id": "schema_registry_id" },
        },
        "metrics": metrics,
    });
    let dataset = Dataset::from_json(&definition).expect("a definition of ours is right");
    (DatasetName::new("cloud").expect("it is a name"), dataset)
}

/// A question to paste: what came to one cluster, minute by minute.
pub fn example(address: SocketAddr) -> String {
    let body = json!({
        "aggregations": [{ "metric": "io.confluent.kafka.server/received_bytes" }],
        "filter": { "op": "EQ", "field": "resource.kafka.id", "value": BUSIEST },
        "group_by": ["metric.topic"], "granularity": "PT1M", "intervals": ["PT5M/now"],
    });
    format!("curl http://{address}/v2/metrics/cloud/query -d '{body}'")
}

/// The cluster of rank 0 in each fleet.
const BUSIEST: &str = "lkc-000000";

struct DemoMetric {
    /// Behind `io.confluent.kafka.server/`.
    name: &'static str,
    measure: &'static str,
    kind: &'static str,
    unit: &'static str,
    agg: &'static str,
    labels: &'static [(&'static str, &'static str)],
    description: &'static str,
}

const TOPIC: &[(&str, &str)] = &[("topic", "topic"), ("partition", "partition")];
const PRINCIPAL: &[(&str, &str)] = &[("principal_id", "principal"), ("type", "metric")];

const METRICS: [DemoMetric; 13] = [
    counter("received_bytes", "bytes_in", "By", TOPIC, "Bytes that producers sent to the cluster"),
    counter("sent_bytes", "bytes_out", "By", TOPIC, "Bytes that consumers took from the cluster"),
    counter("received_records", "events", "{records}", TOPIC, "Records that producers sent"),
    counter("sent_records", "sent_records", "{records}", TOPIC, "Records that consumers took"),
    counter("request_count", "requests", "{requests}", PRINCIPAL, "Requests"),
    counter("request_bytes", "bytes_in", "By", PRINCIPAL, "Bytes of requests"),
    counter("response_bytes", "bytes_out", "By", PRINCIPAL, "Bytes of responses"),
    counter("successful_authentication_count", "authentications", "1", &[("principal_id", "principal")], "Logins"),
    gauge("retained_bytes", "retained_bytes", "By", "sum", TOPIC, "Bytes that the cluster keeps"),
    gauge(
        "consumer_lag_offsets",
        "lag",
        "{offsets}",
        "sum",
        &[("topic", "topic"), ("partition", "partition"), ("consumer_group_id", "principal")],
        "Records that a group of consumers has not taken yet",
    ),
    gauge("active_connection_count", "connections", "1", "sum", &[("principal_id", "principal")], "Open connections"),
    gauge("partition_count", "partitions", "1", "sum", &[("topic", "topic")], "Partitions"),
    gauge("cluster_load_percent", "load", "1", "max", &[], "How busy the cluster is, from 0 to 1"),
];

const fn counter(
    name: &'static str,
    measure: &'static str,
    unit: &'static str,
    labels: &'static [(&'static str, &'static str)],
    description: &'static str,
) -> DemoMetric {
    DemoMetric { name, measure, kind: "counter", unit, agg: "sum", labels, description }
}

const fn gauge(
    name: &'static str,
    measure: &'static str,
    unit: &'static str,
    agg: &'static str,
    labels: &'static [(&'static str, &'static str)],
    description: &'static str,
) -> DemoMetric {
    DemoMetric { name, measure, kind: "gauge", unit, agg, labels, description }
}

impl DemoMetric {
    fn definition(&self, data_source: &str) -> (String, Value) {
        let label = |(name, dimension): &(&str, &str)| ((*name).to_owned(), Value::from(*dimension));
        let labels: serde_json::Map<String, Value> = self.labels.iter().map(label).collect();
        let definition = json!({
            "datasource": data_source, "measure": self.measure, "kind": self.kind, "unit": self.unit, "agg": self.agg,
            "description": self.description, "resources": ["kafka"], "labels": labels,
        });
        (format!("io.confluent.kafka.server/{}", self.name), definition)
    }
}

#[cfg(test)]
mod tests {
    use henge_ingest::fleet::spec::spec_json;
    use henge_ingest::spec::SupervisorSpec;

    use super::*;

    #[test]
    fn the_dataset_fits_the_table_of_the_demo() {
        let mut spec = spec_json("fleet", "fleet", "127.0.0.1:9092");
        super::super::extend(&mut spec);
        let accepted = SupervisorSpec::from_json(&spec).unwrap_or_else(|error| panic!("{error:?}"));
        let (_, dataset) = dataset("fleet");
        assert_eq!(dataset.check(|_| Some(&accepted.spec.schema)), Vec::<String>::new());
        assert_eq!(dataset.metrics.len(), METRICS.len());
    }
}
