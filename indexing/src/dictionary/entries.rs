//! The strings of a bucket: the first in full, each other as what it shares with the one before it and what follows.
//!
//! ```text
//! bucket = head length varint, head bytes, entry...
//! entry  = lengths u8, [shared - 31 varint], [suffix - 7 varint], suffix bytes
//!          the 5 high bits of `lengths` are the shared bytes, the 3 low ones the bytes of the suffix; all ones say that
//!          the number goes on as a varint (format.rs)
//! ```
//!
//! Bytes that no builder wrote give arbitrary values: what an entry shares ends with the value before it, and everything
//! ends with the bucket.

use std::cmp::Ordering;
use std::ops::Range;

use super::SPARE;

const SUFFIX_BITS: u32 = 3;
const SUFFIX_MORE: usize = (1 << SUFFIX_BITS) - 1;
const SHARED_MORE: usize = (1 << (8 - SUFFIX_BITS)) - 1;

/// The number of bytes at the start that are equal.
pub(super) fn shared_bytes(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}

pub(super) fn write_head(value: &[u8], out: &mut Vec<u8>) {
    write_varint(value.len(), out);
    out.extend_from_slice(value);
}

pub(super) fn write(shared: usize, suffix: &[u8], out: &mut Vec<u8>) {
    out.push((shared.min(SHARED_MORE) << SUFFIX_BITS | suffix.len().min(SUFFIX_MORE)) as u8);
    if shared >= SHARED_MORE {
        write_varint(shared - SHARED_MORE, out);
    }
    if suffix.len() >= SUFFIX_MORE {
        write_varint(suffix.len() - SUFFIX_MORE, out);
    }
    out.extend_from_slice(suffix);
}

fn write_varint(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The number at the start of `text`, and its bytes. Numbers of more than 35 bits are cut short.
fn read_varint(text: &[u8]) -> (usize, usize) {
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

/// The first string of a bucket.
pub(super) fn head(bucket: &[u8]) -> &[u8] {
    let (len, start) = read_varint(bucket);
    &bucket[start..start.saturating_add(len).min(bucket.len())]
}

/// Reads the strings of a bucket one after the other.
pub(super) struct Entries<'a> {
    /// The text of the whole dictionary.
    text: &'a [u8],
    /// What is left of the bucket.
    rest: Range<usize>,
    is_head: bool,
}

/// How a string follows from the one before it.
struct Entry {
    shared: usize,
    /// Where the rest of its bytes lie in the text.
    suffix: Range<usize>,
}

impl<'a> Entries<'a> {
    /// The bucket that lies at `bucket` in the text.
    pub(super) fn new(text: &'a [u8], bucket: Range<usize>) -> Self {
        Self { text, rest: bucket, is_head: true }
    }

    #[inline]
    fn next(&mut self) -> Entry {
        let (mut shared, mut len) = (0, 0);
        if self.is_head {
            self.is_head = false;
            len = self.varint();
        } else if !self.rest.is_empty() {
            let lengths = usize::from(self.text[self.rest.start]);
            self.rest.start += 1;
            (shared, len) = (lengths >> SUFFIX_BITS, lengths & SUFFIX_MORE);
            if shared == SHARED_MORE {
                shared += self.varint();
            }
            if len == SUFFIX_MORE {
                len += self.varint();
            }
        }
        let start = self.rest.start;
        self.rest.start = (start + len).min(self.rest.end);
        Entry { shared, suffix: start..self.rest.start }
    }

    fn varint(&mut self) -> usize {
        let (value, len) = read_varint(&self.text[self.rest.clone()]);
        self.rest.start += len;
        value
    }

    /// Makes `value`, the string before, the next one.
    #[inline]
    pub(super) fn read_into(&mut self, value: &mut Value) {
        let entry = self.next();
        let shared = entry.shared.min(value.len);
        value.len = shared + entry.suffix.len();
        if value.bytes.len() < value.len + SPARE {
            value.bytes.resize(value.len + 4 * SPARE, 0);
        }
        copy_suffix(self.text, entry.suffix, &mut value.bytes[shared..]);
    }

    /// Appends the next `count` strings. The last string that was appended, of `last_len` bytes, is the one before them.
    #[inline]
    pub(super) fn append_to(&mut self, count: usize, mut last_len: usize, out: &mut Appended, ends: &mut Vec<u32>) {
        for _ in 0..count {
            let entry = self.next();
            let shared = entry.shared.min(last_len);
            let last = out.end - last_len;
            last_len = shared + entry.suffix.len();
            out.reserve(last_len);
            match out.bytes[last..].first_chunk::<SHARED_COPIED>() {
                Some(&chunk) if shared <= SHARED_COPIED => {
                    out.bytes[out.end..out.end + SHARED_COPIED].copy_from_slice(&chunk);
                }
                _ => out.bytes.copy_within(last..last + shared, out.end),
            }
            copy_suffix(self.text, entry.suffix, &mut out.bytes[out.end + shared..]);
            out.end += last_len;
            ends.push(out.end as u32);
        }
    }
}

/// What is shared is copied this many bytes at a time.
const SHARED_COPIED: usize = 32;

/// Copies bytes of the text to the start of `out`, with some more after them where there is room.
#[inline]
fn copy_suffix(text: &[u8], suffix: Range<usize>, out: &mut [u8]) {
    match (text[suffix.start..].first_chunk::<SPARE>(), out.first_chunk_mut::<SPARE>()) {
        (Some(from), Some(to)) if suffix.len() <= SPARE => *to = *from,
        _ => out[..suffix.len()].copy_from_slice(&text[suffix]),
    }
}

/// One string, and room for a few bytes more.
#[derive(Default)]
pub(super) struct Value {
    bytes: Vec<u8>,
    len: usize,
}

impl Value {
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Bytes that grow from their end, and room for a few more.
pub(super) struct Appended<'a> {
    bytes: &'a mut Vec<u8>,
    end: usize,
}

impl<'a> Appended<'a> {
    pub(super) fn new(bytes: &'a mut Vec<u8>) -> Self {
        Self { end: bytes.len(), bytes }
    }

    pub(super) fn push(&mut self, value: &[u8], ends: &mut Vec<u32>) {
        self.reserve(value.len());
        self.bytes[self.end..self.end + value.len()].copy_from_slice(value);
        self.end += value.len();
        ends.push(self.end as u32);
    }

    #[inline]
    fn reserve(&mut self, len: usize) {
        let needed = self.end + len + SHARED_COPIED;
        if self.bytes.len() < needed {
            self.bytes.resize(needed.next_multiple_of(4_096), 0);
        }
    }

    pub(super) fn finish(self) {
        self.bytes.truncate(self.end);
    }
}

/// The rank in its bucket, from 0 on, of a string that is not less than the bucket's head; or else of the first greater
/// one, which may be the first of the next bucket.
pub(super) fn find(text: &[u8], bucket: Range<usize>, count: usize, wanted: &[u8]) -> Result<u32, u32> {
    let mut entries = Entries::new(text, bucket);
    // Bytes that the string before shares with `wanted`, which is greater.
    let mut matched = 0;
    for rank in 0..count as u32 {
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

/// The bucket holds `count` strings and nothing else, each as its builder wrote it.
pub(super) fn is_sound(text: &[u8], bucket: Range<usize>, count: usize) -> bool {
    let mut entries = Entries::new(text, bucket.clone());
    let (mut value, mut encoded) = (Value::default(), Vec::new());
    for rank in 0..count {
        let before = value.bytes().to_vec();
        entries.read_into(&mut value);
        if rank == 0 {
            write_head(value.bytes(), &mut encoded);
        } else {
            let shared = shared_bytes(&before, value.bytes());
            write(shared, &value.bytes()[shared..], &mut encoded);
        }
    }
    encoded == text[bucket]
}
