//! The decoder reads what the reference reads, and refuses what it refuses, for the same reason.

use henge_indexing::fuzzing::{Corpus, Seed};

use super::generated::{damaged, record};
use super::*;
use crate::fleet::random::Random;

/// How many generated records are compared: `HENGE_DECODE_RECORDS`, or few.
fn records() -> u64 {
    let given = std::env::var("HENGE_DECODE_RECORDS").ok();
    given.map_or(30_000, |records| records.parse().expect("HENGE_DECODE_RECORDS is a number"))
}

#[test]
fn generated_records_are_decoded_as_by_parse_and_look_up() {
    let (mut both, mut random) = (Both::new(&SPEC), Random(6));
    let rows = (0..records()).filter(|_| both.agree(&record(&mut random))).count() as u64;
    // What is compared are rows and refusals, and not nearly all of either.
    let range = records() / 2..records() * 19 / 20;
    assert!(range.contains(&rows), "{rows} of {} records became rows", records());
}

const RECORDS: [&str; 3] = [
    r#"{"ts":1700000000123,"s":"eu","l":-5,"d":4.25,"b":true,"user.id":"u","n":12,"x":1e3,"u":null}"#,
    r#" { "ts" : "2026-01-01T00:00:00Z", "s":"e\u00e9\ud83d\ude00", "a":{"b":{"c":7}}, "u":[1,{"k":false}] } "#,
    r#"{"s":null,"ts":0,"user":{"id":"x"},"n":"9","b":"false"}"#,
];

#[test]
fn a_record_that_is_damaged_anywhere_is_refused_or_read_as_by_the_reference() {
    for whole in RECORDS {
        let mut both = Both::new(&SPEC);
        // Twice, so that its shape is known where it has one.
        assert!(both.agree(whole.as_bytes()) && both.agree(whole.as_bytes()));
        damaged(whole.as_bytes()).for_each(|payload| _ = both.agree(&payload));
        assert!(both.agree(whole.as_bytes()), "still read after all damaged ones");
    }
}

#[test]
fn records_at_the_limits_agree() {
    let mut both = Both::new(&SPEC);
    let with = |field: String| format!("{{\"ts\":5,{field}}}");
    let nested = |levels: usize| with(format!("\"u\":{}{}", "[".repeat(levels), "]".repeat(levels)));
    let fields = |count: usize| with(vec!["\"u\":1"; count - 1].join(","));
    let string = |bytes: usize| with(format!("\"s\":\"{}\"", "x".repeat(bytes)));
    let padded = |bytes: usize| format!("{{\"ts\":5}}{}", " ".repeat(bytes - 8));
    let cases = [
        (nested(63), true),
        (nested(64), false),
        (fields(2_000), true),
        (fields(2_001), false),
        (string(65_536), true),
        (string(65_537), false),
        (padded(1_048_576), true),
        (padded(1_048_577), false),
    ];
    for (payload, is_row) in cases {
        assert_eq!(both.agree(payload.as_bytes()), is_row, "{} bytes", payload.len());
    }
}

fn corpus() -> Corpus {
    Corpus::of(env!("CARGO_MANIFEST_DIR"), &TARGETS)
}

/// Some records of every producer, and the whole ones above.
fn seeds() -> Vec<Seed> {
    let mut random = Random(7);
    let mut joined = |count: usize| -> Vec<u8> {
        let records: Vec<Vec<u8>> = (0..count).map(|_| record(&mut random)).collect();
        records.join(&RECORD_SEPARATOR)
    };
    let mut seeds: Vec<Seed> = (1..=8)
        .map(|count| Seed { target: "decode", name: format!("generated_{count}"), bytes: joined(count * 2) })
        .collect();
    let whole = (0..).zip(RECORDS).map(|(number, record): (u32, _)| Seed {
        target: "decode",
        name: format!("whole_{number}"),
        bytes: record.as_bytes().to_vec(),
    });
    seeds.extend(whole);
    seeds
}

#[test]
fn the_body_is_fuzzed() {
    corpus().is_fuzzed();
}

#[test]
fn nothing_in_the_corpus_is_decoded_differently() {
    corpus().replay();
}

#[test]
fn the_corpus_has_a_file_for_every_seed() {
    corpus().hold(&seeds());
}
