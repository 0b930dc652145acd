//! The texts of one segment, one after the other.

use henge_indexing::{Column, Dictionary, TextColumn};

use super::segment_values::Texts;
use crate::error::QueryError;

/// Texts that are decoded at once.
const CHUNK: usize = 256;

/// Texts in an order, of which the first one left is at hand.
pub(super) enum Cursor<'a> {
    Coded(Coded<'a>),
    Listed(&'a [Box<[u8]>]),
}

/// Texts of a sorted dictionary by their codes, which ascend or descend.
pub(super) struct Coded<'a> {
    dictionary: &'a Dictionary,
    codes: &'a [u32],
    /// The texts of the first of the codes, ascending, and how many of them are left.
    bytes: Vec<u8>,
    ends: Vec<u32>,
    left: usize,
    is_descending: bool,
}

impl<'a> Cursor<'a> {
    pub fn new(texts: &'a Texts, column: &str, is_descending: bool) -> Result<Self, QueryError> {
        match texts {
            Texts::Listed(texts) => Ok(Self::Listed(texts)),
            Texts::Coded(reader, codes) => {
                let column = reader.column(column).map_err(|error| QueryError::from(&error))?;
                let Column::Text(TextColumn::Sorted { dictionary, .. }) = column else {
                    return Err(QueryError::internal("codes of a column that has no sorted dictionary"));
                };
                let (bytes, ends) = (Vec::new(), Vec::new());
                let mut coded = Coded { dictionary, codes, bytes, ends, left: 0, is_descending };
                coded.decode();
                Ok(Self::Coded(coded))
            }
        }
    }

    /// The text at hand; `None` behind the last one.
    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Listed(texts) => texts.first().map(|text| &**text),
            Self::Coded(coded) => coded.text(),
        }
    }

    pub fn advance(&mut self) {
        match self {
            Self::Listed(texts) => *texts = texts.get(1..).unwrap_or_default(),
            Self::Coded(coded) => coded.advance(),
        }
    }
}

impl Coded<'_> {
    fn text(&self) -> Option<&[u8]> {
        let place = if self.is_descending { self.left } else { self.ends.len() + 1 - self.left };
        let place = place.checked_sub(1).filter(|_| self.left > 0)?;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.bytes[start as usize..self.ends[place] as usize])
    }

    fn advance(&mut self) {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.decode();
        }
    }

    /// Decodes the texts of the next codes.
    fn decode(&mut self) {
        let (chunk, rest) = self.codes.split_at(self.codes.len().min(CHUNK));
        self.codes = rest;
        let mut ascending = chunk.to_vec();
        ascending.sort_unstable();
        self.bytes.clear();
        self.ends.clear();
        for run in ascending.chunk_by(|left, right| left + 1 == *right) {
            self.dictionary.decode_into(run[0]..run[run.len() - 1] + 1, &mut self.bytes, &mut self.ends);
        }
        self.left = self.ends.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_in_the_order_of_their_codes_across_chunks() {
        let texts: Vec<String> = (0..2_000).map(|number| format!("t{number:04}")).collect();
        let encoded = Dictionary::encode(texts.iter().map(String::as_bytes));
        let dictionary = Dictionary::decode(encoded.into()).unwrap();
        for is_descending in [false, true] {
            let mut codes: Vec<u32> = (1..2_001).filter(|code| code % 7 != 0).collect();
            if is_descending {
                codes.reverse();
            }
            let (bytes, ends) = (Vec::new(), Vec::new());
            let mut coded = Coded { dictionary: &dictionary, codes: &codes, bytes, ends, left: 0, is_descending };
            coded.decode();
            let mut cursor = Cursor::Coded(coded);
            for code in &codes {
                assert_eq!(cursor.text(), Some(texts[*code as usize - 1].as_bytes()));
                cursor.advance();
            }
            assert_eq!(cursor.text(), None);
            cursor.advance();
            assert_eq!(cursor.text(), None);
        }
    }
}
