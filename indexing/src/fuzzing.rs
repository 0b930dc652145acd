//! The bodies of the fuzz targets, which tests replay over the corpus: whatever the bytes are, no reader panics.
//!
//! bytes -> decode -> ask for everything that the reader can tell, within bounds
//!
//! A body asserts only what holds for any bytes, and returns whether they were taken for the encoding. What allocates
//! stays within a small multiple of the bytes, which the fuzz targets watch.

mod corpus;
mod dictionary;
mod dimension_index;
mod packed;
#[cfg(test)]
mod seeds;

pub use corpus::{Corpus, Seed};
pub use dictionary::dictionary;
pub use dimension_index::dimension_index;
pub use packed::{packed_block, packed_codes, packed_doubles, packed_flags, packed_longs};

/// Reads bytes as one encoding, and returns whether they were taken for it.
pub type Body = fn(&[u8]) -> bool;

/// Every body by the name of its fuzz target and of its folder in the corpus.
pub const TARGETS: [(&str, Body); 7] = [
    ("dictionary", dictionary),
    ("dimension_index", dimension_index),
    ("packed_block", packed_block),
    ("packed_codes", packed_codes),
    ("packed_doubles", packed_doubles),
    ("packed_flags", packed_flags),
    ("packed_longs", packed_longs),
];

#[cfg(test)]
mod tests;
