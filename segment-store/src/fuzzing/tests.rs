//! Replays the corpus.

use std::fs;
use std::path::PathBuf;

use super::*;

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(target)
}

fn body(target: &str) -> Body {
    TARGETS.iter().find(|(name, _)| *name == target).expect("a seed's target exists").1
}

#[test]
fn nothing_in_the_corpus_makes_a_reader_panic() {
    for (target, body) in TARGETS {
        let entries = fs::read_dir(folder(target)).expect("each target has a corpus");
        let files: Vec<PathBuf> = entries.map(|entry| entry.expect("the corpus is readable").path()).collect();
        assert!(!files.is_empty(), "the corpus of {target} is empty");
        for file in files {
            println!("{}", file.display());
            body(&fs::read(file).expect("the corpus is readable"));
        }
    }
}

#[test]
fn every_seed_is_taken_for_what_it_is() {
    for seed in seeds::all() {
        assert!(body(seed.target)(&seed.bytes), "{} {}", seed.target, seed.name);
    }
}

#[test]
fn every_seed_cut_short_or_with_a_flipped_bit_is_read_without_panic() {
    // Not Parquet files: parquet-rs panics on damaged ones, and their digest is checked before they are opened.
    for seed in seeds::all().into_iter().filter(|seed| seed.target != "parquet_segment") {
        let body = body(seed.target);
        let step = seed.bytes.len().div_ceil(8).max(1);
        for at in (0..seed.bytes.len()).step_by(step) {
            body(&seed.bytes[..at]);
            let mut damaged = seed.bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            body(&damaged);
        }
    }
}

/// With `WRITE_CORPUS` set, the seeds are written: where an encoding has changed, or a seed is new.
#[test]
fn the_corpus_has_a_file_for_every_seed() {
    for seed in seeds::all() {
        let file = folder(seed.target).join(&seed.name);
        if std::env::var_os("WRITE_CORPUS").is_some() {
            fs::create_dir_all(folder(seed.target)).expect("the corpus is writable");
            fs::write(&file, &seed.bytes).expect("the corpus is writable");
        }
        assert!(file.is_file(), "{} is missing: run this test with WRITE_CORPUS=1", file.display());
    }
}
