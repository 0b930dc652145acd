//! Copies segments' Parquet files, checked against the manifest on the way.

use std::path::{Path, PathBuf};

use henge_segment_store::error::with_sources;
use henge_segment_store::reader::StoreReader;
use henge_segment_store::segment::SegmentMeta;

use crate::cli::output_file::OutputFile;
use crate::cli::progress::ByteBar;

/// `output` is a file for a single segment, unless it is a directory already.
pub async fn export(
    reader: &StoreReader,
    segments: Vec<SegmentMeta>,
    output: &Path,
    is_single: bool,
) -> Result<(), String> {
    let is_file = is_single && !output.is_dir();
    if !is_file {
        std::fs::create_dir_all(output).map_err(|error| format!("cannot create {}: {error}", output.display()))?;
    }
    let bar = ByteBar::new("copying");
    let total = segments.iter().map(|meta| meta.bytes).sum();
    let mut done = 0;
    for meta in &segments {
        bar.show(done, total);
        let path = if is_file { output.to_owned() } else { output.join(file_name(meta)) };
        let bytes = reader.file(meta).await.map_err(|error| with_sources(&error))?;
        OutputFile::create(&path).and_then(|file| file.finish_with(&bytes))?;
        done += meta.bytes;
    }
    drop(bar);
    eprintln!("{} of {} in {}", count_text(segments.len()), indicatif::BinaryBytes(done), output.display());
    Ok(())
}

/// Without `:`, which not every file system takes.
fn file_name(meta: &SegmentMeta) -> PathBuf {
    format!("{}.parquet", meta.id.to_string().replace(':', "")).into()
}

fn count_text(files: usize) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}
