//! Front-codes sorted strings as they come.

use super::entries::{BucketWriter, shared_bytes};
use super::{BUCKET, DISTINCT_MAX, FORMAT};
use crate::ByteWriter;

/// Encodes a dictionary string by string: while merging others, say.
#[derive(Debug, Default)]
pub struct DictionaryBuilder {
    starts: Vec<u32>,
    text: Vec<u8>,
    bucket: BucketWriter,
    last: Vec<u8>,
    distinct: u32,
}

impl DictionaryBuilder {
    /// Adds the next string: its code is the number of strings then.
    ///
    /// Panics where it is not greater than the one before (invariant X1), and where the strings take 4 GiB even
    /// front-coded, which no segment's memory allows.
    pub fn push(&mut self, value: &[u8]) {
        let shared = shared_bytes(&self.last, value);
        let is_greater = value.get(shared) > self.last.get(shared);
        assert!(self.distinct == 0 || is_greater, "a dictionary's values strictly ascend");
        assert!(self.distinct < DISTINCT_MAX, "a dictionary has at most 2^31 - 2 values");
        if (self.distinct as usize).is_multiple_of(BUCKET) {
            self.bucket.start(value, &mut self.text);
            self.starts.push(u32::try_from(self.text.len()).expect("a dictionary takes less than 4 GiB"));
        } else {
            self.bucket.push(shared, &value[shared..]);
        }
        self.distinct += 1;
        self.last.clear();
        self.last.extend_from_slice(value);
    }

    /// The number of strings so far, which is the last one's code.
    pub fn distinct(&self) -> u32 {
        self.distinct
    }

    /// The encoded dictionary.
    pub fn finish(mut self) -> Vec<u8> {
        self.bucket.finish(&mut self.text);
        let mut out = ByteWriter::default();
        out.u8(FORMAT);
        out.u32(self.distinct);
        out.u32(u32::try_from(self.text.len()).expect("a dictionary takes less than 4 GiB"));
        self.starts.iter().for_each(|&start| out.u32(start));
        out.slice(&self.text);
        out.finish()
    }
}
