//! The supervisor spec that reads the fleet's topic.

use serde_json::{Value, json};

/// In the short form, with `datasource` naming the table. Rolled up to the second; `SUM(events)` counts events.
pub fn spec_json(data_source: &str, topic: &str, bootstrap_servers: &str) -> Value {
    json!({
        "datasource": data_source,
        "topic": topic,
        "kafka": { "bootstrap.servers": bootstrap_servers },
        "time": { "column": "timestamp", "format": "millis" },
        "dimensions": [
            "org_id", "env_id", "cluster_id", "cluster_type", "topic", "principal", "metric", "region", "cloud",
            { "name": "partition", "type": "long" },
        ],
        "tenant": "org_id",
        "measures": {
            "events": "count",
            "bytes_in": "long_sum",
            "bytes_out": "long_sum",
            "requests": "long_sum",
            "errors": "long_sum",
            "latency_ms_max": { "max": "latency_ms" },
            "latency_ms_min": { "min": "latency_ms" },
        },
        "rollup": "1s",
        "segment": "1h",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::SupervisorSpec;

    #[test]
    fn the_spec_is_accepted_without_a_warning() {
        let accepted = SupervisorSpec::from_json(&spec_json("usage", "fleet", "127.0.0.1:9092"));
        let accepted = accepted.expect("the fleet's spec is valid");
        assert_eq!(accepted.warnings, Vec::<String>::new());
        assert_eq!(accepted.spec.topics.as_str(), "fleet");
    }
}
