//! From values to rows: dictionaries of strings, indexes, packed columns, predicates, and the order of rows. Pure: no
//! I/O, no clock, no async, no Arrow.
//!
//! value -> code -> rank -> key -> row order; predicate -> codes -> rows

mod code_set;
mod code_set_cache;
mod dictionary;
mod dimension_index;
mod evaluate;
mod format;
#[cfg(any(test, feature = "test-support"))]
pub mod fuzzing;
mod growing_dictionary;
#[cfg(any(test, feature = "test-support"))]
pub mod naive;
mod packed;
mod posting_list;
mod predicate;
mod promotion;
mod row_bound;
mod row_order;
mod row_set;
mod text_view;
mod zone_map;

pub use code_set::CodeSet;
pub use code_set_cache::{CodeSetCache, DictionaryCache};
pub use dictionary::{Dictionary, DictionaryBuilder};
pub use dimension_index::{BuiltIndex, DimensionIndex, IndexForm, IndexedRows};
pub use evaluate::{
    Bits, CodePage, Column, DoubleColumn, FlagColumn, FlagPage, LongColumn, LongPage, Page, TextColumn, Way, evaluate,
    evaluate_noting,
};
pub use format::{ByteReader, ByteWriter, FormatError};
pub use growing_dictionary::{DictionaryPrefix, GrowingDictionary};
pub use packed::{PackedBytes, PackedCodes, PackedDoubles, PackedFlags, PackedLongs};
pub use predicate::{
    Comparison, LikePattern, NumberTest, PatternError, Predicate, RegexPattern, TextTest, Texts, ValueKind,
};
pub use promotion::{text_of_double, text_of_flag, text_of_long};
pub use row_bound::{RowBound, RowOrder, Scratch, SortOrder, SortValue};
pub use row_order::{KeyField, RowKeys, order_of_double, order_of_long};
pub use row_set::{BlockRows, RowSet};
pub use text_view::View;
pub use zone_map::{DoubleZone, LongZone};

/// Rows of a block: what columns pack, skip and unpack together. The last block of a segment may hold fewer.
pub const BLOCK_ROWS: usize = 1_024;

/// Rows of one block: bit `i` of word `w` is row `w * 64 + i`. Bits past the last row are 0.
pub type BlockMask = [u64; BLOCK_ROWS / 64];
