//! How many bytes a row takes in packed columns, by the order of the rows, and how fast columns unpack and pack?
//!
//! Data: the CMU workload, seeded, 50 rows to a cluster as in its 10 M rows of 200,000 clusters.
//!
//! ```text
//! cargo bench -p henge-indexing --bench packed -- [rows] [clusters]
//! ```

#[path = "../../../benches/src/calibration.rs"]
mod calibration;
mod cmu;

use std::hint::black_box;
use std::time::Instant;

use cmu::{Columns, Values};
use henge_indexing::{BLOCK_ROWS, PackedCodes, PackedDoubles, PackedLongs};

/// The orders that are compared; the columns that follow sort in the workload's order, time last.
const ORDERS: [&[&str]; 6] = [
    &["__time"],
    &["cluster_id", "metric", "__time"],
    &["metric", "cluster_id", "__time"],
    &["cluster_id", "topic", "partition", "principal", "metric", "__time"],
    &["cluster_id", "metric", "topic", "partition", "principal", "__time"],
    &["org_id", "env_id", "cluster_id", "metric", "topic", "partition", "principal", "__time"],
];

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.replace('_', "").parse::<usize>().ok());
    let rows = numbers.next().unwrap_or(2_000_000);
    let clusters = numbers.next().unwrap_or((rows / 50).max(1));
    println!("{}", calibration::line());
    let columns = cmu::columns(rows, clusters as u64);
    let tables: Vec<Columns> = ORDERS.iter().map(|order| sorted(&columns, order)).collect();
    let sizes: Vec<Vec<f64>> = tables.iter().map(bytes_per_row).collect();
    println!("bytes/row of {rows} rows of {clusters} clusters");
    for (index, order) in ORDERS.iter().enumerate() {
        println!("  order {index}: {}", order.join(", "));
    }
    for (column, (name, _)) in columns.columns.iter().enumerate() {
        let sizes: Vec<String> = sizes.iter().map(|sizes| format!("{:8.3}", sizes[column])).collect();
        println!("{name:>14} {}", sizes.join(""));
    }
    let totals: Vec<String> = sizes.iter().map(|sizes| format!("{:8.3}", sizes.iter().sum::<f64>())).collect();
    println!("{:>14} {}", "total", totals.join(""));
    println!("ns/value of random bits: unpack + sum, pack");
    for width in [4, 8, 12, 16, 20, 24, 28, 32, 40, 52] {
        let bits = |row: u64| cmu::mix(row) >> (64 - width);
        let longs: Vec<i64> = (0..1 << 20).map(|row| bits(row).cast_signed()).collect();
        let codes: Vec<u32> = longs.iter().map(|long| *long as u32).collect();
        let doubles: Vec<f64> = longs.iter().map(|long| *long as f64 / 1e3).collect();
        let speeds =
            [Values::Codes(codes), Values::Longs(longs), Values::Doubles(doubles)].map(|values| speeds(&values));
        println!("{width:>14} {speeds:8.3?}");
    }
    println!("ns/value of order 1: unpack + sum, pack");
    for (name, values) in &tables[1].columns {
        let (unpack_ns, pack_ns) = speeds(values);
        println!("{name:>14} {unpack_ns:8.3} {pack_ns:8.2}");
    }
}

/// The rows in the order of the columns named.
fn sorted(table: &Columns, order: &[&str]) -> Columns {
    let key = |name: &str, row: usize| match table.columns.iter().find(|(column, _)| *column == name) {
        Some((_, Values::Codes(codes))) => u64::from(codes[row]),
        Some((_, Values::Longs(longs))) => longs[row].cast_unsigned(),
        _ => 0,
    };
    let mut keys: Vec<(Vec<u64>, usize)> =
        (0..table.rows).map(|row| (order.iter().map(|name| key(name, row)).collect(), row)).collect();
    keys.sort_unstable();
    let columns = table.columns.iter().map(|(name, values)| {
        let rows = keys.iter().map(|(_, row)| *row);
        let values = match values {
            Values::Codes(codes) => Values::Codes(rows.map(|row| codes[row]).collect()),
            Values::Longs(longs) => Values::Longs(rows.map(|row| longs[row]).collect()),
            Values::Doubles(doubles) => Values::Doubles(rows.map(|row| doubles[row]).collect()),
        };
        (*name, values)
    });
    Columns { rows: table.rows, columns: columns.collect() }
}

fn encode(values: &Values) -> Vec<u8> {
    match values {
        Values::Codes(codes) => PackedCodes::encode(codes),
        Values::Longs(longs) => PackedLongs::encode(longs, None),
        Values::Doubles(doubles) => PackedDoubles::encode(doubles, None),
    }
}

fn bytes_per_row(table: &Columns) -> Vec<f64> {
    table.columns.iter().map(|(_, values)| encode(values).len() as f64 / table.rows as f64).collect()
}

/// The best of some runs.
fn best_ns(rows: usize, mut work: impl FnMut()) -> f64 {
    let run = |_| {
        let started = Instant::now();
        work();
        started.elapsed().as_nanos() as f64 / rows as f64
    };
    (0..7).map(run).fold(f64::INFINITY, f64::min)
}

fn speeds(values: &Values) -> (f64, f64) {
    let bytes = encode(values);
    let what = "just encoded";
    let (rows, unpack_ns) = match values {
        Values::Codes(codes) => {
            let packed = PackedCodes::decode(bytes.into()).expect(what);
            let mut out = [0; BLOCK_ROWS];
            let mut sum = |block| {
                let rows = packed.unpack(block, &mut out);
                out[..rows].iter().map(|code| u64::from(*code)).sum::<u64>()
            };
            (
                codes.len(),
                best_ns(codes.len(), || {
                    black_box((0..packed.block_count()).map(&mut sum).sum::<u64>());
                }),
            )
        }
        Values::Longs(longs) => {
            let packed = PackedLongs::decode(bytes.into()).expect(what);
            let mut out = [0; BLOCK_ROWS];
            let mut sum = |block| {
                let rows = packed.unpack(block, &mut out);
                out[..rows].iter().copied().fold(0, i64::wrapping_add)
            };
            (
                longs.len(),
                best_ns(longs.len(), || {
                    black_box((0..packed.block_count()).map(&mut sum).sum::<i64>());
                }),
            )
        }
        Values::Doubles(doubles) => {
            let packed = PackedDoubles::decode(bytes.into()).expect(what);
            let mut out = [0.0; BLOCK_ROWS];
            let mut sum = |block| {
                let rows = packed.unpack(block, &mut out);
                let mut sums = [0.0; 8];
                for eight in out[..rows].as_chunks::<8>().0 {
                    sums.iter_mut().zip(eight).for_each(|(sum, value)| *sum += value);
                }
                sums.iter().sum::<f64>()
            };
            (
                doubles.len(),
                best_ns(doubles.len(), || {
                    black_box((0..packed.block_count()).map(&mut sum).sum::<f64>());
                }),
            )
        }
    };
    (
        unpack_ns,
        best_ns(rows, || {
            black_box(encode(values));
        }),
    )
}
