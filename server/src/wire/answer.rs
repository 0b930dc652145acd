//! A query's answer as a stream of bytes with bounded memory, complete or broken off (invariant Q4).

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::stream::{Stream, StreamExt, try_unfold};
use henge_query::answer::{QueryAnswer, ResultBatches, ResultColumn};
use henge_query::error::{QueryError, QueryErrorKind};
use henge_query::result_cache::ResultCacheCounts;

use super::cell::Cells;
use super::csv::CsvRows;
use super::rows_json::JsonRows;
use super::{Layout, ResultFormat};

/// Bytes gathered before a piece is handed to the connection.
const PIECE_BYTES: usize = 64 * 1024;

/// Pulls the first rows, so that a query which fails before it has any can still be answered with a status.
pub async fn started(mut answer: QueryAnswer) -> Result<StartedAnswer, QueryError> {
    loop {
        let first = answer.batches.next().await.transpose()?;
        if first.as_ref().is_none_or(|batch| batch.num_rows() > 0) {
            return Ok(StartedAnswer { first, answer });
        }
    }
}

/// An answer whose first rows exist, or which is known to be empty.
pub struct StartedAnswer {
    first: Option<RecordBatch>,
    answer: QueryAnswer,
}

impl StartedAnswer {
    pub fn result_cache(&self) -> ResultCacheCounts {
        self.answer.result_cache
    }

    /// The whole answer in pieces of about 64 KiB. An `Err` is the last item: whoever sends the pieces must then break
    /// the framing, so that a reader cannot take the part for the whole (invariant Q4).
    pub fn into_bytes(self, layout: Layout) -> impl Stream<Item = Result<Bytes, QueryError>> + Send {
        let QueryAnswer { columns, batches, .. } = self.answer;
        let mut rows = RowWriter::new(layout, columns);
        let mut opening = Vec::new();
        rows.start(&mut opening);
        let state = Writing { rows, batches, first: self.first, current: None, opening, is_finished: false };
        try_unfold(state, |mut state| async move { Ok(state.next_piece().await?.map(|piece| (piece, state))) })
    }
}

enum RowWriter {
    Json(JsonRows),
    Csv(CsvRows),
}

impl RowWriter {
    fn new(layout: Layout, columns: Vec<ResultColumn>) -> Self {
        match layout.format {
            ResultFormat::Csv => Self::Csv(CsvRows::new(layout, columns)),
            _ => Self::Json(JsonRows::new(layout, columns)),
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Json(rows) => rows.start(out),
            Self::Csv(rows) => rows.start(out),
        }
    }

    fn row(&mut self, cells: &[Cells], row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Json(rows) => rows.row(cells, row, out),
            Self::Csv(rows) => rows.row(cells, row, out),
        }
    }

    fn finish(&self, out: &mut Vec<u8>) {
        match self {
            Self::Json(rows) => rows.finish(out),
            Self::Csv(rows) => rows.finish(out),
        }
    }
}

/// A batch that is partly written.
struct Current {
    cells: Vec<Cells>,
    next_row: usize,
    row_count: usize,
}

struct Writing {
    rows: RowWriter,
    batches: ResultBatches,
    first: Option<RecordBatch>,
    current: Option<Current>,
    /// What stands before the first row; part of the first piece.
    opening: Vec<u8>,
    is_finished: bool,
}

impl Writing {
    /// `None` after the piece that ends the answer.
    async fn next_piece(&mut self) -> Result<Option<Bytes>, QueryError> {
        if self.is_finished {
            return Ok(None);
        }
        let mut out = std::mem::take(&mut self.opening);
        loop {
            if let Some(current) = &mut self.current {
                while current.next_row < current.row_count && out.len() < PIECE_BYTES {
                    self.rows.row(&current.cells, current.next_row, &mut out);
                    current.next_row += 1;
                }
                if out.len() >= PIECE_BYTES {
                    return Ok(Some(out.into()));
                }
            }
            match self.next_batch().await? {
                Some(batch) => self.current = Some(Current::new(&batch)?),
                None => {
                    self.rows.finish(&mut out);
                    self.is_finished = true;
                    return Ok(Some(out.into()));
                }
            }
        }
    }

    async fn next_batch(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        match self.first.take() {
            Some(batch) => Ok(Some(batch)),
            None => self.batches.next().await.transpose(),
        }
    }
}

impl Current {
    fn new(batch: &RecordBatch) -> Result<Self, QueryError> {
        let cells = batch.columns().iter().map(Cells::new).collect::<Result<_, _>>();
        let cells = cells.map_err(|error| QueryError {
            kind: QueryErrorKind::Internal,
            message: format!("a result column cannot be written: {error}"),
        })?;
        Ok(Self { cells, next_row: 0, row_count: batch.num_rows() })
    }
}

#[cfg(test)]
mod tests;
