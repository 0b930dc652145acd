//! A file as memory.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::path::Path;

use bytes::Bytes;
use memmap2::Mmap;

/// Maps a serving file; pages are read when they are touched.
pub fn map(path: &Path) -> io::Result<Bytes> {
    let file = File::open(path)?;
    // SAFETY: nobody writes to a serving file or cuts it short once it has its name: it is written under a temporary
    // name, renamed, and later unlinked as a whole, which leaves a mapping intact. The directory belongs to the process
    // that holds the data directory's lock.
    let mapping = unsafe { Mmap::map(&file)? };
    Ok(Bytes::from_owner(mapping))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_the_file_that_reading_it_yields_also_after_it_was_unlinked() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mapped");
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        std::fs::write(&path, &bytes).unwrap();
        let mapped = map(&path).unwrap();
        assert_eq!(mapped, std::fs::read(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        assert_eq!(mapped, bytes);
    }

    #[test]
    fn an_empty_file_maps_to_no_bytes_and_a_missing_one_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("empty"), b"").unwrap();
        assert!(map(&directory.path().join("empty")).unwrap().is_empty());
        assert_eq!(map(&directory.path().join("missing")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
