//! Dictionaries of any bytes.

use bytes::Bytes;

use crate::Dictionary;

/// Codes at either end that are looked up one by one.
const CODES_READ: u32 = 40;
/// A bucket's strings may each share all of the one before.
const STRINGS_PER_BYTE_MAX: usize = 16;

/// Reads a [`Dictionary`]; where it is sound, its strings are found again.
pub fn dictionary(bytes: &[u8]) -> bool {
    let Ok(dictionary) = Dictionary::decode(Bytes::copy_from_slice(bytes)) else { return false };
    let (distinct, is_sound) = (dictionary.distinct(), dictionary.verify().is_ok());
    let (mut strings, mut ends) = (Vec::new(), Vec::new());
    dictionary.decode_into(0..u32::MAX, &mut strings, &mut ends);
    assert_eq!(ends.len(), distinct as usize);
    assert!(ends.is_sorted() && ends.last().is_none_or(|end| *end as usize == strings.len()));
    assert!(strings.len() <= STRINGS_PER_BYTE_MAX * bytes.len(), "{} bytes of strings", strings.len());
    let string = |code: u32| {
        let ends = |code: u32| ends[code as usize - 1] as usize;
        &strings[if code == 1 { 0 } else { ends(code - 1) }..ends(code)]
    };
    let mut expected = 1;
    dictionary.scan(0..u32::MAX, |code, value| {
        assert_eq!((code, value), (expected, string(expected)));
        expected += 1;
    });
    assert_eq!(expected, distinct + 1);
    let near_end = distinct.saturating_sub(CODES_READ).max(CODES_READ);
    for code in (1..=distinct).filter(|code| *code <= CODES_READ || *code > near_end) {
        assert_eq!(dictionary.value(code), string(code));
        look_up(&dictionary, is_sound, code, string(code));
    }
    assert_eq!([0, distinct + 1, u32::MAX].map(|code| dictionary.value(code)), [const { Vec::new() }; 3]);
    let tail = bytes.get(bytes.len() / 2..).unwrap_or_default();
    look_up_any(&dictionary, tail);
    let found = dictionary.codes_of((1..=distinct).map(string).chain([tail]));
    assert!(!is_sound || found.iter().copied().take(distinct as usize).eq(1..=distinct));
    true
}

/// Looks for a string that has a code.
fn look_up(dictionary: &Dictionary, is_sound: bool, code: u32, value: &[u8]) {
    let found = dictionary.find(value);
    assert!(!is_sound || found == Ok(code));
    let longer = [value, &[0]].concat();
    let found = dictionary.find(&longer);
    assert!(!is_sound || found == Err(code + 1) || found == Ok(code + 1));
    look_up_any(dictionary, value.split_last().map_or(&[], |(_, shorter)| shorter));
}

/// Looks for any string. A code that is found may be another string's where the dictionary is damaged.
fn look_up_any(dictionary: &Dictionary, wanted: &[u8]) {
    let (Ok(code) | Err(code)) = dictionary.find(wanted);
    assert!((1..=dictionary.distinct() + 1).contains(&code));
}
