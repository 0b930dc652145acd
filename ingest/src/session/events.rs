//! What happens to a stream beside records: ends, troubles, lost offsets.

use henge_segment_store::stream::StreamPartition;

use super::Session;
use super::topics::{ASK_MAX, Standing};
use crate::client_properties;
use crate::kafka::event::{StopReason, StreamEvent, Trouble};
use crate::resume;

impl Session<'_> {
    pub(super) fn on_event(&mut self, event: StreamEvent) {
        match event {
            // The lane has passed what cannot be read.
            StreamEvent::EndReached { .. } => {}
            StreamEvent::Stopped { partition, next, reason, detail } => {
                // It must not be fetched on.
                if let Err(error) = self.lanes.pause(std::slice::from_ref(&partition)) {
                    self.trouble = Some(error.to_string());
                }
                if reason == StopReason::OffsetOutOfRange {
                    return self.on_offset_lost(partition);
                }
                let cause = format!("{partition} stopped at offset {next}: {reason} ({detail})");
                self.stopped.insert(partition, cause);
            }
            StreamEvent::Trouble { partition, kind: Trouble::UnknownTopic, detail } => {
                self.trouble = Some(detail);
                match partition {
                    Some(partition) => self.suspect(&partition.topic),
                    None => self.suspect_all(),
                }
            }
            StreamEvent::AnotherTopic { topic, found } => {
                let expected = self.topics.get(&topic).and_then(|topic| topic.id);
                if let Err(cause) = resume::check_identity(&topic, expected, Some(found)) {
                    self.set_standing(&topic, Standing::Replaced(cause.to_string()));
                }
            }
            StreamEvent::Trouble { detail, .. } => self.trouble = Some(detail),
            StreamEvent::TokenWanted => self.renew_token(),
            StreamEvent::CommitFailed { detail } => {
                self.context.status.trouble(format!("advisory group commit failed: {detail}"));
            }
        }
    }

    /// The token's file or variable may hold a newer one by now.
    fn renew_token(&mut self) {
        let renewed = client_properties::resolve(&self.context.spec)
            .map_err(|error| error.to_string())
            .and_then(|properties| self.client.renew_token(&properties).map_err(|error| error.to_string()));
        if let Err(error) = renewed {
            self.trouble = Some(error);
        }
    }

    /// The broker does not have the next offset: what was read so far is published first, then the partition is taken up
    /// as at a start, with a gap on record or stopped for an operator.
    fn on_offset_lost(&mut self, partition: StreamPartition) {
        self.stopped.insert(partition.clone(), format!("{partition}: its next offset is gone"));
        self.lost_offsets.insert(partition);
    }

    /// Takes partitions up again whose offset was lost, once everything before it is published.
    pub(super) fn recover_lost_offsets(&mut self) {
        if self.lost_offsets.is_empty() || self.publishing.is_some() {
            return;
        }
        let checkpoint = &self.context.data_source.progress().checkpoint;
        if self.lanes.has_unpublished() || self.lost_offsets.iter().any(|lost| checkpoint.get(lost).is_none()) {
            self.cut(None);
            return;
        }
        for partition in std::mem::take(&mut self.lost_offsets) {
            let taken_up = self.client.query_watermarks(&partition, ASK_MAX).and_then(|log| {
                self.stopped.remove(&partition);
                self.take_up(partition.clone(), log, true)
            });
            if let Err(error) = taken_up {
                self.trouble = Some(error.to_string());
                self.on_offset_lost(partition);
            }
        }
    }
}
