mod column;
use crate::*;
pub use column::*;
pub fn evaluate<'a, E>(
    _: &Predicate,
    n: u32,
    _: bool,
    _: &impl Fn(&str) -> Result<Column<'a>, E>,
) -> Result<RowSet, E> {
    Ok(RowSet::all(n))
}
