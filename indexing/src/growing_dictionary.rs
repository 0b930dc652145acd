//! Distinct strings in the order in which they were first seen.

use std::hash::BuildHasher;
use std::sync::Arc;

use bytes::Bytes;
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::text_view::{self, INLINE_BYTES_MAX, View};

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
    codes: HashTable<Slot>,
    hasher: DefaultHashBuilder,
    pages: Vec<Arc<[View]>>,
    active_page: Vec<View>,
    blocks: Vec<Bytes>,
    active_block: Vec<u8>,
    block_bytes: usize,
    /// Of the last string, 0 before the first: neighbours in a stream are often equal.
    last: u32,
}

/// A string's code, beside a part of its hash: other strings are told apart, and the table grows, without reading any.
#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: u32,
    code: u32,
}

impl GrowingDictionary {
    /// The code of `text`, a new one if it was never seen.
    #[inline]
    pub fn intern(&mut self, text: &str) -> u32 {
        self.last = self.intern_guessed(text, self.last);
        self.last
    }

    /// The same for who can guess the code: a right guess is much cheaper, a wrong one costs a comparison.
    #[inline]
    pub fn intern_guessed(&mut self, text: &str, guess: u32) -> u32 {
        if self.holds(guess, text) { guess } else { self.look_up(text) }
    }

    /// A guess at the code of `text` by its hash alone; 0 where it was never seen. Guesses at some strings wait for memory
    /// side by side, where [`intern`](Self::intern) waits for each.
    #[inline]
    pub fn guess(&self, text: &str) -> u32 {
        let hash = self.hash(text);
        self.codes.find(spread(hash), |slot| slot.hash == hash).map_or(0, |slot| slot.code)
    }

    /// Whether `code` is that of `text`; `false` for codes that do not exist.
    #[inline]
    fn holds(&self, code: u32, text: &str) -> bool {
        let text = text.as_bytes();
        let Some(view) = (code as usize).checked_sub(1).and_then(|index| self.view_at(index)) else { return false };
        text_view::has_head(view, text_view::head(text))
            && (text.len() <= INLINE_BYTES_MAX || long_text(view, &self.blocks, &self.active_block) == text)
    }

    fn look_up(&mut self, text: &str) -> u32 {
        let hash = self.hash(text);
        match self.codes.find(spread(hash), |slot| slot.hash == hash && self.holds(slot.code, text)) {
            Some(slot) => slot.code,
            None => self.insert(hash, text.as_bytes()),
        }
    }

    fn hash(&self, text: &str) -> u32 {
        self.hasher.hash_one(text) as u32
    }

    /// Memory taken, hash table included.
    pub fn bytes(&self) -> usize {
        let views = self.pages.len() * PAGE_VIEWS + self.active_page.len();
        self.block_bytes + self.active_block.len() + views * size_of::<View>() + self.codes.capacity() * SLOT_BYTES
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

    fn insert(&mut self, hash: u32, text: &[u8]) -> u32 {
        let block = self.blocks.len() as u32;
        let byte_offset = self.active_block.len() as u32;
        self.active_page.push(text_view::placed(text_view::head(text), block, byte_offset));
        if text.len() > INLINE_BYTES_MAX {
            self.active_block.extend_from_slice(text);
        }
        let code = (self.pages.len() * PAGE_VIEWS + self.active_page.len()) as u32;
        if self.active_block.len() >= BLOCK_BYTES {
            self.block_bytes += self.active_block.len();
            self.blocks.push(Bytes::from(std::mem::take(&mut self.active_block)));
        }
        if self.active_page.len() == PAGE_VIEWS {
            self.pages.push(std::mem::take(&mut self.active_page).into());
        }
        self.codes.insert_unique(spread(hash), Slot { hash, code }, |slot| spread(slot.hash));
        code
    }

    #[inline]
    fn view_at(&self, index: usize) -> Option<&View> {
        let page = self.pages.get(index / PAGE_VIEWS).map_or(self.active_page.as_slice(), |page| page);
        page.get(index % PAGE_VIEWS)
    }
}

/// A hash for the table, which looks at the lowest bits and at the highest ones.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

/// A slot, and the byte by which the hash table finds it.
const SLOT_BYTES: usize = size_of::<Slot>() + 1;

fn value_at<'a>(code: u32, pages: &'a [Arc<[View]>], blocks: &'a [Bytes]) -> &'a [u8] {
    let index = code as usize - 1;
    let view = &pages[index / PAGE_VIEWS][index % PAGE_VIEWS];
    match text_view::length(u128::from_le_bytes(*view)) {
        length @ ..=INLINE_BYTES_MAX => &view[4..4 + length],
        _ => long_text(view, blocks, &[]),
    }
}

/// The text of a view that does not hold it.
fn long_text<'a>(view: &View, blocks: &'a [Bytes], active_block: &'a [u8]) -> &'a [u8] {
    let (block, start) = text_view::place(view);
    let block = blocks.get(block).map_or(active_block, |block| block.as_ref());
    &block[start..start + text_view::length(u128::from_le_bytes(*view))]
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
        value_at(code, &self.pages, &self.blocks)
    }

    /// For each code its place in byte order; null, code 0, comes first.
    pub fn ranks(&self) -> Vec<u32> {
        // The first bytes decide nearly always, without a look at the text; where they are equal, so may be shorter texts.
        let key = |code| (first_bytes(self.value(code)), code);
        let mut codes: Vec<(u128, u32)> = (1..=self.distinct as u32).map(key).collect();
        codes.sort_unstable_by(|left, right| {
            left.0.cmp(&right.0).then_with(|| self.value(left.1).cmp(self.value(right.1)))
        });
        let mut ranks = vec![0; codes.len() + 1];
        for (rank, &(_, code)) in codes.iter().enumerate() {
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

/// Up to sixteen bytes, as a number that compares as they do.
fn first_bytes(text: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let kept = text.len().min(bytes.len());
    bytes[..kept].copy_from_slice(&text[..kept]);
    u128::from_be_bytes(bytes)
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
                prop_assert_eq!(dictionary.guess(word), code);
                prop_assert_eq!(dictionary.intern_guessed(word, 4_000), code);
                prop_assert_eq!(dictionary.intern(word), code);
            }
            prop_assert_eq!(dictionary.guess("never seen"), 0);
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
        // A slot of 9 bytes for each string, and of those allocated ahead at most as many again.
        assert!((count * 9..count * 21).contains(&table), "{table} bytes for {count} strings");
    }
}
