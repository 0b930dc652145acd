//! Where queries put what does not fit into their memory.
//!
//! Files have no names: whatever ends a query, or the process, the system takes them back. All of them together are
//! bounded.

mod datafusion_files;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use self::datafusion_files::DataFusionFiles;
use crate::error::{QueryError, SAVE_MEMORY};

/// A directory with a bound in bytes.
#[derive(Debug)]
pub(crate) struct SpillSpace {
    directory: PathBuf,
    bytes_max: u64,
    bytes: AtomicU64,
    written_bytes: AtomicU64,
}

/// What the files of all queries take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpillFigures {
    /// Now.
    pub bytes: u64,
    /// All that was ever written.
    pub written_bytes: u64,
}

/// A file that only its owner can reach. Its room is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct SpillFile {
    file: File,
    bytes: AtomicU64,
    space: Arc<SpillSpace>,
}

impl SpillSpace {
    /// The directory is made when the first file is.
    pub fn new(directory: PathBuf, bytes_max: u64) -> Self {
        Self { directory, bytes_max, bytes: AtomicU64::new(0), written_bytes: AtomicU64::new(0) }
    }

    pub fn file(self: &Arc<Self>) -> io::Result<SpillFile> {
        fs::create_dir_all(&self.directory)?;
        let file = tempfile::tempfile_in(&self.directory)?;
        Ok(SpillFile { file, bytes: AtomicU64::new(0), space: self.clone() })
    }

    pub fn figures(&self) -> SpillFigures {
        SpillFigures {
            bytes: self.bytes.load(Ordering::Relaxed),
            written_bytes: self.written_bytes.load(Ordering::Relaxed),
        }
    }

    fn take_room(&self, bytes: u64) -> io::Result<()> {
        let room = |taken: u64| taken.checked_add(bytes).filter(|taken| *taken <= self.bytes_max);
        match self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room) {
            Ok(_) => Ok(()),
            Err(_) => Err(io::Error::other(QueryError::limit(format!(
                "queries need more than {} MiB on disk for what does not fit into memory (`spill_size`): {SAVE_MEMORY}",
                self.bytes_max >> 20
            )))),
        }
    }
}

impl Drop for SpillSpace {
    fn drop(&mut self) {
        // Whoever still has a file in it leaves an empty directory behind, which the next start uses again.
        fs::remove_dir(&self.directory).ok();
    }
}

impl SpillFile {
    /// Writes behind all that was written. Returns where that is.
    ///
    /// # Errors
    /// There is no room, of which the error holds a [`QueryError`]; or the system says so.
    pub fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let length = bytes.len() as u64;
        self.space.take_room(length)?;
        let start = self.bytes.fetch_add(length, Ordering::Relaxed);
        self.file.write_all_at(bytes, start)?;
        self.space.written_bytes.fetch_add(length, Ordering::Relaxed);
        Ok(start)
    }

    /// Fills `buffer` with what stands at `start`.
    pub fn read_exact_at(&self, buffer: &mut [u8], start: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, start)
    }

    /// The same, up to the end of the file; how many bytes that were.
    pub fn read_at(&self, buffer: &mut [u8], start: u64) -> io::Result<usize> {
        self.file.read_at(buffer, start)
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for SpillFile {
    fn drop(&mut self) {
        self.space.bytes.fetch_sub(self.bytes(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::QueryErrorKind;

    #[test]
    fn files_hold_what_was_written_within_one_bound_and_leave_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("spill");
        let space = Arc::new(SpillSpace::new(path.clone(), 10));
        let (first, second) = (space.file().unwrap(), space.file().unwrap());
        assert_eq!(
            (first.append(b"abc").unwrap(), first.append(b"de").unwrap(), second.append(b"12345").unwrap()),
            (0, 3, 0)
        );
        let mut read = [0; 3];
        first.read_exact_at(&mut read, 2).unwrap();
        assert_eq!(&read, b"cde");
        assert_eq!((first.read_at(&mut read, 4).unwrap(), first.read_at(&mut read, 5).unwrap()), (1, 0));

        let refused = QueryError::from(second.append(b"6").unwrap_err());
        assert_eq!(refused.kind, QueryErrorKind::ResourceLimit);
        assert!(refused.message.contains("0 MiB on disk") && refused.message.contains("`spill_size`"), "{refused}");
        assert_eq!(space.figures(), SpillFigures { bytes: 10, written_bytes: 10 });
        drop(first);
        assert_eq!(second.append(b"67890").unwrap(), 5);
        drop(second);
        assert_eq!(space.figures(), SpillFigures { bytes: 0, written_bytes: 15 });
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
        drop(space);
        assert!(!path.exists());
    }
}
