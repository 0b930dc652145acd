//! A search that runs over many texts of a dictionary at once.

use std::ops::Range;

use crate::Dictionary;
use crate::predicate::PlaceSearch;

/// Texts that are put together before they are searched: few enough to stay in the fastest cache.
const TEXTS_TOGETHER: u32 = 512;

/// Calls `found` with the codes, ascending, and the texts in which `search` finds a place.
///
/// Texts are put one after another, and the search runs over all of them at once: it costs less than starting one search
/// for each.
pub(super) fn codes_with_place(
    dictionary: &Dictionary,
    codes: Range<u32>,
    mut search: PlaceSearch<'_>,
    mut found: impl FnMut(u32, &[u8]),
) {
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    let mut first = codes.start;
    while first < codes.end {
        let next = codes.end.min(first.saturating_add(TEXTS_TOGETHER));
        bytes.clear();
        ends.clear();
        dictionary.decode_into(first..next, &mut bytes, &mut ends);
        texts_with_place(&bytes, &ends, &mut search, |place, text| found(first + place as u32, text));
        first = next;
    }
}

/// Calls `found` with the number and the bytes of each text in which `search` finds a place. Text `i` ends at `ends[i]`.
fn texts_with_place(bytes: &[u8], ends: &[u32], search: &mut PlaceSearch<'_>, mut found: impl FnMut(usize, &[u8])) {
    let (mut from, mut text) = (0, 0);
    while let Some(place) = search.find_from(bytes, from) {
        while ends.get(text).is_some_and(|&end| end as usize <= place.start) {
            text += 1;
        }
        let Some(&end) = ends.get(text) else { return };
        if place.end <= end as usize {
            let start = text.checked_sub(1).map_or(0, |before| ends[before] as usize);
            found(text, &bytes[start..end as usize]);
            // The rest of this text adds nothing.
            from = end as usize;
            text += 1;
        } else {
            // One text's end and another's beginning.
            from = place.start + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use memchr::memmem::Finder;
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
            let finder = Finder::new(&needle).into_owned();
            texts_with_place(&bytes, &ends, &mut PlaceSearch::Literal(&finder), |text, bytes| {
                assert_eq!(bytes, texts[text].as_bytes());
                found.push(text);
            });
            let expected: Vec<usize> = (0..texts.len()).filter(|&text| texts[text].contains(&needle)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
