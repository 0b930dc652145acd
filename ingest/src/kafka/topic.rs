//! A topic as the broker describes it.

use henge_segment_store::stream::TopicId;

/// Which topic has the name now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicDescription {
    /// `None` where the broker has no topic ids. A topic of the same name has another id when it was deleted and created again.
    pub id: Option<TopicId>,
    /// They are numbered from 0.
    pub partitions: i32,
}
