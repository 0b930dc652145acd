//! Goes through one input's rows in the target's order.

use std::cmp::Ordering;
use std::sync::Arc;

use super::block::Block;
use super::input::Input;
use crate::schema::SortKey;

pub struct Cursor<'a> {
    input: &'a Input<'a>,
    /// For each dimension, the shared codes of the input's own.
    codes: Vec<&'a [u32]>,
    keys: Arc<[SortKey]>,
    /// The rows at hand: a block, or all rows where they had to be sorted.
    block: Block,
    /// The order of the rows at hand, where it is not theirs.
    order: Option<Vec<u32>>,
    /// The next row among those at hand.
    place: usize,
    next_block: usize,
    taken: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(input: &'a Input<'a>, codes: Vec<&'a [u32]>, keys: Arc<[SortKey]>) -> Self {
        Self { input, codes, keys, block: Block::default(), order: None, place: 0, next_block: 0, taken: 0 }
    }

    /// Whether the rows are in the target's order: not after the sort order, or the kind or the rounding of a column that
    /// comes before others has changed. Decodes everything once, which takes a tenth of what the merge does.
    pub fn is_ordered<E>(&self, pace: &mut impl FnMut() -> Result<(), E>) -> Result<bool, E> {
        let mut last: Option<Block> = None;
        for number in 0..self.input.block_count() {
            pace()?;
            let block = self.input.block(number, &self.codes);
            let follows = last.is_none_or(|last| last.compare(last.row_count() - 1, &block, 0, &self.keys).is_le());
            let ascends = |row: usize| block.compare(row - 1, &block, row, &self.keys).is_le();
            if !follows || !(1..block.row_count()).all(ascends) {
                return Ok(false);
            }
            last = Some(block);
        }
        Ok(true)
    }

    /// Moves to the first row; sorts all of them before where they are in another order.
    pub fn begin<E>(mut self, is_ordered: bool, pace: &mut impl FnMut() -> Result<(), E>) -> Result<Self, E> {
        if is_ordered {
            self.load(pace)?;
            return Ok(self);
        }
        while self.next_block < self.input.block_count() {
            pace()?;
            self.block.append(&self.input.block(self.next_block, &self.codes));
            self.next_block += 1;
        }
        let mut order: Vec<u32> = (0..self.input.row_count()).collect();
        let (block, keys) = (&self.block, &self.keys);
        order.sort_by(|&left, &right| block.compare(left as usize, block, right as usize, keys));
        self.order = Some(order);
        Ok(self)
    }

    /// The row at hand.
    pub fn row(&self) -> (&Block, usize) {
        let row = self.order.as_ref().map_or(self.place, |order| order[self.place] as usize);
        (&self.block, row)
    }

    pub fn compare(&self, other: &Self) -> Ordering {
        let ((block, row), (other_block, other_row)) = (self.row(), other.row());
        block.compare(row, other_block, other_row, &self.keys)
    }

    /// Moves to the next row; `false` behind the last one.
    pub fn advance<E>(&mut self, pace: &mut impl FnMut() -> Result<(), E>) -> Result<bool, E> {
        self.taken += 1;
        self.place += 1;
        if self.place < self.block.row_count() {
            return Ok(true);
        }
        self.load(pace)
    }

    /// Rows that were passed.
    pub fn rows_taken(&self) -> usize {
        self.taken
    }

    fn load<E>(&mut self, pace: &mut impl FnMut() -> Result<(), E>) -> Result<bool, E> {
        if self.next_block == self.input.block_count() {
            return Ok(false);
        }
        pace()?;
        self.block = self.input.block(self.next_block, &self.codes);
        self.next_block += 1;
        self.place = 0;
        Ok(true)
    }
}
