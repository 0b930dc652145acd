#![no_main]

use henge_segment_store::fuzzing::{Reach, serving_file};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    henge_indexing_fuzz::within_limits(bytes, |bytes| serving_file(bytes, Reach::Part));
});
