//! One order for the strings of several segments: what each one's codes are among all of them.

use std::ops::Range;

use super::heap::Heap;
use super::input::{Input, Texts};
use crate::segment::Strings;

/// Codes that are read from a dictionary at once.
const CHUNK: u32 = 1_024;

/// The strings of a dimension over all inputs. A shared code is the rank of a string among them plus 1; 0 is null.
pub struct SharedCodes<'a> {
    texts: Vec<Texts<'a>>,
    /// For each input: the shared code of each of its own, null's first.
    codes: Vec<Vec<u32>>,
    /// Where each string can be found: an input, and its own code.
    homes: Vec<(u32, u32)>,
}

impl<'a> SharedCodes<'a> {
    pub fn of(inputs: &'a [Input<'a>], dimension: usize) -> Self {
        Self::unite(inputs.iter().map(|input| input.texts(dimension)).collect())
    }

    fn unite(texts: Vec<Texts<'a>>) -> Self {
        let mut codes: Vec<Vec<u32>> = texts.iter().map(|_| vec![0]).collect();
        let mut homes: Vec<(u32, u32)> = Vec::new();
        let mut readers: Vec<TextReader<'_>> = texts.iter().map(TextReader::new).collect();
        let mut last = Vec::new();
        let mut heap = Heap::new(readers.len(), |left, right| readers[left].is_less(&readers[right]));
        while let Some(least) = heap.least() {
            // Readers without a string are the greatest.
            let Some(text) = readers[least].text() else { break };
            if homes.is_empty() || text != last {
                last.clear();
                last.extend_from_slice(text);
                homes.push((least as u32, readers[least].code));
            }
            codes[least].push(homes.len() as u32);
            let code = readers[least].code + 1;
            readers[least].seek(code);
            heap.sink(|left, right| readers[left].is_less(&readers[right]));
        }
        drop(readers);
        Self { texts, codes, homes }
    }

    /// The shared codes of an input's own codes; empty where it has no strings.
    pub fn codes_of(&self, input: usize) -> &[u32] {
        &self.codes[input]
    }

    /// The distinct strings among shared codes, and the codes of the rows among those.
    pub fn compacted(&self, shared: &[u32]) -> (Strings, Vec<u32>) {
        let mut rank: Vec<u32> = vec![0; self.homes.len() + 1];
        shared.iter().for_each(|&code| rank[code as usize] = 1);
        rank[0] = 0;
        let mut readers: Vec<TextReader<'_>> = self.texts.iter().map(TextReader::new).collect();
        let mut distinct = Strings::default();
        let in_use = rank.iter_mut().skip(1).zip(&self.homes).filter(|(is_used, _)| **is_used == 1);
        for (rank, &(input, code)) in in_use {
            let reader = &mut readers[input as usize];
            reader.seek(code);
            distinct.push(reader.text().expect("a string lies where it was found"));
            *rank = distinct.len() as u32;
        }
        let codes = shared.iter().map(|&code| rank[code as usize]).collect();
        (distinct, codes)
    }
}

/// Goes through the strings of one input, forward.
struct TextReader<'a> {
    texts: &'a Texts<'a>,
    code: u32,
    /// The codes whose strings are in `bytes`, where they come from a dictionary.
    chunk: Range<u32>,
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl<'a> TextReader<'a> {
    fn new(texts: &'a Texts<'a>) -> Self {
        let mut reader = Self { texts, code: 0, chunk: 0..0, bytes: Vec::new(), ends: Vec::new() };
        reader.seek(1);
        reader
    }

    fn seek(&mut self, code: u32) {
        self.code = code;
        if let Texts::Dictionary(dictionary) = self.texts
            && !self.chunk.contains(&code)
        {
            self.chunk = code..(code + CHUNK).min(dictionary.distinct() + 1);
            self.bytes.clear();
            self.ends.clear();
            dictionary.decode_into(self.chunk.clone(), &mut self.bytes, &mut self.ends);
        }
    }

    /// The string at hand; `None` behind the last one.
    fn text(&self) -> Option<&[u8]> {
        match self.texts {
            Texts::None => None,
            Texts::Listed(strings) => {
                let place = self.code as usize - 1;
                (place < strings.len()).then(|| strings.get(place))
            }
            Texts::Dictionary(_) => {
                let place = self.code.checked_sub(self.chunk.start)? as usize;
                let end = *self.ends.get(place)? as usize;
                let start = if place == 0 { 0 } else { self.ends[place - 1] as usize };
                Some(&self.bytes[start..end])
            }
        }
    }

    fn is_less(&self, other: &Self) -> bool {
        match (self.text(), other.text()) {
            (Some(text), Some(other)) => text < other,
            (text, other) => text.is_some() && other.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use henge_indexing::Dictionary;
    use proptest::prelude::*;

    use super::*;

    fn strings<'a>(texts: impl IntoIterator<Item = &'a String>) -> Strings {
        let mut strings = Strings::default();
        texts.into_iter().for_each(|text| strings.push(text.as_bytes()));
        strings
    }

    proptest! {
        #[test]
        fn shared_codes_are_ranks_among_all_strings(
            inputs in prop::collection::vec(prop::collection::btree_set("[ab]{0,4}", 0..30), 0..5),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        ) {
            let all: Vec<String> = inputs.iter().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect();
            let listed: Vec<Strings> = inputs.iter().map(strings).collect();
            let encode = |input: &BTreeSet<String>| {
                Dictionary::decode(Dictionary::encode(input.iter().map(|text| text.as_bytes())).into()).unwrap()
            };
            let dictionaries: Vec<Dictionary> = inputs.iter().map(encode).collect();
            let texts = (0..inputs.len()).map(|input| match input % 2 {
                0 => Texts::Dictionary(&dictionaries[input]),
                _ => Texts::Listed(&listed[input]),
            });
            let shared = SharedCodes::unite(texts.chain([Texts::None]).collect());
            for (number, input) in inputs.iter().enumerate() {
                let ranks = input.iter().map(|text| all.binary_search(text).unwrap() as u32 + 1);
                prop_assert_eq!(shared.codes_of(number), std::iter::once(0).chain(ranks).collect::<Vec<_>>());
            }
            prop_assert_eq!(shared.codes_of(inputs.len()), [0]);

            let rows: Vec<u32> = picks.iter().map(|pick| pick.index(all.len() + 1) as u32).collect();
            let (distinct, codes) = shared.compacted(&rows);
            let used: BTreeSet<&String> = rows.iter().filter(|&&code| code > 0).map(|&code| &all[code as usize - 1]).collect();
            prop_assert_eq!(&distinct, &strings(used));
            for (&row, &code) in rows.iter().zip(&codes) {
                match row {
                    0 => prop_assert_eq!(code, 0),
                    row => prop_assert_eq!(distinct.get(code as usize - 1), all[row as usize - 1].as_bytes()),
                }
            }
        }
    }
}
