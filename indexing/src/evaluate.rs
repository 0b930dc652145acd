//! From a predicate to the rows of a segment for which it is true.
//!
//! predicate -> tests bound to columns -> codes of a dictionary, or ranges of numbers -> index or scan -> row set

mod bind;
pub(crate) mod block_mask;
mod code_test;
mod column;
mod column_blocks;
mod column_codes;
mod cost;
mod dictionary_test;
mod joint_ranks;
mod key_ranges;
mod leaf;
mod node;
pub(crate) mod number_column;
mod page;
mod place_search;
mod row_collector;
pub(crate) mod row_texts;
mod text_codes;
mod text_column;
mod way;

use bind::Binder;
pub use way::Way;

pub use column::{Bits, Column, DoubleColumn, FlagColumn, FlagPage, LongColumn, Page, TextColumn};
pub use page::{CodePage, LongPage};

use crate::RowSet;
use crate::predicate::Predicate;

/// The rows of a segment for which a predicate is true, by the cheapest way there seems to be.
///
/// `columns` gives the segment's columns by name, [`Column::Missing`] where it has none of that name. Every column has
/// `row_count` rows. Tests of a kind see the values of a narrower one promoted to it (long to double to string, boolean
/// to string); no value of a wider kind passes a test, nor its negation: schemas only ever widen.
///
/// With `use_indexes` off the same rows are found without indexes, zone maps, caches and an order of the parts: by
/// testing every text of each dictionary and every row of each column.
///
/// # Errors
/// What `columns` returns.
///
/// ```
/// # use henge_indexing::*;
/// # use std::convert::Infallible;
/// let latencies = [3_i64, 250, 40, 900];
/// let slow = Predicate::Long { column: "latency".into(), test: NumberTest::compare(Comparison::Greater, 100).unwrap() };
/// let columns = |name: &str| -> Result<Column<'_>, Infallible> {
///     Ok(match name {
///         "latency" => Column::Longs(LongColumn::Pages(vec![LongPage::Plain(Page { values: &latencies, validity: None })])),
///         _ => Column::Missing,
///     })
/// };
/// assert!(evaluate(&slow, 4, true, &columns)?.iter().eq([1, 3]));
/// # Ok::<(), Infallible>(())
/// ```
pub fn evaluate<'a, E>(
    predicate: &Predicate,
    row_count: u32,
    use_indexes: bool,
    columns: &impl Fn(&str) -> Result<Column<'a>, E>,
) -> Result<RowSet, E> {
    evaluate_noting(predicate, row_count, use_indexes, columns, &mut |_, _| {})
}

/// [`evaluate`], which tells `note` of each test that it makes the column, the first of two, and how it was made. Tests
/// that were not needed are not told of.
///
/// # Errors
/// What `columns` returns.
pub fn evaluate_noting<'a, E>(
    predicate: &Predicate,
    row_count: u32,
    use_indexes: bool,
    columns: &impl Fn(&str) -> Result<Column<'a>, E>,
    note: &mut dyn FnMut(&str, Way),
) -> Result<RowSet, E> {
    let node = Binder { columns, use_indexes }.bind(predicate, false)?;
    Ok(match use_indexes {
        true => node.rows(&RowSet::all(row_count), note),
        false => node.rows_by_scanning(row_count, note),
    })
}

#[cfg(test)]
pub(crate) mod tests;
