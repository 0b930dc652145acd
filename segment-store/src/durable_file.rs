//! Files that survive a power cut: temporary file -> write -> fsync -> final name -> fsync of the directory.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Files with this ending were never finished; they mean nothing and may be removed.
pub const TEMPORARY_SUFFIX: &str = ".tmp";

/// Writes `bytes` under a name that must be new, whole or not at all. Returns `false` where the name is taken.
///
/// The name is given by a hard link, which fails on an existing name; a rename would replace it.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let directory = path.parent().expect("a file of the store lies in a directory");
    create_directory(directory)?;
    let temporary = write_temporary(path, bytes)?;
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error),
    }
    sync_directory(directory)?;
    Ok(true)
}

/// Makes a directory and its missing parents, and the entries that name them, durable.
pub fn create_directory(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        create_directory(parent)?;
    }
    match fs::create_dir(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_directory(parent.unwrap_or(Path::new(".")))
}

/// Makes the names in a directory durable.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn write_temporary(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    static SEQUENCE: AtomicU64 = AtomicU64::new(0);
    // Of two containers that share the directory each may be process 1.
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
    let name = path.file_name().expect("a file of the store has a name").to_string_lossy();
    let unique = format!(".{name}.{:016x}.{}{TEMPORARY_SUFFIX}", *PROCESS, SEQUENCE.fetch_add(1, Ordering::Relaxed));
    let temporary = path.with_file_name(unique);
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written {
        // What is left of a full disk's half file would only take more of its space.
        let _already_failed = fs::remove_file(&temporary);
        return Err(error);
    }
    Ok(temporary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_once_and_nothing_temporary_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/record.json");
        assert!(create(&path, b"first").unwrap());
        assert!(!create(&path, b"second").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        let names: Vec<_> =
            fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["record.json"]);
    }
}
