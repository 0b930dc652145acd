//! A Kafka cluster inside this process.

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::producer::{BaseProducer, Producer};

use crate::kafka::error::KafkaError;
use crate::kafka::native;

/// The client library's mock cluster on loopback ports of its own; it ends when this is dropped.
///
/// It keeps 5 MiB of batches for each partition and forgets older ones whether they were read or not, ignores
/// transactions, and cannot add partitions. Good for demos and quick tests, no judge of Kafka's semantics.
pub struct MockKafka {
    /// Owns the cluster; never produces.
    owner: BaseProducer,
    bootstrap_servers: String,
}

impl MockKafka {
    /// Starts one broker.
    pub fn start() -> Result<Self, KafkaError> {
        let owner: BaseProducer = ClientConfig::new()
            .set("test.mock.num.brokers", "1")
            .set_log_level(RDKafkaLogLevel::Emerg)
            .create()
            .map_err(KafkaError::of_client)?;
        // Requests to the controller, topic descriptions among them, go to broker 0, which the library does not start.
        native::mock::add_broker(&owner, 0)?;
        let cluster = owner.client().mock_cluster().expect("the client was created with a mock cluster");
        let bootstrap_servers = cluster.bootstrap_servers();
        drop(cluster);
        Ok(Self { owner, bootstrap_servers })
    }

    /// `host:port`, separated by commas.
    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap_servers
    }

    /// An error when the topic exists.
    pub fn create_topic(&self, topic: &str, partitions: i32) -> Result<(), KafkaError> {
        let cluster = self.owner.client().mock_cluster().expect("the client was created with a mock cluster");
        cluster
            .create_topic(topic, partitions, 1)
            .map_err(|error| KafkaError::of_library("create the topic", topic, &error))
    }
}
