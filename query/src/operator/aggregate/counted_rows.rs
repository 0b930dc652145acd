//! Rows of one block that are added to an aggregate.

use super::groups::Groups;
use super::picks::Picks;

#[derive(Debug, Clone, Copy)]
pub(super) struct CountedRows<'r> {
    pub block: usize,
    /// Of all rows of the block; nothing where no aggregate takes times.
    pub times: &'r [i64],
    pub picks: &'r Picks,
    pub groups: Groups<'r>,
}
