//! Distinct strings in the order in which they were first seen.

use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{StringViewArray, builder::make_view};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use hashbrown::{DefaultHashBuilder, HashTable};

/// Views of a full page; a query copies the last, unfinished page only.
const PAGE_VIEWS: usize = 4_096;
/// A block of bytes is closed at this size; a query copies the last, unfinished block only.
const BLOCK_BYTES: usize = 64 * 1_024;

/// Gives each distinct string a code from 1 on; code 0 means null.
///
/// Strings are kept as Arrow views (16 bytes: length and either the text or where it lies), so that a column of codes
/// becomes an Arrow array without looking at a single byte of text.
#[derive(Debug, Default)]
pub(super) struct GrowingDictionary {
    codes: HashTable<u32>,
    hasher: DefaultHashBuilder,
    pages: Vec<Arc<[u128]>>,
    active_page: Vec<u128>,
    blocks: Vec<Buffer>,
    active_block: Vec<u8>,
    block_bytes: usize,
    /// The last string and its code: neighbours in a stream are often equal.
    last: (String, u32),
}

impl GrowingDictionary {
    /// The code of `text`, a new one if it was never seen.
    pub fn intern(&mut self, text: &str) -> u32 {
        if self.last.1 != 0 && self.last.0 == text {
            return self.last.1;
        }
        let hash = self.hasher.hash_one(text);
        let found = self.codes.find(hash, |&code| self.value(code) == text.as_bytes()).copied();
        let code = found.unwrap_or_else(|| self.insert(hash, text));
        self.last.0.clear();
        self.last.0.push_str(text);
        self.last.1 = code;
        code
    }

    /// Memory taken, hash table included.
    pub fn bytes(&self) -> usize {
        let views = self.pages.len() * PAGE_VIEWS + self.active_page.len();
        self.block_bytes + self.active_block.len() + views * size_of::<u128>() + self.codes.capacity() * 5
    }

    /// The strings up to now.
    pub fn prefix(&self) -> DictionaryPrefix {
        let mut pages = self.pages.clone();
        if !self.active_page.is_empty() {
            pages.push(self.active_page.as_slice().into());
        }
        let mut blocks = self.blocks.clone();
        if !self.active_block.is_empty() {
            blocks.push(Buffer::from_slice_ref(&self.active_block));
        }
        let distinct = self.pages.len() * PAGE_VIEWS + self.active_page.len();
        DictionaryPrefix { pages, blocks: blocks.into(), distinct }
    }

    fn insert(&mut self, hash: u64, text: &str) -> u32 {
        let block = self.blocks.len() as u32;
        let byte_offset = self.active_block.len() as u32;
        self.active_page.push(make_view(text.as_bytes(), block, byte_offset));
        if text.len() > INLINE_BYTES_MAX {
            self.active_block.extend_from_slice(text.as_bytes());
        }
        let code = (self.pages.len() * PAGE_VIEWS + self.active_page.len()) as u32;
        if self.active_block.len() >= BLOCK_BYTES {
            self.block_bytes += self.active_block.len();
            self.blocks.push(Buffer::from_vec(std::mem::take(&mut self.active_block)));
        }
        if self.active_page.len() == PAGE_VIEWS {
            self.pages.push(std::mem::take(&mut self.active_page).into());
        }
        let Self { codes, hasher, pages, active_page, blocks, active_block, .. } = self;
        let text_of = |code: u32| value_at(code, pages, active_page, blocks, active_block);
        codes.insert_unique(hash, code, |&code| {
            let text = std::str::from_utf8(text_of(code)).expect("only strings are interned");
            hasher.hash_one(text)
        });
        code
    }

    fn value(&self, code: u32) -> &[u8] {
        value_at(code, &self.pages, &self.active_page, &self.blocks, &self.active_block)
    }
}

/// Longer strings lie in a block (Arrow columnar format, "Variable-size Binary View Layout").
const INLINE_BYTES_MAX: usize = 12;

fn value_at<'a>(
    code: u32,
    pages: &'a [Arc<[u128]>],
    active_page: &'a [u128],
    blocks: &'a [Buffer],
    active_block: &'a [u8],
) -> &'a [u8] {
    let index = code as usize - 1;
    let page = pages.get(index / PAGE_VIEWS).map_or(active_page, |page| page);
    let view = &page[index % PAGE_VIEWS];
    let length = *view as u32 as usize;
    if length <= INLINE_BYTES_MAX {
        return inline_bytes(view, length);
    }
    let (block, start) = ((*view >> 64) as u32 as usize, (*view >> 96) as usize);
    let block = blocks.get(block).map_or(active_block, |block| block.as_slice());
    &block[start..start + length]
}

/// A view's own text: the bytes after its length. Views are little-endian words in memory, as Arrow defines them.
fn inline_bytes(view: &u128, length: usize) -> &[u8] {
    let words: &[u128] = std::slice::from_ref(view);
    let bytes: &[u8] = arrow::datatypes::ToByteSlice::to_byte_slice(words);
    &bytes[4..4 + length]
}

/// The strings that a dictionary held at one moment.
#[derive(Debug, Clone)]
pub struct DictionaryPrefix {
    pages: Vec<Arc<[u128]>>,
    blocks: Arc<[Buffer]>,
    distinct: usize,
}

impl DictionaryPrefix {
    /// Distinct strings; codes are `1..=distinct`, and 0 is null.
    pub fn distinct(&self) -> usize {
        self.distinct
    }

    /// The bytes of one string.
    pub fn value(&self, code: u32) -> &[u8] {
        value_at(code, &self.pages, &[], &self.blocks, &[])
    }

    /// The strings of some rows, by their codes.
    pub fn gather(&self, codes: impl ExactSizeIterator<Item = u32> + Clone) -> StringViewArray {
        let has_null = codes.clone().any(|code| code == 0);
        let nulls = has_null.then(|| NullBuffer::from_iter(codes.clone().map(|code| code != 0)));
        let views: Vec<u128> = codes.map(|code| self.view(code)).collect();
        StringViewArray::try_new(ScalarBuffer::from(views), self.blocks.iter().cloned().collect::<Vec<_>>(), nulls)
            .expect("views were made from strings that lie in these blocks")
    }

    fn view(&self, code: u32) -> u128 {
        match (code as usize).checked_sub(1) {
            None => 0,
            Some(index) => self.pages[index / PAGE_VIEWS][index % PAGE_VIEWS],
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_string_keeps_its_code_and_a_prefix_never_changes(
            words in prop::collection::vec("[a-c]{0,3}|[x-z]{11,14}|[d-f]{200,300}", 0..400),
        ) {
            let mut dictionary = GrowingDictionary::default();
            let codes: Vec<u32> = words.iter().map(|word| dictionary.intern(word)).collect();
            let prefix = dictionary.prefix();
            for number in 0..10_000 {
                dictionary.intern(&format!("another string, number {number}"));
            }
            let distinct: std::collections::BTreeSet<_> = words.iter().collect();
            prop_assert_eq!(prefix.distinct(), distinct.len());
            let gathered = prefix.gather(codes.iter().copied());
            for ((word, code), text) in words.iter().zip(&codes).zip(gathered.iter()) {
                prop_assert_eq!(text, Some(word.as_str()));
                prop_assert_eq!(prefix.value(*code), word.as_bytes());
                prop_assert_eq!(dictionary.intern(word), *code);
            }
        }
    }

    #[test]
    fn null_is_not_the_empty_string() {
        let mut dictionary = GrowingDictionary::default();
        let empty = dictionary.intern("");
        let gathered = dictionary.prefix().gather([0, empty].into_iter());
        assert_eq!(gathered.iter().collect::<Vec<_>>(), [None, Some("")]);
    }
}
