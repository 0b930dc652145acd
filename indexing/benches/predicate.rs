//! What does it take to find the rows of a predicate: in a dictionary, in an index, by a scan?
//!
//! Data: a segment of 1 M rows, seeded; `topic` has 1 M texts of 22 bytes and one row each in random order, `cluster`
//! 20,000 values at random, `region` 9, `org` 50 in ascending order; longs and doubles at random, 10 % of `errors` null.
//!
//! ```text
//! nice cargo bench -p henge-indexing --bench predicate -- [part of an id]
//! ```

#[path = "../../benches/src/calibration.rs"]
mod calibration;

use std::convert::Infallible;
use std::hint::black_box;
use std::ops::Bound;
use std::time::Instant;

use henge_indexing::{
    CodeSetCache, Column, Comparison, Dictionary, DimensionIndex, DoubleColumn, LikePattern, LongColumn, NumberTest,
    PackedCodes, PackedDoubles, PackedLongs, Predicate, RegexPattern, TextColumn, TextTest, ValueKind, evaluate,
};

const ROWS: u32 = 1_000_000;
const SEGMENTS: usize = 10;

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    println!("{}", calibration::line());
    let segment = Segment::new(1);
    let cache = CodeSetCache::new(64 << 20);
    println!("{:<44} {:>12} {:>10} {:>10}", "id", "us", "ns/row", "rows");
    for (id, predicate) in predicates() {
        if id.contains(&filter) {
            report(id, &predicate, &[&segment], None);
            if id.starts_with("dictionary") {
                report(&format!("{id}, cached"), &predicate, &[&segment], Some(&cache));
            }
        }
    }
    if "segments".contains(&filter) {
        let segments: Vec<Segment> = (0..SEGMENTS as u64).map(|segment| Segment::without_topics(segment + 2)).collect();
        let segments: Vec<&Segment> = segments.iter().collect();
        report("segments/equality/10_of_1M_rows", &text("cluster", TextTest::equal("lkc-00777")), &segments, None);
    }
}

/// Prints the best of some evaluations.
fn report(id: &str, predicate: &Predicate, segments: &[&Segment], cache: Option<&CodeSetCache>) {
    let run = || {
        let find = |(number, segment): (usize, &&Segment)| {
            let cache = cache.map(|cache| (cache, number as u64 * 100));
            evaluate(predicate, ROWS, true, &|name| segment.column(name, cache)).expect("columns cannot fail")
        };
        segments.iter().enumerate().map(find).map(|rows| rows.len()).sum::<u64>()
    };
    let found = run();
    let best = (0..15).map(|_| {
        let started = Instant::now();
        black_box(run());
        started.elapsed().as_nanos() as f64
    });
    let best = best.fold(f64::INFINITY, f64::min);
    let rows = f64::from(ROWS) * segments.len() as f64;
    println!("{id:<44} {:>12.1} {:>10.3} {found:>10}", best / 1e3, best / rows);
}

fn text(column: &str, test: TextTest) -> Predicate {
    Predicate::Text { column: column.into(), test }
}

fn like(pattern: &str) -> TextTest {
    TextTest::Like(LikePattern::new(pattern, Some('\\'), false).expect("a short pattern"))
}

fn regex(pattern: &str) -> TextTest {
    TextTest::Regex(RegexPattern::new(pattern).expect("a small expression"))
}

fn longs(column: &str, lower: i64, upper: i64) -> Predicate {
    let test = NumberTest::Range { lower: Bound::Included(lower), upper: Bound::Excluded(upper) };
    Predicate::Long { column: column.into(), test }
}

fn predicates() -> Vec<(&'static str, Predicate)> {
    let spread = |count: u32, of: u32| (0..count).map(move |number| number * (of / count) + 7);
    let clusters = |count| TextTest::any_of(spread(count, 20_000).map(cluster));
    let topics = |count| TextTest::any_of(spread(count, ROWS).map(topic));
    let slow =
        Predicate::Double { column: "latency".into(), test: NumberTest::compare(Comparison::Greater, 0.5).unwrap() };
    let columns = |left: &str, right: &str, kind| Predicate::Columns {
        left: left.into(),
        op: Comparison::Less,
        right: right.into(),
        kind,
    };
    vec![
        ("dictionary/like_infix/1M_texts", text("topic", like("%v123%"))),
        ("dictionary/like_suffix/1M_texts", text("topic", like("%-v12"))),
        ("dictionary/like_segments/1M_texts", text("topic", like("top%9_3%v1_"))),
        ("dictionary/like_prefix_and_infix/1M_texts", text("topic", like("topic.0123%-v1%"))),
        (
            "dictionary/ilike_infix/1M_texts",
            text("topic", TextTest::Like(LikePattern::new("%V123%", None, true).unwrap())),
        ),
        ("dictionary/regex_literal/1M_texts", text("topic", regex("v123"))),
        ("dictionary/regex/1M_texts", text("topic", regex("0[0-9]+7-v[12]3$"))),
        ("dictionary/in/100k_of_1M_texts", text("topic", topics(100_000))),
        ("equality/1_row", text("topic", TextTest::equal(topic(777_777)))),
        ("equality/50_rows", text("cluster", TextTest::equal(cluster(777)))),
        ("equality/run_of_20k_rows", text("org", TextTest::equal(org(7)))),
        ("equality/110k_rows", text("region", TextTest::equal(region(4)))),
        ("inequality/890k_rows", Predicate::Not(Box::new(text("region", TextTest::equal(region(4)))))),
        ("in/1000_of_20k_texts", text("cluster", clusters(1_000))),
        ("in/10k_of_20k_texts", text("cluster", clusters(10_000))),
        ("in/1000_of_1M_texts", text("topic", topics(1_000))),
        ("prefix/10k_rows", text("topic", TextTest::Prefix(b"topic.12".as_slice().into()))),
        ("scan_codes/range_half", text("cluster", TextTest::Prefix(b"lkc-0".as_slice().into()))),
        ("scan_longs/range_half", longs("bytes", 0, 1 << 19)),
        ("scan_longs/range_1pct_nulls", longs("errors", 0, 10)),
        (
            "scan_longs/in_20",
            Predicate::Long { column: "bytes".into(), test: NumberTest::In((0..20).map(|x| x * 999).collect()) },
        ),
        ("scan_doubles/greater_half", slow.clone()),
        ("compare/longs", columns("bytes", "errors", ValueKind::Long)),
        ("compare/long_with_double", columns("errors", "latency", ValueKind::Double)),
        ("compare/texts_few", columns("region", "org", ValueKind::Text)),
        ("compare/texts_20k", columns("cluster", "region", ValueKind::Text)),
        (
            "and/equality_then_like",
            Predicate::And(vec![text("topic", like("%v1%")), text("cluster", TextTest::equal(cluster(777)))]),
        ),
        ("and/equality_then_scan", Predicate::And(vec![slow, text("org", TextTest::equal(org(7)))])),
    ]
}

fn topic(number: u32) -> String {
    format!("topic.{:08}-v{:<03}", u64::from(number) * 7_919 % 100_000_000, number % 700)
}

fn cluster(number: u32) -> String {
    format!("lkc-{number:05}")
}

fn region(number: u32) -> String {
    format!("region-{number}")
}

fn org(number: u32) -> String {
    format!("org-{number:03}")
}

struct TextData {
    dictionary: Dictionary,
    codes: PackedCodes,
    index: DimensionIndex,
}

struct Segment {
    topic: Option<TextData>,
    cluster: TextData,
    region: TextData,
    org: TextData,
    bytes: PackedLongs,
    errors: PackedLongs,
    latency: PackedDoubles,
}

/// SplitMix64.
fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

impl TextData {
    /// `rank_of` gives the rank of each row's text.
    fn new(mut texts: Vec<String>, rank_of: impl Fn(u64) -> u64) -> Self {
        texts.sort_unstable();
        texts.dedup();
        let distinct = texts.len() as u64;
        let dictionary = Dictionary::encode(texts.iter().map(String::as_bytes));
        let codes: Vec<u32> = (0..u64::from(ROWS)).map(|row| (rank_of(row) % distinct) as u32 + 1).collect();
        let index = DimensionIndex::build(&codes, distinct as u32);
        let what = "just encoded";
        Self {
            dictionary: Dictionary::decode(dictionary.into()).expect(what),
            index: DimensionIndex::decode(index.bytes.into(), ROWS, distinct as u32).expect(what),
            codes: PackedCodes::decode(PackedCodes::encode(&codes).into()).expect(what),
        }
    }
}

impl Segment {
    fn new(seed: u64) -> Self {
        // A number without a common divisor steps through all topics.
        let topics = TextData::new((0..ROWS).map(topic).collect(), |row| row * 611_953);
        Self { topic: Some(topics), ..Self::without_topics(seed) }
    }

    fn without_topics(seed: u64) -> Self {
        let random = |column: u64| move |row: u64| mix(row ^ seed << 40 ^ column << 32);
        let bytes: Vec<i64> = (0..u64::from(ROWS)).map(|row| (random(1)(row) >> 44) as i64).collect();
        let errors: Vec<i64> = (0..u64::from(ROWS)).map(|row| (random(2)(row) % 1_000) as i64).collect();
        let is_valid: Vec<bool> = (0..u64::from(ROWS)).map(|row| random(3)(row) % 10 > 0).collect();
        let latency: Vec<f64> = (0..u64::from(ROWS)).map(|row| (random(4)(row) % 1_000) as f64 / 1e3).collect();
        let what = "just encoded";
        Self {
            topic: None,
            cluster: TextData::new((0..20_000).map(cluster).collect(), random(5)),
            region: TextData::new((0..9).map(region).collect(), random(6)),
            org: TextData::new((0..50).map(org).collect(), |row| row * 50 / u64::from(ROWS)),
            bytes: PackedLongs::decode(PackedLongs::encode(&bytes, None).into()).expect(what),
            errors: PackedLongs::decode(PackedLongs::encode(&errors, Some(&is_valid)).into()).expect(what),
            latency: PackedDoubles::decode(PackedDoubles::encode(&latency, None).into()).expect(what),
        }
    }

    fn column<'a>(&'a self, name: &str, cache: Option<(&'a CodeSetCache, u64)>) -> Result<Column<'a>, Infallible> {
        let text = |data: &'a TextData, number: u64| {
            let TextData { dictionary, codes, index } = data;
            let cache = cache.map(|(cache, segment)| cache.dictionary(segment + number));
            Column::Text(TextColumn::Sorted { dictionary, codes, index: Some(index), cache })
        };
        Ok(match name {
            "topic" => self.topic.as_ref().map_or(Column::Missing, |topic| text(topic, 0)),
            "cluster" => text(&self.cluster, 1),
            "region" => text(&self.region, 2),
            "org" => text(&self.org, 3),
            "bytes" => Column::Longs(LongColumn::Packed(&self.bytes)),
            "errors" => Column::Longs(LongColumn::Packed(&self.errors)),
            "latency" => Column::Doubles(DoubleColumn::Packed(&self.latency)),
            _ => Column::Missing,
        })
    }
}
