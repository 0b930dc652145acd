//! How the Kafka client is set up: the user's connection properties, and what our promises depend on.

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

/// Win over whatever the user writes.
const FIXED: [(&str, &str); 17] = [
    // Offsets are ours: a reader that cannot continue says so instead of jumping (invariants M4 and M6).
    ("auto.offset.reset", "error"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    // The end of a partition carries the position behind control records, which no record shows.
    ("enable.partition.eof", "true"),
    ("check.crcs", "true"),
    ("allow.auto.create.topics", "false"),
    // Freshness: an idle fetch returns soon, and a full local queue is looked at again soon.
    ("fetch.wait.max.ms", "10"),
    ("fetch.queue.backoff.ms", "2"),
    ("fetch.min.bytes", "1"),
    // Another topic under the same name is told in a log line only: see `native::client_event`.
    ("debug", "metadata"),
    // Bounds (invariant B1): what is fetched ahead for each lane, and what one answer may hold.
    ("queued.max.messages.kbytes", "32768"),
    ("fetch.max.bytes", "33554432"),
    // How soon new partitions and new leaders are found, and how soon a broker that came back is used.
    ("topic.metadata.refresh.interval.ms", "10000"),
    ("reconnect.backoff.max.ms", "2000"),
    ("statistics.interval.ms", "0"),
    ("enable.metrics.push", "false"),
    ("log.connection.close", "false"),
];

/// The client's configuration for one data source.
pub fn client_config(data_source: &str, properties: &[(String, String)]) -> ClientConfig {
    let name = format!("henge-{data_source}");
    let mut config = ClientConfig::new();
    config.set("group.id", &name).set("client.id", &name).set("isolation.level", "read_committed");
    for (property, value) in properties {
        config.set(property, value);
    }
    for (property, value) in FIXED {
        config.set(property, value);
    }
    config.set_log_level(RDKafkaLogLevel::Debug);
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_settings_win_and_defaults_give_way() {
        let properties = [
            ("bootstrap.servers", "127.0.0.1:9092"),
            ("group.id", "mine"),
            ("auto.offset.reset", "latest"),
            ("isolation.level", "read_uncommitted"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = client_config("usage", &properties);
        for (property, value) in [
            ("bootstrap.servers", "127.0.0.1:9092"),
            ("group.id", "mine"),
            ("client.id", "henge-usage"),
            ("auto.offset.reset", "error"),
            ("isolation.level", "read_uncommitted"),
        ] {
            assert_eq!(config.get(property), Some(value), "{property}");
        }
    }
}
