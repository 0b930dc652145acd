#![no_main]

use henge_segment_store::fuzzing::{Reach, manifest_record};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    henge_indexing_fuzz::within_limits(bytes, |bytes| manifest_record(bytes, Reach::Part));
});
