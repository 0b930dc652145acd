//! What can happen to a stream beside records.

use std::fmt;
use std::sync::Arc;

use henge_segment_store::stream::{Offset, StreamPartition, TopicId};
use rdkafka::error::RDKafkaErrorCode;

/// Something that the reader of a stream has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEvent {
    /// Every record that could be read before `next` has been delivered. With transactions this is the last stable
    /// offset; control records and aborted records before it are passed.
    EndReached { partition: StreamPartition, next: Offset },
    /// The partition is no longer read, because going on would skip records. [`assign`](super::reader::StreamReader::assign)
    /// starts it again where the caller decides.
    Stopped { partition: StreamPartition, next: Offset, reason: StopReason, detail: String },
    /// Something fails, and the client keeps trying.
    Trouble { partition: Option<StreamPartition>, kind: Trouble, detail: String },
    /// The OAUTHBEARER token expires soon. Read it again and hand it to
    /// [`renew_token`](super::client::StreamClient::renew_token).
    TokenWanted,
    /// The name belongs to another topic now than the one that is [expected](super::news::ClientNews::expect_topic).
    /// Nothing was handed over from it, and all partitions of that name are paused.
    AnotherTopic { topic: Arc<str>, found: TopicId },
    /// A group commit was refused; nothing but lag monitors depends on it.
    CommitFailed { detail: String },
}

/// Why a partition cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// The broker no longer has the offset (retention, deleted records), or does not have it yet (truncation, recreation).
    OffsetOutOfRange,
    /// The log was cut back before our offset (unclean leader election).
    LogTruncated,
    /// A checksum is wrong or a batch does not decompress.
    Corrupt,
    /// A message format or codec that the client does not know.
    Unsupported,
    /// A batch is larger than the client may fetch.
    TooLarge,
}

impl fmt::Display for StopReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::OffsetOutOfRange => "the broker does not have this offset",
            Self::LogTruncated => "the log was truncated before this offset",
            Self::Corrupt => "the next batch is corrupt",
            Self::Unsupported => "the next batch has a format or codec that is not supported",
            Self::TooLarge => "the next batch is too large to fetch",
        })
    }
}

/// What fails while the client keeps trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// Refused connection, unknown host, broker down, time-out.
    Unreachable,
    /// Wrong user, password or token.
    Authentication,
    /// The TLS handshake failed: an untrusted certificate, for example.
    Tls,
    /// The user lacks the right to read the topic or to commit to the group.
    NotAuthorised,
    /// The topic or partition does not exist (any more).
    UnknownTopic,
    Other,
}

/// What an error of a partition, in its place among the records, means for that partition.
pub(super) enum PartitionFate {
    End,
    Stop(StopReason),
    Retried(Trouble),
}

impl PartitionFate {
    pub(super) fn of(code: RDKafkaErrorCode) -> Self {
        use RDKafkaErrorCode as Code;
        match code {
            Code::PartitionEOF => Self::End,
            Code::AutoOffsetReset | Code::OffsetOutOfRange => Self::Stop(StopReason::OffsetOutOfRange),
            Code::LogTruncation => Self::Stop(StopReason::LogTruncated),
            // After these the library goes on behind the batch, or asks for the same one for ever.
            Code::BadMessage | Code::BadCompression | Code::InvalidMessage => Self::Stop(StopReason::Corrupt),
            Code::NotImplemented | Code::UnsupportedCompressionType => Self::Stop(StopReason::Unsupported),
            Code::MessageSizeTooLarge => Self::Stop(StopReason::TooLarge),
            other => Self::Retried(Trouble::of(other)),
        }
    }
}

impl Trouble {
    pub(super) fn of(code: RDKafkaErrorCode) -> Self {
        use RDKafkaErrorCode as Code;
        match code {
            Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::CoordinatorNotAvailable
            | Code::LeaderNotAvailable => Self::Unreachable,
            Code::Authentication | Code::SaslAuthenticationFailed => Self::Authentication,
            Code::SSL => Self::Tls,
            Code::TopicAuthorizationFailed | Code::GroupAuthorizationFailed | Code::ClusterAuthorizationFailed => {
                Self::NotAuthorised
            }
            Code::UnknownTopic | Code::UnknownPartition | Code::UnknownTopicOrPartition | Code::UnknownTopicId => {
                Self::UnknownTopic
            }
            _ => Self::Other,
        }
    }
}
