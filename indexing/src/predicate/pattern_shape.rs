//! The quickest way to find what a pattern matches.

use std::ops::Range;

use memchr::memmem::Finder;
use regex_automata::{Input, meta};
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, HirKind, Look};

use super::PatternError;
use super::like_segments::LikeSegments;

const PATTERN_BYTES_MAX: usize = 64 * 1_024;

/// What the `regex` crate allows by default, and so the SQL engine's own REGEXP_LIKE.
const COMPILED_BYTES_MAX: usize = 10 * 1_024 * 1_024;

/// What a LIKE pattern or a regular expression comes down to.
#[derive(Debug)]
pub(crate) enum PatternShape {
    Everything,
    Equal(Box<[u8]>),
    Prefix(Box<[u8]>),
    Suffix(Box<[u8]>),
    Contains(Box<Finder<'static>>),
    Segments(LikeSegments),
    Automaton(Box<Automaton>),
}

#[derive(Debug)]
pub(crate) struct Automaton {
    /// Bytes that every matching text begins with.
    prefix: Box<[u8]>,
    /// Bytes that every matching text has somewhere.
    required_literal: Option<Finder<'static>>,
    /// The expression says character by character what it matches, so that there is one way at most to match from a place.
    is_fixed: bool,
    regex: meta::Regex,
}

/// Finds the places where a pattern may match within many texts that lie one after another.
pub(crate) enum PlaceSearch<'p> {
    Literal(&'p Finder<'static>),
    Regex(&'p meta::Regex, Box<meta::Cache>),
}

impl PlaceSearch<'_> {
    /// The first place from `from` on.
    pub fn find_from(&mut self, bytes: &[u8], from: usize) -> Option<Range<usize>> {
        match self {
            Self::Literal(finder) => {
                let start = from + finder.find(&bytes[from..])?;
                Some(start..start + finder.needle().len())
            }
            Self::Regex(regex, cache) => {
                let input = Input::new(bytes).range(from..);
                regex.search_with(cache, &input).map(|found| found.range())
            }
        }
    }
}

impl PatternShape {
    pub(super) fn check_length(pattern: &str) -> Result<(), PatternError> {
        match pattern.len() {
            bytes if bytes > PATTERN_BYTES_MAX => Err(PatternError::TooLong { bytes, bytes_max: PATTERN_BYTES_MAX }),
            _ => Ok(()),
        }
    }

    /// The shape of a regular expression that is searched for anywhere in a text.
    pub(super) fn of_regex(pattern: &str) -> Result<Self, PatternError> {
        let syntax = |error: regex_syntax::Error| PatternError::Syntax { detail: error.to_string() };
        let hir = regex_syntax::parse(pattern).map_err(syntax)?;
        let mut parts = Vec::new();
        flatten(&hir, &mut parts);
        // A part that may be empty adds nothing at either end of what is searched for anywhere.
        while parts.last().is_some_and(is_optional) {
            parts.pop();
        }
        let needless = parts.iter().take_while(|part| is_optional(part)).count();
        parts.drain(..needless);
        match literal_shape(&parts) {
            Some(shape) => Ok(shape),
            None => Automaton::new(parts).map(|automaton| Self::Automaton(Box::new(automaton))),
        }
    }

    /// Bytes that every matching text begins with; empty where there is nothing to say.
    pub fn literal_prefix(&self) -> &[u8] {
        match self {
            Self::Everything | Self::Suffix(_) | Self::Contains(_) => &[],
            Self::Equal(literal) | Self::Prefix(literal) => literal,
            Self::Segments(segments) => segments.literal_prefix(),
            Self::Automaton(automaton) => &automaton.prefix,
        }
    }

    /// What to look for in order to find the texts that match; the flag says that a text with such a place does match, else
    /// it only may.
    pub fn place_search(&self) -> Option<(PlaceSearch<'_>, bool)> {
        match self {
            Self::Contains(finder) => Some((PlaceSearch::Literal(finder), true)),
            Self::Segments(segments) => Some((PlaceSearch::Literal(segments.required_literal()?), false)),
            Self::Automaton(automaton) if automaton.is_fixed => {
                let cache = Box::new(automaton.regex.create_cache());
                Some((PlaceSearch::Regex(&automaton.regex, cache), true))
            }
            Self::Automaton(automaton) => Some((PlaceSearch::Literal(automaton.required_literal.as_ref()?), false)),
            Self::Everything | Self::Equal(_) | Self::Prefix(_) | Self::Suffix(_) => None,
        }
    }

    /// Whether a text matches. `scratch` is for later calls with the same shape.
    pub fn matches(&self, text: &[u8], scratch: &mut Option<meta::Cache>) -> bool {
        match self {
            Self::Everything => true,
            Self::Equal(literal) => *text == **literal,
            Self::Prefix(literal) => text.starts_with(literal),
            Self::Suffix(literal) => text.ends_with(literal),
            Self::Contains(finder) => finder.find(text).is_some(),
            Self::Segments(segments) => segments.matches(text),
            Self::Automaton(automaton) => {
                let regex = &automaton.regex;
                let scratch = scratch.get_or_insert_with(|| regex.create_cache());
                regex.search_half_with(scratch, &Input::new(text).earliest(true)).is_some()
            }
        }
    }
}

impl Automaton {
    fn new(parts: Vec<Hir>) -> Result<Self, PatternError> {
        let literals = parts.iter().filter_map(|part| match part.kind() {
            HirKind::Literal(literal) => Some(&*literal.0),
            _ => None,
        });
        let longest = literals.max_by_key(|literal| literal.len());
        let required_literal = longest.map(|literal| Finder::new(literal).into_owned());
        let is_fixed = parts.iter().all(|part| matches!(part.kind(), HirKind::Literal(_) | HirKind::Class(_)));
        let hir = &Hir::concat(parts);
        let is_anchored = hir.properties().look_set_prefix().contains(Look::Start);
        let prefixes = is_anchored.then(|| Extractor::new().extract(hir));
        let prefix = prefixes.as_ref().and_then(|prefixes| prefixes.longest_common_prefix()).unwrap_or(&[]).into();
        let config = meta::Config::new().nfa_size_limit(Some(COMPILED_BYTES_MAX)).utf8_empty(false);
        let regex =
            meta::Builder::new().configure(config).build_from_hir(hir).map_err(|error| match error.size_limit() {
                Some(bytes_max) => PatternError::TooLarge { bytes_max },
                None => PatternError::Syntax { detail: error.to_string() },
            })?;
        Ok(Self { prefix, required_literal, is_fixed, regex })
    }
}

/// The parts that follow each other. What groups capture is of no interest.
fn flatten(hir: &Hir, parts: &mut Vec<Hir>) {
    match hir.kind() {
        HirKind::Capture(capture) => flatten(&capture.sub, parts),
        HirKind::Concat(subs) => subs.iter().for_each(|sub| flatten(sub, parts)),
        _ => parts.push(hir.clone()),
    }
}

fn is_optional(part: &Hir) -> bool {
    matches!(part.kind(), HirKind::Empty)
        || matches!(part.kind(), HirKind::Repetition(repetition) if repetition.min == 0)
}

/// The shape of literals, with or without anchors around them.
fn literal_shape(mut parts: &[Hir]) -> Option<PatternShape> {
    let is_look = |part: &Hir, look: Look| matches!(part.kind(), HirKind::Look(found) if *found == look);
    let (mut is_start, mut is_end) = (false, false);
    if let [first, rest @ ..] = parts
        && is_look(first, Look::Start)
    {
        (is_start, parts) = (true, rest);
    }
    if let [rest @ .., last] = parts
        && is_look(last, Look::End)
    {
        (is_end, parts) = (true, rest);
    }
    let mut literal = Vec::new();
    for part in parts {
        match part.kind() {
            HirKind::Literal(bytes) => literal.extend_from_slice(&bytes.0),
            _ => return None,
        }
    }
    Some(match (is_start, is_end) {
        (true, true) => PatternShape::Equal(literal.into()),
        _ if literal.is_empty() => PatternShape::Everything,
        (true, false) => PatternShape::Prefix(literal.into()),
        (false, true) => PatternShape::Suffix(literal.into()),
        (false, false) => PatternShape::Contains(Box::new(Finder::new(&literal).into_owned())),
    })
}
