//! The codes of a column's texts that pass a test: looked up, remembered, or read.

use std::sync::Arc;

use super::column::TextColumn;
use super::dictionary_test::{CodeSearch, codes_by_reading_all, codes_in_growing};
use crate::CodeSet;
use crate::predicate::TextTest;

/// So few texts of a dictionary are tested at once, and what was found is not remembered.
const FEW_TEXTS: u32 = 256;

impl TextColumn<'_> {
    /// The codes that pass, or else how many texts have to be read to know them.
    pub(super) fn known_codes(&self, test: &TextTest) -> Result<Arc<CodeSet>, u32> {
        match self {
            Self::Sorted { dictionary, cache, .. } => match CodeSearch::new(dictionary, test) {
                search if search.scanned_texts() <= FEW_TEXTS => Ok(search.codes(dictionary).into()),
                search => cache.and_then(|cache| cache.get(test)).ok_or(search.scanned_texts()),
            },
            Self::Growing { dictionary, .. } if self.distinct() <= FEW_TEXTS => {
                Ok(codes_in_growing(dictionary, 1, test).into())
            }
            Self::Growing { cache, .. } => {
                let earlier = cache.and_then(|cache| cache.get(test));
                let codes = earlier.ok_or(self.distinct())?;
                self.cut(&codes).ok_or_else(|| self.distinct() - codes.distinct())
            }
        }
    }

    /// The codes that pass, which are remembered.
    pub(super) fn read_codes(&self, test: &TextTest) -> Arc<CodeSet> {
        let (codes, cache) = match self {
            Self::Sorted { dictionary, cache, .. } => (CodeSearch::new(dictionary, test).codes(dictionary), cache),
            Self::Growing { dictionary, cache, .. } => {
                let earlier = cache.and_then(|cache| cache.get(test));
                if let Some(codes) = earlier.as_ref().and_then(|codes| self.cut(codes)) {
                    return codes;
                }
                let known = earlier.as_ref().map_or(0, |codes| codes.distinct());
                let mut codes = codes_in_growing(dictionary, known + 1, test);
                if let Some(earlier) = earlier {
                    codes = codes.or(&CodeSet::from_bits(codes.distinct(), &earlier.bits()));
                }
                (codes, cache)
            }
        };
        let codes = Arc::new(codes);
        if let Some(cache) = cache {
            cache.insert(test, codes.clone());
        }
        codes
    }

    /// The codes that pass, found by testing every text.
    pub(super) fn codes_by_reading_all(&self, test: &TextTest) -> CodeSet {
        match self {
            Self::Sorted { dictionary, .. } => codes_by_reading_all(dictionary, test),
            Self::Growing { dictionary, .. } => codes_in_growing(dictionary, 1, test),
        }
    }

    /// What is known of this prefix of a growing dictionary or of a later one; `None` where it is of an earlier one.
    fn cut(&self, codes: &Arc<CodeSet>) -> Option<Arc<CodeSet>> {
        match codes.distinct().cmp(&self.distinct()) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => Some(codes.clone()),
            std::cmp::Ordering::Greater => Some(Arc::new(CodeSet::from_bits(self.distinct(), &codes.bits()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predicate::LikePattern;
    use crate::{CodeSetCache, GrowingDictionary};

    #[test]
    fn what_is_known_of_a_growing_dictionary_serves_later_and_earlier_prefixes() {
        let cache = CodeSetCache::new(1 << 20);
        let mut dictionary = GrowingDictionary::default();
        let mut grow = |end: u32| {
            (dictionary.prefix().distinct() as u32..end).for_each(|number| {
                dictionary.intern(&format!("t{number}"));
            });
            dictionary.prefix()
        };
        let prefixes = [300, 1_000, 2_000].map(&mut grow);
        let column = |prefix: usize| TextColumn::Growing {
            dictionary: &prefixes[prefix],
            pages: Vec::new(),
            cache: Some(cache.dictionary(1)),
        };
        let test = TextTest::Like(LikePattern::new("t%99", None, false).unwrap());
        let expected = |prefix: usize| column(prefix).codes_by_reading_all(&test);
        assert_eq!(expected(0).iter().collect::<Vec<_>>(), [100, 200, 300]);
        assert_eq!(expected(2).len(), 20);

        assert_eq!(column(1).known_codes(&test), Err(1_000));
        assert_eq!(*column(1).read_codes(&test), expected(1));
        assert_eq!(column(2).known_codes(&test), Err(1_000));
        assert_eq!(column(1).known_codes(&test).as_deref(), Ok(&expected(1)));
        assert_eq!(column(0).known_codes(&test).as_deref(), Ok(&expected(0)));
        assert_eq!(*column(0).read_codes(&test), expected(0));
        assert_eq!(*column(2).read_codes(&test), expected(2));
        assert_eq!(column(2).known_codes(&test).as_deref(), Ok(&expected(2)));
        assert_eq!(column(1).known_codes(&test).as_deref(), Ok(&expected(1)));
    }
}
