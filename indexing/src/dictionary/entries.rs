//! The strings of a bucket: the first in full, each other as what it shares with the one before it and what follows.
//!
//! ```text
//! bucket  = (4 x head length + split) varint, head bytes, lengths u8 of each other entry, entry...
//! lengths : the 2 + split low bits are the bytes of the suffix, the others the bytes shared with the string before; all
//!           ones say that the number goes on in the entry
//! entry   = [shared beyond all ones varint], [suffix bytes beyond all ones varint], suffix bytes
//! ```
//!
//! Each bucket splits its lengths where that saves most bytes. They stand together so that the next entry is found before
//! this one is read. Varints are those of format.rs. Bytes that no builder wrote give arbitrary values: what an entry
//! shares ends with the string before it, and everything ends with the bucket.

use std::cmp::Ordering;
use std::ops::Range;

use super::value::{Value, Values};

/// How many bits of a byte of lengths are for the suffix; the others are for what is shared.
#[derive(Debug, Clone, Copy)]
struct Split {
    suffix_bits: u32,
}

impl Split {
    fn new(split: usize) -> Self {
        Self { suffix_bits: 2 + split as u32 % 4 }
    }

    /// The numbers that stand for themselves and all that are greater.
    fn suffix_more(self) -> usize {
        (1 << self.suffix_bits) - 1
    }

    fn shared_more(self) -> usize {
        (1 << (8 - self.suffix_bits)) - 1
    }
}

/// The number of bytes at the start that are equal.
pub(super) fn shared_bytes(left: &[u8], right: &[u8]) -> usize {
    let words = left.as_chunks::<8>().0.iter().zip(right.as_chunks::<8>().0);
    let start = words.take_while(|(left, right)| u64::from_ne_bytes(**left) == u64::from_ne_bytes(**right)).count() * 8;
    start + left[start..].iter().zip(&right[start..]).take_while(|(left, right)| left == right).count()
}

/// A bucket that is being written.
#[derive(Debug, Default)]
pub(super) struct BucketWriter {
    head: Option<Vec<u8>>,
    /// What the other strings share with the ones before them, and the bytes of their suffixes.
    lengths: Vec<(usize, usize)>,
    suffixes: Vec<u8>,
}

impl BucketWriter {
    /// Starts a bucket: appends the one before to `out`.
    pub(super) fn start(&mut self, head: &[u8], out: &mut Vec<u8>) {
        self.finish(out);
        self.head = Some(head.to_vec());
    }

    /// Adds a string that shares `shared` bytes with the one before.
    pub(super) fn push(&mut self, shared: usize, suffix: &[u8]) {
        self.lengths.push((shared, suffix.len()));
        self.suffixes.extend_from_slice(suffix);
    }

    /// Appends the bucket to `out`, if one was started.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        let Some(head) = self.head.take() else { return };
        let number = (0..4).min_by_key(|&number| self.numbers_outside(Split::new(number))).unwrap_or(0);
        let split = Split::new(number);
        let (shared_more, suffix_more) = (split.shared_more(), split.suffix_more());
        write_varint(head.len() * 4 + number, out);
        out.extend_from_slice(&head);
        for &(shared, len) in &self.lengths {
            out.push((shared.min(shared_more) << split.suffix_bits | len.min(suffix_more)) as u8);
        }
        let mut suffixes = self.suffixes.as_slice();
        for (shared, len) in self.lengths.drain(..) {
            if shared >= shared_more {
                write_varint(shared - shared_more, out);
            }
            if len >= suffix_more {
                write_varint(len - suffix_more, out);
            }
            let (suffix, rest) = suffixes.split_at(len);
            out.extend_from_slice(suffix);
            suffixes = rest;
        }
        self.suffixes.clear();
    }

    /// How many numbers go on in their entries.
    fn numbers_outside(&self, split: Split) -> usize {
        let shared = self.lengths.iter().filter(|(shared, _)| *shared >= split.shared_more()).count();
        shared + self.lengths.iter().filter(|(_, len)| *len >= split.suffix_more()).count()
    }
}

fn write_varint(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The number at the start of `text`, and its bytes. Numbers of more than 35 bits are cut short.
#[inline]
fn read_varint(text: &[u8]) -> (usize, usize) {
    if let [value @ 0..0x80, ..] = text {
        return (usize::from(*value), 1);
    }
    let (mut value, mut len) = (0, 0);
    for &byte in text.iter().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * len);
        len += 1;
        if byte < 0x80 {
            break;
        }
    }
    (value, len)
}

/// The strings of a bucket, read one after the other.
pub(super) struct Entries<'a> {
    /// The text of the whole dictionary.
    text: &'a [u8],
    /// Where the first string lies in the text.
    head: Range<usize>,
    split: Split,
    /// The lengths of the strings not read yet, but for the first.
    lengths: &'a [u8],
    /// Where their bytes lie in the text.
    rest: Range<usize>,
}

/// How a string follows from the one before it.
struct Entry {
    shared: usize,
    /// Where the rest of its bytes lie in the text.
    suffix: Range<usize>,
}

impl<'a> Entries<'a> {
    /// The bucket of `count` strings that lies at `bucket` in the text.
    #[inline]
    pub(super) fn open(text: &'a [u8], bucket: Range<usize>, count: usize) -> Self {
        let (number, digits) = read_varint(&text[bucket.clone()]);
        let head_start = bucket.start + digits;
        let head_end = (head_start + number / 4).min(bucket.end);
        let entries_start = (head_end + count - 1).min(bucket.end);
        let lengths = &text[head_end..entries_start];
        let split = Split::new(number % 4);
        Self { text, head: head_start..head_end, split, lengths, rest: entries_start..bucket.end }
    }

    /// The first string.
    pub(super) fn head(&self) -> &'a [u8] {
        &self.text[self.head.clone()]
    }

    /// Makes `value` the first string.
    #[inline]
    pub(super) fn read_head_into(&self, value: &mut Value) {
        value.follow(0, self.text, self.head.clone());
    }

    /// Appends the first string to `values`.
    #[inline]
    pub(super) fn append_head_to(&self, values: &mut Values) {
        values.follow(0, self.text, self.head.clone());
    }

    #[inline]
    fn next(&mut self) -> Entry {
        let lengths = self.lengths.split_off_first().map_or(0, |&lengths| usize::from(lengths));
        let (mut shared, mut len) = (lengths >> self.split.suffix_bits, lengths & self.split.suffix_more());
        if shared == self.split.shared_more() {
            shared += self.varint();
        }
        if len == self.split.suffix_more() {
            len += self.varint();
        }
        let start = self.rest.start;
        self.rest.start = (start + len).min(self.rest.end);
        Entry { shared, suffix: start..self.rest.start }
    }

    #[cold]
    fn varint(&mut self) -> usize {
        let (value, len) = read_varint(&self.text[self.rest.clone()]);
        self.rest.start += len;
        value
    }

    /// Makes `value`, the string before, the next one.
    #[inline]
    pub(super) fn read_into(&mut self, value: &mut Value) {
        let entry = self.next();
        value.follow(entry.shared, self.text, entry.suffix);
    }

    /// Appends the next string to `values`, whose last is the one before.
    #[inline]
    pub(super) fn append_to(&mut self, values: &mut Values) {
        let entry = self.next();
        values.follow(entry.shared, self.text, entry.suffix);
    }
}

/// The rank in its bucket, from 0 on, of a string that is not less than the bucket's head; or else of the first greater
/// one, which may be the first of the next bucket.
pub(super) fn find(text: &[u8], bucket: Range<usize>, count: usize, wanted: &[u8]) -> Result<u32, u32> {
    let mut entries = Entries::open(text, bucket, count);
    let head = entries.head();
    // Bytes that the string before shares with `wanted`, which is greater.
    let mut matched = shared_bytes(head, wanted);
    if matched == head.len() && matched == wanted.len() {
        return Ok(0);
    }
    for rank in 1..count as u32 {
        let entry = entries.next();
        match entry.shared.cmp(&matched) {
            // Differs from `wanted` where the string before does.
            Ordering::Greater => continue,
            // Greater than the string before where that one still equals `wanted`.
            Ordering::Less => return Err(rank),
            Ordering::Equal => {}
        }
        let (suffix, rest) = (&text[entry.suffix], &wanted[matched..]);
        let more = shared_bytes(suffix, rest);
        match (suffix.get(more), rest.get(more)) {
            (None, None) => return Ok(rank),
            (own, other) if own > other => return Err(rank),
            _ => matched += more,
        }
    }
    Err(count as u32)
}

/// The bucket holds `count` strings and nothing else, as their builder wrote them.
pub(super) fn is_sound(text: &[u8], bucket: Range<usize>, count: usize) -> bool {
    let (mut writer, mut written) = (BucketWriter::default(), Vec::new());
    let mut entries = Entries::open(text, bucket.clone(), count);
    writer.start(entries.head(), &mut written);
    let mut value = Value::default();
    entries.read_head_into(&mut value);
    for _ in 1..count {
        let before = value.bytes().to_vec();
        entries.read_into(&mut value);
        let shared = shared_bytes(&before, value.bytes());
        writer.push(shared, &value.bytes()[shared..]);
    }
    writer.finish(&mut written);
    written == text[bucket]
}
