//! The mock cluster's one call that the safe wrapper lacks.

use rdkafka::bindings::{rd_kafka_handle_mock_cluster, rd_kafka_mock_broker_add, rd_kafka_resp_err_t};
use rdkafka::producer::{BaseProducer, Producer};

use crate::kafka::error::KafkaError;

/// Adds a broker to the mock cluster that `owner` was created with.
pub fn add_broker(owner: &BaseProducer, id: i32) -> Result<(), KafkaError> {
    // SAFETY: the client is alive; null means that it has no mock cluster.
    let cluster = unsafe { rd_kafka_handle_mock_cluster(owner.client().native_ptr()) };
    if cluster.is_null() {
        return Err(KafkaError::Client { detail: "the client has no mock cluster".to_owned() });
    }
    // SAFETY: the cluster lives as long as the client.
    match unsafe { rd_kafka_mock_broker_add(cluster, id) } {
        rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        code => Err(KafkaError::Unavailable { operation: "add a mock broker", code: code.into() }),
    }
}
