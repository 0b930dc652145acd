//! Bytes that every later version must read: `golden/*_v1.bin`, added to and never rewritten.
//!
//! Each column has a block of every form that its encoder knew, and a short one.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use bytes::Bytes;
use henge_indexing::{BLOCK_ROWS, BlockMask, PackedBytes, PackedCodes, PackedDoubles, PackedFlags, PackedLongs};

const ROWS: u64 = 7 * BLOCK_ROWS as u64 + 100;

/// A number that follows no pattern (SplitMix64). As fixed as the files.
fn random(number: u64) -> u64 {
    let mut bits = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Block by block: constant, plain, patched, delta, runs, runs of a dictionary, dictionary, short.
fn number(row: u64) -> u64 {
    match row / BLOCK_ROWS as u64 {
        0 => 77,
        1 => 1_000 + random(row) % 128,
        2 if row % 50 == 9 => random(row) % 1_000_000,
        2 => random(row) % 16,
        3 => 1_000_000 + row * 15_000 + random(row) % 40,
        4 => random(row / 60) % 1_000_000,
        5 => random(random(row / 3) % 20) % 1_000_000_000,
        6 => random(random(row) % 20) % 1_000_000_000,
        _ => random(row) % 1_000,
    }
}

fn codes() -> Vec<u32> {
    (0..ROWS).map(|row| number(row) as u32).collect()
}

/// Negative and positive, more than 32 bits apart; null here and there, and all over one block.
fn longs() -> Vec<Option<i64>> {
    let is_null = |row: u64| match row / BLOCK_ROWS as u64 {
        0 => true,
        1 => row % 40 > 36,
        7 => row % BLOCK_ROWS as u64 > 60,
        _ => false,
    };
    (0..ROWS).map(|row| (!is_null(row)).then(|| number(row).cast_signed() * 9_000_000_000 - 5_000_000)).collect()
}

/// Decimals in the short and the long form, bits, and exceptions.
fn double(row: u64) -> f64 {
    let odd =
        [f64::NAN, f64::from_bits(0xfff0_dead_beef_0001), f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE];
    match row / BLOCK_ROWS as u64 {
        1 if row % 100 == 42 => odd[(row / 100 % 6) as usize],
        2 => 12_345_678_901.0 + (random(row) % 10_000) as f64 / 100.0,
        3 => f64::from_bits(random(row / 8)),
        4 => f64::MAX / (random(row) % 100) as f64,
        _ => (number(row) as f64 - 900.0) / 1_000.0,
    }
}

fn doubles() -> Vec<Option<f64>> {
    (0..ROWS).map(|row| (row % 1_500 != 700).then(|| double(row))).collect()
}

/// Block by block: all false, all true, in runs, mixed, null.
fn flags() -> Vec<Option<bool>> {
    let flag = |row: u64| match row / BLOCK_ROWS as u64 {
        0 => Some(false),
        1 => Some(true),
        2 => Some(row % 400 < 150),
        3 => Some(random(row).is_multiple_of(2)),
        4 => None,
        _ => (!random(row).is_multiple_of(3)).then(|| random(row).is_multiple_of(5)),
    };
    (0..ROWS).map(flag).collect()
}

/// Block by block: all empty, all null, short, long and short, and here and there null.
fn byte_strings() -> Vec<Option<Vec<u8>>> {
    let bytes = |row: u64, length: u64| random(row).to_le_bytes().into_iter().cycle().take(length as usize).collect();
    let string = |row: u64| match row / BLOCK_ROWS as u64 {
        0 => Some(Vec::new()),
        1 => None,
        2 => Some(bytes(row, random(row) % 12)),
        3 => Some(bytes(row, if row % 100 == 7 { 3_000 } else { 8 })),
        _ => (!random(row).is_multiple_of(3)).then(|| bytes(row, 8 + 4 * (random(row) % 3))),
    };
    (0..ROWS).map(string).collect()
}

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "golden", name].iter().collect()
}

fn golden(name: &str) -> Bytes {
    fs::read(path(name)).expect("golden files are part of the sources").into()
}

fn is_set(mask: &BlockMask, row: usize) -> bool {
    mask[row / 64] >> (row % 64) & 1 == 1
}

#[test]
fn codes_of_version_1_are_read() {
    let packed = PackedCodes::decode(golden("codes_v1.bin")).expect("a file that was sound once is sound");
    assert_eq!(packed.verify(), Ok(()));
    let mut out = [0; BLOCK_ROWS];
    let mut found = Vec::new();
    for block in 0..packed.block_count() {
        let rows = packed.unpack(block, &mut out);
        found.extend_from_slice(&out[..rows]);
    }
    assert_eq!(found, codes());
}

#[test]
fn longs_of_version_1_are_read() {
    let packed = PackedLongs::decode(golden("longs_v1.bin")).expect("a file that was sound once is sound");
    assert_eq!(packed.verify(), Ok(()));
    let (mut out, mut valid) = ([0; BLOCK_ROWS], [0; BLOCK_ROWS / 64]);
    let mut found = Vec::new();
    for block in 0..packed.block_count() {
        let rows = packed.unpack(block, &mut out);
        assert_eq!(packed.validity(block, &mut valid), rows);
        found.extend((0..rows).map(|row| is_set(&valid, row).then_some(out[row])));
    }
    assert_eq!(found, longs());
}

#[test]
fn doubles_of_version_1_are_read() {
    let packed = PackedDoubles::decode(golden("doubles_v1.bin")).expect("a file that was sound once is sound");
    assert_eq!(packed.verify(), Ok(()));
    let (mut out, mut valid) = ([0.0; BLOCK_ROWS], [0; BLOCK_ROWS / 64]);
    let mut found = Vec::new();
    for block in 0..packed.block_count() {
        let rows = packed.unpack(block, &mut out);
        assert_eq!(packed.validity(block, &mut valid), rows);
        found.extend((0..rows).map(|row| is_set(&valid, row).then_some(out[row].to_bits())));
    }
    assert_eq!(found, doubles().into_iter().map(|value| value.map(f64::to_bits)).collect::<Vec<_>>());
}

#[test]
fn flags_of_version_1_are_read() {
    let packed = PackedFlags::decode(golden("flags_v1.bin")).expect("a file that was sound once is sound");
    assert_eq!(packed.verify(), Ok(()));
    let found: Vec<Option<bool>> = (0..packed.len()).map(|row| packed.get(row)).collect();
    assert_eq!(found, flags());
}

#[test]
fn byte_strings_of_version_1_are_read() {
    let packed = PackedBytes::decode(golden("byte_strings_v1.bin")).expect("a file that was sound once is sound");
    assert_eq!(packed.verify(), Ok(()));
    let mut valid = [0; BLOCK_ROWS / 64];
    let mut found = Vec::new();
    for block in 0..packed.block_count() {
        let rows = packed.validity(block, &mut valid);
        found.extend((0..rows).map(|row| is_set(&valid, row).then(|| packed.get(block, row).to_vec())));
    }
    assert_eq!(found, byte_strings());
}

#[test]
#[ignore = "writes the files of a version that has none yet"]
fn missing_files_are_written() {
    let (longs, doubles) = (longs(), doubles());
    let values = |longs: &[Option<i64>]| longs.iter().map(|value| value.unwrap_or(0)).collect::<Vec<_>>();
    let validity: Vec<bool> = longs.iter().map(Option::is_some).collect();
    let files = [
        ("codes_v1.bin", PackedCodes::encode(&codes())),
        ("longs_v1.bin", PackedLongs::encode(&values(&longs), Some(&validity))),
        ("doubles_v1.bin", {
            let validity: Vec<bool> = doubles.iter().map(Option::is_some).collect();
            let values: Vec<f64> = doubles.iter().map(|value| value.unwrap_or(0.0)).collect();
            PackedDoubles::encode(&values, Some(&validity))
        }),
        ("flags_v1.bin", PackedFlags::encode(&flags())),
        ("byte_strings_v1.bin", {
            let strings = byte_strings();
            PackedBytes::encode(&strings.iter().map(Option::as_deref).collect::<Vec<_>>())
        }),
    ];
    for (name, bytes) in files.into_iter().filter(|(name, _)| !path(name).exists()) {
        let mut file = File::create_new(path(name)).expect("the folder is writable");
        file.write_all(&bytes).expect("the folder is writable");
    }
}
