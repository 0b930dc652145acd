//! The lanes of one datasource: each partition belongs to one of them, and a cut takes all of them at one moment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;

use henge_segment_store::data_source::{DataSource, LANES_MAX};
use henge_segment_store::ledger::{Gap, LedgerCounts, RefusedSample};
use henge_segment_store::store::Consumed;
use henge_segment_store::stream::{Offset, StreamPartition, TopicId};
use henge_segment_store::time::TimestampMs;

use crate::appender::{Appender, PartitionProgress, Totals};
use crate::kafka::client::StreamClient;
use crate::kafka::error::KafkaError;
use crate::kafka::event::{StreamEvent, Trouble};
use crate::kafka::news::ClientNews;
use crate::kafka::reader::StreamReader;
use crate::lane::{Gate, Lane, LaneState};
use crate::partition_map::PartitionMap;
use crate::spec::SupervisorSpec;

/// All threads that read for one session. They end when this is dropped.
pub struct Lanes {
    spec: SupervisorSpec,
    data_source: Arc<DataSource>,
    client: StreamClient,
    news: Arc<Mutex<ClientNews>>,
    gate: Arc<Gate>,
    lanes: Vec<Lane>,
    lanes_max: usize,
    /// Which lane has a partition.
    places: PartitionMap<usize>,
}

/// What all lanes together read since the start.
#[derive(Debug, Default)]
pub struct LanesProgress {
    pub partitions: BTreeMap<StreamPartition, PartitionProgress>,
    pub totals: Totals,
    pub counts: LedgerCounts,
    /// Records that were refused since the last cut.
    pub refused: RefusedSample,
    /// When the newest gap was found that is not published.
    pub gap_found_at: Option<TimestampMs>,
}

/// What the lanes have to tell.
#[derive(Debug, Default)]
pub struct LanesNews {
    pub events: Vec<StreamEvent>,
    /// Topics that may be other ones than before.
    pub suspects: Vec<Arc<str>>,
    /// Whether anything has arrived.
    pub has_read: bool,
}

impl Lanes {
    /// None yet: they start as partitions are begun, as many as there are `cores`, and no more than a datasource has.
    pub fn new(
        spec: &SupervisorSpec,
        data_source: Arc<DataSource>,
        client: StreamClient,
        cores: usize,
    ) -> Result<Self, KafkaError> {
        let news = Arc::new(Mutex::new(ClientNews::new(&client)?));
        Ok(Self {
            spec: spec.clone(),
            data_source,
            client,
            news,
            gate: Arc::default(),
            lanes: Vec::new(),
            lanes_max: cores.clamp(1, LANES_MAX),
            places: PartitionMap::default(),
        })
    }

    /// Takes records of this name only from the topic with this id.
    pub fn expect_topic(&self, topic: Arc<str>, id: TopicId) {
        self.news.lock().expect(NO_PANIC).expect_topic(topic, id);
    }

    /// Begins a partition, behind a gap where there is one. It is read once it is [assigned](Self::assign).
    pub fn begin(
        &mut self,
        partition: StreamPartition,
        topic_id: Option<TopicId>,
        start: Offset,
        gap: Option<Gap>,
    ) -> Result<(), KafkaError> {
        let lane = match self.places.get(&partition) {
            Some(lane) => *lane,
            None => self.choose_lane()?,
        };
        self.lanes[lane].state().appender.begin(partition.clone(), topic_id, start, gap);
        self.places.insert(partition, lane);
        Ok(())
    }

    /// A new lane while there are cores, then the one with the fewest partitions.
    fn choose_lane(&mut self) -> Result<usize, KafkaError> {
        if self.lanes.len() < self.lanes_max {
            self.start_lane()?;
            return Ok(self.lanes.len() - 1);
        }
        let load = |lane: &usize| self.places.iter().filter(|(_, place)| *place == lane).count();
        Ok((0..self.lanes.len()).min_by_key(load).expect("at least one lane was started"))
    }

    fn start_lane(&mut self) -> Result<(), KafkaError> {
        let number = self.lanes.len();
        let (reader, arrivals) = StreamReader::new(self.client.clone(), self.news.clone())?;
        let state = LaneState {
            reader,
            appender: Appender::new(&self.spec, self.data_source.clone(), number),
            events: Vec::new(),
            suspects: Vec::new(),
            has_read: false,
        };
        let name = format!("lane{number}-{}", self.data_source.name());
        self.lanes.push(Lane::start(name, state, arrivals, self.gate.clone(), thread::current()));
        Ok(())
    }

    /// Reads begun partitions from these offsets.
    pub fn assign(&self, starts: &[(StreamPartition, Offset)]) -> Result<(), KafkaError> {
        for (number, lane) in self.lanes.iter().enumerate() {
            let own = starts.iter().filter(|(partition, _)| self.places.get(partition) == Some(&number));
            let own: Vec<(StreamPartition, Offset)> = own.cloned().collect();
            lane.state().reader.assign(&own)?;
        }
        Ok(())
    }

    /// Stops reading these partitions.
    pub fn pause(&self, partitions: &[StreamPartition]) -> Result<(), KafkaError> {
        self.lanes.iter().try_for_each(|lane| lane.state().reader.pause(partitions))
    }

    /// Lets all lanes read, or makes them wait.
    pub fn set_reading(&self, is_reading: bool) {
        self.gate.set_open(is_reading);
    }

    /// Whether a partition was begun.
    pub fn reads(&self, partition: &StreamPartition) -> bool {
        self.places.contains(partition)
    }

    /// The next offset of each partition of a topic.
    pub fn positions(&self, topic: &str) -> Vec<(StreamPartition, Offset)> {
        let own = |(partition, next): (&StreamPartition, Offset)| {
            (*partition.topic == *topic).then(|| (partition.clone(), next))
        };
        self.lanes
            .iter()
            .flat_map(|lane| lane.state().appender.positions().filter_map(own).collect::<Vec<_>>())
            .collect()
    }

    /// Whether a cut has something to publish.
    pub fn has_unpublished(&self) -> bool {
        self.lanes.iter().any(|lane| lane.state().appender.has_unpublished())
    }

    /// Hands everything that was read since the last cut to `freeze`, while no lane appends: what it freezes are the rows
    /// of just these offsets.
    pub fn cut<T>(&self, generation: u32, freeze: impl FnOnce(Consumed) -> T) -> T {
        let mut states: Vec<_> = self.lanes.iter().map(Lane::state).collect();
        let mut all = Consumed { generation, ..Consumed::default() };
        for state in &mut states {
            let Consumed { ranges, refused, gaps, .. } = state.appender.take_consumed(generation);
            all.ranges.extend(ranges);
            all.gaps.extend(gaps);
            refused.records().iter().for_each(|record| all.refused.push(record.clone()));
        }
        freeze(all)
    }

    /// What was read until now.
    pub fn progress(&self) -> LanesProgress {
        let mut progress = LanesProgress::default();
        for lane in &self.lanes {
            let state = lane.state();
            let own = state.appender.progress().map(|(partition, own)| (partition.clone(), own));
            progress.partitions.extend(own);
            progress.gap_found_at = progress.gap_found_at.max(state.appender.gap_found_at());
            progress.totals.add(state.appender.totals());
            progress.counts.add(state.appender.counts());
            state.appender.refused().records().iter().for_each(|record| progress.refused.push(record.clone()));
        }
        progress
    }

    /// What happened since the last call.
    pub fn take_news(&self) -> LanesNews {
        let mut news = LanesNews { events: self.news.lock().expect(NO_PANIC).take(), ..LanesNews::default() };
        for lane in &self.lanes {
            let mut state = lane.state();
            state.reader.collect_again();
            news.events.append(&mut state.events);
            // While the lane is held: not a record of them is taken before the session has looked into it.
            for topic in std::mem::take(&mut state.suspects) {
                if let Err(error) = state.reader.pause_topic(&topic) {
                    let (kind, detail) = (Trouble::Other, error.to_string());
                    news.events.push(StreamEvent::Trouble { partition: None, kind, detail });
                }
                news.suspects.push(topic);
            }
            news.has_read |= std::mem::take(&mut state.has_read);
        }
        news
    }

    /// Ends all threads; what they have read can still be cut.
    pub fn end(&mut self) {
        self.gate.end();
        self.lanes.iter_mut().for_each(Lane::join);
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.end();
    }
}

const NO_PANIC: &str = "no code panics while it holds the news";

#[cfg(test)]
mod tests;
