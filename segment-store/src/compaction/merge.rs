//! Merges sorted segments into pieces of sorted rows, block by block: what it holds in memory is one block of each input,
//! the codes of their dictionaries, and one piece.
//!
//! inputs (blocks) -> least row first -> fold equal keys -> pieces

mod block;
mod cursor;
mod event_shares;
mod heap;
mod input;
mod merged_sketches;
mod piece;
mod shared_codes;

use std::sync::Arc;

use self::cursor::Cursor;
use self::event_shares::EventShares;
use self::heap::Heap;
use self::input::Input;
use self::piece::PieceBuilder;
use self::shared_codes::SharedCodes;
use crate::schema::DataSourceSchema;
use crate::segment::{SegmentId, ServingError, ServingSegment, SortedRows};
use crate::sketch::SketchError;
use crate::time::{Granularity, Interval};

/// Rows that may be sorted anew in memory for one merge: those of segments that were written in another order.
const SORTED_ANEW_MAX: u64 = 8_000_000;
/// So many bytes of sketches count as one more row.
const SKETCH_BYTES_OF_ROW: u64 = 64;

/// A segment to be merged.
#[derive(Debug, Clone)]
pub struct MergeInput {
    pub id: SegmentId,
    pub rows: Arc<ServingSegment>,
    /// Accepted events that the rows stand for.
    pub events: u64,
}

/// What the merged rows look like.
#[derive(Debug, Clone)]
pub struct MergeTarget {
    /// In force now: columns that it lacks leave, those that an input lacks are null, narrower types are promoted.
    pub schema: Arc<DataSourceSchema>,
    pub chunk: Interval,
    /// What times are floored to; `None` leaves them as they are.
    pub granularity: Option<Granularity>,
    /// Rows of a piece, at most; at least 1.
    pub piece_rows: usize,
    /// Once its sketches take so many bytes, a piece ends as well.
    pub piece_sketch_bytes: usize,
}

/// Merged rows, and the events that they stand for. The events of all pieces together are those of the inputs.
#[derive(Debug)]
pub struct Piece {
    pub rows: SortedRows,
    pub events: u64,
}

/// Why a merge ended early. `E`: what its caller ended it with.
#[derive(Debug, thiserror::Error)]
pub enum MergeError<E> {
    #[error("segment `{id}`: its serving form: {source}")]
    Input { id: SegmentId, source: ServingError },
    #[error("segment `{id}`: a sketch: {source}")]
    Sketch { id: SegmentId, source: SketchError },
    #[error("{rows} rows would have to be sorted anew, and memory is set aside for {SORTED_ANEW_MAX}")]
    TooLargeToSort { rows: u64 },
    #[error(transparent)]
    Caller(E),
}

/// Merges `inputs`, each of which has rows, and hands on piece after piece, in order. Where the schema rolls up, no two rows share a key, but for
/// those whose sums would leave 64 bits.
///
/// `pace` is called every thousand rows or so: to sleep, or to end the merge with an error.
pub fn merge<E>(
    inputs: &[MergeInput],
    target: &MergeTarget,
    mut pace: impl FnMut() -> Result<(), E>,
    mut deliver: impl FnMut(Piece) -> Result<(), E>,
) -> Result<(), MergeError<E>> {
    let open = inputs.iter().map(|input| {
        Input::open(&input.rows, target).map_err(|source| MergeError::Input { id: input.id.clone(), source })
    });
    let sources = open.collect::<Result<Vec<Input<'_>>, _>>()?;
    let shared: Vec<SharedCodes<'_>> =
        (0..target.schema.dimensions.len()).map(|dimension| SharedCodes::of(&sources, dimension)).collect();
    let mut cursors = open_cursors(&sources, &shared, target, &mut pace)?;
    let mut piece = PieceBuilder::new(target, &shared);
    let mut shares = EventShares::new(&target.schema, inputs, &sources);
    let mut heap = Heap::new(cursors.len(), |left, right| is_less(&cursors, left, right));
    while let Some(least) = heap.least() {
        let (block, row) = cursors[least].row();
        let damaged = |source| MergeError::Sketch { id: inputs[least].id.clone(), source };
        if !(target.schema.rollup && piece.fold(block, row).map_err(damaged)?) {
            if piece.row_count() == target.piece_rows || piece.sketch_bytes() >= target.piece_sketch_bytes {
                let rows = piece.take();
                let events = shares.of(&rows, inputs, &cursors);
                deliver(Piece { rows, events }).map_err(MergeError::Caller)?;
            }
            let (block, row) = cursors[least].row();
            piece.push(block, row);
        }
        match cursors[least].advance(&mut pace).map_err(MergeError::Caller)? {
            true => heap.sink(|left, right| is_less(&cursors, left, right)),
            false => heap.remove(|left, right| is_less(&cursors, left, right)),
        }
    }
    if piece.row_count() > 0 {
        deliver(Piece { rows: piece.take(), events: shares.rest() }).map_err(MergeError::Caller)?;
    }
    Ok(())
}

/// One for each input with rows, and checked that memory suffices for those that are in another order.
fn open_cursors<'a, E>(
    sources: &'a [Input<'a>],
    shared: &'a [SharedCodes<'a>],
    target: &MergeTarget,
    pace: &mut impl FnMut() -> Result<(), E>,
) -> Result<Vec<Cursor<'a>>, MergeError<E>> {
    let keys: Arc<[_]> = target.schema.sort_keys().into();
    let mut cursors = Vec::with_capacity(sources.len());
    let mut sorted_anew = 0;
    for (number, source) in sources.iter().enumerate() {
        let codes = shared.iter().map(|shared| shared.codes_of(number)).collect();
        let cursor = Cursor::new(source, codes, keys.clone());
        let is_ordered = cursor.is_ordered(pace).map_err(MergeError::Caller)?;
        let rows = u64::from(source.row_count()) + source.sketch_bytes() / SKETCH_BYTES_OF_ROW;
        sorted_anew += if is_ordered { 0 } else { rows };
        cursors.push((cursor, is_ordered));
    }
    if sorted_anew > SORTED_ANEW_MAX {
        return Err(MergeError::TooLargeToSort { rows: sorted_anew });
    }
    let begun = cursors.into_iter().map(|(cursor, is_ordered)| cursor.begin(is_ordered, pace));
    begun.collect::<Result<_, E>>().map_err(MergeError::Caller)
}

fn is_less(cursors: &[Cursor<'_>], left: usize, right: usize) -> bool {
    cursors[left].compare(&cursors[right]).then(left.cmp(&right)).is_lt()
}

#[cfg(test)]
mod tests;
