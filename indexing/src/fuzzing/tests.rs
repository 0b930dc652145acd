//! Replays the corpus.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::packed::Kind;
use super::*;
use crate::{BLOCK_ROWS, Dictionary, PackedCodes, PackedDoubles};

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
    corpus().damage(&seeds::all(), 64);
}

#[test]
fn the_corpus_has_a_file_for_every_seed() {
    corpus().hold(&seeds::all());
}

#[test]
fn buckets_of_a_dictionary_that_overlap_are_refused() {
    let values: Vec<String> = (0..50).map(|number| format!("value-{number}")).collect();
    let mut values: Vec<&[u8]> = values.iter().map(String::as_bytes).collect();
    values.sort_unstable();
    let mut bytes = Dictionary::encode(values);
    assert!(Dictionary::decode(bytes.clone().into()).is_ok());
    let starts = 1 + 4 + 4;
    bytes[starts + 2 * 4..][..4].fill(0);
    assert!(Dictionary::decode(bytes.into()).is_err());
}

/// A column each second block of which is `block`, which takes long to read unless its reader stops with the rows.
fn overlapping(kind: Kind, block: &[u8]) -> Bytes {
    let ends: Vec<u32> = (0..20_000).map(|number| if number % 2 == 0 { block.len() as u32 } else { 0 }).collect();
    packed::column_of(kind, ends.len() as u32 * BLOCK_ROWS as u32, &ends, block).into()
}

#[test]
fn blocks_that_overlap_take_no_longer_than_their_rows() {
    let one_wide_gap = [&[0, 0x80, 0, 1, 1][..], &[u8::MAX; 100_000]].concat();
    let codes = PackedCodes::decode(overlapping(Kind::Codes, &one_wide_gap)).unwrap();
    let all_exceptions = [&[1; 10][..], &[0; 2 + 100_000]].concat();
    let doubles = PackedDoubles::decode(overlapping(Kind::Doubles, &all_exceptions)).unwrap();
    let started = Instant::now();
    for block in 0..codes.block_count() {
        codes.unpack(block, &mut [0; BLOCK_ROWS]);
        doubles.unpack(block, &mut [0.0; BLOCK_ROWS]);
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
