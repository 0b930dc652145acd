//! Packed columns against the plain vectors that they were made from.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::{BLOCK_ROWS, BlockMask, DoubleZone, LongZone};

/// Around the ends of blocks and lanes.
const LENGTHS: [usize; 8] = [0, 1, 2, 65, 1_023, 1_024, 1_025, 2_100];

/// What columns look like: each shape has a form of block that suits it, and each form a shape that does not.
fn shapes(rows: usize) -> Vec<Vec<u64>> {
    let random =
        |row: u64| (row + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23).wrapping_mul(0xd134_2543_de82_ef95);
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
    assert_eq!(packed.get(packed.len()), None);
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

#[test]
fn what_repeats_or_counts_on_takes_few_bytes() {
    let bytes_of = |of: &dyn Fn(u32) -> u32| PackedCodes::encode(&(0..10_240).map(of).collect::<Vec<_>>()).len();
    assert!(bytes_of(&|_| 77) < 100);
    assert!(bytes_of(&|row| row) < 300);
    assert!(bytes_of(&|row| row / 500) < 400);
    assert!(bytes_of(&|row| if row % 200 == 7 { 1_000_000 } else { 0 }) < 600);
}

#[test]
fn a_zone_of_doubles_keeps_the_sign_of_zero() {
    let zone = PackedDoubles::decode(PackedDoubles::encode(&[0.0, -0.0], None).into()).expect("just encoded").total();
    let expected = DoubleZone { least: -0.0, greatest: 0.0, null_count: 0, has_nan: false, sum: 0.0 };
    assert_eq!(zone, expected);
    assert!(zone.least.is_sign_negative() && zone.greatest.is_sign_positive());
}
