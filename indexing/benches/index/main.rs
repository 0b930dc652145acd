//! How many bytes of index a row takes, by the order of the rows, and how fast are rows and values found?
//!
//! Data: one segment of the CMU workload, seeded, of 200,000 clusters unless told otherwise; queries read ten copies of
//! it. Values are `value-` and their code in hexadecimal, topics of the dictionary look like `orders.created.eu.v17`.
//!
//! ```text
//! cargo bench -p henge-indexing --bench index -- [rows] [clusters]
//! ```

#[path = "../../../benches/src/calibration.rs"]
mod calibration;
#[expect(dead_code, reason = "only codes have indexes")]
#[path = "../packed/cmu.rs"]
mod cmu;

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;

use cmu::Values;
use henge_indexing::{
    Column, Dictionary, DimensionIndex, IndexForm, KeyField, PackedCodes, Predicate, RowKeys, RowSet, TextColumn,
    TextTest, evaluate,
};

/// The orders that are compared.
const ORDERS: [&[&str]; 3] = [
    &["org_id", "env_id", "cluster_id", "metric", "topic", "partition", "principal"],
    &["cluster_id", "metric", "topic", "partition", "principal"],
    &[],
];
const SEGMENTS: usize = 10;
/// Values that a figure is the average of.
const PROBES: u64 = 200;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.replace('_', "").parse::<usize>().ok());
    let rows = numbers.next().unwrap_or(1_000_000);
    let clusters = numbers.next().unwrap_or(200_000);
    println!("{}", calibration::line());
    let columns: Vec<(&str, Vec<u32>)> = cmu::columns(rows, clusters as u64)
        .columns
        .into_iter()
        .filter_map(|(name, values)| match values {
            Values::Codes(codes) => Some((name, codes)),
            Values::Longs(_) | Values::Doubles(_) => None,
        })
        .collect();
    for order in ORDERS {
        let sorted_by = if order.is_empty() { "time".into() } else { order.join(", ") };
        println!("\nindexes of {rows} rows of {clusters} clusters by {sorted_by}");
        let sorted = sorted(&columns, rows, order);
        print_forms(&sorted, rows);
        println!("{:>14} {:>10} {:>24} {:>24}", "", "form", "= one value, us", "IN 1,000 values, ms");
        for name in ["org_id", "cluster_id", "topic", "principal", "metric"] {
            print_queries(name, &sorted);
        }
    }
    print_dictionaries();
}

/// The rows in the order of the columns named, and of arrival among equals.
fn sorted<'a>(columns: &[(&'a str, Vec<u32>)], rows: usize, order: &[&str]) -> Vec<(&'a str, Vec<u32>)> {
    let codes_of = |name: &&str| &columns.iter().find(|(column, _)| column == name).expect("a column").1;
    let fields: Vec<KeyField> =
        order.iter().map(codes_of).map(|codes| KeyField::of(codes.iter().map(|&code| code.into()))).collect();
    let places = RowKeys::pack(&fields, rows).sorted_rows();
    let in_order = |codes: &Vec<u32>| places.iter().map(|&row| codes[row as usize]).collect();
    columns.iter().map(|(name, codes)| (*name, in_order(codes))).collect()
}

fn distinct(codes: &[u32]) -> u32 {
    codes.iter().copied().max().unwrap_or(0)
}

fn print_forms(columns: &[(&str, Vec<u32>)], rows: usize) {
    let mut total = 0;
    for (name, codes) in columns {
        let started = Instant::now();
        let built = DimensionIndex::build(codes, distinct(codes));
        let build_ns = started.elapsed().as_nanos() as f64 / rows as f64;
        total += built.bytes.len();
        let bytes = built.bytes.len() as f64 / rows as f64;
        println!(
            "{name:>14} {:>10} {bytes:6.3} bytes/row, built in {build_ns:4.1} ns/row: {}",
            built.form, built.reason
        );
    }
    println!("{:>14} {:>10} {:6.3} bytes/row", "total", "", total as f64 / rows as f64);
}

/// What a query reads of a column of one segment.
struct Indexed {
    dictionary: Dictionary,
    codes: PackedCodes,
    index: DimensionIndex,
}

impl Indexed {
    fn build(codes: &[u32]) -> Self {
        let distinct = distinct(codes);
        let values: Vec<String> = (1..=distinct).map(value).collect();
        let dictionary = Dictionary::encode(values.iter().map(String::as_bytes));
        let index = DimensionIndex::build(codes, distinct).bytes;
        Self {
            dictionary: Dictionary::decode(dictionary.into()).expect("a dictionary"),
            codes: PackedCodes::decode(PackedCodes::encode(codes).into()).expect("codes"),
            index: DimensionIndex::decode(index.into(), codes.len() as u32, distinct).expect("an index"),
        }
    }

    fn rows_of(&self, predicate: &Predicate) -> RowSet {
        let Self { dictionary, codes, index } = self;
        let column = |_: &str| -> Result<_, Infallible> {
            Ok(Column::Text(TextColumn::Sorted { dictionary, codes, index: Some(index), cache: None }))
        };
        evaluate(predicate, codes.len(), true, &column).expect("a column is always found")
    }
}

fn predicate(test: TextTest) -> Predicate {
    Predicate::Text { column: "column".into(), test }
}

fn value(code: u32) -> String {
    format!("value-{code:07x}")
}

fn print_queries(name: &str, columns: &[(&str, Vec<u32>)]) {
    let (_, codes) = columns.iter().find(|(column, _)| *column == name).expect("a column");
    let segments: Vec<Indexed> = (0..SEGMENTS).map(|_| Indexed::build(codes)).collect();
    let distinct = distinct(codes);
    let probe = |number: u64| (cmu::mix(number) % u64::from(distinct)) as u32 + 1;
    let equal: Vec<Predicate> = (0..PROBES).map(|number| predicate(TextTest::equal(value(probe(number))))).collect();
    let lists: Vec<Predicate> = (0..PROBES / 20)
        .map(|list| predicate(TextTest::any_of((0..1_000).map(|number| value(probe(list * 1_000 + number))))))
        .collect();
    let average_ns = |predicates: &[Predicate]| {
        let best = predicates.iter().map(|predicate| {
            best_of_ten(|| segments.iter().map(|segment| segment.rows_of(predicate).len() as usize).sum())
        });
        best.sum::<f64>() / predicates.len() as f64
    };
    let (equal_ns, in_ns) = (average_ns(&equal), average_ns(&lists));
    let form: IndexForm = segments[0].index.form();
    println!("{name:>14} {form:>10} {:>24.1} {:>24.2}", equal_ns / 1e3, in_ns / 1e6);
}

fn print_dictionaries() {
    println!(
        "\n{:>14} {:>9} {:>11} {:>8} {:>8} {:>10} {:>12} {:>9}",
        "dictionary", "values", "bytes/value", "raw", "scan ms", "LIKE %x ms", "decode ms", "find ns"
    );
    let topic = |number: u64| {
        let parts = [
            ["orders", "billing", "users", "clicks"],
            ["created", "updated", "deleted", "events"],
            ["eu", "us", "ap", "me"],
        ];
        let part = |index: usize| parts[index][(cmu::mix(number * 3 + index as u64) % 4) as usize];
        format!(
            "{}.{}.{}.v{}{}",
            part(0),
            part(1),
            part(2),
            number,
            if cmu::mix(number).is_multiple_of(33) { "-dlq" } else { "" }
        )
    };
    print_dictionary("topics", (0..1_000_000).map(topic).collect());
    print_dictionary("ids", (0..1_000_000).map(|number| format!("sa-{:06x}", number * 7)).collect());
    print_dictionary(
        "uuids",
        (0..1_000_000).map(|number| format!("{:032x}", u128::from(cmu::mix(number)) << 64 | 7)).collect(),
    );
}

fn print_dictionary(name: &str, mut values: Vec<String>) {
    values.sort_unstable();
    let raw: usize = values.iter().map(String::len).sum();
    let encoded = Dictionary::encode(values.iter().map(String::as_bytes));
    let (count, bytes) = (values.len() as f64, encoded.len() as f64);
    let dictionary = Dictionary::decode(encoded.into()).expect("a dictionary");
    let all = 1..dictionary.distinct() + 1;
    let scan_ns = best_of_ten(|| {
        let mut len = 0;
        dictionary.scan(all.clone(), |_, value| len += value.len());
        len
    });
    let like_ns = best_of_ten(|| {
        let mut codes = 0;
        dictionary.scan(all.clone(), |_, value| codes += usize::from(value.ends_with(b"-dlq")));
        codes
    });
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    let decode_ns = best_of_ten(|| {
        for start in all.clone().step_by(2_048) {
            text.clear();
            ends.clear();
            dictionary.decode_into(start..start + 2_048, &mut text, &mut ends);
        }
        text.len()
    });
    let wanted: Vec<&[u8]> = values.iter().step_by(997).map(String::as_bytes).collect();
    let find_ns = best_of_ten(|| wanted.iter().filter(|value| dictionary.find(value).is_ok()).count());
    println!(
        "{name:>14} {count:>9} {:>11.2} {:>8.2} {:>8.2} {:>10.2} {:>12.2} {:>9.0}",
        bytes / count,
        raw as f64 / count,
        scan_ns / 1e6,
        like_ns / 1e6,
        decode_ns / 1e6,
        find_ns / wanted.len() as f64
    );
}

fn best_of_ten(mut work: impl FnMut() -> usize) -> f64 {
    let run = |_| {
        let started = Instant::now();
        black_box(work());
        started.elapsed().as_nanos() as f64
    };
    (0..10).map(run).fold(f64::INFINITY, f64::min)
}
