//! Numbers for the strings of a column that all its segments share, kept from query to query.
//!
//! A segment's code of a string says nothing in another segment. What both call the string is found by its hash once;
//! then the numbers of a whole dictionary are kept, and merging a segment costs one look into an array a group.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{self, AtomicUsize};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use hashbrown::{DefaultHashBuilder, HashTable};
use henge_indexing::TextColumn;
use henge_segment_store::sketch::{HashedValue, HllHash, ThetaHash, ThetaHasher};

/// What is kept of all columns together; past it they start anew. Queries that run keep what they have.
const KEPT_BYTES: usize = 256 << 20;
/// A dictionary of which less than one code in so many is asked for is not numbered as a whole.
const WHOLE_FROM: usize = 4;
/// Of fewer codes each string is looked up alone: reading a dictionary from the start takes a tenth of that a string.
const SCAN_FROM: usize = 8;

/// A code that has no number yet.
const UNKNOWN: u32 = u32::MAX;

/// What nobody has asked for this long is not kept.
const KEPT_FOR: Duration = Duration::from_mins(15);

/// The columns whose numbers are kept, by datasource and name.
static KEPT: LazyLock<Mutex<HashMap<(String, String), Kept>>> = LazyLock::new(Mutex::default);

#[derive(Debug)]
struct Kept {
    numbers: Arc<TextNumbers>,
    asked_at: Instant,
}

/// Of a dictionary, or of its beginning where it has grown since: for each of its codes the number of the string.
#[derive(Debug)]
struct KeptCodes {
    numbers: Arc<[u32]>,
    asked_at: Instant,
}

/// Gives each distinct string of a column a number from 1 on; null is 0.
#[derive(Debug, Default)]
pub(crate) struct TextNumbers {
    texts: RwLock<Texts>,
    /// By the number of a dictionary.
    dictionaries: Mutex<HashMap<u64, KeptCodes>>,
    bytes: AtomicUsize,
    hll: RwLock<Vec<HllHash>>,
    theta: RwLock<Vec<Option<ThetaHash>>>,
}

/// All columns start anew.
#[cfg(test)]
pub(super) fn forget() {
    lock(&KEPT).clear();
}

/// Strings, one after the other.
#[derive(Debug, Default)]
struct Texts {
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl TextNumbers {
    /// The numbers of a datasource's column.
    pub fn of(data_source: &str, column: &str) -> Arc<Self> {
        let mut kept = lock(&KEPT);
        let key = (data_source.to_owned(), column.to_owned());
        let bytes: usize = kept.values().map(|kept| kept.numbers.bytes()).sum();
        if bytes > KEPT_BYTES {
            kept.clear();
        }
        let asked_at = Instant::now();
        let entry = kept.entry(key).or_insert_with(|| Kept { numbers: Arc::default(), asked_at });
        entry.asked_at = asked_at;
        entry.numbers.clone()
    }

    /// Memory that is kept for later queries.
    pub fn kept_bytes() -> usize {
        lock(&KEPT).values().map(|kept| kept.numbers.bytes()).sum()
    }

    /// Lets go of the columns of datasources that are gone, and of columns and dictionaries that nobody asks for any more.
    pub fn let_go(now: Instant, has_data_source: impl Fn(&str) -> bool) {
        let is_asked_for = |asked_at: Instant| now.saturating_duration_since(asked_at) < KEPT_FOR;
        let is_kept = |data_source: &str, kept: &Kept| has_data_source(data_source) && is_asked_for(kept.asked_at);
        let mut kept = lock(&KEPT);
        let gone: Vec<Kept> = kept.extract_if(|(name, _), kept| !is_kept(name, kept)).map(|(_, kept)| kept).collect();
        let columns: Vec<Arc<Self>> = kept.values().map(|kept| kept.numbers.clone()).collect();
        drop(kept);
        // Outside of the lock, for there may be much to free.
        drop(gone);
        for column in columns {
            let mut dictionaries = lock(&column.dictionaries);
            let gone: Vec<_> = dictionaries.extract_if(|_, kept| !is_asked_for(kept.asked_at)).collect();
            drop(dictionaries);
            drop(gone);
        }
    }

    /// The number of one string.
    pub fn number(&self, text: &[u8]) -> u32 {
        let mut texts = self.texts.write().unwrap_or_else(PoisonError::into_inner);
        let number = texts.number(text);
        self.count(&texts);
        number
    }

    /// The numbers of some codes of a column, in their order.
    pub fn numbers(&self, column: &TextColumn<'_>, codes: &[u32]) -> Vec<u32> {
        let (TextColumn::Sorted { cache, .. } | TextColumn::Growing { cache, .. }) = column;
        let dictionary = cache.as_ref().map(|cache| cache.dictionary());
        let kept = dictionary.and_then(|dictionary| self.kept_codes(dictionary));
        let known = kept.as_deref().unwrap_or_default();
        let all_known = codes.iter().map(|code| known.get(*code as usize).copied()).collect();
        if let Some(numbers) = all_known {
            return numbers;
        }
        let end = column.distinct() as usize + 1;
        if let Some(dictionary) = dictionary
            && (codes.len() * WHOLE_FROM > end || kept.is_some())
        {
            let mut number_of = known.to_vec();
            number_of.resize(end, UNKNOWN);
            self.fill(column, &mut number_of);
            let numbers = codes.iter().map(|code| number_of[*code as usize]).collect();
            if self.bytes() + (end - known.len()) * size_of::<u32>() <= KEPT_BYTES {
                let kept = KeptCodes { numbers: number_of.into(), asked_at: Instant::now() };
                lock(&self.dictionaries).insert(dictionary, kept);
            }
            return numbers;
        }
        let mut number_of = vec![0; codes.iter().max().map_or(1, |code| *code as usize + 1)];
        codes.iter().for_each(|code| number_of[*code as usize] = UNKNOWN);
        self.fill(column, &mut number_of);
        codes.iter().map(|code| number_of[*code as usize]).collect()
    }

    fn kept_codes(&self, dictionary: u64) -> Option<Arc<[u32]>> {
        let mut dictionaries = lock(&self.dictionaries);
        let kept = dictionaries.get_mut(&dictionary)?;
        kept.asked_at = Instant::now();
        Some(kept.numbers.clone())
    }

    /// Finds the numbers of the codes that have none yet.
    fn fill(&self, column: &TextColumn<'_>, number_of: &mut [u32]) {
        number_of[0] = 0;
        let wanted = number_of.iter().filter(|number| **number == UNKNOWN).count();
        let mut texts = self.texts.write().unwrap_or_else(PoisonError::into_inner);
        match column {
            TextColumn::Sorted { dictionary, .. } if wanted * SCAN_FROM > number_of.len() => {
                dictionary.scan(1..number_of.len() as u32, |code, text| {
                    let slot = &mut number_of[code as usize];
                    if *slot == UNKNOWN {
                        *slot = texts.number(text);
                    }
                });
            }
            _ => {
                let mut buffer = Vec::new();
                for (code, slot) in number_of.iter_mut().enumerate() {
                    if *slot == UNKNOWN {
                        *slot = texts.number(column.text(code as u32, &mut buffer));
                    }
                }
            }
        }
        self.count(&texts);
    }

    /// The order of the strings of two numbers, neither of which is null's.
    pub fn compare(&self, left: u32, right: u32) -> Ordering {
        let texts = self.texts.read().unwrap_or_else(PoisonError::into_inner);
        texts.text(left).cmp(texts.text(right))
    }

    /// Calls `visit` with the string of each number in turn; `None` for null.
    pub fn for_each(&self, numbers: &[u32], mut visit: impl FnMut(Option<&str>)) {
        let texts = self.texts.read().unwrap_or_else(PoisonError::into_inner);
        for number in numbers {
            let text = (*number > 0).then(|| texts.text(*number));
            visit(text.map(|text| std::str::from_utf8(text).expect("dictionaries hold strings")));
        }
    }

    /// The hashes of the strings of some numbers; `None` of null. Each string is hashed once, by whoever asks first.
    pub fn hll_hashes(&self, numbers: &[u32]) -> Vec<Option<HllHash>> {
        let hash = |text: &[u8]| HllHash::of(HashedValue::Text(text));
        let hashes = self.hashed(&self.hll, hash);
        numbers.iter().map(|number| (*number > 0).then(|| hashes[*number as usize - 1])).collect()
    }

    /// The same for theta sketches; `None` too of a string that they do not retain.
    pub fn theta_hashes(&self, numbers: &[u32]) -> Vec<Option<ThetaHash>> {
        let mut hasher = ThetaHasher::default();
        let hashes = self.hashed(&self.theta, |text: &[u8]| hasher.hash(HashedValue::Text(text)));
        numbers.iter().map(|number| (*number > 0).then(|| hashes[*number as usize - 1]).flatten()).collect()
    }

    /// The hashes of all strings so far.
    fn hashed<'h, T>(
        &self,
        hashes: &'h RwLock<Vec<T>>,
        mut hash: impl FnMut(&[u8]) -> T,
    ) -> RwLockReadGuard<'h, Vec<T>> {
        let texts = self.texts.read().unwrap_or_else(PoisonError::into_inner);
        let count = texts.ends.len();
        if hashes.read().unwrap_or_else(PoisonError::into_inner).len() < count {
            let mut hashes = hashes.write().unwrap_or_else(PoisonError::into_inner);
            let start = hashes.len();
            hashes.extend((start..count).map(|place| hash(texts.text(place as u32 + 1))));
        }
        hashes.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        let dictionaries =
            lock(&self.dictionaries).values().map(|kept| kept.numbers.len() * size_of::<u32>()).sum::<usize>();
        let hll = self.hll.read().unwrap_or_else(PoisonError::into_inner).capacity() * size_of::<HllHash>();
        let theta =
            self.theta.read().unwrap_or_else(PoisonError::into_inner).capacity() * size_of::<Option<ThetaHash>>();
        self.bytes.load(atomic::Ordering::Relaxed) + dictionaries + hll + theta
    }

    /// Memory taken beyond what may be kept: that of the query which asks.
    pub fn bytes_beyond(&self) -> usize {
        self.bytes().saturating_sub(KEPT_BYTES)
    }

    fn count(&self, texts: &Texts) {
        self.bytes.store(texts.taken(), atomic::Ordering::Relaxed);
    }
}

impl Texts {
    fn number(&mut self, text: &[u8]) -> u32 {
        let Self { numbers, hasher, bytes, ends } = self;
        let hash = hasher.hash_one(text);
        if let Some(number) = numbers.find(hash, |number| text_at(bytes, ends, *number) == text) {
            return *number;
        }
        bytes.extend_from_slice(text);
        ends.push(bytes.len());
        let number = ends.len() as u32;
        numbers.insert_unique(hash, number, |number| hasher.hash_one(text_at(bytes, ends, *number)));
        number
    }

    fn text(&self, number: u32) -> &[u8] {
        text_at(&self.bytes, &self.ends, number)
    }

    fn taken(&self) -> usize {
        let slots = self.numbers.capacity() * (size_of::<u32>() + 1);
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>() + slots
    }
}

fn text_at<'t>(bytes: &'t [u8], ends: &[usize], number: u32) -> &'t [u8] {
    let place = number as usize - 1;
    let start = place.checked_sub(1).map_or(0, |before| ends[before]);
    &bytes[start..ends[place]]
}

/// What a panic elsewhere leaves behind is whole: each change is one insertion.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use henge_indexing::{CodeSetCache, Dictionary, GrowingDictionary, PackedCodes};

    use super::*;

    fn dictionary(texts: &[&str]) -> Dictionary {
        Dictionary::decode(Dictionary::encode(texts.iter().map(|text| text.as_bytes())).into()).unwrap()
    }

    fn texts(numbers: &TextNumbers, wanted: &[u32]) -> Vec<Option<String>> {
        let mut texts = Vec::new();
        numbers.for_each(wanted, |text| texts.push(text.map(str::to_owned)));
        texts
    }

    #[test]
    fn dictionaries_share_the_numbers_of_their_strings() {
        let cache = CodeSetCache::new(1 << 20);
        let codes = PackedCodes::decode(PackedCodes::encode(&[0]).into()).unwrap();
        let dictionaries = [dictionary(&["a", "b", "c", "d"]), dictionary(&["b", "d", "e"])];
        let column = |place: usize, number: Option<u64>| TextColumn::Sorted {
            dictionary: &dictionaries[place],
            codes: &codes,
            index: None,
            cache: number.map(|number| cache.dictionary(number)),
        };
        for number in [None, Some(7)] {
            let numbers = TextNumbers::default();
            let first = numbers.numbers(&column(0, number), &[1, 2, 4, 0, 2]);
            let second = numbers.numbers(&column(1, number.map(|number| number + 1)), &[0, 1, 3]);
            assert_eq!((first[1], first[3]), (second[1], 0));
            assert_eq!(
                texts(&numbers, &first),
                ["a", "b", "d", "", "b"].map(|text| (!text.is_empty()).then(|| text.to_owned()))
            );
            assert_eq!(texts(&numbers, &second), [None, Some("b".to_owned()), Some("e".to_owned())]);
            // What is kept of the dictionaries answers alike.
            assert_eq!(numbers.numbers(&column(0, number), &[1, 2, 4, 0, 2]), first);
            assert_eq!(numbers.numbers(&column(1, number.map(|number| number + 1)), &[1]), second[1..2]);
            assert_eq!(numbers.number(b"e"), second[2]);
        }
    }

    #[test]
    fn what_is_known_of_a_growing_dictionary_serves_later_and_earlier_prefixes() {
        let (cache, numbers) = (CodeSetCache::new(1 << 20), TextNumbers::default());
        let mut growing = GrowingDictionary::default();
        let mut grow = |texts: &[&str]| {
            texts.iter().for_each(|text| {
                growing.intern(text);
            });
            growing.prefix()
        };
        let prefixes = [grow(&["a", "b"]), grow(&["c", "d"]), grow(&["e"])];
        let column = |prefix: usize| TextColumn::Growing {
            dictionary: &prefixes[prefix],
            pages: Vec::new(),
            cache: Some(cache.dictionary(1)),
        };
        numbers.number(b"d");
        let kept = || numbers.kept_codes(1).map(|kept| kept.len());
        for (prefix, codes, texts_of, expected) in [
            (1, &[4][..], &["d"][..], None),
            (0, &[2, 1], &["b", "a"], Some(3)),
            (2, &[5, 0, 3], &["e", "", "c"], Some(6)),
            (1, &[4, 1], &["d", "a"], Some(6)),
        ] {
            let found = texts(&numbers, &numbers.numbers(&column(prefix), codes));
            let expected_texts: Vec<_> =
                texts_of.iter().map(|text| (!text.is_empty()).then(|| (*text).to_owned())).collect();
            assert_eq!((found, kept()), (expected_texts, expected));
        }
    }

    #[test]
    fn a_column_is_known_by_its_datasource_and_name() {
        let number = TextNumbers::of("text numbers", "a").number(b"x");
        assert_eq!(TextNumbers::of("text numbers", "a").number(b"x"), number);
        TextNumbers::of("text numbers", "a").number(b"y");
        assert_eq!(TextNumbers::of("text numbers", "b").number(b"y"), 1);
    }

    #[test]
    fn columns_that_are_gone_or_not_asked_for_are_let_go() {
        let key = ("let go".to_owned(), "a".to_owned());
        let is_kept = || lock(&KEPT).contains_key(&key);
        let kept_until = |now: Instant, has_data_source: bool| {
            TextNumbers::of("let go", "a").number(b"x");
            TextNumbers::let_go(now, |name| has_data_source || name != "let go");
            is_kept()
        };
        let now = Instant::now();
        assert!(kept_until(now, true) && TextNumbers::kept_bytes() > 0);
        assert!(!kept_until(now, false));
        assert!(!kept_until(now + KEPT_FOR + Duration::from_secs(60), true));
    }
}
