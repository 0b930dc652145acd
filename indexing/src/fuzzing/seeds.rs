//! Valid encodings of each form, from which fuzzing starts.

use super::Seed;
use super::packed::{Kind, column_of};
use crate::{BLOCK_ROWS, Dictionary, DimensionIndex, PackedCodes, PackedDoubles, PackedFlags, PackedLongs};

/// Every seed, the same ones at any time.
pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    columns(&mut seeds);
    nullable_columns(&mut seeds);
    dictionaries(&mut seeds);
    indexes(&mut seeds);
    seeds
}

/// Numbers that look random.
fn scattered(row: u64) -> u64 {
    row.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 7
}

/// Gives a number to each row.
type Shape = fn(u64) -> u64;

/// The shapes that blocks take, by name.
const SHAPES: [(&str, Shape); 7] = [
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

/// What [`packed_block`](super::packed_block) reads, from a column that has one block and no nulls.
fn block_input(kind: Kind, rows: usize, column: &[u8]) -> Vec<u8> {
    // An empty block's length takes one byte, a block's up to three.
    let length = column_of(kind, rows as u32, &[0], &[]).len() - 1;
    let block = (1..=3).map(|bytes| &column[length + bytes..]);
    let is_whole = |block: &&[u8]| column_of(kind, rows as u32, &[0], block).len() == column.len();
    let block = block.into_iter().find(is_whole).expect("the column has one block and no nulls");
    [&[kind as u8][..], &(rows as u16 - 1).to_le_bytes(), block].concat()
}

fn nullable_columns(seeds: &mut Vec<Seed>) {
    for rows in [0, 1, 40, BLOCK_ROWS + 40] {
        let rows = 0..rows as u64;
        let valid: Vec<bool> = rows.clone().map(|row| !scattered(row / 9).is_multiple_of(4)).collect();
        let longs: Vec<i64> = rows.clone().map(|row| (row / 5).cast_signed()).collect();
        let special = [f64::NAN, -0.0, f64::NEG_INFINITY, f64::MIN_POSITIVE];
        let double = |row: u64| special.get(row as usize % 50).copied().unwrap_or((row % 7) as f64 * 0.1);
        let doubles: Vec<f64> = rows.clone().map(double).collect();
        let flags: Vec<Option<bool>> =
            rows.clone().zip(&valid).map(|(row, valid)| valid.then_some(scattered(row).is_multiple_of(2))).collect();
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

fn indexes(seeds: &mut Vec<Seed>) {
    let ascending = |row: u64| row / 13;
    let in_runs = |row: u64| scattered(row / 20) % 30;
    let scattered_codes = |row: u64| scattered(row) % 200;
    let mostly_one = |row: u64| scattered(row) % 90;
    let shapes: [(&str, u32, Shape); 4] = [
        ("ascending", 77, ascending),
        ("runs", 30, in_runs),
        ("scattered", 200, scattered_codes),
        ("mostly_one", 9, mostly_one),
    ];
    for (shape, distinct, code) in shapes {
        let codes: Vec<u32> =
            (0..1_500).map(|row| (code(row) as u32).min(distinct - 1) + u32::from(row % 50 != 0)).collect();
        for (number, bytes) in DimensionIndex::encoded_in_every_form(&codes, distinct).into_iter().enumerate() {
            seeds.push(Seed { target: "dimension_index", name: format!("{shape}_{number}"), bytes });
        }
    }
}
