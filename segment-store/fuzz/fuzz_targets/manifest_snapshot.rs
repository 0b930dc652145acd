#![no_main]

use henge_segment_store::fuzzing::{Reach, manifest_snapshot};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    henge_indexing_fuzz::within_limits(bytes, |bytes| manifest_snapshot(bytes, Reach::Part));
});
