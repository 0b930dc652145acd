//! Front-codes sorted strings as they come.

use super::{BUCKET, DISTINCT_MAX, FORMAT, SPARE, entries};
use crate::ByteWriter;

/// Encodes a dictionary string by string: while merging others, say.
#[derive(Debug, Default)]
pub struct DictionaryBuilder {
    starts: Vec<u32>,
    text: Vec<u8>,
    last: Vec<u8>,
    distinct: u32,
}

impl DictionaryBuilder {
    /// Adds the next string and returns nothing: its code is the number of strings so far.
    ///
    /// Panics where it is not greater than the one before (invariant X1), and where the strings take 4 GiB even
    /// front-coded, which no segment's memory allows.
    pub fn push(&mut self, value: &[u8]) {
        let shared = entries::shared_bytes(&self.last, value);
        let is_greater = value.get(shared) > self.last.get(shared);
        assert!(self.distinct == 0 || is_greater, "a dictionary's values strictly ascend");
        assert!(self.distinct < DISTINCT_MAX, "a dictionary has at most 2^31 - 2 values");
        if (self.distinct as usize).is_multiple_of(BUCKET) {
            self.starts.push(u32::try_from(self.text.len()).expect("a dictionary takes less than 4 GiB"));
            entries::write_head(value, &mut self.text);
        } else {
            entries::write(shared, &value[shared..], &mut self.text);
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
        self.text.extend_from_slice(&[0; SPARE]);
        let mut out = ByteWriter::default();
        out.u8(FORMAT);
        out.u32(self.distinct);
        out.u32(u32::try_from(self.text.len()).expect("a dictionary takes less than 4 GiB"));
        self.starts.iter().for_each(|&start| out.u32(start));
        out.slice(&self.text);
        out.finish()
    }
}
