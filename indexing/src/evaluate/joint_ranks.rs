//! The texts of two dictionaries in one order.

use std::cmp::Ordering;
use std::iter::Peekable;

use super::column::TextColumn;
use crate::{Dictionary, DictionaryPrefix};

/// Texts of a sorted dictionary that are read together.
const TEXTS_TOGETHER: u32 = 512;

/// For each code of either column the place of its text among the texts of both, from 1 on; equal texts have equal
/// places, and null has 0.
pub(super) fn joint_ranks(left: &TextColumn<'_>, right: &TextColumn<'_>) -> (Vec<u32>, Vec<u32>) {
    let mut left_ranks = vec![0; left.distinct() as usize + 1];
    let mut right_ranks = vec![0; right.distinct() as usize + 1];
    let (mut left, mut right) = (AscendingTexts::new(left), AscendingTexts::new(right));
    for rank in 1.. {
        let ordering = match (left.first(), right.first()) {
            (Some(left), Some(right)) => left.cmp(right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        if ordering.is_le() {
            left_ranks[left.take_code() as usize] = rank;
        }
        if ordering.is_ge() {
            right_ranks[right.take_code() as usize] = rank;
        }
    }
    (left_ranks, right_ranks)
}

/// The texts of a dictionary in byte order.
enum AscendingTexts<'a> {
    Sorted(SortedTexts<'a>),
    /// The codes that are left, in the order of their texts.
    Growing(&'a DictionaryPrefix, Peekable<std::vec::IntoIter<u32>>),
}

impl<'a> AscendingTexts<'a> {
    fn new(column: &TextColumn<'a>) -> Self {
        match column {
            TextColumn::Sorted { dictionary, .. } => Self::Sorted(SortedTexts::new(dictionary)),
            TextColumn::Growing { dictionary, .. } => {
                let mut codes: Vec<u32> = (1..=dictionary.distinct() as u32).collect();
                codes.sort_unstable_by(|&left, &right| dictionary.value(left).cmp(dictionary.value(right)));
                Self::Growing(dictionary, codes.into_iter().peekable())
            }
        }
    }

    /// The first text that was not taken; `None` where all were.
    fn first(&mut self) -> Option<&[u8]> {
        match self {
            Self::Sorted(texts) => texts.first(),
            Self::Growing(dictionary, codes) => codes.peek().map(|&code| dictionary.value(code)),
        }
    }

    /// Takes the text that [`first`](Self::first) gave.
    fn take_code(&mut self) -> u32 {
        match self {
            Self::Sorted(texts) => {
                texts.taken += 1;
                texts.first_code + texts.taken as u32 - 1
            }
            Self::Growing(_, codes) => codes.next().expect("a first text was there"),
        }
    }
}

/// Some texts of a sorted dictionary at a time.
struct SortedTexts<'a> {
    dictionary: &'a Dictionary,
    /// The code of the first text at hand.
    first_code: u32,
    taken: usize,
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl<'a> SortedTexts<'a> {
    fn new(dictionary: &'a Dictionary) -> Self {
        Self { dictionary, first_code: 1, taken: 0, bytes: Vec::new(), ends: Vec::new() }
    }

    fn first(&mut self) -> Option<&[u8]> {
        if self.taken == self.ends.len() {
            self.first_code += self.taken as u32;
            let end = self.first_code.saturating_add(TEXTS_TOGETHER).min(self.dictionary.distinct() + 1);
            self.bytes.clear();
            self.ends.clear();
            self.taken = 0;
            self.dictionary.decode_into(self.first_code..end, &mut self.bytes, &mut self.ends);
        }
        let end = *self.ends.get(self.taken)? as usize;
        let start = self.taken.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        Some(&self.bytes[start..end])
    }
}
