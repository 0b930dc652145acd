//! Valid encodings of each form, from which fuzzing starts.

use super::packed::{Kind, block_input};
use crate::{BLOCK_ROWS, Dictionary, PackedCodes, PackedDoubles, PackedFlags, PackedLongs};

/// An input of a fuzz target that is what the target reads.
#[derive(Debug)]
pub struct Seed {
    pub target: &'static str,
    /// Of its file in the corpus.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Every seed, the same ones at any time.
pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    columns(&mut seeds);
    nullable_columns(&mut seeds);
    dictionaries(&mut seeds);
    seeds
}

/// Numbers that look random.
fn scattered(row: u64) -> u64 {
    row.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 7
}

/// The shapes that blocks take, by name: a number for each row.
const SHAPES: [(&str, fn(u64) -> u64); 7] = [
    ("constant", |_| 3),
    ("runs", |row| scattered(row / 60) % 500),
    ("delta", |row| row * 7 + scattered(row) % 3),
    ("distinct", |row| scattered(scattered(row) % 5)),
    ("plain", |row| scattered(row) % 8),
    ("patched", |row| if row % 90 == 7 { scattered(row) % 1_000_000 } else { scattered(row) % 4 }),
    ("wide", scattered),
];

/// Rows of columns: a short one, a whole block, and one with a short block after the whole one.
const ROWS: [usize; 3] = [5, BLOCK_ROWS, BLOCK_ROWS + 3];

fn columns(seeds: &mut Vec<Seed>) {
    for (shape, number) in SHAPES {
        for rows in ROWS {
            // Whole blocks of wide numbers are long, and have nothing that short ones have not.
            let rows = if shape == "wide" { rows.min(70) } else { rows };
            let numbers: Vec<u64> = (0..rows as u64).map(number).collect();
            let codes: Vec<u32> = numbers.iter().map(|number| *number as u32).collect();
            let longs: Vec<i64> = numbers.iter().map(|number| number.cast_signed() - 5).collect();
            let decimals: Vec<f64> = numbers.iter().map(|number| *number as f64 / 100.0).collect();
            let flags: Vec<Option<bool>> = numbers.iter().map(|number| Some(number % 3 == 0)).collect();
            for (kind, target, column) in [
                (Kind::Codes, "packed_codes", PackedCodes::encode(&codes)),
                (Kind::Longs, "packed_longs", PackedLongs::encode(&longs, None)),
                (Kind::Doubles, "packed_doubles", PackedDoubles::encode(&decimals, None)),
                (Kind::Flags, "packed_flags", PackedFlags::encode(&flags)),
            ] {
                if rows <= BLOCK_ROWS {
                    let name = format!("{kind:?}_{shape}_{rows}").to_lowercase();
                    seeds.push(Seed { target: "packed_block", name, bytes: block_input(kind, rows, &column) });
                }
                seeds.push(Seed { target, name: format!("{shape}_{rows}"), bytes: column });
            }
        }
    }
}

fn nullable_columns(seeds: &mut Vec<Seed>) {
    for rows in [0, 1, 40, BLOCK_ROWS + 40] {
        let rows = 0..rows as u64;
        let valid: Vec<bool> = rows.clone().map(|row| scattered(row / 9) % 4 != 0).collect();
        let longs: Vec<i64> = rows.clone().map(|row| (row / 5).cast_signed()).collect();
        let special = [f64::NAN, -0.0, f64::NEG_INFINITY, f64::MIN_POSITIVE];
        let double = |row: u64| special.get(row as usize % 50).copied().unwrap_or((row % 7) as f64 * 0.1);
        let doubles: Vec<f64> = rows.clone().map(double).collect();
        let flags: Vec<Option<bool>> =
            rows.clone().zip(&valid).map(|(row, valid)| valid.then_some(scattered(row) % 2 == 0)).collect();
        let name = format!("nulls_{}", rows.end);
        for (target, bytes) in [
            ("packed_longs", PackedLongs::encode(&longs, Some(&valid))),
            ("packed_doubles", PackedDoubles::encode(&doubles, Some(&valid))),
            ("packed_flags", PackedFlags::encode(&flags)),
        ] {
            seeds.push(Seed { target, name: name.clone(), bytes });
        }
    }
}

fn dictionaries(seeds: &mut Vec<Seed>) {
    let numbered = |count: u32| (0..count).map(|number| format!("value-{number:05}")).collect::<Vec<_>>();
    let nested = |count: usize| (0..count).map(|length| "a".repeat(length * 9)).collect::<Vec<_>>();
    let dictionaries = [
        ("empty", Vec::new()),
        ("empty_string", vec![String::new()]),
        ("bucket", numbered(16)),
        ("buckets", numbered(70)),
        ("nested", nested(20)),
        ("long", vec!["b".repeat(200), "b".repeat(200) + "c", "c".repeat(130) + "zoé"]),
    ];
    for (name, values) in dictionaries {
        let bytes = Dictionary::encode(values.iter().map(String::as_bytes));
        seeds.push(Seed { target: "dictionary", name: name.to_owned(), bytes });
    }
}
