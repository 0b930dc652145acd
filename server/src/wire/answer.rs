//! A query's answer as a stream of bytes with bounded memory, complete or broken off (invariant Q4).

use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::stream::{Stream, StreamExt, try_unfold};
use henge_query::answer::{QueryAnswer, ResultBatches, ResultColumn};
use henge_query::error::{QueryError, QueryErrorKind};
use henge_query::provenance::MadeOf;
use henge_query::result_cache::ResultCacheCounts;
use tokio::task::yield_now;

use super::arrow_ipc::ArrowStream;
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

    pub fn is_approximate(&self) -> bool {
        self.answer.is_approximate
    }

    pub fn made_of(&self) -> &[MadeOf] {
        &self.answer.made_of
    }

    /// The whole answer in pieces of about 64 KiB. An `Err` is the last item: whoever sends the pieces must then break
    /// the framing, so that a reader cannot take the part for the whole (invariant Q4).
    ///
    /// # Errors
    /// The columns have no form in the layout's format.
    pub fn into_bytes(
        self,
        layout: Layout,
    ) -> Result<impl Stream<Item = Result<Bytes, QueryError>> + Send, QueryError> {
        let QueryAnswer { columns, batches, .. } = self.answer;
        let mut opening = Vec::new();
        let writer = match layout.format {
            ResultFormat::ArrowStream => {
                let stream = ArrowStream::new(&columns, self.first.as_ref()).map_err(|error| unwritable(&error))?;
                Writer::Batches(Box::new(stream))
            }
            _ => {
                let mut rows = RowWriter::new(layout, columns);
                rows.start(&mut opening);
                Writer::Rows { rows, current: None }
            }
        };
        let state = Writing { writer, batches, first: self.first, opening, is_begun: false, is_finished: false };
        Ok(try_unfold(state, |mut state| async move { Ok(state.next_piece().await?.map(|piece| (piece, state))) }))
    }
}

/// How batches become bytes.
enum Writer {
    Rows { rows: RowWriter, current: Option<Current> },
    Batches(Box<ArrowStream>),
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
    writer: Writer,
    batches: ResultBatches,
    first: Option<RecordBatch>,
    /// What stands before the first row; part of the first piece.
    opening: Vec<u8>,
    is_begun: bool,
    is_finished: bool,
}

impl Writing {
    /// `None` after the piece that ends the answer.
    async fn next_piece(&mut self) -> Result<Option<Bytes>, QueryError> {
        if self.is_finished {
            return Ok(None);
        }
        // Else a connection that takes all keeps its thread for hundreds of pieces, and others wait.
        if std::mem::replace(&mut self.is_begun, true) {
            yield_now().await;
        }
        let mut out = std::mem::take(&mut self.opening);
        loop {
            self.writer.write_on(&mut out);
            if out.len() >= PIECE_BYTES {
                return Ok(Some(out.into()));
            }
            match self.next_batch().await? {
                Some(batch) => self.writer.take(&batch, &mut out)?,
                None => {
                    self.writer.finish(&mut out)?;
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

impl Writer {
    /// Writes rows of the batch that was taken last, until a piece is full.
    fn write_on(&mut self, out: &mut Vec<u8>) {
        if let Self::Rows { rows, current: Some(current) } = self {
            while current.next_row < current.row_count && out.len() < PIECE_BYTES {
                rows.row(&current.cells, current.next_row, out);
                current.next_row += 1;
            }
        }
    }

    fn take(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), QueryError> {
        match self {
            Self::Rows { current, .. } => *current = Some(Current::new(batch)?),
            Self::Batches(stream) => stream.batch(batch, out).map_err(|error| unwritable(&error))?,
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), QueryError> {
        match self {
            Self::Rows { rows, .. } => rows.finish(out),
            Self::Batches(stream) => stream.finish(out).map_err(|error| unwritable(&error))?,
        }
        Ok(())
    }
}

impl Current {
    fn new(batch: &RecordBatch) -> Result<Self, QueryError> {
        let cells = batch.columns().iter().map(Cells::new).collect::<Result<_, _>>();
        let cells = cells.map_err(|error| unwritable(&error))?;
        Ok(Self { cells, next_row: 0, row_count: batch.num_rows() })
    }
}

fn unwritable(error: &ArrowError) -> QueryError {
    QueryError { kind: QueryErrorKind::Internal, message: format!("a result column cannot be written: {error}") }
}

#[cfg(test)]
mod tests;
