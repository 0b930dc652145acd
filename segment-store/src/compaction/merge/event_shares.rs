//! How many of the inputs' events each piece stands for.

use super::MergeInput;
use super::cursor::Cursor;
use super::input::Input;
use crate::schema::{Aggregation, DataSourceSchema};
use crate::segment::{SortedColumn, SortedRows};

/// All pieces together stand for the events of all inputs. A piece's rows say how many are theirs where each row of every
/// input counts its events; otherwise a piece gets its part of each input's by the rows that it took.
pub struct EventShares {
    /// The measure that counts.
    counting: Option<usize>,
    total: u64,
    given: u64,
}

impl EventShares {
    pub fn new(schema: &DataSourceSchema, inputs: &[MergeInput], sources: &[Input<'_>]) -> Self {
        let counts = |measure: &usize| {
            schema.measures[*measure].aggregation == Aggregation::Count
                && sources.iter().all(|source| source.has_longs_without_null(*measure))
        };
        let counting = (0..schema.measures.len()).find(counts);
        Self { counting, total: inputs.iter().map(|input| input.events).sum(), given: 0 }
    }

    /// Of a piece with others behind it.
    pub fn of(&mut self, piece: &SortedRows, inputs: &[MergeInput], cursors: &[Cursor<'_>]) -> u64 {
        let share = match self.counting.map(|measure| &piece.measures[measure]) {
            Some(SortedColumn::Longs(counts)) => counts.values.iter().map(|count| count.cast_unsigned()).sum(),
            _ => events_taken(inputs, cursors) - self.given,
        };
        // What rows count beyond the inputs' events is damage for the manifest to refuse, not to count here.
        let share = share.min(self.total - self.given);
        self.given += share;
        share
    }

    /// Of the last piece.
    pub fn rest(self) -> u64 {
        self.total - self.given
    }
}

/// Events of the rows that were taken so far, where an input's are spread evenly over its rows.
fn events_taken(inputs: &[MergeInput], cursors: &[Cursor<'_>]) -> u64 {
    let of_input = |(input, cursor): (&MergeInput, &Cursor<'_>)| {
        let rows = u128::from(input.rows.row_count()).max(1);
        (u128::from(input.events) * cursor.rows_taken() as u128 / rows) as u64
    };
    inputs.iter().zip(cursors).map(of_input).sum()
}
