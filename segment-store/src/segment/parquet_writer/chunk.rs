//! One column of one row group: its pages, and what the footer says of them.
//!
//! ```text
//! chunk     := dictionary page?  data page*
//! data page := levels? values                          compressed together (data page v1)
//! levels    := bytes that follow: u32  codes of 1 bit  1 where a row has a value; only where the column may be null
//! ```

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, PageType, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::metadata::{ColumnChunkMetaData, PageEncodingStats};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use super::packing::{append_codes, append_run};

/// Higher levels gain at most 1 % on the columns of a segment, and lose on some.
const ZSTD_LEVEL: i32 = 1;

/// Compresses pages, one after another.
pub struct PageCompressor(Compressor<'static>);

impl PageCompressor {
    pub fn new() -> Self {
        Self(Compressor::new(ZSTD_LEVEL).expect("zstd has a level 1"))
    }

    pub fn compress(&mut self, plain: &[u8]) -> Vec<u8> {
        self.0.compress(plain).expect("the destination has room for whatever zstd makes of it")
    }
}

/// The values that codes stand for.
pub struct DictionaryPage {
    plain_bytes: usize,
    compressed: Bytes,
    values: u32,
}

impl DictionaryPage {
    /// `plain` holds that many `values` in ascending order.
    pub fn new(plain: &[u8], values: usize, compressor: &mut PageCompressor) -> Self {
        Self { plain_bytes: plain.len(), compressed: compressor.compress(plain).into(), values: values as u32 }
    }

    pub fn values(&self) -> u32 {
        self.values
    }

    pub fn compressed_bytes(&self) -> usize {
        self.compressed.len()
    }
}

/// A finished column, ready to be appended to its row group.
pub struct Chunk {
    pub bytes: Bytes,
    pub close: ColumnCloseResult,
}

/// Writes the pages of a column of one row group.
pub struct ChunkWriter<'a> {
    column: ColumnDescPtr,
    compressor: &'a mut PageCompressor,
    sink: TrackedWrite<Vec<u8>>,
    /// A page before it is compressed.
    plain: Vec<u8>,
    plain_bytes: usize,
    dictionary_bytes: Option<usize>,
    encoding: Encoding,
    data_pages: i32,
    rows: usize,
}

impl<'a> ChunkWriter<'a> {
    /// All values will be written in this one encoding.
    pub fn new(column: ColumnDescPtr, encoding: Encoding, compressor: &'a mut PageCompressor) -> Self {
        Self {
            column,
            compressor,
            sink: TrackedWrite::new(Vec::new()),
            plain: Vec::new(),
            plain_bytes: 0,
            dictionary_bytes: None,
            encoding,
            data_pages: 0,
            rows: 0,
        }
    }

    /// Comes before the data pages.
    pub fn dictionary_page(&mut self, dictionary: &DictionaryPage) -> Result<()> {
        let page = Page::DictionaryPage {
            buf: dictionary.compressed.clone(),
            num_values: dictionary.values,
            encoding: Encoding::PLAIN,
            is_sorted: true,
        };
        self.write(page, dictionary.plain_bytes)?;
        self.dictionary_bytes = Some(self.sink.bytes_written());
        Ok(())
    }

    /// A page of `rows` rows, of which `append_values` appends the values that are not null. `validity` is `None` where
    /// all are there.
    pub fn data_page(
        &mut self,
        rows: usize,
        validity: Option<&[bool]>,
        append_values: impl FnOnce(&mut Vec<u8>),
    ) -> Result<()> {
        self.plain.clear();
        if self.column.max_def_level() > 0 {
            append_levels(rows, validity, &mut self.plain);
        }
        append_values(&mut self.plain);
        let page = Page::DataPage {
            buf: self.compressor.compress(&self.plain).into(),
            num_values: rows as u32,
            encoding: self.encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        self.write(page, self.plain.len())?;
        self.data_pages += 1;
        self.rows += rows;
        Ok(())
    }

    fn write(&mut self, page: Page, plain_bytes: usize) -> Result<()> {
        let page = CompressedPage::new(page, plain_bytes);
        let written = SerializedPageWriter::new(&mut self.sink).write_page(page)?;
        self.plain_bytes += written.uncompressed_size;
        Ok(())
    }

    pub fn finish(self, statistics: Statistics) -> Result<Chunk> {
        let bytes = self.sink.into_inner()?;
        let mut encodings = vec![Encoding::PLAIN, Encoding::RLE, self.encoding];
        encodings.dedup();
        let pages = |page_type, encoding, count| PageEncodingStats { page_type, encoding, count };
        let mut page_encodings = vec![pages(PageType::DATA_PAGE, self.encoding, self.data_pages)];
        if self.dictionary_bytes.is_some() {
            page_encodings.push(pages(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1));
        }
        let level = ZstdLevel::try_new(ZSTD_LEVEL).expect("zstd has a level 1");
        let metadata = ColumnChunkMetaData::builder(self.column)
            .set_compression(Compression::ZSTD(level))
            .set_encodings(encodings)
            .set_page_encoding_stats(page_encodings)
            .set_num_values(self.rows as i64)
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(self.plain_bytes as i64)
            .set_dictionary_page_offset(self.dictionary_bytes.map(|_| 0))
            .set_data_page_offset(self.dictionary_bytes.unwrap_or(0) as i64)
            .set_statistics(statistics)
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok(Chunk { bytes: bytes.into(), close })
    }
}

fn append_levels(rows: usize, validity: Option<&[bool]>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    match validity {
        None => append_run(1, rows, 1, out),
        Some(validity) => {
            let levels: Vec<u32> = validity.iter().map(|is_valid| u32::from(*is_valid)).collect();
            append_codes(&levels, 1, out);
        }
    }
    let bytes = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&bytes.to_le_bytes());
}
