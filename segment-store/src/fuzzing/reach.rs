//! How much of an input a body tries.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// How much of an input a body tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everything, as tests do, which have few inputs.
    All,
    /// What the input's digest picks, as fuzzing does: of millions of inputs that are much alike, each takes another part.
    Part,
}

impl Reach {
    /// Which of `count` parts of the work on an input are done.
    pub(super) fn parts(self, input: &[u8], count: usize) -> Range<usize> {
        match self {
            Self::All => 0..count,
            Self::Part if count == 0 => 0..0,
            Self::Part => {
                // Another digest for each count, so that picks do not go together.
                let part = (xxh3_64_with_seed(input, count as u64) % count as u64) as usize;
                part..part + 1
            }
        }
    }
}
