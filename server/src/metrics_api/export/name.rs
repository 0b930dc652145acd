/// What scrapers call a metric: `io.confluent.kafka.server/received_bytes` is `confluent_kafka_server_received_bytes`.
pub fn metric_name(name: &str) -> String {
    identifier(name.strip_prefix("io.").unwrap_or(name))
}

/// What scrapers call a label: `metric.topic` is `topic`, `resource.kafka.id` is `kafka_id`.
pub fn label_name(field: &str) -> String {
    let name = field.strip_prefix("metric.").or_else(|| field.strip_prefix("resource."));
    identifier(name.unwrap_or(field))
}

/// With `_` for what an identifier of theirs cannot hold.
fn identifier(text: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    let name: String = text.chars().map(letter).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers() {
        assert_eq!(metric_name("io.confluent.kafka.server/received_bytes"), "confluent_kafka_server_received_bytes");
        assert_eq!(metric_name("received-records"), "received_records");
        assert_eq!(metric_name("95th/latency"), "_95th_latency");
        let labels = ["metric.topic", "resource.kafka.id", "metric.client.id"].map(label_name);
        assert_eq!(labels, ["topic", "kafka_id", "client_id"]);
    }
}
