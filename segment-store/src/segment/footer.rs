//! What a segment's Parquet file says of itself: read from its last bytes, without its rows.

use bytes::Bytes;
use parquet::basic::LogicalType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use serde::Serialize;

use super::provenance::{PROVENANCE_KEY, Provenance};

/// A segment file's footer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Footer {
    pub provenance: Provenance,
    pub rows: u64,
    pub row_groups: usize,
    /// Which version of henge wrote the file.
    pub created_by: String,
    pub columns: Vec<FileColumn>,
}

/// One column of a file, all row groups together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileColumn {
    pub name: String,
    /// As Parquet has it, such as `BYTE_ARRAY (String)`.
    #[serde(rename = "type")]
    pub kind: String,
    pub encodings: Vec<String>,
    /// In the file.
    pub compressed_bytes: u64,
    /// Encoded, before compression.
    pub uncompressed_bytes: u64,
    /// Where the file counts them.
    pub nulls: Option<u64>,
}

/// Why there is no footer.
#[derive(Debug)]
pub enum FooterError {
    /// So many bytes from the file's end are needed.
    NeedsTail(u64),
    /// What is wrong with the file.
    Invalid(String),
}

impl Footer {
    /// Reads the footer from the last bytes of a file of `file_bytes` bytes.
    ///
    /// Nothing protects these bytes but the digest of the whole file: believe them after it was checked, or show them.
    pub fn parse(tail: &Bytes, file_bytes: u64) -> Result<Self, FooterError> {
        let mut reader = ParquetMetaDataReader::new();
        reader.try_parse_sized(tail, file_bytes).map_err(|error| match error {
            ParquetError::NeedMoreData(bytes) if (bytes as u64) <= file_bytes => FooterError::NeedsTail(bytes as u64),
            error => FooterError::Invalid(error.to_string()),
        })?;
        let metadata = reader.finish().map_err(|error| FooterError::Invalid(error.to_string()))?;
        let file = metadata.file_metadata();
        let pairs = file.key_value_metadata().into_iter().flatten();
        let json = pairs.filter(|pair| pair.key == PROVENANCE_KEY).find_map(|pair| pair.value.as_deref());
        let json = json.ok_or_else(|| FooterError::Invalid(format!("its footer has no `{PROVENANCE_KEY}`")))?;
        let provenance = serde_json::from_str(json);
        Ok(Self {
            provenance: provenance
                .map_err(|error| FooterError::Invalid(format!("its footer's `{PROVENANCE_KEY}`: {error}")))?,
            rows: u64::try_from(file.num_rows()).unwrap_or_default(),
            row_groups: metadata.num_row_groups(),
            created_by: file.created_by().unwrap_or_default().to_owned(),
            columns: columns(&metadata),
        })
    }
}

fn columns(metadata: &ParquetMetaData) -> Vec<FileColumn> {
    let leaves = metadata.file_metadata().schema_descr().columns().iter().enumerate();
    let column = |(index, leaf): (usize, &std::sync::Arc<parquet::schema::types::ColumnDescriptor>)| {
        let chunks = || metadata.row_groups().iter().filter_map(move |group| group.columns().get(index));
        let sum = |bytes: fn(&ColumnChunkMetaData) -> i64| -> u64 {
            chunks().map(|chunk| u64::try_from(bytes(chunk)).unwrap_or_default()).sum()
        };
        let mut encodings: Vec<String> = chunks().flat_map(|chunk| chunk.encodings().map(|e| e.to_string())).collect();
        encodings.sort_unstable();
        encodings.dedup();
        FileColumn {
            name: leaf.path().string(),
            kind: match leaf.logical_type_ref() {
                Some(logical) => format!("{} ({})", leaf.physical_type(), logical_name(logical)),
                None => leaf.physical_type().to_string(),
            },
            encodings,
            compressed_bytes: sum(ColumnChunkMetaData::compressed_size),
            uncompressed_bytes: sum(ColumnChunkMetaData::uncompressed_size),
            nulls: chunks().map(|chunk| chunk.statistics()?.null_count_opt()).sum(),
        }
    };
    leaves.map(column).collect()
}

fn logical_name(kind: &LogicalType) -> String {
    match kind {
        LogicalType::Timestamp { .. } => "Timestamp".to_owned(),
        kind => format!("{kind:?}"),
    }
}
