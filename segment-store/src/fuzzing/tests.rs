//! Replays the corpus.

use henge_indexing::fuzzing::{Corpus, Seed};

use super::{TARGETS, seeds};

fn corpus() -> Corpus {
    Corpus::of(env!("CARGO_MANIFEST_DIR"), &TARGETS)
}

#[test]
fn every_body_is_fuzzed() {
    corpus().is_fuzzed();
}

#[test]
fn nothing_in_the_corpus_makes_a_reader_panic() {
    corpus().replay();
}

#[test]
fn every_seed_is_taken_for_what_it_is() {
    corpus().take(&seeds::all());
}

#[test]
fn every_seed_cut_short_or_with_a_flipped_bit_is_read_without_panic() {
    // Not Parquet files: parquet-rs panics on damaged ones, and their digest is checked before they are opened.
    let is_ours = |seed: &Seed| seed.target != "parquet_segment";
    corpus().damage(&seeds::all().into_iter().filter(is_ours).collect::<Vec<_>>(), 8);
}

#[test]
fn the_corpus_has_a_file_for_every_seed() {
    corpus().hold(&seeds::all());
}
