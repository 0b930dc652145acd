//! Where durable objects live: a local directory, or an S3-compatible bucket. One code path for both.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::durable_file;
use crate::error::StoreError;

/// Segments and manifest records by path. Objects are written once and never changed (invariant S1).
#[derive(Debug, Clone)]
pub enum Objects {
    /// object_store's own local store never syncs, so files are written by [`durable_file`].
    Local(PathBuf),
    Remote(Arc<dyn ObjectStore>),
}

impl Objects {
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
                    .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
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
            objects.delete("m/1").await.unwrap();
            objects.delete("m/1").await.unwrap();
            assert_eq!(objects.list("m").await.unwrap(), ["2"]);
        }
    }
}
