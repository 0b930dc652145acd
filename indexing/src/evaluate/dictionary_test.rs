//! The codes of a dictionary whose texts pass a test.

use std::cmp::Ordering;
use std::ops::{Bound, Range};

use hashbrown::HashSet;

use super::place_search::codes_with_place;
use crate::predicate::{PatternShape, TextTest, Texts};
use crate::{CodeSet, Dictionary, DictionaryPrefix};

/// Finding one of many texts in a sorted dictionary costs about as much as reading this many one after another.
const FIND_TEXTS: usize = 16;
/// Fewer texts than this are quicker compared one by one than hashed.
const HASHED_TEXTS_MIN: usize = 8;

/// How a test finds its codes in a sorted dictionary.
pub(super) enum CodeSearch<'t> {
    /// By looking for some texts: their codes are at hand.
    Known(CodeSet),
    /// By reading the texts of a range of codes.
    Scan { codes: Range<u32>, test: &'t TextTest },
}

impl<'t> CodeSearch<'t> {
    pub fn new(dictionary: &Dictionary, test: &'t TextTest) -> Self {
        let distinct = dictionary.distinct();
        let known_range = |codes| Self::Known(CodeSet::from_range(distinct, codes));
        let shape = match test {
            TextTest::In(texts) => return Self::of_texts(dictionary, texts, test),
            TextTest::Range { lower, upper } => {
                return known_range(codes_between(dictionary, slice_of(lower), slice_of(upper)));
            }
            TextTest::Prefix(prefix) => return known_range(codes_with_prefix(dictionary, prefix)),
            TextTest::Like(pattern) => pattern.shape(),
            TextTest::Regex(pattern) => pattern.shape(),
        };
        let codes = codes_with_prefix(dictionary, shape.literal_prefix());
        match shape {
            PatternShape::Everything | PatternShape::Prefix(_) => known_range(codes),
            PatternShape::Equal(text) => known_range(match dictionary.find(text) {
                Ok(code) => code..code + 1,
                Err(_) => 0..0,
            }),
            _ if codes.is_empty() => known_range(codes),
            _ => Self::Scan { codes, test },
        }
    }

    fn of_texts(dictionary: &Dictionary, texts: &Texts, test: &'t TextTest) -> Self {
        let texts = texts.as_slice();
        if let ([first, .., last], true) = (texts, texts.len() * FIND_TEXTS > dictionary.distinct() as usize) {
            let codes = codes_between(dictionary, Bound::Included(first), Bound::Included(last));
            if texts.len() * FIND_TEXTS > codes.len() {
                return Self::Scan { codes, test };
            }
        }
        let codes = dictionary.codes_of(texts.iter().map(|text| &**text));
        Self::Known(CodeSet::from_codes(dictionary.distinct(), codes))
    }

    /// Texts to read.
    pub fn scanned_texts(&self) -> u32 {
        match self {
            Self::Known(_) => 0,
            Self::Scan { codes, .. } => codes.end - codes.start,
        }
    }

    pub fn codes(self, dictionary: &Dictionary) -> CodeSet {
        let (codes, test) = match self {
            Self::Known(codes) => return codes,
            Self::Scan { codes, test } => (codes, test),
        };
        if let TextTest::In(texts) = test {
            return merge(dictionary, codes, texts);
        }
        let mut bits = CodeBits::new(dictionary.distinct());
        let mut matcher = test.matcher();
        match test.pattern_shape().and_then(PatternShape::place_search) {
            Some((search, is_exact)) => codes_with_place(dictionary, codes, search, |code, text| {
                bits.set_if(code, is_exact || matcher.matches(text));
            }),
            None => dictionary.scan(codes, |code, text| bits.set_if(code, matcher.matches(text))),
        }
        bits.into_set()
    }
}

/// Tests every text of a sorted dictionary, one after the other.
pub(super) fn codes_by_reading_all(dictionary: &Dictionary, test: &TextTest) -> CodeSet {
    let mut bits = CodeBits::new(dictionary.distinct());
    let mut matcher = test.matcher();
    dictionary.scan(1..dictionary.distinct() + 1, |code, text| bits.set_if(code, matcher.matches(text)));
    bits.into_set()
}

/// Tests the texts of a growing dictionary from the code `first` on.
pub(super) fn codes_in_growing(dictionary: &DictionaryPrefix, first: u32, test: &TextTest) -> CodeSet {
    let distinct = dictionary.distinct() as u32;
    let mut bits = CodeBits::new(distinct);
    let codes = first..distinct + 1;
    match test {
        TextTest::In(texts) if texts.as_slice().len() >= HASHED_TEXTS_MIN => {
            let texts: HashSet<&[u8]> = texts.as_slice().iter().map(|text| &**text).collect();
            codes.for_each(|code| bits.set_if(code, texts.contains(dictionary.value(code))));
        }
        _ => {
            let mut matcher = test.matcher();
            codes.for_each(|code| bits.set_if(code, matcher.matches(dictionary.value(code))));
        }
    }
    bits.into_set()
}

/// Walks the dictionary and the texts side by side.
fn merge(dictionary: &Dictionary, codes: Range<u32>, texts: &Texts) -> CodeSet {
    let mut found = Vec::new();
    let mut wanted = texts.as_slice();
    dictionary.scan(codes, |code, text| {
        while let [first, rest @ ..] = wanted {
            match (**first).cmp(text) {
                Ordering::Less => wanted = rest,
                Ordering::Equal => {
                    found.push(code);
                    wanted = rest;
                }
                Ordering::Greater => break,
            }
        }
    });
    CodeSet::from_codes(dictionary.distinct(), found)
}

/// The code of the first text that is not less than `text`.
fn first_at_least(dictionary: &Dictionary, text: &[u8]) -> u32 {
    dictionary.find(text).unwrap_or_else(|next| next)
}

fn slice_of(bound: &Bound<Box<[u8]>>) -> Bound<&[u8]> {
    bound.as_ref().map(|text| &**text)
}

fn codes_between(dictionary: &Dictionary, lower: Bound<&[u8]>, upper: Bound<&[u8]>) -> Range<u32> {
    let first_greater = |text: &[u8]| dictionary.find(text).map_or_else(|next| next, |code| code + 1);
    let start = match lower {
        Bound::Included(lower) => first_at_least(dictionary, lower),
        Bound::Excluded(lower) => first_greater(lower),
        Bound::Unbounded => 1,
    };
    let end = match upper {
        Bound::Included(upper) => first_greater(upper),
        Bound::Excluded(upper) => first_at_least(dictionary, upper),
        Bound::Unbounded => dictionary.distinct() + 1,
    };
    start..end.max(start)
}

fn codes_with_prefix(dictionary: &Dictionary, prefix: &[u8]) -> Range<u32> {
    if prefix.is_empty() {
        return 1..dictionary.distinct() + 1;
    }
    let start = first_at_least(dictionary, prefix);
    // The least text that is greater than all texts with this prefix; there is none above bytes of 0xff.
    let mut next = prefix.to_vec();
    while next.last() == Some(&u8::MAX) {
        next.pop();
    }
    let end = match next.last_mut() {
        Some(last) => {
            *last += 1;
            first_at_least(dictionary, &next)
        }
        None => dictionary.distinct() + 1,
    };
    start..end.max(start)
}

/// A bit for each code.
struct CodeBits {
    distinct: u32,
    words: Vec<u64>,
}

impl CodeBits {
    fn new(distinct: u32) -> Self {
        Self { distinct, words: vec![0; distinct as usize / 64 + 1] }
    }

    fn set_if(&mut self, code: u32, is_in: bool) {
        self.words[code as usize / 64] |= u64::from(is_in) << (code % 64);
    }

    fn into_set(self) -> CodeSet {
        CodeSet::from_bits(self.distinct, &self.words)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::GrowingDictionary;
    use crate::predicate::tests::{by_reference, text, text_test};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn every_search_gives_the_codes_whose_texts_pass(texts in prop::collection::vec(text(), 0..60), test in text_test()) {
            let mut growing = GrowingDictionary::default();
            texts.iter().for_each(|text| { growing.intern(text); });
            let growing = growing.prefix();
            let sorted: Vec<&str> = texts.iter().map(String::as_str).collect::<BTreeSet<_>>().into_iter().collect();
            let dictionary = Dictionary::encode(sorted.iter().map(|text| text.as_bytes()));
            let dictionary = Dictionary::decode(dictionary.into()).unwrap();
            let passes = |code: &u32| by_reference(&test, sorted[*code as usize - 1]);
            let expected: Vec<u32> = (1..=dictionary.distinct()).filter(passes).collect();

            let search = CodeSearch::new(&dictionary, &test);
            prop_assert!(search.scanned_texts() <= dictionary.distinct());
            let found = search.codes(&dictionary);
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), &expected[..], "{:?} {:?}", &test, &sorted);
            let read = codes_by_reading_all(&dictionary, &test);
            prop_assert_eq!(read.iter().collect::<Vec<_>>(), &expected[..]);

            let text_of = |code: u32| std::str::from_utf8(growing.value(code)).unwrap();
            for first in [1, 2, growing.distinct() as u32 + 1] {
                let found = codes_in_growing(&growing, first, &test);
                let expected = (first..=growing.distinct() as u32).filter(|&code| by_reference(&test, text_of(code)));
                prop_assert!(found.iter().eq(expected));
            }
        }
    }

    #[test]
    fn only_what_has_to_be_read_is_read() {
        let texts: Vec<String> = (0..1_000).map(|number| format!("t{number:03}")).collect();
        let dictionary = Dictionary::encode(texts.iter().map(String::as_bytes));
        let dictionary = Dictionary::decode(dictionary.into()).unwrap();
        let read = |test: TextTest| CodeSearch::new(&dictionary, &test).scanned_texts();
        let like = |pattern| TextTest::Like(crate::LikePattern::new(pattern, None, false).unwrap());
        let regex = |pattern| TextTest::Regex(crate::RegexPattern::new(pattern).unwrap());
        let from = |text: &str| Bound::Included(text.as_bytes().into());
        let known = [
            TextTest::equal("t5"),
            TextTest::any_of(["t500", "t007", "x"]),
            TextTest::Prefix(b"t5".as_slice().into()),
            TextTest::Range { lower: from("t5"), upper: Bound::Unbounded },
            like("t500"),
            like("t5%"),
            like("%"),
            like("x_%x"),
            regex("^t5"),
            regex("^t500$"),
        ];
        assert_eq!(known.map(read), [0; 10]);
        assert_eq!([like("%5"), like("%5%"), like("_5%"), regex("5")].map(read), [1_000; 4]);
        assert_eq!([like("t5%5"), like("t5_"), regex("^t5.5")].map(read), [100; 3]);
        // Reading what lies between the first and the last costs less than looking for each.
        assert_eq!(read(TextTest::any_of((100..200).map(|number| format!("t{number}")))), 100);
    }
}
