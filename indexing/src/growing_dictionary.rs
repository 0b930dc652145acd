//! Distinct strings in the order in which they were first seen.

use std::hash::BuildHasher;
use std::sync::Arc;

use bytes::Bytes;
use hashbrown::{DefaultHashBuilder, HashTable};

/// A string of up to 12 bytes, or a longer one's length, first bytes and place; little-endian.
pub type View = [u8; 16];

/// Views of a full page; a query copies the last, unfinished page only.
const PAGE_VIEWS: usize = 4_096;
/// A block of bytes is closed at this size; a query copies the last, unfinished block only.
const BLOCK_BYTES: usize = 64 * 1_024;

/// Gives each distinct string a code from 1 on; code 0 means null.
///
/// Strings are kept as views (16 bytes: length and either the text or where it lies; the layout of Arrow's "Variable-size
/// Binary View"), so that a column of codes becomes a column of strings without looking at a single byte of text.
///
/// ```
/// # use henge_indexing::GrowingDictionary;
/// let mut dictionary = GrowingDictionary::default();
/// assert_eq!((dictionary.intern("eu"), dictionary.intern("us"), dictionary.intern("eu")), (1, 2, 1));
/// assert_eq!(dictionary.prefix().value(2), b"us");
/// ```
#[derive(Debug, Default)]
pub struct GrowingDictionary {
    codes: HashTable<u32>,
    hasher: DefaultHashBuilder,
    pages: Vec<Arc<[View]>>,
    active_page: Vec<View>,
    blocks: Vec<Bytes>,
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
        self.block_bytes + self.active_block.len() + views * size_of::<View>() + self.codes.capacity() * 5
    }

    /// The strings up to now.
    pub fn prefix(&self) -> DictionaryPrefix {
        let mut pages = self.pages.clone();
        if !self.active_page.is_empty() {
            pages.push(self.active_page.as_slice().into());
        }
        let mut blocks = self.blocks.clone();
        if !self.active_block.is_empty() {
            blocks.push(Bytes::copy_from_slice(&self.active_block));
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
            self.blocks.push(Bytes::from(std::mem::take(&mut self.active_block)));
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
    pages: &'a [Arc<[View]>],
    active_page: &'a [View],
    blocks: &'a [Bytes],
    active_block: &'a [u8],
) -> &'a [u8] {
    let index = code as usize - 1;
    let page = pages.get(index / PAGE_VIEWS).map_or(active_page, |page| page);
    let view = &page[index % PAGE_VIEWS];
    let word = |at: usize| u32::from_le_bytes([view[at], view[at + 1], view[at + 2], view[at + 3]]) as usize;
    let length = word(0);
    if length <= INLINE_BYTES_MAX {
        return &view[4..4 + length];
    }
    let block = blocks.get(word(8)).map_or(active_block, |block| block.as_ref());
    &block[word(12)..word(12) + length]
}

/// The view of a text: its length, then the whole text, or its first four bytes and where it lies.
fn make_view(text: &[u8], block: u32, byte_offset: u32) -> View {
    let mut bytes = [0_u8; 16];
    bytes[..4].copy_from_slice(&(text.len() as u32).to_le_bytes());
    if text.len() <= INLINE_BYTES_MAX {
        bytes[4..4 + text.len()].copy_from_slice(text);
    } else {
        bytes[4..8].copy_from_slice(&text[..4]);
        bytes[8..12].copy_from_slice(&block.to_le_bytes());
        bytes[12..].copy_from_slice(&byte_offset.to_le_bytes());
    }
    bytes
}

/// The strings that a dictionary held at one moment.
#[derive(Debug, Clone)]
pub struct DictionaryPrefix {
    pages: Vec<Arc<[View]>>,
    blocks: Arc<[Bytes]>,
    distinct: usize,
}

impl DictionaryPrefix {
    /// Distinct strings; codes are `1..=distinct`, and 0 is null.
    pub fn distinct(&self) -> usize {
        self.distinct
    }

    /// Where the strings lie that are longer than a view.
    pub fn blocks(&self) -> &[Bytes] {
        &self.blocks
    }

    /// The bytes of one string. Panics for null.
    pub fn value(&self, code: u32) -> &[u8] {
        value_at(code, &self.pages, &[], &self.blocks, &[])
    }

    /// For each code its place in byte order; null, code 0, comes first.
    pub fn ranks(&self) -> Vec<u32> {
        let mut codes: Vec<u32> = (1..=self.distinct as u32).collect();
        codes.sort_unstable_by(|&left, &right| self.value(left).cmp(self.value(right)));
        let mut ranks = vec![0; codes.len() + 1];
        for (rank, &code) in codes.iter().enumerate() {
            ranks[code as usize] = rank as u32 + 1;
        }
        ranks
    }

    /// A string's view; null's is empty. The number of the block is an index into [`blocks`](Self::blocks).
    pub fn view(&self, code: u32) -> View {
        match (code as usize).checked_sub(1) {
            None => [0; 16],
            Some(index) => self.pages[index / PAGE_VIEWS][index % PAGE_VIEWS],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
            for number in 0..4_500 {
                dictionary.intern(&format!("another string, number {number}"));
            }
            prop_assert_eq!(prefix.distinct(), words.iter().collect::<BTreeSet<_>>().len());
            for (word, code) in words.iter().zip(codes) {
                prop_assert_eq!(prefix.value(code), word.as_bytes());
                prop_assert_eq!(dictionary.intern(word), code);
            }
        }
    }

    #[test]
    fn null_is_not_the_empty_string() {
        let mut dictionary = GrowingDictionary::default();
        assert_eq!(dictionary.intern(""), 1);
        assert_eq!(dictionary.prefix().value(1), b"");
    }

    #[test]
    fn views_hold_short_strings_and_say_where_long_ones_lie() {
        let mut dictionary = GrowingDictionary::default();
        let short = "twelve bytes";
        let code = dictionary.intern(short);
        assert!(dictionary.prefix().blocks().is_empty());
        let long = dictionary.intern("thirteen byte");
        let prefix = dictionary.prefix();
        assert_eq!(prefix.blocks(), ["thirteen byte".as_bytes()]);
        assert_eq!(prefix.view(0), [0; 16]);
        assert_eq!(prefix.view(code)[..4], 12_u32.to_le_bytes());
        assert_eq!(&prefix.view(code)[4..], short.as_bytes());
        assert_eq!(&prefix.view(long), b"\x0d\0\0\0thir\0\0\0\0\0\0\0\0");
    }

    #[test]
    fn memory_is_that_of_the_strings_their_views_and_the_hash_table() {
        let mut dictionary = GrowingDictionary::default();
        let count = 10 * PAGE_VIEWS + 5;
        (0..count).for_each(|number| {
            dictionary.intern(&format!("string number {number:06}"));
        });
        let strings_and_views = count * (20 + 16);
        let table = dictionary.bytes() - strings_and_views;
        // A slot of 5 bytes for each string, and of those allocated ahead at most as many again.
        assert!((count * 5..count * 12).contains(&table), "{table} bytes for {count} strings");
    }
}
