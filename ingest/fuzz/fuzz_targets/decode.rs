#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    henge_indexing_fuzz::within_limits(bytes, henge_ingest::fuzzing::decode);
});
