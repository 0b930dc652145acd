//! What costly tests found in dictionaries, kept for the next query.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;

use crate::CodeSet;
use crate::predicate::TextTest;

/// The codes that pass a test, for some tests of some dictionaries; the least recently used ones make room for others.
///
/// One cache serves all dictionaries of a process, so that one bound holds for them together. A dictionary never
/// changes what a code stands for; a growing one adds codes, and then only those are tested again.
#[derive(Debug)]
pub struct CodeSetCache {
    bytes_max: usize,
    state: Mutex<State>,
}

/// A dictionary's part of a [`CodeSetCache`].
#[derive(Debug, Clone, Copy)]
pub struct DictionaryCache<'a> {
    cache: &'a CodeSetCache,
    dictionary: u64,
}

#[derive(Debug, Default)]
struct State {
    dictionaries: HashMap<u64, HashMap<TextTest, Entry>>,
    /// Dictionary and test by the time of their last use.
    by_use: BTreeMap<u64, (u64, TextTest)>,
    bytes: usize,
    /// Counts uses.
    now: u64,
}

#[derive(Debug)]
struct Entry {
    codes: Arc<CodeSet>,
    bytes: usize,
    last_use: u64,
}

/// What an entry takes beside its codes and its test's text: keys in two maps, and the maps' own shares.
const ENTRY_BYTES: usize = 512;

impl CodeSetCache {
    /// A cache of at most about `bytes_max` bytes; 0 remembers nothing.
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, state: Mutex::default() }
    }

    /// The part for one dictionary. The number must never stand for another dictionary while the cache lives; a growing
    /// dictionary and its prefixes share one.
    pub fn dictionary(&self, dictionary: u64) -> DictionaryCache<'_> {
        DictionaryCache { cache: self, dictionary }
    }

    /// Drops what is known of a dictionary that is gone.
    pub fn forget(&self, dictionary: u64) {
        let mut state = self.state();
        for entry in state.dictionaries.remove(&dictionary).into_iter().flat_map(HashMap::into_values) {
            state.bytes -= entry.bytes;
            state.by_use.remove(&entry.last_use);
        }
    }

    /// Memory taken, roughly.
    pub fn bytes(&self) -> usize {
        self.state().bytes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves at worst a wrong count of bytes.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DictionaryCache<'_> {
    /// The number of the dictionary, which stands for no other as long as the process lives.
    pub fn dictionary(&self) -> u64 {
        self.dictionary
    }

    /// The codes that pass a test, if they are known. Of a growing dictionary perhaps those of an earlier or later prefix:
    /// [`CodeSet::distinct`] says which.
    pub(crate) fn get(&self, test: &TextTest) -> Option<Arc<CodeSet>> {
        let mut state = self.cache.state();
        let State { dictionaries, by_use, now, .. } = &mut *state;
        let entry = dictionaries.get_mut(&self.dictionary)?.get_mut(test)?;
        let key = by_use.remove(&entry.last_use).expect("each entry has a last use");
        *now += 1;
        entry.last_use = *now;
        by_use.insert(*now, key);
        Some(entry.codes.clone())
    }

    /// Remembers the codes that pass a test, unless they take more than the whole cache may.
    pub(crate) fn insert(&self, test: &TextTest, codes: Arc<CodeSet>) {
        let bytes = ENTRY_BYTES + codes.bytes() + test.bytes();
        if bytes > self.cache.bytes_max {
            return;
        }
        let mut state = self.cache.state();
        state.remove(self.dictionary, test);
        while state.bytes + bytes > self.cache.bytes_max {
            let (dictionary, oldest) =
                state.by_use.first_entry().expect("the bytes are those of entries").get().clone();
            state.remove(dictionary, &oldest);
        }
        state.now += 1;
        state.bytes += bytes;
        let last_use = state.now;
        state.by_use.insert(last_use, (self.dictionary, test.clone()));
        let entry = Entry { codes, bytes, last_use };
        state.dictionaries.entry(self.dictionary).or_default().insert(test.clone(), entry);
    }
}

impl State {
    fn remove(&mut self, dictionary: u64, test: &TextTest) {
        let Some(tests) = self.dictionaries.get_mut(&dictionary) else { return };
        let Some(entry) = tests.remove(test) else { return };
        if tests.is_empty() {
            self.dictionaries.remove(&dictionary);
        }
        self.bytes -= entry.bytes;
        self.by_use.remove(&entry.last_use);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(code: u32) -> Arc<CodeSet> {
        Arc::new(CodeSet::from_codes(9, vec![code]))
    }

    fn test(text: &str) -> TextTest {
        TextTest::equal(text)
    }

    /// What an entry of one code and a test of one letter takes.
    fn entry_bytes() -> usize {
        let cache = CodeSetCache::new(usize::MAX);
        cache.dictionary(1).insert(&test("a"), codes(1));
        cache.bytes()
    }

    #[test]
    fn each_dictionary_has_its_own_answers_until_it_is_forgotten() {
        let cache = CodeSetCache::new(1_000_000);
        let (first, second) = (cache.dictionary(1), cache.dictionary(2));
        first.insert(&test("a"), codes(1));
        second.insert(&test("a"), codes(2));
        second.insert(&test("b"), codes(3));
        second.insert(&test("b"), codes(4));
        assert_eq!(first.get(&test("a")), Some(codes(1)));
        assert_eq!(second.get(&test("a")), Some(codes(2)));
        assert_eq!((first.get(&test("b")), second.get(&test("b"))), (None, Some(codes(4))));
        assert_eq!(cache.bytes(), 3 * entry_bytes());
        cache.forget(2);
        cache.forget(3);
        assert_eq!((first.get(&test("a")), second.get(&test("a"))), (Some(codes(1)), None));
        assert_eq!(cache.bytes(), entry_bytes());
    }

    #[test]
    fn the_least_recently_used_makes_room_and_the_bound_holds() {
        let bytes_max = 2 * entry_bytes() + entry_bytes() / 2;
        let cache = CodeSetCache::new(bytes_max);
        let dictionary = cache.dictionary(1);
        dictionary.insert(&test("a"), codes(1));
        dictionary.insert(&test("b"), codes(2));
        dictionary.get(&test("a"));
        dictionary.insert(&test("c"), codes(3));
        assert_eq!(["a", "b", "c"].map(|text| dictionary.get(&test(text)).is_some()), [true, false, true]);
        assert_eq!(cache.bytes(), 2 * entry_bytes());
        let large = Arc::new(CodeSet::from_codes(90_000, (0..90_000).step_by(3).collect()));
        dictionary.insert(&test("d"), large);
        assert_eq!(["a", "c", "d"].map(|text| dictionary.get(&test(text)).is_some()), [true, true, false]);
        cache.forget(1);
        assert_eq!(cache.bytes(), 0);
    }

    #[test]
    fn a_cache_of_no_bytes_remembers_nothing() {
        let cache = CodeSetCache::new(0);
        cache.dictionary(1).insert(&test("a"), codes(1));
        assert_eq!(cache.dictionary(1).get(&test("a")), None);
    }
}
