//! The rows of a block that are aggregated, as places that columns are read at.

use henge_indexing::{BLOCK_ROWS, BlockMask, BlockRows, LongColumn, TextColumn};

/// So few rows of a block are read one by one, which takes less than reading them all.
const FEW: usize = BLOCK_ROWS / 8;

/// Rows of one block, ascending, as [`BlockRows`] are; the values at them can be put side by side.
#[derive(Debug)]
pub(super) struct Picks {
    len: usize,
    form: Form,
    places: Box<[u16; BLOCK_ROWS]>,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    /// Neighbours, the first of them at this place.
    From(usize),
    /// At `places[..len]`.
    Listed,
}

impl Picks {
    pub fn new() -> Self {
        Self { len: 0, form: Form::From(0), places: Box::new([0; BLOCK_ROWS]) }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Takes the rows of a block that has `block_rows` rows.
    pub fn set(&mut self, rows: &BlockRows, block_rows: usize) {
        (self.form, self.len) = match rows {
            BlockRows::All => (Form::From(0), block_rows),
            BlockRows::Range(range) => (Form::From(range.start), range.len()),
            BlockRows::Mask(_) => {
                let mut len = 0;
                rows.for_each(block_rows, |row| {
                    self.places[len] = row as u16;
                    len += 1;
                });
                (Form::Listed, len)
            }
        };
    }

    /// The values at the rows, side by side. `buffer` may be used to hold them.
    pub fn of<'v, T: Copy>(&self, values: &'v [T], buffer: &'v mut [T; BLOCK_ROWS]) -> &'v [T] {
        match self.form {
            Form::From(start) => &values[start..start + self.len],
            Form::Listed => {
                for (slot, place) in buffer.iter_mut().zip(&self.places[..self.len]) {
                    *slot = values[usize::from(*place)];
                }
                &buffer[..self.len]
            }
        }
    }

    /// The numbers at the rows, side by side, of no meaning where null. `buffers` may be used to hold them.
    pub fn longs<'v>(
        &self,
        column: &'v LongColumn<'_>,
        block: usize,
        [whole, picked]: [&'v mut [i64; BLOCK_ROWS]; 2],
    ) -> &'v [i64] {
        match self.few() {
            Some(places) => {
                column.values_at(block, places, &mut picked[..places.len()]);
                &picked[..places.len()]
            }
            None => self.of(column.values(block, whole), picked),
        }
    }

    /// Writes the codes at the rows to the front of `out`. `buffer` may be used to hold those of the block.
    pub fn codes(
        &self,
        column: &TextColumn<'_>,
        block: usize,
        buffer: &mut [u32; BLOCK_ROWS],
        out: &mut [u32; BLOCK_ROWS],
    ) {
        if let Some(places) = self.few() {
            return column.codes_at(block, places, &mut out[..places.len()]);
        }
        let codes = column.codes(block, buffer);
        match self.form {
            Form::From(start) => out[..self.len].copy_from_slice(&codes[start..start + self.len]),
            Form::Listed => {
                for (slot, place) in out.iter_mut().zip(&self.places[..self.len]) {
                    *slot = codes[usize::from(*place)];
                }
            }
        }
    }

    /// The places of the rows, where they are few.
    fn few(&self) -> Option<&[u16]> {
        (matches!(self.form, Form::Listed) && self.len <= FEW).then(|| &self.places[..self.len])
    }

    /// Visits the rows, counted from the start of the block.
    pub fn for_each(&self, mut visit: impl FnMut(usize)) {
        match self.form {
            Form::From(start) => (start..start + self.len).for_each(visit),
            Form::Listed => self.places[..self.len].iter().for_each(|place| visit(usize::from(*place))),
        }
    }

    /// Those of the rows that are in `mask`, in `kept`; their numbers among the rows are listed in `numbers`. Returns how
    /// many they are.
    pub fn narrow(&self, mask: &BlockMask, numbers: &mut [u16; BLOCK_ROWS], kept: &mut Self) -> usize {
        let (mut number, mut len) = (0, 0);
        self.for_each(|row| {
            numbers[len] = number;
            kept.places[len] = row as u16;
            number += 1;
            len += (mask[row / 64] >> (row % 64) & 1) as usize;
        });
        (kept.len, kept.form) = (len, Form::Listed);
        len
    }

    /// Those of the rows that have these numbers among them, in `kept`.
    pub fn keep(&self, numbers: &[u16], kept: &mut Self) {
        for (place, number) in kept.places.iter_mut().zip(numbers) {
            *place = match self.form {
                Form::From(start) => start as u16 + number,
                Form::Listed => self.places[usize::from(*number)],
            };
        }
        (kept.len, kept.form) = (numbers.len(), Form::Listed);
    }
}
