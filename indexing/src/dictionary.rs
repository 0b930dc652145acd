//! The distinct strings of a published dimension: sorted by bytes, front-coded, searched and read in place.
//!
//! ```text
//! dictionary = 1 as u8, distinct u32, text bytes u32, for each bucket where it starts in the text u32, text
//! text       = bucket...   16 strings each (entries.rs), the last what is left
//! ```

mod builder;
mod entries;
mod value;

use std::ops::Range;

use bytes::Bytes;

pub use builder::DictionaryBuilder;
use entries::Entries;
use value::{Value, Values};

use crate::{ByteReader, FormatError};

const WHAT: &str = "dictionary";
const FORMAT: u8 = 1;
/// Strings of a bucket.
const BUCKET: usize = 16;
/// Codes stay below 2^31, as rows do.
const DISTINCT_MAX: u32 = (1 << 31) - 2;

/// Sorted distinct strings. A string's code is its rank, from 1 on; null, code 0, is not in here, `""` may be.
///
/// ```
/// # use henge_indexing::Dictionary;
/// let regions: [&[u8]; 3] = [b"eu-central", b"eu-west", b"us-east"];
/// let dictionary = Dictionary::decode(Dictionary::encode(regions).into())?;
/// assert_eq!(dictionary.find(b"eu-west"), Ok(2));
/// assert_eq!(dictionary.find(b"eu-zebra"), Err(3));
/// assert_eq!(dictionary.value(3), b"us-east");
/// # Ok::<(), henge_indexing::FormatError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Dictionary {
    distinct: u32,
    starts: Bytes,
    text: Bytes,
}

impl Dictionary {
    /// Encodes strictly ascending strings; panics as [`DictionaryBuilder::push`] does.
    pub fn encode<'a>(ascending: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut builder = DictionaryBuilder::default();
        ascending.into_iter().for_each(|value| builder.push(value));
        builder.finish()
    }

    /// Opens what [`Dictionary::encode`] made, without copying or reading the strings.
    ///
    /// # Errors
    /// The bytes end early, or are no dictionary, or its buckets overlap.
    pub fn decode(bytes: Bytes) -> Result<Self, FormatError> {
        let mut reader = ByteReader::new(WHAT, bytes);
        if reader.u8()? != FORMAT {
            return Err(reader.error("another format"));
        }
        let distinct = reader.u32()?;
        if distinct > DISTINCT_MAX {
            return Err(reader.error("more values than codes"));
        }
        let text_bytes = reader.u32()? as usize;
        let starts = reader.slice((distinct as usize).div_ceil(BUCKET) * size_of::<u32>())?;
        let text = reader.slice(text_bytes)?;
        reader.finish()?;
        // Otherwise buckets could share their text, and reading all of them would take the square of its bytes.
        if !starts.as_chunks().0.is_sorted_by_key(|start: &[u8; 4]| u32::from_le_bytes(*start)) {
            return Err(FormatError { what: WHAT, detail: "the buckets do not ascend" });
        }
        Ok(Self { distinct, starts, text })
    }

    /// Reads every string.
    ///
    /// # Errors
    /// The strings do not strictly ascend (invariant X1), or are not where they should be.
    pub fn verify(&self) -> Result<(), FormatError> {
        let error = |detail| Err(FormatError { what: WHAT, detail });
        let mut next_start = 0;
        for bucket in 0..self.bucket_count() {
            let text = self.bucket_text(bucket);
            if self.start(bucket) != next_start || !entries::is_sound(&self.text, text.clone(), self.entries_of(bucket))
            {
                return error("a bucket is damaged");
            }
            next_start = text.end;
        }
        if next_start != self.text.len() {
            return error("the text does not end where it should");
        }
        let mut previous: Option<Vec<u8>> = None;
        let mut ascends = true;
        self.scan(1..self.distinct + 1, |_, value| {
            ascends &= previous.as_deref().is_none_or(|previous| previous < value);
            let previous = previous.get_or_insert_default();
            previous.clear();
            previous.extend_from_slice(value);
        });
        if ascends { Ok(()) } else { error("the values do not ascend") }
    }

    /// The number of strings; their codes are `1..=distinct`.
    pub fn distinct(&self) -> u32 {
        self.distinct
    }

    /// The string of one code; empty for null and for codes beyond the last.
    pub fn value(&self, code: u32) -> Vec<u8> {
        let mut value = Vec::new();
        self.value_into(code, &mut value);
        value
    }

    /// Like [`value`](Self::value), in place of what `value` held.
    pub fn value_into(&self, code: u32, value: &mut Vec<u8>) {
        value.clear();
        self.scan(code..code.saturating_add(1), |_, found| value.extend_from_slice(found));
    }

    /// Calls `visit` with each code of a range and its string, in ascending order. Codes that are no value's are left
    /// out.
    #[inline]
    pub fn scan(&self, codes: Range<u32>, mut visit: impl FnMut(u32, &[u8])) {
        let mut value = Value::default();
        for (bucket, ranks) in buckets_of(&self.clamped(codes)) {
            let mut entries = self.open(bucket);
            entries.read_head_into(&mut value);
            for _ in 0..ranks.start {
                entries.read_into(&mut value);
            }
            let mut code = (bucket * BUCKET) as u32 + ranks.start + 1;
            visit(code, value.bytes());
            for _ in 1..ranks.len() {
                entries.read_into(&mut value);
                code += 1;
                visit(code, value.bytes());
            }
        }
    }

    /// Appends the strings of a range of codes to `bytes`, and for each the length of `bytes` after it to `ends`, so that
    /// a search may run over all of them at once. Codes that are no value's are left out.
    pub fn decode_into(&self, codes: Range<u32>, bytes: &mut Vec<u8>, ends: &mut Vec<u32>) {
        let mut values = Values::new(bytes, ends);
        let mut value = Value::default();
        for (bucket, ranks) in buckets_of(&self.clamped(codes)) {
            let mut entries = self.open(bucket);
            if ranks.start == 0 {
                entries.append_head_to(&mut values);
            } else {
                entries.read_head_into(&mut value);
                for _ in 0..ranks.start {
                    entries.read_into(&mut value);
                }
                values.push(value.bytes());
            }
            for _ in 1..ranks.len() {
                entries.append_to(&mut values);
            }
        }
        values.finish();
    }

    /// The code of a string, or else the code of the first greater one: `distinct + 1` where there is none.
    pub fn find(&self, wanted: &[u8]) -> Result<u32, u32> {
        let buckets = self.buckets_up_to(wanted, 0..self.bucket_count());
        self.find_in_bucket(wanted, buckets)
    }

    /// The codes of those strings that are values, for strings that ascend: each is looked for from where the one before
    /// it was found. Strings in another order are found too, more slowly.
    pub fn codes_of<'a>(&self, wanted: impl IntoIterator<Item = &'a [u8]>) -> Vec<u32> {
        let mut codes = Vec::new();
        // Buckets whose heads are not greater than the last string.
        let mut buckets = 0;
        for wanted in wanted {
            buckets = self.gallop(wanted, buckets);
            codes.extend(self.find_in_bucket(wanted, buckets));
        }
        codes
    }

    fn clamped(&self, codes: Range<u32>) -> Range<u32> {
        codes.start.max(1)..codes.end.min(self.distinct + 1)
    }

    fn bucket_count(&self) -> usize {
        (self.distinct as usize).div_ceil(BUCKET)
    }

    fn entries_of(&self, bucket: usize) -> usize {
        BUCKET.min(self.distinct as usize - bucket * BUCKET)
    }

    fn start(&self, bucket: usize) -> usize {
        let bytes = self.starts.get(bucket * 4..).and_then(|rest| rest.first_chunk());
        bytes.map_or(usize::MAX, |bytes| u32::from_le_bytes(*bytes) as usize)
    }

    /// Where a bucket lies in the text. Buckets never overlap, so that reading all of them is one pass, whatever the
    /// bytes.
    fn bucket_text(&self, bucket: usize) -> Range<usize> {
        let end = if bucket + 1 < self.bucket_count() { self.start(bucket + 1) } else { self.text.len() };
        let end = end.min(self.text.len());
        self.start(bucket).min(end)..end
    }

    fn open(&self, bucket: usize) -> Entries<'_> {
        Entries::open(&self.text, self.bucket_text(bucket), self.entries_of(bucket))
    }

    fn head(&self, bucket: usize) -> &[u8] {
        self.open(bucket).head()
    }

    /// The number of buckets whose heads are not greater than `wanted`, if it lies in the range.
    fn buckets_up_to(&self, wanted: &[u8], mut range: Range<usize>) -> usize {
        while !range.is_empty() {
            let middle = range.start + range.len() / 2;
            if self.head(middle) <= wanted {
                range.start = middle + 1;
            } else {
                range.end = middle;
            }
        }
        range.start
    }

    /// [`buckets_up_to`](Self::buckets_up_to) of all buckets, quickly where the number is near `near`.
    fn gallop(&self, wanted: &[u8], near: usize) -> usize {
        if near > 0 && self.head(near - 1) > wanted {
            return self.buckets_up_to(wanted, 0..near - 1);
        }
        let (mut from, mut step) = (near, 1);
        while from + step <= self.bucket_count() && self.head(from + step - 1) <= wanted {
            from += step;
            step *= 2;
        }
        self.buckets_up_to(wanted, from..(from + step - 1).min(self.bucket_count()))
    }

    /// Looks in the last of the `buckets` whose heads are not greater than `wanted`.
    fn find_in_bucket(&self, wanted: &[u8], buckets: usize) -> Result<u32, u32> {
        let Some(bucket) = buckets.checked_sub(1) else { return Err(1) };
        let first_code = (bucket * BUCKET) as u32 + 1;
        let found = entries::find(&self.text, self.bucket_text(bucket), self.entries_of(bucket), wanted);
        found.map(|rank| first_code + rank).map_err(|rank| first_code + rank)
    }
}

/// The buckets that hold the codes, and which of their entries those are.
fn buckets_of(codes: &Range<u32>) -> impl Iterator<Item = (usize, Range<u32>)> + use<> {
    let ranks = codes.start.saturating_sub(1) as usize..codes.end.saturating_sub(1) as usize;
    let buckets = if ranks.is_empty() { 0..0 } else { ranks.start / BUCKET..ranks.end.div_ceil(BUCKET) };
    buckets.map(move |bucket| {
        let first = bucket * BUCKET;
        let start = ranks.start.saturating_sub(first);
        (bucket, start as u32..BUCKET.min(ranks.end - first) as u32)
    })
}

#[cfg(test)]
mod tests;
