//! Manifest records and snapshots of any bytes: as they are, and with the header that makes them whole.

use crate::error::StoreError;
use crate::manifest::{Change, ManifestRecord, ManifestState, decode_checked, encode_checked};
use crate::time::TimestampMs;

/// Reads bytes as a record, and each of their lines as the body of a record that follows the ones before.
pub fn manifest_record(bytes: &[u8]) -> bool {
    let mut is_accepted = ManifestRecord::decode(bytes).is_ok();
    let mut state = ManifestState::default();
    for body in bytes.split(|&byte| byte == b'\n') {
        let Ok((record, digest)) = ManifestRecord::decode(&with_header(body)) else { continue };
        let (encoded, _) = record.encode();
        assert_eq!(ManifestRecord::decode(&encoded).map(|(read, _)| read), Ok(record.clone()));
        is_accepted |= state.apply(&record, digest).is_ok();
    }
    read_state(state);
    is_accepted
}

/// Reads bytes as a snapshot, and as the body of one.
pub fn manifest_snapshot(bytes: &[u8]) -> bool {
    let raw = decode_checked::<ManifestState>(bytes);
    let repaired = decode_checked::<ManifestState>(&with_header(bytes));
    [raw, repaired].into_iter().flatten().map(|(state, _)| read_state(state)).count() > 0
}

/// The bytes as the body of an object whose length and digest are right.
fn with_header(body: &[u8]) -> Vec<u8> {
    let digest = blake3::hash(body).to_hex();
    let header = format!(r#"{{"format":1,"length":{},"blake3":"{digest}"}}"#, body.len());
    [header.as_bytes(), b"\n", body].concat()
}

/// A state comes back from its snapshot, and every change of what it knows is applied or refused.
fn read_state(mut state: ManifestState) {
    let (encoded, _) = encode_checked(&state);
    assert_eq!(decode_checked::<ManifestState>(&encoded).map(|(read, _)| read), Ok(state.clone()));
    for (data_source, known) in state.data_sources.clone() {
        let segments = known.segments.keys().take(2).cloned().collect();
        let rules = known.retention_rules().cloned().collect();
        let upkeep = known.upkeep.clone();
        let supervisor = Change::PutSupervisor {
            data_source: data_source.clone(),
            schema: known.schema.clone(),
            spec: serde_json::Value::Null,
            suspended: false,
            upkeep,
        };
        let changes = [
            supervisor,
            Change::SetRules { data_source: data_source.clone(), rules },
            Change::Retire { data_source: data_source.clone(), segments, reason: String::new() },
            Change::Reset { data_source, reason: String::new() },
        ];
        for change in changes {
            let _ = follow(&mut state, change);
        }
    }
}

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
    let (_, digest) = record.encode();
    state.apply(&record, digest)
}
