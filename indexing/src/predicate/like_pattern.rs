//! The pattern of SQL's LIKE and ILIKE.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use memchr::memmem::Finder;

use super::like_segments::{LikeElement, LikeSegments};
use super::{PatternError, PatternShape};

/// A LIKE pattern: `%` is any text, `_` is one Unicode character, and the escape character takes the wildcard, or any
/// other character behind it, for itself. Newlines are characters like any other. An escape character at the very end
/// of the pattern stands for itself.
///
/// ```
/// # use henge_indexing::LikePattern;
/// let pattern = LikePattern::new(r"100\%_done%", Some('\\'), false)?;
/// assert!(pattern.matches("100% done, all of it".as_bytes()));
/// assert!(!pattern.matches("100 percent done".as_bytes()));
/// # Ok::<(), henge_indexing::PatternError>(())
/// ```
#[derive(Debug, Clone)]
pub struct LikePattern {
    pattern: Arc<str>,
    escape: Option<char>,
    is_case_insensitive: bool,
    shape: Arc<PatternShape>,
}

impl LikePattern {
    /// Reads a pattern. SQL's escape character is the backslash unless an `ESCAPE` clause gives another, or none. Letters
    /// of either case are equal for ILIKE: by Unicode's simple case folding, so that `ß` is not `SS`.
    ///
    /// # Errors
    /// Where the pattern is longer than 64 KiB, or takes too much memory when compiled (ILIKE only).
    pub fn new(pattern: &str, escape: Option<char>, is_case_insensitive: bool) -> Result<Self, PatternError> {
        PatternShape::check_length(pattern)?;
        let elements = elements(pattern, escape);
        let shape = match is_case_insensitive {
            true => PatternShape::of_regex(&regex_of(&elements))?,
            false => shape_of(&elements),
        };
        Ok(Self { pattern: pattern.into(), escape, is_case_insensitive, shape: Arc::new(shape) })
    }

    /// Whether a text matches.
    pub fn matches(&self, text: &[u8]) -> bool {
        self.shape.matches(text, &mut None)
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Whether letters of either case are equal.
    pub fn is_case_insensitive(&self) -> bool {
        self.is_case_insensitive
    }

    pub(crate) fn shape(&self) -> &PatternShape {
        &self.shape
    }

    /// The pattern as it was written, its escape character, and whether letters of either case are equal.
    pub(crate) fn source(&self) -> (&str, Option<char>, bool) {
        (&self.pattern, self.escape, self.is_case_insensitive)
    }
}

impl PartialEq for LikePattern {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for LikePattern {}

impl Hash for LikePattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source().hash(state);
    }
}

fn elements(pattern: &str, escape: Option<char>) -> Vec<LikeElement> {
    let mut elements = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        elements.push(match character {
            _ if Some(character) == escape => LikeElement::Character(characters.next().unwrap_or(character)),
            '%' => LikeElement::AnyText,
            '_' => LikeElement::AnyCharacter,
            _ => LikeElement::Character(character),
        });
    }
    // Two `%` in a row say no more than one.
    elements.dedup_by(|left, right| *left == LikeElement::AnyText && *right == LikeElement::AnyText);
    elements
}

/// The quickest way to say the same.
fn shape_of(elements: &[LikeElement]) -> PatternShape {
    use LikeElement::AnyText;
    let (is_open_at_start, inner) = match elements {
        [AnyText, inner @ ..] => (true, inner),
        inner => (false, inner),
    };
    let (inner, is_open_at_end) = match inner {
        [inner @ .., AnyText] => (inner, true),
        inner => (inner, false),
    };
    let literal: Option<String> = inner.iter().map(|element| element.character()).collect();
    match (literal.map(String::into_bytes), is_open_at_start, is_open_at_end) {
        (None, ..) => PatternShape::Segments(LikeSegments::new(elements)),
        (Some(literal), true, _) if literal.is_empty() => PatternShape::Everything,
        (Some(literal), false, false) => PatternShape::Equal(literal.into()),
        (Some(literal), false, true) => PatternShape::Prefix(literal.into()),
        (Some(literal), true, false) => PatternShape::Suffix(literal.into()),
        (Some(literal), true, true) => PatternShape::Contains(Box::new(Finder::new(&literal).into_owned())),
    }
}

/// A regular expression for the same texts, in either case.
fn regex_of(elements: &[LikeElement]) -> String {
    let mut regex = String::from("(?si)^");
    for element in elements {
        match element {
            LikeElement::AnyText => regex.push_str(".*"),
            LikeElement::AnyCharacter => regex.push('.'),
            LikeElement::Character(character) => {
                regex.push_str(&regex_syntax::escape(character.encode_utf8(&mut [0; 4])));
            }
        }
    }
    regex.push('$');
    regex
}

impl LikeElement {
    fn character(self) -> Option<char> {
        match self {
            Self::Character(character) => Some(character),
            _ => None,
        }
    }
}
