//! The pattern of REGEXP_LIKE.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{PatternError, PatternShape};

/// A regular expression in the syntax of the `regex` crate; it matches where it fits any part of the text.
///
/// ```
/// # use henge_indexing::RegexPattern;
/// let pattern = RegexPattern::new("(?i)^lkc-[0-9a-z]+")?;
/// assert!(pattern.matches(b"LKC-7x"));
/// assert!(!pattern.matches(b"the lkc-7x"));
/// # Ok::<(), henge_indexing::PatternError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RegexPattern {
    pattern: Arc<str>,
    shape: Arc<PatternShape>,
}

impl RegexPattern {
    /// Reads and compiles an expression. Flags stand in front of it: `(?i)` for letters of either case.
    ///
    /// # Errors
    /// Where the expression cannot be read, is longer than 64 KiB, or takes more than 10 MiB when compiled (the SQL
    /// engine's own limit).
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        PatternShape::check_length(pattern)?;
        Ok(Self { pattern: pattern.into(), shape: Arc::new(PatternShape::of_regex(pattern)?) })
    }

    /// Whether some part of a text matches.
    pub fn matches(&self, text: &[u8]) -> bool {
        self.shape.matches(text, &mut None)
    }

    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    pub(crate) fn shape(&self) -> &PatternShape {
        &self.shape
    }
}

impl PartialEq for RegexPattern {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

impl Eq for RegexPattern {}

impl Hash for RegexPattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.pattern.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_matches_where_the_expression_fits_a_part_of_it() {
        let pattern = RegexPattern::new("b[0-9]+").expect("an expression");
        assert_eq!([&b"ab12"[..], b"b", b"", b"b7"].map(|text| pattern.matches(text)), [true, false, false, true]);
    }
}
