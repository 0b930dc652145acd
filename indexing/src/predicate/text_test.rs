//! Tests of one text.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;
use std::sync::Arc;

use regex_automata::meta;

use super::{LikePattern, PatternShape, RegexPattern};

/// A test of a text. Two tests are equal where they were written alike, so that a test can be the key of a cache.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TextTest {
    /// Equal to one of these; one item is plain equality.
    In(Texts),
    /// Between two bounds in byte order; no text where they cross.
    Range {
        lower: Bound<Box<[u8]>>,
        upper: Bound<Box<[u8]>>,
    },
    /// Begins with these bytes.
    Prefix(Box<[u8]>),
    Like(LikePattern),
    /// A regular expression that matches anywhere in the text.
    Regex(RegexPattern),
}

impl TextTest {
    /// Equality with one text.
    pub fn equal(text: impl AsRef<[u8]>) -> Self {
        Self::In(Texts::new([text]))
    }

    /// Equality with one of some texts, given in any order.
    pub fn any_of<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::In(Texts::new(texts))
    }

    /// Memory that the test's own texts take, roughly.
    pub fn bytes(&self) -> usize {
        match self {
            Self::In(texts) => texts.texts.iter().map(|text| text.len() + size_of::<Box<[u8]>>()).sum(),
            Self::Range { lower, upper } => [lower, upper].map(bound_bytes).iter().sum(),
            Self::Prefix(prefix) => prefix.len(),
            Self::Like(pattern) => pattern.source().0.len(),
            Self::Regex(pattern) => pattern.as_str().len(),
        }
    }

    /// For testing many texts one after another.
    pub(crate) fn matcher(&self) -> TextMatcher<'_> {
        TextMatcher { test: self, scratch: None }
    }

    /// What a pattern comes down to; `None` for other tests.
    pub(crate) fn pattern_shape(&self) -> Option<&PatternShape> {
        match self {
            Self::Like(pattern) => Some(pattern.shape()),
            Self::Regex(pattern) => Some(pattern.shape()),
            Self::In(_) | Self::Range { .. } | Self::Prefix(_) => None,
        }
    }
}

fn bound_bytes(bound: &Bound<Box<[u8]>>) -> usize {
    match bound {
        Bound::Included(text) | Bound::Excluded(text) => text.len(),
        Bound::Unbounded => 0,
    }
}

/// Applies a test to one text after another, and keeps what a regular expression needs meanwhile.
#[derive(Debug)]
pub(crate) struct TextMatcher<'t> {
    test: &'t TextTest,
    scratch: Option<meta::Cache>,
}

impl TextMatcher<'_> {
    pub fn matches(&mut self, text: &[u8]) -> bool {
        match self.test {
            TextTest::In(texts) => texts.contains(text),
            TextTest::Range { lower, upper } => {
                let is_above = match lower {
                    Bound::Included(lower) => text >= &**lower,
                    Bound::Excluded(lower) => text > &**lower,
                    Bound::Unbounded => true,
                };
                let is_below = match upper {
                    Bound::Included(upper) => text <= &**upper,
                    Bound::Excluded(upper) => text < &**upper,
                    Bound::Unbounded => true,
                };
                is_above && is_below
            }
            TextTest::Prefix(prefix) => text.starts_with(prefix),
            TextTest::Like(pattern) => pattern.shape().matches(text, &mut self.scratch),
            TextTest::Regex(pattern) => pattern.shape().matches(text, &mut self.scratch),
        }
    }
}

/// Distinct texts in ascending byte order; a clone shares them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// Of all texts, so that a long list is read once and not with every look into a cache.
    hash: u64,
    texts: Arc<[Box<[u8]>]>,
}

impl Texts {
    /// Sorts the texts and drops repeated ones.
    pub fn new<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> Self {
        let mut texts: Vec<Box<[u8]>> = texts.into_iter().map(|text| text.as_ref().into()).collect();
        texts.sort_unstable();
        texts.dedup();
        let mut hasher = DefaultHasher::new();
        texts.hash(&mut hasher);
        Self { hash: hasher.finish(), texts: texts.into() }
    }

    /// The texts, ascending.
    pub fn as_slice(&self) -> &[Box<[u8]>] {
        &self.texts
    }

    fn contains(&self, text: &[u8]) -> bool {
        self.texts.binary_search_by(|item| (**item).cmp(text)).is_ok()
    }
}

impl Hash for Texts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}
