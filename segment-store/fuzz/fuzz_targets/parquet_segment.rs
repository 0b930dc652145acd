#![no_main]
//! parquet-rs panics on damaged files, which the digest keeps from it: its panics are passed over, ours are not.

use std::panic::{self, PanicHookInfo};
use std::process;

use henge_segment_store::fuzzing::{Reach, parquet_segment};

/// Where panics count: our own code.
const OURS: [&str; 2] = ["segment-store/", "indexing/"];

fn is_ours(panic: &PanicHookInfo<'_>) -> bool {
    let file = panic.location().map_or("", |location| location.file());
    OURS.iter().any(|ours| file.contains(ours)) && !file.contains(".cargo/")
}

libfuzzer_sys::fuzz_target!(
    init: {
        let abort = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if is_ours(panic) {
                abort(panic);
                process::abort();
            }
        }));
    },
    |bytes: &[u8]| {
        let _ = panic::catch_unwind(|| parquet_segment(bytes, Reach::Part));
    }
);
