//! Columns packed in blocks of 1,024 rows: codes of strings, longs, doubles, flags, and byte strings as they are.
//!
//! ```text
//! codes, longs, doubles -> words of 32 or 64 bits -> block: delta, runs, local dictionary or as they are -> packed bits
//! flags, validity       -> masks                  -> block: constant, runs or bits
//! ```
//!
//! Each block chooses what takes the fewest bytes. Where a block starts, and its zone, stand in bit-packed lists before
//! the blocks, so that opening a column reads its header only. All numbers are little-endian.
//!
//! The readers trust nothing: bytes that no encoder wrote give arbitrary values, never a panic. Codes may then lie
//! beyond the dictionary and values beyond their zone, so operators check or clamp before they index.

pub(crate) mod bits;
mod block;
mod block_writer;
mod blocks;
mod byte_strings;
mod codes;
mod cursor;
mod double_block;
mod doubles;
mod flags;
mod leaf;
mod longs;
mod masks;
mod nullable;
mod word;

pub(crate) use block::{DISTINCT_MAX, Distinct};
pub use byte_strings::PackedBytes;
pub use codes::PackedCodes;
pub use doubles::PackedDoubles;
pub use flags::PackedFlags;
pub use longs::PackedLongs;

#[cfg(test)]
mod tests;
