//! From values to rows: dictionaries of strings, and the order of rows. Pure: no I/O, no clock, no async, no Arrow.
//!
//! value -> code -> rank -> key -> row order

mod code_set;
mod dictionary;
mod dimension_index;
mod format;
mod growing_dictionary;
mod packed;
mod posting_list;
mod row_order;
mod row_set;
mod zone_map;

pub use code_set::CodeSet;
pub use dictionary::{Dictionary, DictionaryBuilder};
pub use dimension_index::{BuiltIndex, DimensionIndex, IndexForm, IndexedRows};
pub use format::{ByteReader, ByteWriter, FormatError};
pub use growing_dictionary::{DictionaryPrefix, GrowingDictionary, View};
pub use packed::{PackedCodes, PackedDoubles, PackedFlags, PackedLongs};
pub use row_order::{KeyField, RowKeys, order_of_double, order_of_long};
pub use row_set::{BlockRows, RowSet};
pub use zone_map::{DoubleZone, LongZone};

/// Rows of a block: what columns pack, skip and unpack together. The last block of a segment may hold fewer.
pub const BLOCK_ROWS: usize = 1_024;

/// Rows of one block: bit `i` of word `w` is row `w * 64 + i`. Bits past the last row are 0.
pub type BlockMask = [u64; BLOCK_ROWS / 64];
