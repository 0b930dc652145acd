//! Packed columns against the plain vectors that they were made from.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::{BLOCK_ROWS, BlockMask, DoubleZone, FormatError, LongZone};

/// Around the ends of blocks and lanes.
const LENGTHS: [usize; 8] = [0, 1, 2, 65, 1_023, 1_024, 1_025, 2_100];

/// A number that follows no pattern, the same in every run (SplitMix64).
fn random(number: u64) -> u64 {
    let mut bits = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// What columns look like: each shape has a form of block that suits it, and each form a shape that does not.
fn shapes(rows: usize) -> Vec<Vec<u64>> {
    let shape = |of: &dyn Fn(u64) -> u64| (0..rows as u64).map(of).collect::<Vec<u64>>();
    let mut shapes = vec![
        shape(&|_| 0),
        shape(&|_| u64::MAX),
        shape(&|row| row),
        shape(&|row| u64::MAX - row * 3),
        shape(&|row| row * 15_000 + random(row) % 40),
        shape(&|row| (row % 100) * 1_000 + random(row) % 7),
        shape(&|row| (row % 2) * u64::MAX),
        shape(&|row| (row % 2) * (u64::MAX >> 1)),
        shape(&|row| row / 37),
        shape(&|row| random(row / 300)),
        shape(&|row| random(row / 16)),
        shape(&|row| random(row / 17)),
        shape(&|row| random(random(row) % 50)),
        shape(&|row| random(random(row / 5) % 50)),
        shape(&|row| if row % 50 == 49 { random(row) } else { 0 }),
        shape(&|row| if row % 50 == 49 { random(row) } else { 7_000 + random(row) % 16 }),
        shape(&|row| if row == 1_000 { 1 } else { 0 }),
    ];
    shapes.extend((1..=64).map(|width| shape(&|row| random(row) >> (64 - width))));
    shapes
}

/// Null nowhere, everywhere, in one row, in the first rows, here and there.
fn validities(rows: usize) -> Vec<Vec<bool>> {
    let shape = |of: &dyn Fn(usize) -> bool| (0..rows).map(of).collect::<Vec<bool>>();
    vec![
        shape(&|_| true),
        shape(&|_| false),
        shape(&|row| row != rows / 2),
        shape(&|row| row > 1_100),
        shape(&|row| row % 3 == 1),
    ]
}

fn rows_of_mask(mask: &BlockMask, rows: usize) -> Vec<bool> {
    assert!((rows..BLOCK_ROWS).all(|row| mask[row / 64] >> (row % 64) & 1 == 0), "bits past the last row are 0");
    (0..rows).map(|row| mask[row / 64] >> (row % 64) & 1 == 1).collect()
}

/// Names the first row that differs rather than print thousands.
fn assert_same<T: PartialEq + std::fmt::Debug>(found: &[T], expected: &[T]) {
    assert_eq!(found.len(), expected.len());
    let differs = (0..found.len()).find(|row| found[*row] != expected[*row]);
    assert_eq!(differs.map(|row| (row, &found[row], &expected[row])), None);
}

fn check_codes(codes: &[u32]) {
    let packed = PackedCodes::decode(PackedCodes::encode(codes).into()).expect("just encoded");
    assert_eq!(packed.verify(), Ok(()));
    assert_eq!(packed.len() as usize, codes.len());
    assert_eq!(packed.block_count(), codes.chunks(BLOCK_ROWS).len());
    let mut out = [0; BLOCK_ROWS];
    for (block, expected) in codes.chunks(BLOCK_ROWS).enumerate() {
        let rows = packed.unpack(block, &mut out);
        assert_same(&out[..rows], expected);
        let bounds = (*expected.iter().min().expect("not empty"), *expected.iter().max().expect("not empty"));
        assert_eq!(packed.bounds(block), bounds);
        if let Some(runs) = packed.runs(block) {
            let repeated = runs.flat_map(|(code, rows)| std::iter::repeat_n(code, rows as usize));
            assert_eq!(repeated.collect::<Vec<u32>>(), expected);
        }
    }
    for row in (0..codes.len()).step_by(7) {
        assert_eq!(packed.get(row as u32), codes[row]);
    }
    for (block, codes) in codes.chunks(BLOCK_ROWS).enumerate() {
        for places in some_places(codes.len()) {
            let mut found = vec![0; places.len()];
            packed.unpack_at(block, &places, &mut found);
            assert_same(&found, &places.iter().map(|place| codes[usize::from(*place)]).collect::<Vec<_>>());
        }
    }
    assert_eq!(packed.unpack(packed.block_count(), &mut out), 0);
    assert_eq!(packed.get(packed.len()), 0);
}

fn check_longs(values: &[i64], validity: &[bool]) {
    let packed = PackedLongs::decode(PackedLongs::encode(values, Some(validity)).into()).expect("just encoded");
    assert_eq!(packed.verify(), Ok(()));
    assert_eq!(packed.has_nulls(), validity.contains(&false));
    let expected: Vec<Option<i64>> =
        values.iter().zip(validity).map(|(value, valid)| valid.then_some(*value)).collect();
    let zone_of = |rows: &[Option<i64>]| LongZone {
        least: rows.iter().flatten().copied().min().unwrap_or(i64::MAX),
        greatest: rows.iter().flatten().copied().max().unwrap_or(i64::MIN),
        null_count: rows.iter().filter(|value| value.is_none()).count() as u32,
        sum: rows.iter().flatten().map(|value| i128::from(*value)).sum(),
    };
    let (mut out, mut mask) = ([0; BLOCK_ROWS], [0; BLOCK_ROWS / 64]);
    let mut unpacked = Vec::new();
    for (block, expected) in expected.chunks(BLOCK_ROWS).enumerate() {
        let rows = packed.unpack(block, &mut out);
        assert_eq!(packed.validity(block, &mut mask), rows);
        unpacked.extend(out.iter().zip(rows_of_mask(&mask, rows)).map(|(value, valid)| valid.then_some(*value)));
        assert!(out.iter().zip(expected).all(|(value, expected)| expected.is_some() || *value == 0));
        assert_eq!(packed.zone(block), zone_of(expected));
    }
    assert_same(&unpacked, &expected);
    assert_eq!(packed.total(), zone_of(&expected));
    for row in (0..values.len()).step_by(7) {
        assert_eq!(packed.get(row as u32), expected[row]);
    }
    for (block, expected) in expected.chunks(BLOCK_ROWS).enumerate() {
        for places in some_places(expected.len()) {
            let mut found = vec![0; places.len()];
            packed.unpack_at(block, &places, &mut found);
            let expected: Vec<_> = places.iter().map(|place| expected[usize::from(*place)]).collect();
            let found: Vec<_> = found.iter().zip(&expected).map(|(value, known)| known.map(|_| *value)).collect();
            assert_same(&found, &expected);
        }
    }
    assert_eq!(packed.get(packed.len()), None);
}

/// Few and many places of so many rows, neighbours among them.
fn some_places(rows: usize) -> [Vec<u16>; 3] {
    [1, 3, 100].map(|step| (0..rows as u16).filter(|place| place % step == 0 || place % 100 == 1).collect())
}

/// Bits, because NaN is not NaN.
fn bits(value: Option<f64>) -> Option<u64> {
    value.map(f64::to_bits)
}

fn check_doubles(values: &[f64], validity: &[bool]) {
    let packed = PackedDoubles::decode(PackedDoubles::encode(values, Some(validity)).into()).expect("just encoded");
    assert_eq!(packed.verify(), Ok(()));
    assert_eq!(packed.has_nulls(), validity.contains(&false));
    let expected: Vec<Option<f64>> =
        values.iter().zip(validity).map(|(value, valid)| valid.then_some(*value)).collect();
    let (mut out, mut mask) = ([0.0; BLOCK_ROWS], [0; BLOCK_ROWS / 64]);
    let mut unpacked = Vec::new();
    for (block, expected) in expected.chunks(BLOCK_ROWS).enumerate() {
        let rows = packed.unpack(block, &mut out);
        assert_eq!(packed.validity(block, &mut mask), rows);
        unpacked.extend(out.iter().zip(rows_of_mask(&mask, rows)).map(|(value, valid)| valid.then_some(*value)));
        assert!(out.iter().zip(expected).all(|(value, expected)| expected.is_some() || value.to_bits() == 0));
        let numbers = || expected.iter().flatten().copied().filter(|value| !value.is_nan());
        let zone = packed.zone(block);
        let least = numbers().min_by(f64::total_cmp).unwrap_or(f64::INFINITY);
        let greatest = numbers().max_by(f64::total_cmp).unwrap_or(f64::NEG_INFINITY);
        assert_eq!((zone.least.to_bits(), zone.greatest.to_bits()), (least.to_bits(), greatest.to_bits()));
        assert_eq!(zone.null_count as usize, expected.iter().filter(|value| value.is_none()).count());
        assert_eq!(zone.has_nan, expected.iter().flatten().any(|value| value.is_nan()));
        let sum = expected.iter().flatten().fold(0.0, |sum, value| sum + value);
        assert!(zone.sum.to_bits() == sum.to_bits() || (zone.sum.is_nan() && sum.is_nan()));
    }
    let (unpacked, expected): (Vec<_>, Vec<_>) =
        unpacked.into_iter().zip(expected).map(|(l, r)| (bits(l), bits(r))).unzip();
    assert_same(&unpacked, &expected);
    for row in (0..values.len()).step_by(7) {
        assert_eq!(bits(packed.get(row as u32)), expected[row]);
    }
    assert_eq!(packed.get(packed.len()), None);
}

fn check_flags(expected: &[Option<bool>]) {
    let packed = PackedFlags::decode(PackedFlags::encode(expected).into()).expect("just encoded");
    assert_eq!(packed.verify(), Ok(()));
    assert_eq!(packed.has_nulls(), expected.contains(&None));
    let (mut values, mut valid) = ([0; BLOCK_ROWS / 64], [0; BLOCK_ROWS / 64]);
    for (block, expected) in expected.chunks(BLOCK_ROWS).enumerate() {
        assert_eq!(packed.values(block, &mut values), expected.len());
        assert_eq!(packed.validity(block, &mut valid), expected.len());
        let is_true: Vec<bool> = expected.iter().map(|value| *value == Some(true)).collect();
        let is_valid: Vec<bool> = expected.iter().map(Option::is_some).collect();
        assert_eq!(rows_of_mask(&values, expected.len()), is_true);
        assert_eq!(rows_of_mask(&valid, expected.len()), is_valid);
    }
    for row in (0..expected.len()).step_by(7) {
        assert_eq!(packed.get(row as u32), expected[row]);
    }
    assert_eq!(packed.get(packed.len()), None);
}

#[test]
fn codes_of_every_shape_and_length_come_back() {
    for rows in LENGTHS {
        for shape in shapes(rows) {
            check_codes(&shape.iter().map(|value| *value as u32).collect::<Vec<_>>());
        }
    }
}

#[test]
fn longs_of_every_shape_and_length_come_back_with_their_nulls() {
    for rows in LENGTHS {
        let validities = validities(rows);
        for (index, shape) in shapes(rows).into_iter().enumerate() {
            let longs: Vec<i64> = shape.iter().map(|value| value.cast_signed()).collect();
            check_longs(&longs, &validities[0]);
            check_longs(&longs, &validities[1 + index % 4]);
        }
    }
}

/// Bits of all kinds, and decimals with some digits among which the doubles lie that no decimal gives.
fn double_shapes(rows: usize) -> Vec<Vec<f64>> {
    let odd = [f64::NAN, -f64::NAN, f64::from_bits(0x7ff0_dead_beef_0001), f64::INFINITY, f64::NEG_INFINITY, -0.0]
        .into_iter()
        .chain([f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::from_bits(1), 0.1 + 0.2, 1e300, 9_007_199_254_740_993.0])
        .collect::<Vec<f64>>();
    let of = |value: &dyn Fn(usize) -> f64| (0..rows).map(value).collect::<Vec<f64>>();
    let mut shapes: Vec<Vec<f64>> =
        shapes(rows).iter().step_by(5).map(|shape| shape.iter().map(|bits| f64::from_bits(*bits)).collect()).collect();
    shapes.push(of(&|row| odd[row % odd.len()]));
    shapes
        .push(of(&|row| if row % 100 == 3 { odd[row / 100 % odd.len()] } else { (row * 7_919 % 50_021) as f64 / 1e3 }));
    for digits in 0..16 {
        shapes.push(of(&|row| ((row * 7_919 % 50_021) as f64 - 20_000.0) / 10_f64.powi(digits)));
        shapes.push(of(&|row| (row * 7_919 * 7_919 * 104_729) as f64 / 10_f64.powi(digits)));
    }
    shapes
}

#[test]
fn doubles_of_every_shape_and_length_come_back_bit_for_bit() {
    for rows in LENGTHS {
        let validities = validities(rows);
        for (index, shape) in double_shapes(rows).into_iter().enumerate() {
            check_doubles(&shape, &validities[0]);
            check_doubles(&shape, &validities[1 + index % 4]);
        }
    }
}

#[test]
fn flags_of_every_shape_and_length_come_back() {
    for rows in LENGTHS {
        for values in validities(rows) {
            for validity in validities(rows) {
                let flag = |(value, valid): (&bool, &bool)| valid.then_some(*value);
                check_flags(&values.iter().zip(&validity).map(flag).collect::<Vec<_>>());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_longs_come_back(rows in prop::collection::vec((any::<i64>(), 0_u32..64, any::<bool>()), 0..1_500)) {
        let (values, validity): (Vec<i64>, Vec<bool>) =
            rows.into_iter().map(|(value, shift, valid)| (value >> shift, valid)).unzip();
        check_longs(&values, &validity);
        check_codes(&values.iter().map(|value| *value as u32).collect::<Vec<_>>());
    }

    #[test]
    fn any_doubles_come_back(
        rows in prop::collection::vec((any::<u64>(), -100_000_i64..100_000, 0_u8..10, any::<bool>()), 0..1_500),
        digits in 0..12,
        odd_in_ten in 0_u8..10,
    ) {
        let value = |bits, decimal: i64, kind| {
            if kind < odd_in_ten { f64::from_bits(bits) } else { decimal as f64 / 10_f64.powi(digits) }
        };
        let (values, validity): (Vec<f64>, Vec<bool>) =
            rows.into_iter().map(|(bits, decimal, kind, valid)| (value(bits, decimal, kind), valid)).unzip();
        check_doubles(&values, &validity);
    }
}

/// Calls everything; the values are arbitrary.
fn read_everything(bytes: &Bytes) {
    if let Ok(codes) = PackedCodes::decode(bytes.clone()) {
        let mut out = [0; BLOCK_ROWS];
        let _ = codes.verify();
        for block in 0..codes.block_count().min(9) {
            let rows = codes.unpack(block, &mut out);
            codes.bounds(block);
            codes.get((block * BLOCK_ROWS + 5) as u32);
            if let Some(runs) = codes.runs(block) {
                assert_eq!(runs.map(|(_, rows)| rows as usize).sum::<usize>(), rows);
            }
        }
    }
    if let Ok(longs) = PackedLongs::decode(bytes.clone()) {
        let (mut out, mut mask) = ([0; BLOCK_ROWS], [0; BLOCK_ROWS / 64]);
        let _ = longs.verify();
        longs.total();
        for block in 0..longs.block_count().min(9) {
            let rows = longs.unpack(block, &mut out);
            longs.zone(block);
            longs.get((block * BLOCK_ROWS + 5) as u32);
            longs.validity(block, &mut mask);
            rows_of_mask(&mask, rows);
        }
    }
    if let Ok(doubles) = PackedDoubles::decode(bytes.clone()) {
        let (mut out, mut mask) = ([0.0; BLOCK_ROWS], [0; BLOCK_ROWS / 64]);
        let _ = doubles.verify();
        doubles.total();
        for block in 0..doubles.block_count().min(9) {
            let rows = doubles.unpack(block, &mut out);
            doubles.zone(block);
            doubles.get((block * BLOCK_ROWS + 5) as u32);
            doubles.validity(block, &mut mask);
            rows_of_mask(&mask, rows);
        }
    }
    if let Ok(flags) = PackedFlags::decode(bytes.clone()) {
        let mut mask = [0; BLOCK_ROWS / 64];
        let _ = flags.verify();
        for block in 0..flags.block_count().min(9) {
            let rows = flags.values(block, &mut mask);
            rows_of_mask(&mask, rows);
            flags.validity(block, &mut mask);
            rows_of_mask(&mask, rows);
            flags.get((block * BLOCK_ROWS + 5) as u32);
        }
    }
}

/// A small column of every kind and form.
fn samples() -> Vec<Vec<u8>> {
    let mut samples = Vec::new();
    for rows in [70, 1_030] {
        for shape in shapes(rows).into_iter().take(20) {
            samples.push(PackedCodes::encode(&shape.iter().map(|value| *value as u32).collect::<Vec<_>>()));
            let longs: Vec<i64> = shape.iter().map(|value| value.cast_signed()).collect();
            samples.push(PackedLongs::encode(&longs, Some(&validities(rows)[4])));
        }
        for shape in double_shapes(rows).into_iter().step_by(6) {
            samples.push(PackedDoubles::encode(&shape, Some(&validities(rows)[2])));
        }
        let flags: Vec<Option<bool>> = (0..rows).map(|row| (row % 9 > 0).then_some(row % 3 == 0)).collect();
        samples.push(PackedFlags::encode(&flags));
    }
    samples
}

#[test]
fn truncated_columns_are_errors_and_flipped_bits_never_panic() {
    for sample in samples() {
        let whole = Bytes::from(sample.clone());
        // Every place of the headers, and of short columns; some of the others.
        let step = sample.len() / 200 + 1;
        for len in (0..sample.len()).filter(|len| len % step == 0 || *len < 100) {
            read_everything(&whole.slice(..len));
            assert!(PackedCodes::decode(whole.slice(..len)).is_err());
            assert!(PackedLongs::decode(whole.slice(..len)).is_err());
            assert!(PackedDoubles::decode(whole.slice(..len)).is_err());
            assert!(PackedFlags::decode(whole.slice(..len)).is_err());
        }
        for byte in (0..sample.len()).filter(|byte| byte % step == 0 || *byte < 100) {
            let mut flipped = sample.clone();
            flipped[byte] ^= 1 << (byte % 8);
            read_everything(&flipped.into());
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(kind in 1_u8..5, rows in 0_u32..3_000, rest in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut bytes = vec![kind];
        bytes.extend(rows.to_le_bytes());
        bytes.extend(rest);
        read_everything(&bytes.into());
    }
}

/// Bytes of ten blocks of codes, and of the same numbers as longs.
fn bytes_of(code: impl Fn(u64) -> u64) -> (usize, usize) {
    let codes: Vec<u64> = (0..10_240).map(code).collect();
    let longs: Vec<i64> = codes.iter().map(|code| code.cast_signed()).collect();
    check_codes(&codes.iter().map(|code| *code as u32).collect::<Vec<_>>());
    let codes = PackedCodes::encode(&codes.iter().map(|code| *code as u32).collect::<Vec<_>>()).len();
    (codes, PackedLongs::encode(&longs, None).len())
}

#[test]
fn each_shape_takes_about_the_bytes_of_the_form_that_suits_it() {
    let random = |row: u64| random(row) % 1_000_003;
    let is_about = |(codes, longs): (usize, usize), expected: usize| {
        let range = expected * 24 / 25..=expected * 26 / 25 + 250;
        assert!(range.contains(&codes) && range.contains(&longs), "{codes} and {longs} rather than {expected}");
    };
    is_about(bytes_of(|_| 77), 0);
    is_about(bytes_of(|row| row), 100);
    is_about(bytes_of(|row| 1_000_000 - row * 15), 100);
    // Ten bits a row rather than the 24 that 2,000 x 1,024 takes.
    is_about(bytes_of(|row| row * 2_000 + random(row) % 1_000), 10_240 * 11 / 8);
    // Steps of four bits, back and on.
    let walk: Vec<u64> = (0..10_240)
        .scan(1 << 30, |at, row| {
            *at = *at + random(row) % 16 - 8;
            Some(*at)
        })
        .collect();
    is_about(bytes_of(|row| walk[row as usize]), 10_240 * 4 / 8);
    // Runs of 500: a few bytes each.
    is_about(bytes_of(|row| random(row / 500)), 21 * 12);
    is_about(bytes_of(random), 10_240 * 20 / 8);
    // One row in 64 takes 20 bits and a place, the others four bits.
    is_about(bytes_of(|row| if row % 64 == 5 { random(row) } else { random(row) % 16 }), 10_240 / 2 + 160 * 3);
    // Of 32 words, five bits a row, and the words once a block.
    is_about(bytes_of(|row| random(random(row) % 32)), 10_240 * 5 / 8 + 10 * 32 * 2);
}

#[test]
fn repeated_codes_are_told_by_their_runs() {
    let runs_of = |code: fn(u64) -> u32| {
        let codes: Vec<u32> = (0..1_500).map(code).collect();
        let packed = PackedCodes::decode(PackedCodes::encode(&codes).into()).expect("just encoded");
        [0, 1].map(|block| packed.runs(block).map(Iterator::collect::<Vec<_>>))
    };
    assert_eq!(runs_of(|_| 7), [Some(vec![(7, 1_024)]), Some(vec![(7, 476)])]);
    let random_code = |row| random(row) as u32;
    let first = [(random_code(0), 400), (random_code(1), 400), (random_code(2), 224)];
    let second = [(random_code(2), 176), (random_code(3), 300)];
    assert_eq!(runs_of(|row| random(row / 400) as u32), [Some(first.to_vec()), Some(second.to_vec())]);
    assert_eq!(runs_of(|row| random(row) as u32), [None, None]);
}

#[test]
fn doubles_with_few_digits_take_the_bytes_of_their_decimals() {
    let bytes_of = |digits: i32, odd: u64| {
        let of = |row: u64| if row % 1_024 < odd { (row as f64 + 0.5).sqrt() } else { (random(row) % 65_536) as f64 };
        let values: Vec<f64> = (0..10_240).map(|row| of(row) / 10_f64.powi(digits)).collect();
        PackedDoubles::encode(&values, None).len()
    };
    let decimals = 10_240 * 16 / 8..10_240 * 16 / 8 + 800;
    assert!((0..=11).all(|digits| decimals.contains(&bytes_of(digits, 0))));
    let exceptions = 10 * 20 * 10;
    assert!((decimals.start + exceptions / 2..decimals.end + exceptions).contains(&bytes_of(3, 20)));
    // Half of the values have no decimal, so all are kept as bits.
    assert!((10_240 * 6..10_240 * 8 + 800).contains(&bytes_of(3, 700)));
    let large: Vec<f64> = (0..10_240).map(|row| (random(row) % 65_536) as f64 / 100.0 + 1e10).collect();
    assert!(PackedDoubles::encode(&large, None).len() < 10_240 * 23 / 8 + 800, "long decimals are divided");
}

#[test]
fn masks_take_less_than_a_bit_a_row_where_they_repeat() {
    let bytes_of =
        |flag: fn(usize) -> Option<bool>| PackedFlags::encode(&(0..10_240).map(flag).collect::<Vec<_>>()).len();
    assert!(bytes_of(|_| Some(true)) < 60);
    assert!(bytes_of(|row| Some(row % 1_000 < 300)) < 150);
    assert!((1_280..1_400).contains(&bytes_of(|row| Some(row * row % 7 < 3))));
    assert!(bytes_of(|row| (row > 9_000).then_some(true)) < 150);
}

#[test]
fn columns_of_another_kind_or_length_are_errors() {
    let decode = |bytes: Vec<u8>| {
        let bytes = Bytes::from(bytes);
        [
            PackedCodes::decode(bytes.clone()).err(),
            PackedLongs::decode(bytes.clone()).err(),
            PackedDoubles::decode(bytes.clone()).err(),
            PackedFlags::decode(bytes).err(),
        ]
    };
    let whats = ["packed codes", "packed longs", "packed doubles", "packed flags"];
    let columns = || {
        [
            PackedCodes::encode(&[1, 2]),
            PackedLongs::encode(&[1, 2], None),
            PackedDoubles::encode(&[1.0, 2.0], None),
            PackedFlags::encode(&[Some(true), None]),
        ]
    };
    for (kind, column) in columns().into_iter().enumerate() {
        let expected: Vec<_> = whats.map(|what| Some(FormatError { what, detail: "another format" })).to_vec();
        let mut found = decode(column.clone()).to_vec();
        assert_eq!(found.remove(kind), None);
        assert_eq!(found, [&expected[..kind], &expected[kind + 1..]].concat());
        let error_of = |bytes| decode(bytes)[kind];
        let error = |detail| Some(FormatError { what: whats[kind], detail });
        assert_eq!(error_of([column.clone(), vec![0]].concat()), error("more bytes than expected"));
        let too_many = [&column[..1], &(1_u32 << 31).to_le_bytes(), &column[5..]].concat();
        assert_eq!(error_of(too_many), error("more rows than a segment has"));
    }
}

#[test]
fn values_that_are_not_those_of_their_zone_are_found() {
    let random: Vec<u32> = (1..1_025_u32).map(|row| row.wrapping_mul(2_654_435_761) >> 12 & 0xf_7fff).collect();
    let damaged = |mut bytes: Vec<u8>| {
        let end = bytes.len();
        bytes[end - 64..].fill(0xff);
        Bytes::from(bytes)
    };
    let error = |what, detail| Err(FormatError { what, detail });
    let codes = PackedCodes::decode(damaged(PackedCodes::encode(&random))).expect("the header is whole");
    assert_eq!(codes.verify(), error("packed codes", "a block and its bounds differ"));
    let longs: Vec<i64> = random.iter().map(|value| i64::from(*value)).collect();
    let longs = PackedLongs::decode(damaged(PackedLongs::encode(&longs, None))).expect("the header is whole");
    assert_eq!(longs.verify(), error("packed longs", "a block and its zone differ"));
    let doubles: Vec<f64> = random.iter().map(|value| f64::from(*value) / 10.0).collect();
    let doubles = PackedDoubles::decode(damaged(PackedDoubles::encode(&doubles, None))).expect("the header is whole");
    assert_eq!(doubles.verify(), error("packed doubles", "a block and its zone differ"));
    let flags: Vec<Option<bool>> = random.iter().map(|value| Some(value % 3 == 0)).collect();
    let mut flags = PackedFlags::encode(&flags);
    let form = flags.len() - 1 - BLOCK_ROWS / 8;
    flags[form] = 9;
    let flags = PackedFlags::decode(flags.into()).expect("the header is whole");
    assert_eq!(flags.verify(), error("packed flags", "a block cannot be read"));
}

#[test]
fn a_total_that_is_not_the_sum_of_its_blocks_is_found() {
    // Kind, rows, nulls; then comes the total's least value.
    let total = 1 + 4 + 1;
    let mut longs = PackedLongs::encode(&[5, 6, 7], None);
    longs[total] = 4;
    let longs = PackedLongs::decode(longs.into()).expect("any total is read");
    assert_eq!(longs.total().least, 4);
    let error = |what| Err(FormatError { what, detail: "the column and its total differ" });
    assert_eq!(longs.verify(), error("packed longs"));
    let mut doubles = PackedDoubles::encode(&[5.0, 6.0, 7.0], None);
    doubles[total] = 1;
    let doubles = PackedDoubles::decode(doubles.into()).expect("any total is read");
    assert_eq!(doubles.verify(), error("packed doubles"));
}

#[test]
fn what_lies_past_the_end_is_empty() {
    let codes = PackedCodes::decode(PackedCodes::encode(&[5; 1_500]).into()).expect("just encoded");
    let longs = PackedLongs::decode(PackedLongs::encode(&[5; 1_500], None).into()).expect("just encoded");
    for block in [2, 3, usize::MAX / 1_024, usize::MAX] {
        assert_eq!(codes.unpack(block, &mut [0; BLOCK_ROWS]), 0);
        codes.bounds(block);
        assert!(codes.runs(block).is_none());
        assert_eq!(longs.unpack(block, &mut [0; BLOCK_ROWS]), 0);
        assert_eq!(longs.zone(block), LongZone::EMPTY);
    }
    assert_eq!(longs.get(u32::MAX), None);
}

#[test]
fn a_zone_of_doubles_keeps_the_sign_of_zero() {
    let zone = PackedDoubles::decode(PackedDoubles::encode(&[0.0, -0.0], None).into()).expect("just encoded").total();
    let expected = DoubleZone { least: -0.0, greatest: 0.0, null_count: 0, has_nan: false, sum: 0.0 };
    assert_eq!(zone, expected);
    assert!(zone.least.is_sign_negative() && zone.greatest.is_sign_positive());
}

/// Empty, short, long, and null where `row` says so.
fn byte_strings(rows: usize) -> Vec<Option<Vec<u8>>> {
    let string = |row: u64| match row % 7 {
        0 => None,
        1 => Some(Vec::new()),
        6 => Some(random(row).to_le_bytes().repeat(random(row) as usize % 600)),
        length => Some(random(row).to_le_bytes()[..length as usize].to_vec()),
    };
    (0..rows as u64).map(string).collect()
}

fn encoded(values: &[Option<Vec<u8>>]) -> Bytes {
    PackedBytes::encode(&values.iter().map(Option::as_deref).collect::<Vec<_>>()).into()
}

fn unpacked(packed: &PackedBytes) -> Vec<Option<Vec<u8>>> {
    let mut values = Vec::new();
    let mut valid = [0; BLOCK_ROWS / 64];
    for block in 0..packed.block_count() {
        let rows = packed.validity(block, &mut valid);
        let is_valid = rows_of_mask(&valid, rows).into_iter().enumerate();
        values.extend(is_valid.map(|(place, is_valid)| is_valid.then(|| packed.get(block, place).to_vec())));
    }
    values
}

#[test]
fn byte_strings_come_back() {
    for rows in LENGTHS {
        for values in [byte_strings(rows), vec![None; rows], vec![Some(Vec::new()); rows]] {
            let packed = PackedBytes::decode(encoded(&values)).unwrap();
            assert_eq!((packed.len(), packed.verify()), (rows as u32, Ok(())));
            assert_eq!(unpacked(&packed), values);
            assert_eq!((packed.get(0, rows), packed.get(9, 0)), (&[][..], &[][..]));
        }
    }
}

proptest! {
    #[test]
    fn damaged_byte_strings_are_an_error_or_other_strings(
        rows in prop::sample::select(LENGTHS.to_vec()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        length in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = encoded(&byte_strings(rows)).to_vec();
        for (place, byte) in changes {
            let end = bytes.len().min(64);
            bytes[place.index(end)] = byte;
        }
        if is_cut {
            bytes.truncate(length.index(bytes.len()));
        }
        if let Ok(packed) = PackedBytes::decode(bytes.into()) {
            for (block, place) in [(0, 0), (0, 7), (1, 1_023), (2, 51), (usize::MAX, usize::MAX)] {
                packed.get(block, place);
            }
            let _ignored = (packed.block_count() < 16).then(|| packed.verify());
        }
    }
}
