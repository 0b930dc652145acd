//! Why a call to Kafka failed.

use rdkafka::error::{KafkaError as LibraryError, RDKafkaErrorCode};

/// An error of a call; what happens to partitions while they are read comes as [`StreamEvent`](super::event::StreamEvent).
/// No message holds the value of a client property.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KafkaError {
    #[error("kafka has no client property `{name}`")]
    UnknownProperty { name: String },
    #[error("the kafka client refuses the value of property `{name}`")]
    PropertyValue { name: String },
    #[error("the kafka client could not start: {detail}")]
    Client { detail: String },
    #[error("topic `{topic}` does not exist")]
    UnknownTopic { topic: String },
    #[error("the kafka user may not {operation}: {code}")]
    NotAuthorised { operation: &'static str, code: RDKafkaErrorCode },
    /// Nothing is known to be wrong but that it did not work now; worth trying again.
    #[error("could not {operation}: {code}")]
    Unavailable { operation: &'static str, code: RDKafkaErrorCode },
    #[error("could not {operation}: {detail}")]
    Refused { operation: &'static str, detail: String },
}

impl KafkaError {
    /// From an error of the library's constructor, whose own text may repeat the value of a property.
    pub(crate) fn of_client(error: LibraryError) -> Self {
        match error {
            LibraryError::ClientConfig(result, _, name, _) => match result {
                rdkafka::types::RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN => Self::UnknownProperty { name },
                _ => Self::PropertyValue { name },
            },
            LibraryError::ClientCreation(detail) => Self::Client { detail },
            other => Self::Client { detail: other.to_string() },
        }
    }

    pub(crate) fn of_call(operation: &'static str, topic: &str, code: RDKafkaErrorCode) -> Self {
        use RDKafkaErrorCode as Code;
        match code {
            Code::UnknownTopic | Code::UnknownTopicOrPartition => Self::UnknownTopic { topic: topic.to_owned() },
            Code::TopicAuthorizationFailed | Code::GroupAuthorizationFailed | Code::ClusterAuthorizationFailed => {
                Self::NotAuthorised { operation, code }
            }
            _ => Self::Unavailable { operation, code },
        }
    }

    /// From the wrapper's error, which has a code or a text depending on the call.
    pub(crate) fn of_library(operation: &'static str, topic: &str, error: &LibraryError) -> Self {
        match error.rdkafka_error_code() {
            Some(code) => Self::of_call(operation, topic, code),
            None => Self::Refused { operation, detail: error.to_string() },
        }
    }
}
