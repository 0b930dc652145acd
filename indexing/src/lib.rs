//! From values to rows: dictionaries of strings, and the order of rows. Pure: no I/O, no clock, no async, no Arrow.
//!
//! value -> code -> rank -> key -> row order

mod growing_dictionary;
mod row_order;

pub use growing_dictionary::{DictionaryPrefix, GrowingDictionary, View};
pub use row_order::{KeyField, RowKeys, order_of_double, order_of_long};
