//! Reading from Kafka: on the in-process mock cluster what it can show, on a real broker everything else.

mod connection;
mod on_mock;
mod partitions;
mod transactions;

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use henge_ingest::kafka::RecordView;
use henge_ingest::kafka::client::StreamClient;
use henge_ingest::kafka::error::KafkaError;
use henge_ingest::kafka::event::StreamEvent;
use henge_ingest::kafka::news::ClientNews;
use henge_ingest::kafka::reader::{Arrivals, StreamReader};
use henge_ingest::kafka::topic::TopicDescription;
use henge_ingest::test_support::PATIENCE;
use henge_segment_store::stream::{Offset, StreamPartition};

/// A reader with the thread's part and the client's news, as a lane has them.
struct Reader {
    arrivals: Arrivals,
    reader: StreamReader,
    news: Arc<Mutex<ClientNews>>,
}

/// What one call to [`Reader::poll_batch`] brought.
struct Polled {
    /// Records handed over.
    records: usize,
    events: Vec<StreamEvent>,
}

impl Reader {
    fn of(client: &StreamClient) -> Self {
        let news = Arc::new(Mutex::new(ClientNews::new(client).expect("a client has its news once")));
        let (reader, arrivals) = StreamReader::new(client.clone(), news.clone()).expect("a client has readers");
        Self { arrivals, reader, news }
    }

    fn poll_batch(
        &mut self,
        max_records: usize,
        timeout: Duration,
        mut on_record: impl FnMut(&StreamPartition, RecordView<'_>),
    ) -> Polled {
        let mut polled = Polled { records: 0, events: self.news.lock().expect("nobody panics").take() };
        let (mut is_first, reader) = (true, &mut self.reader);
        reader.collect_again();
        self.arrivals.take(max_records, timeout, |arrival| {
            if std::mem::take(&mut is_first) {
                reader.begin_batch();
            }
            polled.events.extend(reader.take(&arrival, |partition, record| {
                on_record(partition, record);
                polled.records += 1;
            }));
        });
        for event in &polled.events {
            if let StreamEvent::Stopped { partition, .. } = event {
                reader.pause(std::slice::from_ref(partition)).expect("a stopped partition can be paused");
            }
        }
        polled
    }
}

impl Deref for Reader {
    type Target = StreamReader;

    fn deref(&self) -> &StreamReader {
        &self.reader
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut StreamReader {
        &mut self.reader
    }
}

/// A reader of these partitions from these offsets.
fn reader(properties: &[(String, String)], topic: &str, starts: &[(i32, i64)]) -> Reader {
    let client = StreamClient::new("test", properties).expect("the properties make a client");
    let mut reader = Reader::of(&client);
    reader.assign(&places(topic, starts)).expect("partitions can be assigned");
    reader
}

fn stream(topic: &str, partition: i32) -> StreamPartition {
    StreamPartition { topic: topic.into(), partition }
}

/// Offsets in partitions of a topic.
fn places(topic: &str, offsets: &[(i32, i64)]) -> Vec<(StreamPartition, Offset)> {
    offsets.iter().map(|(partition, next)| (stream(topic, *partition), Offset(*next))).collect()
}

/// What the broker says of one topic.
fn describe(client: &StreamClient, topic: &str) -> Result<TopicDescription, KafkaError> {
    client.describe_topics(&[topic.into()], PATIENCE)?.remove(0)
}

/// Polls until an event is as wanted; panics when it does not come. Records and other events go to the caller.
fn poll_until(
    reader: &mut Reader,
    mut on_record: impl FnMut(&StreamPartition, RecordView<'_>),
    mut is_wanted: impl FnMut(&StreamEvent) -> bool,
) -> StreamEvent {
    let deadline = Instant::now() + PATIENCE;
    let mut others = Vec::new();
    loop {
        let polled = reader.poll_batch(1_000, Duration::from_millis(200), &mut on_record);
        for event in polled.events {
            if is_wanted(&event) {
                return event;
            }
            others.push(event);
        }
        assert!(Instant::now() < deadline, "the event did not come, but {others:?}");
    }
}

/// `(partition, offset, payload)` of every record of the one topic that is read, until each assigned partition is at `ends`.
fn read_to(reader: &mut Reader, ends: &[(i32, i64)]) -> Vec<(i32, i64, String)> {
    let deadline = Instant::now() + PATIENCE;
    let mut records = Vec::new();
    let is_at = |reader: &Reader, (partition, end): &(i32, i64)| {
        let mut own = reader.positions().filter(|(assigned, _)| assigned.partition == *partition);
        own.any(|(_, next)| next >= Offset(*end))
    };
    while !ends.iter().all(|end| is_at(reader, end)) {
        let polled = reader.poll_batch(1_000, Duration::from_millis(200), |_, record| {
            let payload = record.payload().map_or("(null)".into(), String::from_utf8_lossy);
            records.push((record.partition(), record.offset().0, payload.into_owned()));
        });
        let positions: Vec<(&StreamPartition, Offset)> = reader.positions().collect();
        assert!(Instant::now() < deadline, "still at {positions:?}, last {:?}", polled.events);
    }
    records
}

fn payloads(range: std::ops::Range<i64>) -> Vec<String> {
    range.map(|number| format!("event-{number}")).collect()
}

/// The records that [`payloads`] make when they lie in `partition` one after the other from offset `range.start`.
fn records(partition: i32, range: std::ops::Range<i64>) -> Vec<(i32, i64, String)> {
    range.map(|offset| (partition, offset, format!("event-{offset}"))).collect()
}
