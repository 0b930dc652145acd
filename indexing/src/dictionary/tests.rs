//! Dictionaries against sorted sets, and against bytes that are none.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn dictionary(values: &BTreeSet<Vec<u8>>) -> Dictionary {
    let bytes = Dictionary::encode(values.iter().map(Vec::as_slice));
    Dictionary::decode(bytes.into()).expect("a dictionary")
}

/// Short alphabets, so that values share much or nothing, with the empty one, 0x00 and 0xff among them.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(prop_oneof![Just(0), Just(b'a'), Just(b'b'), Just(0xff)], 0..6),
        2 => (0_u32..3_000).prop_map(|number| format!("orders.created.eu.v{number}").into_bytes()),
        1 => (20_usize..60, 0_u8..9).prop_map(|(len, last)| [vec![b'x'; len], vec![last]].concat()),
        1 => (0_usize..400, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ]
}

fn values() -> impl Strategy<Value = BTreeSet<Vec<u8>>> {
    prop_oneof![prop::collection::btree_set(value(), 0..40), prop::collection::btree_set(value(), 200..400)]
}

/// Everything a reader can be asked, whatever the bytes are. Returns the bytes of all values together.
fn read_everything(dictionary: &Dictionary) -> usize {
    let distinct = dictionary.distinct();
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    dictionary.decode_into(0..u32::MAX, &mut bytes, &mut ends);
    assert_eq!(ends.len(), distinct as usize);
    let (mut start, mut expected) = (0, 1);
    dictionary.scan(0..u32::MAX, |code, value| {
        let end = ends[code as usize - 1] as usize;
        assert_eq!((code, value), (expected, &bytes[start..end]));
        (start, expected) = (end, expected + 1);
    });
    assert_eq!((start, expected), (bytes.len(), distinct + 1));
    for code in [0, 1, distinct / 2, distinct, distinct.wrapping_add(1), u32::MAX] {
        let value = dictionary.value(code);
        let (Ok(found) | Err(found)) = dictionary.find(&value);
        assert!(found <= distinct + 1);
        dictionary.codes_of([value.as_slice(), b"", b"orders", b"\xff"]);
    }
    let _ = dictionary.verify();
    bytes.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn codes_are_ranks_and_values_come_back(values in values(), others in prop::collection::vec(value(), 0..50)) {
        let dictionary = dictionary(&values);
        prop_assert_eq!(dictionary.verify(), Ok(()));
        prop_assert_eq!(dictionary.distinct() as usize, values.len());
        read_everything(&dictionary);
        for (code, value) in (1..).zip(&values) {
            prop_assert_eq!(&dictionary.value(code), value);
            prop_assert_eq!(dictionary.find(value), Ok(code));
        }
        for other in &others {
            let less = values.range(..other.clone()).count() as u32;
            let expected = if values.contains(other) { Ok(less + 1) } else { Err(less + 1) };
            prop_assert_eq!(dictionary.find(other), expected);
        }
    }

    #[test]
    fn a_range_of_codes_is_read_from_anywhere(values in values(), start in 0_u32..450, len in 0_u32..60) {
        let dictionary = dictionary(&values);
        let codes = start..start + len;
        let expected: Vec<(u32, Vec<u8>)> =
            (1..).zip(values).filter(|(code, _)| codes.contains(code)).collect();
        let mut scanned = Vec::new();
        dictionary.scan(codes.clone(), |code, value| scanned.push((code, value.to_vec())));
        prop_assert_eq!(&scanned, &expected);
        let (mut bytes, mut ends) = (b"before".to_vec(), vec![6]);
        dictionary.decode_into(codes, &mut bytes, &mut ends);
        let decoded = ends.windows(2).map(|ends| &bytes[ends[0] as usize..ends[1] as usize]);
        prop_assert!(decoded.eq(expected.iter().map(|(_, value)| value.as_slice())));
        prop_assert!(bytes.starts_with(b"before") && bytes.len() == ends[ends.len() - 1] as usize);
    }

    #[test]
    fn many_values_are_found_in_any_order(
        values in values(),
        others in prop::collection::vec(value(), 0..50),
        in_order: bool,
    ) {
        let dictionary = dictionary(&values);
        let mut wanted: Vec<&[u8]> = others.iter().chain(values.iter().step_by(3)).map(Vec::as_slice).collect();
        if in_order {
            wanted.sort_unstable();
        }
        let one_by_one: Vec<u32> = wanted.iter().filter_map(|value| dictionary.find(value).ok()).collect();
        prop_assert_eq!(dictionary.codes_of(wanted), one_by_one);
    }

    #[test]
    fn random_bytes_are_read_without_harm(
        distinct in 0_u32..200,
        mut starts in prop::collection::vec(0_u32..600, 13),
        text in prop::collection::vec(prop_oneof![any::<u8>(), Just(0xff), Just(0x7f)], 0..600),
        sorted: bool,
    ) {
        if sorted {
            starts.sort_unstable();
        }
        let mut bytes = vec![FORMAT];
        bytes.extend(distinct.to_le_bytes());
        bytes.extend((text.len() as u32).to_le_bytes());
        starts.truncate((distinct as usize).div_ceil(BUCKET));
        bytes.extend(starts.iter().flat_map(|start| start.to_le_bytes()));
        bytes.extend(&text);
        let decoded = Dictionary::decode(bytes.into());
        prop_assert_eq!(decoded.is_ok(), starts.is_sorted(), "buckets must not overlap, all else is right");
        if let Ok(dictionary) = decoded {
            prop_assert!(read_everything(&dictionary) <= BUCKET * text.len());
        }
    }
}

/// 100 values of several buckets, with suffixes and shared parts of every kind of length.
fn sample() -> BTreeSet<Vec<u8>> {
    (0..100_usize).map(|number| format!("{}{}", "topic".repeat(number / 5 % 9), number * 7_919).into_bytes()).collect()
}

#[test]
fn a_flipped_bit_or_a_missing_end_is_an_error_or_harmless() {
    let sample = sample();
    let encoded = Dictionary::encode(sample.iter().map(Vec::as_slice));
    for len in 0..encoded.len() {
        assert!(Dictionary::decode(encoded[..len].to_vec().into()).is_err(), "{len} bytes");
    }
    for bit in 0..encoded.len() * 8 {
        let mut damaged = encoded.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        if let Ok(dictionary) = Dictionary::decode(damaged.into()) {
            read_everything(&dictionary);
            let is_detected = dictionary.verify().is_err();
            let is_another_value = !(1..=100).map(|code| dictionary.value(code)).eq(sample.iter().cloned());
            assert!(is_detected || is_another_value, "bit {bit} went by");
        }
    }
}

/// Sixteen strings, each of which shares `shared` bytes with the one before and has `suffix` more.
fn bucket(shared: usize, suffix: usize) -> Vec<String> {
    let tail = "-".repeat(suffix - 1);
    ('a'..='p').map(|letter| format!("{}{letter}{tail}", "x".repeat(shared))).collect()
}

#[test]
fn lengths_are_split_so_that_none_goes_on_outside() {
    // Shared bytes, those of the suffix, and bytes of the head's length and split.
    for (shared, suffix, head_length) in [(30, 2, 2), (5, 10, 1), (2, 25, 1), (20, 6, 1)] {
        let header = 1 + 4 + 4 + 4;
        let entries = 15 * (1 + suffix);
        let bytes = Dictionary::encode(bucket(shared, suffix).iter().map(String::as_bytes)).len();
        assert_eq!(bytes, header + head_length + shared + suffix + entries, "{shared} {suffix}");
    }
}

#[test]
fn verify_tells_values_that_do_not_ascend() {
    let encoded = Dictionary::encode([b"a".as_slice(), b"b"]);
    let place = encoded.windows(1).rposition(|byte| byte == b"b").expect("the second value");
    for (byte, error) in [(b'c', None), (b'a', Some("a bucket is damaged")), (b'A', Some("the values do not ascend"))] {
        let mut changed = encoded.clone();
        changed[place] = byte;
        let verified = Dictionary::decode(changed.into()).expect("a dictionary").verify();
        assert_eq!(verified.err().map(|error| error.detail), error);
    }
}

#[test]
fn no_value_is_not_the_empty_value() {
    let none = dictionary(&BTreeSet::new());
    assert_eq!((none.distinct(), none.find(b""), none.verify()), (0, Err(1), Ok(())));
    let empty = dictionary(&BTreeSet::from([Vec::new()]));
    assert_eq!((empty.distinct(), empty.find(b""), empty.find(b"a")), (1, Ok(1), Err(2)));
}

#[test]
#[should_panic(expected = "strictly ascend")]
fn values_in_disorder_are_refused() {
    Dictionary::encode([b"ab".as_slice(), b"aa"]);
}

#[test]
#[should_panic(expected = "strictly ascend")]
fn equal_values_are_refused() {
    Dictionary::encode([b"ab".as_slice(), b"ab"]);
}
