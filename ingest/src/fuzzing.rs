//! The body of the fuzz target, which tests replay over the corpus: whatever the records are, the decoder reads them as
//! the reference does, also after others that it learned from.

use std::sync::LazyLock;

use henge_indexing::fuzzing::Body;
use henge_segment_store::event::EventRow;
use henge_segment_store::ledger::Reason;
use serde_json::json;

use crate::decode::json::JsonDecoder;
use crate::decode::{FIELDS_MAX, KafkaRecord, NESTING_MAX, naive};
use crate::spec::SupervisorSpec;

/// The body by the name of its fuzz target and of its folder in the corpus.
pub const TARGETS: [(&str, Body); 1] = [("decode", decode)];

/// Between the records of one input; no JSON text holds it (RFC 7464).
pub const RECORD_SEPARATOR: u8 = 0x1e;

/// A spec with every kind of column, nested and literal paths, and values that go to two columns.
pub static SPEC: LazyLock<SupervisorSpec> = LazyLock::new(|| {
    let spec = json!({
        "topic": "usage",
        "kafka": { "bootstrap.servers": "127.0.0.1:9092" },
        "time": "ts",
        "dimensions": [
            "s",
            { "name": "l", "type": "long" },
            { "name": "d", "type": "double" },
            { "name": "b", "type": "boolean" },
            "user.id",
            { "name": "deep", "type": "long", "from": "a.b.c" },
            { "name": "d_text", "from": "d" },
        ],
        "measures": {
            "events": "count",
            "bytes": { "long_sum": "n" },
            "latency": { "max": "x" },
            "n_max": { "long_max": "n" },
            "n_double": { "max": "n" },
            "texts": { "hll": "s" },
            "longs": { "theta": "l" },
            "ranks": { "quantiles": "x" },
        },
    });
    SupervisorSpec::from_short_form("usage", &spec).expect("a valid spec")
});

/// Decodes the records of one input, each twice, with one decoder; returns whether one became a row.
pub fn decode(bytes: &[u8]) -> bool {
    let mut both = Both::new(&SPEC);
    let outcomes = bytes.split(|byte| *byte == RECORD_SEPARATOR).map(|payload| {
        // The second time it may have the shape that the first one left.
        both.agree(payload) & both.agree(payload)
    });
    outcomes.fold(false, |is_row, one| is_row | one)
}

/// The decoder and the reference, side by side.
pub struct Both<'s> {
    spec: &'s SupervisorSpec,
    decoder: JsonDecoder,
    row: EventRow,
}

impl<'s> Both<'s> {
    pub fn new(spec: &'s SupervisorSpec) -> Self {
        let row = EventRow::new(spec.schema.dimensions.len(), spec.schema.measures.len());
        Self { spec, decoder: JsonDecoder::new(spec), row }
    }

    /// Whether the payload becomes a row. Panics where decoder and reference differ in the row or in the reason for none.
    pub fn agree(&mut self, payload: &[u8]) -> bool {
        let record = KafkaRecord {
            topic: self.spec.topics.as_str(),
            partition: 0,
            offset: 0,
            timestamp: None,
            key: None,
            headers: &[],
            payload: Some(payload),
        };
        let decoded = self.decoder.decode(&record, &mut self.row).map_err(|refusal| refusal.reason);
        let shown = || String::from_utf8_lossy(payload);
        match (decoded, naive::decode(self.spec, payload)) {
            (Ok(()), Ok(expected)) => {
                let difference = naive::difference(&self.row, &expected, self.spec);
                assert_eq!(difference, None, "{}", shown());
                true
            }
            (Ok(()), Err(expected)) => panic!("a row, but refused as {expected}: {}", shown()),
            (Err(reason), expected) => {
                let expected = expected.map(|_| ());
                assert!(
                    expected == Err(reason) || may_be_both(payload, reason, expected),
                    "{reason}, {expected:?}: {}",
                    shown()
                );
                false
            }
        }
    }
}

/// Of two things that are wrong with a record the decoder tells the first, the reference that it is malformed.
fn may_be_both(payload: &[u8], reason: Reason, expected: Result<(), Reason>) -> bool {
    let count = |wanted: &[u8]| payload.iter().filter(|byte| wanted.contains(byte)).count();
    expected == Err(Reason::Malformed)
        && match reason {
            Reason::NestedTooDeep => count(b"{[") > NESTING_MAX,
            Reason::TooManyFields => count(b"\"") > 2 * FIELDS_MAX,
            _ => false,
        }
}

#[cfg(test)]
mod generated;
#[cfg(test)]
mod tests;
