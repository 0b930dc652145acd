//! Reads partitions of topics from the offsets that we choose.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use henge_segment_store::stream::{Offset, StreamPartition};
use rdkafka::consumer::Consumer;

use super::client::{StreamClient, c_name, offset_list, topics_of};
use super::error::KafkaError;
use super::event::{PartitionFate, StreamEvent};
use super::native::batch::{BatchQueue, Message, PartitionError};
use super::native::queue::Queue;
use super::native::record::RecordView;
use super::news::ClientNews;
use crate::partition_map::PartitionMap;

/// An assigned partition's queue is pointed to its reader until it brings something, and at least for this time.
const COLLECT_MIN: Duration = Duration::from_secs(2);

/// Where the records of one reader arrive; for the thread that takes them.
pub struct Arrivals(BatchQueue);

/// A record, or what happened in its place.
pub struct Arrival<'a>(Message<'a>);

impl Arrivals {
    /// Hands over at most `max` arrivals, in the order of their offsets within each partition, and says how many there were.
    /// Returns as soon as there is one, and after `timeout` in any case.
    pub fn take(&mut self, max: usize, timeout: Duration, mut each: impl FnMut(Arrival<'_>)) -> usize {
        self.0.take(max, timeout, |message| each(Arrival(message)))
    }
}

/// Reads partitions that are assigned by hand. One client may have several readers, of different partitions.
///
/// It keeps its own position for each partition: the library's is one too far after an end-of-partition or an error in
/// a batch, so that pausing there would skip a record.
pub struct StreamReader {
    client: StreamClient,
    news: Arc<Mutex<ClientNews>>,
    queue: Arc<Queue>,
    partitions: PartitionMap<Reading>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading {
    next: Offset,
    state: State,
    /// While it is not sure yet that the partition's records arrive here: since when, and whether something has.
    collecting: Option<(Instant, bool)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Active,
    Paused,
    Stopped,
}

impl Reading {
    fn begin(next: Offset) -> Self {
        Self { next, state: State::Active, collecting: Some((Instant::now(), false)) }
    }

    fn heard(&mut self) {
        if let Some((_, has_arrived)) = &mut self.collecting {
            *has_arrived = true;
        }
    }
}

impl StreamReader {
    /// A reader of nothing yet, and where its records will arrive.
    pub fn new(client: StreamClient, news: Arc<Mutex<ClientNews>>) -> Result<(Self, Arrivals), KafkaError> {
        let no_queue = || KafkaError::Client { detail: "the consumer has no queue".to_owned() };
        let queue = Arc::new(Queue::new(&client.consumer).ok_or_else(no_queue)?);
        let arrivals = Arrivals(BatchQueue::new(queue.clone()));
        Ok((Self { client, news, queue, partitions: PartitionMap::default() }, arrivals))
    }

    pub fn client(&self) -> &StreamClient {
        &self.client
    }

    /// Reads these partitions from these offsets, beside those already assigned. A partition that is assigned already
    /// is moved to its new offset; this also starts one that was stopped or paused.
    pub fn assign(&mut self, starts: &[(StreamPartition, Offset)]) -> Result<(), KafkaError> {
        let known: Vec<StreamPartition> = starts.iter().map(|(partition, _)| partition.clone()).collect();
        self.detach(&known)?;
        self.attach(starts)?;
        for (partition, next) in starts {
            self.partitions.insert(partition.clone(), Reading::begin(*next));
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
        self.hold(|partition| partitions.contains(partition));
        self.detach(partitions)
    }

    /// As [`pause`](Self::pause) for the partitions of one topic.
    pub fn pause_topic(&mut self, topic: &str) -> Result<(), KafkaError> {
        let own = self.partitions.iter().map(|(partition, _)| partition).filter(|partition| *partition.topic == *topic);
        self.pause(&Vec::from_iter(own.cloned()))
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
        starts
            .iter()
            .for_each(|(partition, next)| _ = self.partitions.insert(partition.clone(), Reading::begin(*next)));
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

    /// To be called when a batch is here, before anything of it is [taken](Self::take): what the client has not told by
    /// then, was fetched from the expected topics.
    pub fn begin_batch(&mut self) {
        let news = self.news.clone();
        let mut news = news.lock().expect("no code panics while it holds the news");
        news.listen();
        if news.has_replaced() {
            self.hold(|partition| news.is_replaced(&partition.topic));
        }
    }

    /// Hands over the record, if it is the next one of its partition; or returns what else arrived. A partition that has
    /// [stopped](StreamEvent::Stopped) is to be [paused](Self::pause), so that it is not fetched on.
    pub fn take(
        &mut self,
        arrival: &Arrival<'_>,
        on_record: impl FnOnce(&StreamPartition, RecordView<'_>),
    ) -> Option<StreamEvent> {
        match &arrival.0 {
            Message::Record(record) => {
                if let Some((partition, next)) = due(&mut self.partitions, record) {
                    on_record(partition, *record);
                    *next = Offset(record.offset().0 + 1);
                }
                None
            }
            Message::Error(error) => note(&mut self.partitions, error),
        }
    }

    /// Sees to it that what the partitions bring arrives here, also if the client had to stop fetching one before it could
    /// start again. To be called now and then.
    pub fn collect_again(&mut self) {
        for (partition, reading) in self.partitions.iter_mut() {
            let Some((since, has_arrived)) = reading.collecting else { continue };
            if has_arrived && since.elapsed() >= COLLECT_MIN {
                reading.collecting = None;
            }
            if let Ok(topic) = c_name(&partition.topic) {
                self.queue.collect(&topic, partition.partition);
            }
        }
    }

    fn hold(&mut self, is_held: impl Fn(&StreamPartition) -> bool) {
        for (partition, reading) in self.partitions.iter_mut() {
            if reading.state == State::Active && is_held(partition) {
                reading.state = State::Paused;
            }
        }
    }

    fn attach(&self, starts: &[(StreamPartition, Offset)]) -> Result<(), KafkaError> {
        if starts.is_empty() {
            return Ok(());
        }
        for (partition, _) in starts {
            self.queue.collect(&c_name(&partition.topic)?, partition.partition);
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

/// Where the partition's position is kept, when the record is the next one there.
fn due<'a>(
    partitions: &'a mut PartitionMap<Reading>,
    record: &RecordView<'_>,
) -> Option<(&'a StreamPartition, &'a mut Offset)> {
    let place = partitions.find(record.topic(), record.partition())?;
    let (partition, reading) = partitions.at(place);
    reading.heard();
    // Records that come again, and those behind a stop, are not due.
    (reading.state == State::Active && record.offset() >= reading.next).then_some((partition, &mut reading.next))
}

fn note(partitions: &mut PartitionMap<Reading>, error: &PartitionError<'_>) -> Option<StreamEvent> {
    let (topic, number) = error.partition?;
    let place = partitions.find(topic, number)?;
    let (partition, reading) = partitions.at(place);
    reading.heard();
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

#[cfg(test)]
mod tests;
