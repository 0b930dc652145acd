//! CPU per event of the same path without Kafka: decode, append, freeze, sort, encode and publish, in this process.

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, ensure};
use henge_ingest::decode::KafkaRecord;
use henge_ingest::decode::json::JsonDecoder;
use henge_ingest::fleet::event::Fleet;
use henge_ingest::spec::SupervisorSpec;
use henge_segment_store::data_source::{DataSource, OpenStats};
use henge_segment_store::event::EventRow;
use henge_segment_store::store::{Store, StoreOptions};
use henge_segment_store::time::TimestampMs;
use henge_segment_store::upkeep::UpkeepPolicy;
use tokio::runtime::Runtime;

use super::load::{self, Rows};
use crate::{cpu, publishing};

/// Events decoded before the clock stands still once: holding all of a long run in memory would measure the memory.
pub const EVENTS_AT_ONCE: u64 = 100_000;
/// Events of a cut, about as many as are open when the load from the broker cuts.
const CUT_EVENTS: u64 = 500_000;
/// As the appender hands them over.
const ROWS_AT_ONCE: usize = 256;

/// User and system time per event, publishing included, in us. Every `poison_every`th record is none, 0 for none of them.
pub fn cpu_us(fleet: &Fleet, events: u64, rows: Rows, poison_every: u64) -> anyhow::Result<f64> {
    let mut replay = Replay::new(rows)?;
    let mut seconds = 0.0;
    let (mut batch, mut refused) = (Batch::default(), 0);
    for first in (0..events).step_by(EVENTS_AT_ONCE as usize) {
        batch.write(fleet, first..events.min(first + EVENTS_AT_ONCE), poison_every);
        let is_cut = (first + EVENTS_AT_ONCE).is_multiple_of(CUT_EVENTS) || first + EVENTS_AT_ONCE >= events;
        let (refused_now, spent) = cpu::seconds_of(|| replay.take(&batch, is_cut))?;
        (refused, seconds) = (refused + refused_now, seconds + spent);
    }
    let poison = if poison_every > 0 { events.div_ceil(poison_every) } else { 0 };
    ensure!(refused == poison, "{refused} of {poison} poison records were refused");
    let published: u64 = replay.data_source.published().iter().map(|segment| segment.events).sum();
    ensure!(published == events, "{published} of {events} events are published");
    Ok(seconds * 1e6 / events as f64)
}

/// Records one after the other, and where each ends.
#[derive(Default)]
pub struct Batch {
    records: Vec<u8>,
    ends: Vec<usize>,
}

impl Batch {
    /// Holds the events of these rows, and nothing of what it held before.
    pub fn write(&mut self, fleet: &Fleet, rows: Range<u64>, poison_every: u64) {
        let Self { records, ends } = self;
        records.clear();
        ends.clear();
        for row in rows {
            if poison_every > 0 && row % poison_every == 0 {
                records.extend_from_slice(format!("{{\"timestamp\":{row},\"metric\":\"m{row}\",").as_bytes());
                ends.push(records.len());
            }
            fleet.event(row).write_json(TimestampMs(load::time_of(row)), records);
            ends.push(records.len());
        }
    }
}

/// The path of a record without a broker.
pub struct Replay {
    store: Arc<Store>,
    data_source: Arc<DataSource>,
    decoder: JsonDecoder,
    rows: Vec<EventRow>,
    runtime: Runtime,
    _dir: tempfile::TempDir,
}

impl Replay {
    pub fn new(rows: Rows) -> anyhow::Result<Self> {
        let config: toml::Table = load::config("127.0.0.1:1", load::TOPIC, "1h", rows).parse()?;
        let spec = serde_json::to_value(&config["datasource"]["events"])?;
        let spec = SupervisorSpec::from_short_form("events", &spec)?;
        let dir = tempfile::tempdir()?;
        let runtime = Runtime::new()?;
        let store = runtime.block_on(Store::open(StoreOptions::local(dir.path())))?;
        let (name, policy) = (spec.data_source.clone(), UpkeepPolicy::default());
        runtime.block_on(store.put_supervisor(&name, spec.schema.clone(), spec.to_json(), true, policy))?;
        let data_source = store.data_source(name.as_str()).context("the datasource was just created")?;
        let row = EventRow::new(spec.schema.dimensions.len(), spec.schema.measures.len());
        let decoder = JsonDecoder::new(&spec);
        Ok(Self { store, data_source, decoder, rows: vec![row; ROWS_AT_ONCE], runtime, _dir: dir })
    }

    /// Decodes and appends records, publishes if asked to, and returns how many were refused.
    pub fn take(&mut self, batch: &Batch, is_cut: bool) -> anyhow::Result<u64> {
        let Batch { records, ends } = batch;
        let (mut start, mut filled, mut refused) = (0, 0, 0);
        for (offset, &end) in (0..).zip(ends) {
            let record = KafkaRecord {
                topic: load::TOPIC,
                partition: 0,
                offset,
                timestamp: None,
                key: None,
                headers: &[],
                payload: Some(&records[start..end]),
            };
            start = end;
            match self.decoder.decode(&record, &mut self.rows[filled]) {
                Ok(()) => filled += 1,
                Err(_) => refused += 1,
            }
            if filled == ROWS_AT_ONCE {
                self.data_source.append(&self.rows);
                filled = 0;
            }
        }
        self.data_source.append(&self.rows[..filled]);
        if is_cut {
            publishing::publish_open(&self.runtime, &self.store, &self.data_source)?;
        }
        Ok(refused)
    }

    pub fn open_stats(&self) -> OpenStats {
        self.data_source.open_stats()
    }
}
