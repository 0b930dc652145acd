//! Manifest records and snapshots of any bytes: as they are, and as what a header makes whole.

use super::Reach;
use crate::error::StoreError;
use crate::manifest::{Change, DataSourceState, ManifestRecord, ManifestState, decode_checked, encode_checked};
use crate::schema::DataSourceName;
use crate::time::TimestampMs;

/// Reads bytes as a record, and each of their lines as the body of a record that follows the ones before.
pub fn manifest_record(bytes: &[u8], reach: Reach) -> bool {
    let mut is_accepted = ManifestRecord::decode(bytes).is_ok();
    let mut state = ManifestState::default();
    let lines = || bytes.split(|&byte| byte == b'\n');
    let written = reach.parts(bytes, lines().count());
    for (line, body) in lines().enumerate() {
        let Ok(record) = serde_json::from_slice::<ManifestRecord>(body) else { continue };
        if written.contains(&line) {
            let (encoded, _) = record.encode();
            assert_eq!(ManifestRecord::decode(&encoded).as_ref().map(|(read, _)| read), Ok(&record));
        }
        is_accepted |= state.apply(&record, digest()).is_ok();
    }
    read_state(state, bytes, reach);
    is_accepted
}

/// Reads bytes as a snapshot, and as the body of one.
pub fn manifest_snapshot(bytes: &[u8], reach: Reach) -> bool {
    let whole = decode_checked::<ManifestState>(bytes).ok().map(|(state, _)| state);
    let body = serde_json::from_slice::<ManifestState>(bytes).ok();
    let read = whole.into_iter().chain(body);
    read.map(|state| read_state(state, bytes, reach)).count() > 0
}

/// In place of the digest of a record, of which nothing is compared here.
fn digest() -> String {
    "digest".to_owned()
}

/// A state comes back from its snapshot, and every change of what it knows is applied or refused.
fn read_state(mut state: ManifestState, bytes: &[u8], reach: Reach) {
    let names: Vec<DataSourceName> = state.data_sources.keys().cloned().collect();
    for part in reach.parts(bytes, 1 + names.len() * CHANGES.len()) {
        let Some(change) = part.checked_sub(1) else {
            let (encoded, _) = encode_checked(&state);
            assert_eq!(decode_checked::<ManifestState>(&encoded).as_ref().map(|(read, _)| read), Ok(&state));
            continue;
        };
        let name = &names[change / CHANGES.len()];
        let change = CHANGES[change % CHANGES.len()](name, &state.data_sources[name]);
        let _ = follow(&mut state, change);
    }
}

/// Changes of a datasource, of what the state knows about it.
const CHANGES: [fn(&DataSourceName, &DataSourceState) -> Change; 4] = [
    |data_source, known| Change::PutSupervisor {
        data_source: data_source.clone(),
        schema: Box::new(known.schema.clone()),
        spec: serde_json::Value::Null,
        suspended: false,
        upkeep: known.upkeep.clone(),
    },
    |data_source, known| Change::SetRules {
        data_source: data_source.clone(),
        rules: known.retention_rules().cloned().collect(),
    },
    |data_source, known| Change::Retire {
        data_source: data_source.clone(),
        segments: known.segments.keys().take(2).cloned().collect(),
        reason: String::new(),
    },
    |data_source, _| Change::Reset { data_source: data_source.clone(), reason: String::new() },
];

/// Applies a change as the next record.
fn follow(state: &mut ManifestState, change: Change) -> Result<(), StoreError> {
    let record = ManifestRecord {
        number: state.next_number,
        previous: state.last_digest.clone(),
        epoch: state.epoch,
        commit_id: String::new(),
        written_at: TimestampMs(0),
        change,
    };
    state.apply(&record, digest())
}
