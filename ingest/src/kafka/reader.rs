//! Reads partitions of topics from the offsets that we choose.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use henge_segment_store::stream::{Offset, StreamPartition, TopicId};
use rdkafka::consumer::Consumer;

use super::client::{StreamClient, offset_list, topics_of};
use super::error::KafkaError;
use super::event::{PartitionFate, StreamEvent, Trouble};
use super::native::batch::{BatchQueue, Message, PartitionError};
use super::native::client_event::{ClientEvent, ClientEvents};
use super::native::record::RecordView;
use crate::partition_map::PartitionMap;

/// What one call to [`StreamReader::poll_batch`] brought.
#[derive(Debug, Default)]
pub struct Polled {
    /// Records handed over.
    pub records: usize,
    pub events: Vec<StreamEvent>,
}

/// Reads partitions that are assigned by hand.
///
/// It keeps its own position for each partition: the library's is one too far after an end-of-partition or an error in
/// a batch, so that pausing there would skip a record.
pub struct StreamReader {
    batches: BatchQueue,
    client_events: ClientEvents,
    client: StreamClient,
    partitions: PartitionMap<Reading>,
    expected: BTreeMap<Arc<str>, TopicId>,
    /// A batch was left half way because its receiver panicked, so the library is ahead of `partitions`.
    is_interrupted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading {
    next: Offset,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Active,
    Paused,
    Stopped,
}

impl StreamReader {
    /// A reader of nothing yet. It takes over the client's events, so one client has one reader.
    pub fn new(client: StreamClient) -> Result<Self, KafkaError> {
        let no_queue = || KafkaError::Client { detail: "the consumer has no queue".to_owned() };
        Ok(Self {
            batches: BatchQueue::new(&client.consumer).ok_or_else(no_queue)?,
            client_events: ClientEvents::new(&client.consumer).ok_or_else(no_queue)?,
            client,
            partitions: PartitionMap::default(),
            expected: BTreeMap::new(),
            is_interrupted: false,
        })
    }

    pub fn client(&self) -> &StreamClient {
        &self.client
    }

    /// Hands over records of this name only from the topic with this id (invariant M6). A name of which nothing is
    /// expected is taken for whichever topic has it.
    pub fn expect_topic(&mut self, topic: Arc<str>, id: TopicId) {
        self.expected.insert(topic, id);
    }

    /// Reads these partitions from these offsets, beside those already assigned. A partition that is assigned already
    /// is moved to its new offset; this also starts one that was stopped or paused.
    pub fn assign(&mut self, starts: &[(StreamPartition, Offset)]) -> Result<(), KafkaError> {
        let known: Vec<StreamPartition> = starts.iter().map(|(partition, _)| partition.clone()).collect();
        self.detach(&known)?;
        self.attach(starts)?;
        for (partition, next) in starts {
            self.partitions.insert(partition.clone(), Reading { next: *next, state: State::Active });
        }
        Ok(())
    }

    /// Stops reading these partitions and forgets their positions.
    pub fn unassign(&mut self, partitions: &[StreamPartition]) -> Result<(), KafkaError> {
        self.detach(partitions)?;
        partitions.iter().for_each(|partition| _ = self.partitions.remove(partition));
        Ok(())
    }

    /// Stops reading these partitions and drops what was fetched ahead; positions stay. Not assigned ones are left alone.
    pub fn pause(&mut self, partitions: &[StreamPartition]) -> Result<(), KafkaError> {
        self.detach(partitions)?;
        self.set_state(partitions, State::Active, State::Paused);
        Ok(())
    }

    /// Reads paused partitions on from their positions; others are left alone.
    pub fn resume(&mut self, partitions: &[StreamPartition]) -> Result<(), KafkaError> {
        let starts: Vec<(StreamPartition, Offset)> = partitions
            .iter()
            .filter_map(|partition| Some((partition, self.partitions.get(partition)?)))
            .filter(|(_, reading)| reading.state == State::Paused)
            .map(|(partition, reading)| (partition.clone(), reading.next))
            .collect();
        self.attach(&starts)?;
        self.set_state(partitions, State::Paused, State::Active);
        Ok(())
    }

    /// The next offset to read: behind every record handed over and, at the end of the partition, behind control records
    /// and aborted records too. `None` when not assigned.
    pub fn position(&self, partition: &StreamPartition) -> Option<Offset> {
        self.partitions.get(partition).map(|reading| reading.next)
    }

    /// All assigned partitions with their positions, stopped and paused ones included.
    pub fn positions(&self) -> impl Iterator<Item = (&StreamPartition, Offset)> {
        self.partitions.iter().map(|(partition, reading)| (partition, reading.next))
    }

    /// Hands over at most `max_records` records in the order of their offsets within each partition. Returns as soon as
    /// there is something to hand over or to tell, and after `timeout` in any case.
    ///
    /// When `on_record` panics, the record counts as not read: the next call reads it again.
    pub fn poll_batch(
        &mut self,
        max_records: usize,
        timeout: Duration,
        mut on_record: impl FnMut(&StreamPartition, RecordView<'_>),
    ) -> Polled {
        let mut polled = Polled::default();
        let Self { client_events, partitions, expected, .. } = self;
        take_client_events(client_events, expected, partitions, &mut polled.events);
        if self.is_interrupted
            && let Err(error) = self.start_again()
        {
            polled.events.push(StreamEvent::Trouble {
                partition: None,
                kind: Trouble::Other,
                detail: error.to_string(),
            });
            return polled;
        }
        let timeout = if polled.events.is_empty() { timeout } else { Duration::ZERO };
        self.is_interrupted = true;
        let Self { client_events, partitions, expected, .. } = self;
        let mut is_first = true;
        self.batches.take(max_records, timeout, |message| {
            // Asked when the batch is already here: what is not told by now, was fetched from the expected topic.
            if std::mem::take(&mut is_first) {
                take_client_events(client_events, expected, partitions, &mut polled.events);
            }
            match message {
                Message::Record(record) => {
                    if let Some((partition, next)) = due(partitions, &record) {
                        on_record(partition, record);
                        *next = Offset(record.offset().0 + 1);
                        polled.records += 1;
                    }
                }
                Message::Error(error) => polled.events.extend(note(partitions, &error)),
            }
        });
        self.is_interrupted = false;
        self.detach_stopped(&mut polled.events);
        polled
    }

    fn start_again(&mut self) -> Result<(), KafkaError> {
        let active: Vec<(StreamPartition, Offset)> = self
            .partitions
            .iter()
            .filter(|(_, reading)| reading.state == State::Active)
            .map(|(partition, reading)| (partition.clone(), reading.next))
            .collect();
        self.assign(&active)?;
        self.is_interrupted = false;
        Ok(())
    }

    /// What was stopped in this batch must not be fetched on.
    fn detach_stopped(&mut self, events: &mut Vec<StreamEvent>) {
        let stopped: Vec<StreamPartition> = events
            .iter()
            .filter_map(|event| match event {
                StreamEvent::Stopped { partition, .. } => Some(partition.clone()),
                _ => None,
            })
            .collect();
        if let Err(error) = self.detach(&stopped) {
            events.push(StreamEvent::Trouble { partition: None, kind: Trouble::Other, detail: error.to_string() });
        }
    }

    fn set_state(&mut self, partitions: &[StreamPartition], from: State, to: State) {
        for partition in partitions {
            if let Some(reading) = self.partitions.get_mut(partition)
                && reading.state == from
            {
                reading.state = to;
            }
        }
    }

    fn attach(&self, starts: &[(StreamPartition, Offset)]) -> Result<(), KafkaError> {
        if starts.is_empty() {
            return Ok(());
        }
        let assigned = self.client.consumer.incremental_assign(&offset_list(starts)?);
        assigned.map_err(|error| KafkaError::of_library("assign partitions", &topics_of(starts), &error))
    }

    /// Takes partitions off the library's assignment; those that it does not have are left alone.
    fn detach(&self, partitions: &[StreamPartition]) -> Result<(), KafkaError> {
        let assigned = self.client.consumer.assignment();
        let assigned = assigned.map_err(|error| KafkaError::of_library("read the assignment", "", &error))?;
        let assigned: Vec<(StreamPartition, Offset)> = partitions
            .iter()
            .filter(|partition| assigned.find_partition(&partition.topic, partition.partition).is_some())
            .map(|partition| (partition.clone(), Offset(0)))
            .collect();
        if assigned.is_empty() {
            return Ok(());
        }
        let unassigned = self.client.consumer.incremental_unassign(&offset_list(&assigned)?);
        unassigned.map_err(|error| KafkaError::of_library("unassign partitions", &topics_of(&assigned), &error))
    }
}

fn take_client_events(
    client_events: &ClientEvents,
    expected: &BTreeMap<Arc<str>, TopicId>,
    partitions: &mut PartitionMap<Reading>,
    events: &mut Vec<StreamEvent>,
) {
    while let Some(event) = client_events.next() {
        events.push(match event {
            ClientEvent::Error { code, detail } => {
                StreamEvent::Trouble { partition: None, kind: Trouble::of(code), detail }
            }
            ClientEvent::CommitFailed { code } => StreamEvent::CommitFailed { detail: code.to_string() },
            ClientEvent::TokenWanted => StreamEvent::TokenWanted,
            ClientEvent::TopicIs { topic, id: found } => {
                let Some((topic, expected)) = expected.get_key_value(topic.as_str()) else { continue };
                if *expected == found {
                    continue;
                }
                for (partition, reading) in partitions.iter_mut() {
                    if partition.topic == *topic && reading.state == State::Active {
                        reading.state = State::Paused;
                    }
                }
                StreamEvent::AnotherTopic { topic: topic.clone(), found }
            }
        });
    }
}

/// Where the partition's position is kept, when the record is the next one there.
fn due<'a>(
    partitions: &'a mut PartitionMap<Reading>,
    record: &RecordView<'_>,
) -> Option<(&'a StreamPartition, &'a mut Offset)> {
    let place = partitions.find(record.topic(), record.partition())?;
    let (partition, reading) = partitions.at(place);
    // Records that come again, and those behind a stop, are not due.
    (reading.state == State::Active && record.offset() >= reading.next).then_some((partition, &mut reading.next))
}

fn note(partitions: &mut PartitionMap<Reading>, error: &PartitionError<'_>) -> Option<StreamEvent> {
    let Some((topic, number)) = error.partition else {
        let kind = Trouble::of(error.code);
        return Some(StreamEvent::Trouble { partition: None, kind, detail: error.detail() });
    };
    let place = partitions.find(topic, number)?;
    let (partition, reading) = partitions.at(place);
    if reading.state != State::Active {
        return None;
    }
    let partition = partition.clone();
    Some(match PartitionFate::of(error.code) {
        PartitionFate::End => {
            reading.next = reading.next.max(error.offset.unwrap_or(reading.next));
            StreamEvent::EndReached { partition, next: reading.next }
        }
        PartitionFate::Stop(reason) => {
            reading.state = State::Stopped;
            StreamEvent::Stopped { partition, next: reading.next, reason, detail: error.detail() }
        }
        PartitionFate::Retried(kind) => {
            StreamEvent::Trouble { partition: Some(partition), kind, detail: error.detail() }
        }
    })
}
