//! LIKE patterns with wildcards other than one `%` at an end.

use memchr::memmem::Finder;

/// What stands between two `%`: bytes, and places for one character each.
#[derive(Debug, Clone, Default)]
struct Segment(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Literal(Box<Finder<'static>>),
    /// One character of any kind: a byte and the UTF-8 continuation bytes after it.
    AnyCharacter,
}

/// A LIKE pattern cut at its `%`.
#[derive(Debug, Clone)]
pub(crate) struct LikeSegments {
    first: Segment,
    /// `None` without any `%`: then the first segment is the whole text.
    rest: Option<Rest>,
}

#[derive(Debug, Clone)]
struct Rest {
    middle: Vec<Segment>,
    last: Segment,
}

/// One element of a LIKE pattern, after its escapes are resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LikeElement {
    Character(char),
    AnyCharacter,
    AnyText,
}

impl LikeSegments {
    pub(super) fn new(elements: &[LikeElement]) -> Self {
        let mut segments = elements.split(|element| *element == LikeElement::AnyText).map(Segment::new);
        let first = segments.next().expect("splitting gives at least one part");
        let mut middle: Vec<Segment> = segments.collect();
        let rest = middle.pop().map(|last| {
            middle.retain(|segment| !segment.0.is_empty());
            Rest { middle, last }
        });
        Self { first, rest }
    }

    /// Bytes that every matching text begins with.
    pub(super) fn literal_prefix(&self) -> &[u8] {
        match self.first.0.first() {
            Some(Piece::Literal(literal)) => literal.needle(),
            _ => &[],
        }
    }

    /// The longest bytes that every matching text has somewhere behind its [literal prefix](Self::literal_prefix).
    pub(super) fn required_literal(&self) -> Option<&Finder<'static>> {
        let rest = self.rest.iter().flat_map(|rest| rest.middle.iter().chain([&rest.last]));
        let pieces = self.first.0.iter().skip(1).chain(rest.flat_map(|segment| &segment.0));
        let literals = pieces.filter_map(|piece| match piece {
            Piece::Literal(literal) => Some(&**literal),
            Piece::AnyCharacter => None,
        });
        literals.max_by_key(|literal| literal.needle().len())
    }

    pub(super) fn matches(&self, text: &[u8]) -> bool {
        let Some(text) = self.first.strip_from_start(text) else { return false };
        let Some(Rest { middle, last }) = &self.rest else { return text.is_empty() };
        // All segments have a fixed number of characters, so that the first place of each leaves most for the others.
        let mut text = text;
        for segment in middle {
            match segment.after_first_place(text) {
                Some(after) => text = after,
                None => return false,
            }
        }
        last.fits_end(text)
    }
}

impl Segment {
    fn new(elements: &[LikeElement]) -> Self {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        for element in elements {
            match element {
                LikeElement::Character(character) => literal.push(*character),
                _ => {
                    push_literal(&mut pieces, &mut literal);
                    pieces.push(Piece::AnyCharacter);
                }
            }
        }
        push_literal(&mut pieces, &mut literal);
        Self(pieces)
    }

    /// The text behind the segment, where it begins the text.
    fn strip_from_start<'t>(&self, mut text: &'t [u8]) -> Option<&'t [u8]> {
        for piece in &self.0 {
            text = match piece {
                Piece::Literal(literal) => text.strip_prefix(literal.needle())?,
                Piece::AnyCharacter => &text[first_character_bytes(text)?..],
            };
        }
        Some(text)
    }

    /// Whether the segment ends the text.
    fn fits_end(&self, mut text: &[u8]) -> bool {
        for piece in self.0.iter().rev() {
            let before = match piece {
                Piece::Literal(literal) => text.strip_suffix(literal.needle()),
                Piece::AnyCharacter => last_character_start(text).map(|start| &text[..start]),
            };
            match before {
                Some(before) => text = before,
                None => return false,
            }
        }
        true
    }

    /// The text behind the segment's first place in it.
    fn after_first_place<'t>(&self, mut text: &'t [u8]) -> Option<&'t [u8]> {
        loop {
            if let Some(Piece::Literal(literal)) = self.0.first() {
                text = &text[literal.find(text)?..];
            }
            if let Some(after) = self.strip_from_start(text) {
                return Some(after);
            }
            text = &text[first_character_bytes(text)?..];
        }
    }
}

fn push_literal(pieces: &mut Vec<Piece>, literal: &mut String) {
    if !literal.is_empty() {
        pieces.push(Piece::Literal(Box::new(Finder::new(&std::mem::take(literal)).into_owned())));
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// The length of a text's first character; `None` at its end.
fn first_character_bytes(text: &[u8]) -> Option<usize> {
    let (_, after) = text.split_first()?;
    Some(1 + after.iter().take_while(|&&byte| is_continuation(byte)).count())
}

/// Where a text's last character begins; `None` for an empty text.
fn last_character_start(text: &[u8]) -> Option<usize> {
    let last = text.len().checked_sub(1)?;
    Some(text.iter().rposition(|&byte| !is_continuation(byte)).unwrap_or(0).min(last))
}
