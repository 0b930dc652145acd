//! Where durable objects live: a local directory, or an S3-compatible bucket. One code path for both.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::durable_file;
use crate::error::StoreError;
use crate::time::TimestampMs;

/// The folder of credentials, which no manifest record names.
pub const KEYS: &str = "keys";

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectEntry {
    pub path: String,
    pub bytes: u64,
    pub modified: TimestampMs,
}

/// Segments and manifest records by path. Objects are written once and never changed (invariant S1).
#[derive(Debug, Clone)]
pub enum Objects {
    /// object_store's own local store never syncs, so files are written by [`durable_file`].
    Local(PathBuf),
    Remote(Arc<dyn ObjectStore>),
}

impl Objects {
    /// The durable objects of a data directory: in it, or in the bucket that is named.
    pub fn of(data_dir: &std::path::Path, object_store: Option<&str>) -> Result<Self, StoreError> {
        match object_store {
            None => Ok(Self::Local(data_dir.join("store"))),
            Some(url) => Self::remote(url),
        }
    }

    /// A bucket by its URL; credentials and endpoint come from the environment (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT`, ...).
    #[cfg(feature = "s3")]
    pub fn remote(url: &str) -> Result<Self, StoreError> {
        let wrong = |source| object_error("open", url, source);
        let prefix = url.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).map_or("", |(_, prefix)| prefix);
        let bucket = object_store::aws::AmazonS3Builder::from_env().with_url(url).build().map_err(wrong)?;
        Ok(Self::Remote(Arc::new(object_store::prefix::PrefixStore::new(bucket, prefix))))
    }

    /// A bucket by its URL, for binaries that can reach one.
    #[cfg(not(feature = "s3"))]
    pub fn remote(url: &str) -> Result<Self, StoreError> {
        Err(StoreError::NoRemote(url.to_owned()))
    }

    /// Writes an object durably unless one of that name exists. Returns whether it was written.
    pub async fn put_if_absent(&self, path: &str, bytes: Bytes) -> Result<bool, StoreError> {
        match self {
            Self::Local(root) => {
                let file = root.join(path);
                let written = tokio::task::spawn_blocking(move || durable_file::create(&file, &bytes)).await;
                written.expect("writing a file does not panic").map_err(|source| file_error("write", path, source))
            }
            Self::Remote(store) => {
                let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
                match store.put_opts(&Path::from(path), bytes.into(), options).await {
                    Ok(_) => Ok(true),
                    Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
                    Err(source) => Err(object_error("write", path, source)),
                }
            }
        }
    }

    /// Reads a whole object; `None` where there is none.
    pub async fn get(&self, path: &str) -> Result<Option<Bytes>, StoreError> {
        match self {
            Self::Local(root) => match tokio::fs::read(root.join(path)).await {
                Ok(bytes) => Ok(Some(bytes.into())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(source) => Err(file_error("read", path, source)),
            },
            Self::Remote(store) => match store.get(&Path::from(path)).await {
                Ok(found) => found.bytes().await.map(Some).map_err(|source| object_error("read", path, source)),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(source) => Err(object_error("read", path, source)),
            },
        }
    }

    /// The names of the objects in a folder, ascending; none where there is no such folder.
    pub async fn list(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let mut names: Vec<String> = match self {
            Self::Local(root) => match std::fs::read_dir(root.join(folder)) {
                Ok(entries) => entries
                    .filter_map(|entry| file_name(entry).transpose())
                    .collect::<Result<_, _>>()
                    .map_err(|source| file_error("list", folder, source))?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
                Err(source) => return Err(file_error("list", folder, source)),
            },
            Self::Remote(store) => {
                let found: Vec<_> = store
                    .list(Some(&Path::from(folder)))
                    .try_collect()
                    .await
                    .map_err(|source| object_error("list", folder, source))?;
                found.iter().filter_map(|object| object.location.filename().map(str::to_owned)).collect()
            }
        };
        names.retain(|name| !name.ends_with(durable_file::TEMPORARY_SUFFIX));
        names.sort_unstable();
        Ok(names)
    }

    /// When a name was last given or taken in a folder; `None` where there is no such folder, or nobody knows.
    pub fn changed_at(&self, folder: &str) -> Result<Option<SystemTime>, StoreError> {
        let Self::Local(root) = self else { return Ok(None) };
        match std::fs::metadata(root.join(folder)).and_then(|folder| folder.modified()) {
            Ok(time) => Ok(Some(time)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(file_error("look at", folder, source)),
        }
    }

    /// Every object below a folder (`""`: all there is) by path, files that were never finished among them. Blocking
    /// where objects are local.
    pub async fn walk(&self, folder: &str) -> Result<Vec<ObjectEntry>, StoreError> {
        let mut found = Vec::new();
        match self {
            Self::Local(root) => {
                walk_directory(root, folder, &mut found).map_err(|source| file_error("list", folder, source))?;
            }
            Self::Remote(store) => {
                let mut listing = store.list(Some(&Path::from(folder)));
                while let Some(object) =
                    listing.try_next().await.map_err(|source| object_error("list", folder, source))?
                {
                    let modified = TimestampMs(object.last_modified.timestamp_millis());
                    found.push(ObjectEntry { path: object.location.to_string(), bytes: object.size, modified });
                }
            }
        }
        found.sort_unstable_by(|left, right| left.path.cmp(&right.path));
        Ok(found)
    }

    /// The last `bytes` bytes of an object, or all of a shorter one; `None` where there is none.
    pub async fn tail(&self, path: &str, bytes: u64) -> Result<Option<Bytes>, StoreError> {
        match self {
            Self::Local(root) => match read_tail(&root.join(path), bytes) {
                Ok(tail) => Ok(Some(tail.into())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(source) => Err(file_error("read", path, source)),
            },
            Self::Remote(store) => {
                let options = GetOptions { range: Some(GetRange::Suffix(bytes)), ..GetOptions::default() };
                match store.get_opts(&Path::from(path), options).await {
                    Ok(found) => found.bytes().await.map(Some).map_err(|source| object_error("read", path, source)),
                    Err(object_store::Error::NotFound { .. }) => Ok(None),
                    Err(source) => Err(object_error("read", path, source)),
                }
            }
        }
    }

    /// How long an object is; `None` where there is none.
    pub async fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        match self {
            Self::Local(root) => match tokio::fs::metadata(root.join(path)).await {
                Ok(metadata) => Ok(Some(metadata.len())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(source) => Err(file_error("look at", path, source)),
            },
            Self::Remote(store) => match store.head(&Path::from(path)).await {
                Ok(found) => Ok(Some(found.size)),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(source) => Err(object_error("look at", path, source)),
            },
        }
    }

    /// Reads bytes `range` of an object, which are there as far as [`size`](Self::size) said; fewer where it was cut
    /// short meanwhile.
    pub async fn range(&self, path: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        match self {
            Self::Local(root) => {
                let file = root.join(path);
                let read = tokio::task::spawn_blocking(move || read_range(&file, range)).await;
                let read = read.expect("reading a file does not panic");
                read.map(Bytes::from).map_err(|source| file_error("read", path, source))
            }
            Self::Remote(store) => {
                let read = store.get_range(&Path::from(path), range).await;
                read.map_err(|source| object_error("read", path, source))
            }
        }
    }

    /// Removes an object that nothing refers to; it may be gone already.
    pub async fn delete(&self, path: &str) -> Result<(), StoreError> {
        match self {
            Self::Local(root) => match tokio::fs::remove_file(root.join(path)).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error("delete", path, error)),
                _ => Ok(()),
            },
            Self::Remote(store) => match store.delete(&Path::from(path)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(source) => Err(object_error("delete", path, source)),
            },
        }
    }

    /// Makes names durable that a process gave just before it died, so that what is shown next survives a power cut.
    pub fn sync_folder(&self, folder: &str) -> Result<(), StoreError> {
        let Self::Local(root) = self else { return Ok(()) };
        let directory = root.join(folder);
        durable_file::create_directory(&directory)
            .and_then(|()| durable_file::sync_directory(&directory))
            .map_err(|source| file_error("sync", folder, source))
    }
}

/// A file or a folder that goes while this looks is none.
fn walk_directory(root: &std::path::Path, folder: &str, found: &mut Vec<ObjectEntry>) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(root.join(folder)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        let metadata = match entry.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        if metadata.is_dir() {
            walk_directory(root, &path, found)?;
        } else {
            found.push(ObjectEntry { path, bytes: metadata.len(), modified: TimestampMs::of(metadata.modified()?) });
        }
    }
    Ok(())
}

fn read_tail(path: &std::path::Path, bytes: u64) -> std::io::Result<Vec<u8>> {
    let mut file = std::fs::File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(bytes);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(tail)
}

fn read_range(path: &std::path::Path, range: Range<u64>) -> std::io::Result<Vec<u8>> {
    let mut file = std::fs::File::open(path)?;
    file.seek(SeekFrom::Start(range.start))?;
    let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
    file.take(range.end - range.start).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// An object's name; `None` for a folder.
fn file_name(entry: std::io::Result<std::fs::DirEntry>) -> std::io::Result<Option<String>> {
    let entry = entry?;
    Ok(entry.file_type()?.is_file().then(|| entry.file_name().to_string_lossy().into_owned()))
}

fn file_error(action: &'static str, path: &str, source: std::io::Error) -> StoreError {
    StoreError::File { action, path: path.to_owned(), source }
}

fn object_error(action: &'static str, path: &str, source: object_store::Error) -> StoreError {
    StoreError::Object { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn local_and_remote_objects_behave_alike() {
        let directory = tempfile::tempdir().unwrap();
        let local = Objects::Local(directory.path().to_owned());
        let remote = Objects::Remote(Arc::new(object_store::memory::InMemory::new()));
        for objects in [local, remote] {
            assert_eq!(objects.get("m/1").await.unwrap(), None);
            assert_eq!(objects.list("m").await.unwrap(), Vec::<String>::new());
            assert!(objects.put_if_absent("m/2", "b".into()).await.unwrap());
            assert!(objects.put_if_absent("m/1", "a".into()).await.unwrap());
            assert!(!objects.put_if_absent("m/1", "c".into()).await.unwrap());
            assert_eq!(objects.get("m/1").await.unwrap(), Some("a".into()));
            assert_eq!(objects.list("m").await.unwrap(), ["1", "2"]);
            assert!(objects.put_if_absent("m/n/3", "123".into()).await.unwrap());
            let paths = |found: Vec<ObjectEntry>| found.into_iter().map(|entry| (entry.path, entry.bytes));
            let all = [("m/1".into(), 1), ("m/2".into(), 1), ("m/n/3".into(), 3)];
            assert!(paths(objects.walk("").await.unwrap()).eq(all.clone()));
            assert!(paths(objects.walk("m/n").await.unwrap()).eq(all[2..].to_vec()));
            assert_eq!(objects.walk("none").await.unwrap(), []);
            assert_eq!(objects.tail("m/n/3", 2).await.unwrap(), Some("23".into()));
            assert_eq!(objects.tail("m/n/3", 9).await.unwrap(), Some("123".into()));
            assert_eq!(objects.size("m/n/3").await.unwrap(), Some(3));
            assert_eq!(objects.size("m/9").await.unwrap(), None);
            assert_eq!(objects.range("m/n/3", 1..2).await.unwrap(), "2");
            assert_eq!(objects.range("m/n/3", 0..3).await.unwrap(), "123");
            assert_eq!(objects.tail("m/9", 2).await.unwrap(), None);
            objects.delete("m/n/3").await.unwrap();
            objects.delete("m/1").await.unwrap();
            objects.delete("m/1").await.unwrap();
            assert_eq!(objects.list("m").await.unwrap(), ["2"]);
        }
    }
}
