//! Creates the fleet's topic on a broker of the user's.

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;

use crate::kafka::error::KafkaError;

/// Creates the topic with the broker's default replication; says whether it is new. `properties` are the client's.
pub async fn create_topic(properties: &[(String, String)], topic: &str, partitions: i32) -> Result<bool, KafkaError> {
    const OPERATION: &str = "create the topic";
    let config: ClientConfig = properties.iter().cloned().collect();
    let admin: AdminClient<DefaultClientContext> = config.create().map_err(KafkaError::of_client)?;
    let new_topic = NewTopic::new(topic, partitions, TopicReplication::Fixed(-1));
    let results = admin
        .create_topics([&new_topic], &AdminOptions::new())
        .await
        .map_err(|error| KafkaError::of_library(OPERATION, topic, &error))?;
    match results.into_iter().next() {
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(false),
        Some(Err((_, code))) => Err(KafkaError::of_call(OPERATION, topic, code)),
        Some(Ok(_)) | None => Ok(true),
    }
}
