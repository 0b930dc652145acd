//! A result on disk: `0.arrow`, `1.arrow`, .. with the rows, and `statement.json`, which is written last and says what
//! they have to be.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use futures::stream::{self, StreamExt, TryStreamExt};
use henge_query::answer::ResultBatches;
use henge_query::error::{QueryError, QueryErrorKind};
use henge_segment_store::durable_file;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::run::blocking;
use super::{StatementResult, remove_directory};

const DESCRIPTION: &str = "statement.json";

/// Some rows of a result in one file, an Arrow IPC stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    pub rows: u64,
    /// Of the file.
    pub bytes: u64,
}

fn page_name(number: usize) -> String {
    format!("{number}.arrow")
}

/// Writes a page durably. There is at least one batch. Blocking.
pub fn write_page(directory: &Path, number: usize, batches: &[RecordBatch]) -> Result<Page, QueryError> {
    let write = || -> Result<Page, ArrowError> {
        durable_file::create_directory(directory)?;
        let file = File::create(directory.join(page_name(number)))?;
        let schema = batches.first().map(RecordBatch::schema).expect("a page has rows");
        let mut writer = StreamWriter::try_new(BufWriter::new(file), &schema)?;
        for batch in batches {
            writer.write(batch)?;
        }
        writer.finish()?;
        let file = writer.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        let rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        Ok(Page { rows, bytes: file.metadata()?.len() })
    };
    write().map_err(|error| unusable("written", &error))
}

/// The rows of some pages, one page in memory after the other.
pub fn read_pages(directory: PathBuf, pages: Vec<(usize, Page)>) -> ResultBatches {
    let pages = stream::iter(pages).then(move |(number, page)| {
        let directory = directory.clone();
        blocking(move || read_page(&directory, number, page))
    });
    Box::pin(pages.map_ok(|batches| stream::iter(batches.into_iter().map(Ok))).try_flatten())
}

/// Reads a page that was written whole. Blocking.
fn read_page(directory: &Path, number: usize, page: Page) -> Result<Vec<RecordBatch>, QueryError> {
    let read = || -> Result<Vec<RecordBatch>, ArrowError> {
        let file = File::open(directory.join(page_name(number)))?;
        StreamReader::try_new(BufReader::new(file), None)?.collect()
    };
    let batches = read().map_err(|error| unusable("read", &error))?;
    let rows: u64 = batches.iter().map(|batch| batch.num_rows() as u64).sum();
    if rows != page.rows {
        let message = format!("page {number} of the result has {rows} rows in the place of {}", page.rows);
        return Err(QueryError::new(QueryErrorKind::Internal, message));
    }
    Ok(batches)
}

/// From here on the pages are a result, whatever happens. Blocking.
pub fn complete(directory: &Path, result: &StatementResult) -> Result<(), QueryError> {
    let json = serde_json::to_vec(result).expect("a description has text keys");
    let written = durable_file::create_directory(directory)
        .and_then(|()| durable_file::sync_directory(directory))
        .and_then(|()| durable_file::create(&directory.join(DESCRIPTION), &json));
    match written {
        Ok(true) => Ok(()),
        Ok(false) => Err(QueryError::new(QueryErrorKind::Internal, "the result of this statement is there already")),
        Err(error) => Err(unusable("written", &error)),
    }
}

/// The whole results below a directory by their ids; whatever else is there is removed. Blocking.
pub fn recover(directory: &Path) -> Vec<(String, StatementResult)> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            warn!(path = %directory.display(), %error, "results of earlier statements cannot be read");
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        let id = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        match (id, describe(&path)) {
            (Some(id), Some(result)) => found.push((id, result)),
            _ => remove_directory(&path),
        }
    }
    found
}

/// `None` where a page is missing or of another length, or nothing says what the pages are.
fn describe(directory: &Path) -> Option<StatementResult> {
    let result: StatementResult = serde_json::from_slice(&fs::read(directory.join(DESCRIPTION)).ok()?).ok()?;
    let is_whole = |(number, page): (usize, &Page)| {
        fs::metadata(directory.join(page_name(number))).is_ok_and(|file| file.len() == page.bytes)
    };
    result.pages.iter().enumerate().all(is_whole).then_some(result)
}

fn unusable(action: &str, error: &dyn std::fmt::Display) -> QueryError {
    QueryError::new(QueryErrorKind::Internal, format!("the result cannot be {action}: {error}"))
}

/// The columns of a result in JSON: name, Druid's type, SQL type.
pub mod columns {
    use henge_query::answer::ResultColumn;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(columns: &[ResultColumn], serializer: S) -> Result<S::Ok, S::Error> {
        let columns = columns.iter().map(|column| [&column.name, &column.druid_type, &column.sql_type]);
        columns.collect::<Vec<_>>().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ResultColumn>, D::Error> {
        let columns = Vec::<[String; 3]>::deserialize(deserializer)?;
        let column = |[name, druid_type, sql_type]: [String; 3]| ResultColumn { name, druid_type, sql_type };
        Ok(columns.into_iter().map(column).collect())
    }
}
