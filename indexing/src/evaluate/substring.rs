//! Substring search over a whole dictionary.

use std::ops::Range;

use memchr::memmem::Finder;

use crate::Dictionary;

/// Texts that are put together before they are searched: few enough to stay in the fastest cache.
const TEXTS_TOGETHER: u32 = 512;

/// Calls `found` with the codes whose texts contain what `finder` looks for, ascending.
///
/// Texts are put one after another, and the search runs over all of them at once: it costs less than starting one search
/// for each.
pub(super) fn codes_containing(
    dictionary: &Dictionary,
    codes: Range<u32>,
    finder: &Finder<'_>,
    mut found: impl FnMut(u32),
) {
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    let mut first = codes.start;
    while first < codes.end {
        let next = codes.end.min(first.saturating_add(TEXTS_TOGETHER));
        bytes.clear();
        ends.clear();
        dictionary.decode_into(first..next, &mut bytes, &mut ends);
        texts_containing(&bytes, &ends, finder, |text| found(first + text as u32));
        first = next;
    }
}

/// Calls `found` with the numbers of the texts that contain what `finder` looks for. Text `i` ends at `ends[i]`.
fn texts_containing(bytes: &[u8], ends: &[u32], finder: &Finder<'_>, mut found: impl FnMut(usize)) {
    let length = finder.needle().len();
    let (mut from, mut text) = (0, 0);
    while let Some(place) = finder.find(&bytes[from..]) {
        let (start, end) = (from + place, from + place + length);
        while text < ends.len() && ends[text] as usize <= start {
            text += 1;
        }
        match ends.get(text) {
            None => return,
            // The rest of this text adds nothing.
            Some(&text_end) if end <= text_end as usize => {
                found(text);
                from = text_end as usize;
            }
            // One text's end and another's beginning.
            Some(_) => from = start + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_search_over_all_texts_finds_what_one_of_each_does(
            texts in prop::collection::vec("[ab]{0,6}", 0..30), needle in "[ab]{1,4}",
        ) {
            let bytes: Vec<u8> = texts.concat().into_bytes();
            let ends: Vec<u32> = texts.iter().scan(0, |end, text| { *end += text.len() as u32; Some(*end) }).collect();
            let mut found = Vec::new();
            texts_containing(&bytes, &ends, &Finder::new(&needle), |text| found.push(text));
            let expected: Vec<usize> = (0..texts.len()).filter(|&text| texts[text].contains(&needle)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
