//! Puts that fail: before they took effect, or after it; and a store that never refuses one.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::*;

/// A store in memory of which some puts fail.
#[derive(Debug, Default)]
struct Failing {
    objects: InMemory,
    /// So many puts fail from now on.
    failures: AtomicU32,
    /// Whether a put that fails has taken effect.
    takes_effect: bool,
    /// Since failures were asked for.
    puts: AtomicU32,
    /// Whether a put replaces what is there, whatever it asks for.
    overwrites: bool,
}

impl Failing {
    fn fail(&self, failures: u32) {
        self.failures.store(failures, Ordering::Relaxed);
        self.puts.store(0, Ordering::Relaxed);
    }

    fn puts(&self) -> u32 {
        self.puts.load(Ordering::Relaxed)
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("failing")
    }
}

#[async_trait]
impl ObjectStore for Failing {
    async fn put_opts(&self, path: &Path, payload: PutPayload, mut options: PutOptions) -> Result<PutResult> {
        if self.overwrites {
            options.mode = PutMode::Overwrite;
        }
        self.puts.fetch_add(1, Ordering::Relaxed);
        let fails = self.failures.load(Ordering::Relaxed) > 0;
        if fails {
            self.failures.fetch_sub(1, Ordering::Relaxed);
        }
        if !fails || self.takes_effect {
            let put = self.objects.put_opts(path, payload, options).await;
            if !fails {
                return put;
            }
        }
        Err(Error::Generic { store: "failing", source: "connection reset".into() })
    }

    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.objects.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.objects.get_opts(path, options).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.objects.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.objects.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.objects.copy_opts(from, to, options).await
    }
}

/// A writer over a store that fails as told, with one supervisor.
async fn over(store: Failing) -> (Arc<Failing>, ManifestLog) {
    let store = Arc::new(store);
    let mut log = ManifestLog::open(Objects::Remote(store.clone())).await.unwrap();
    log.claim_epoch(Slot::WHOLE, NOW).await.unwrap();
    commit(&mut log, put_supervisor()).await.unwrap();
    (store, log)
}

#[tokio::test]
async fn a_put_that_fails_is_tried_again_until_it_takes_effect() {
    let (store, mut log) = over(Failing::default()).await;
    store.fail(PUT_ATTEMPTS - 1);
    commit(&mut log, publish("a", 0, 10)).await.unwrap();
    assert_eq!(store.puts(), PUT_ATTEMPTS);
    assert_eq!(&ManifestLog::read(Objects::Remote(store)).await.unwrap(), log.state());
    assert_eq!(log.state().data_sources[&usage()].segments.len(), 1);
}

#[tokio::test]
async fn a_put_that_keeps_failing_is_given_up_and_changes_nothing() {
    let (store, mut log) = over(Failing::default()).await;
    let before = log.state().clone();
    store.fail(u32::MAX);
    let error = commit(&mut log, publish("a", 0, 10)).await.unwrap_err();
    assert!(format!("{error:?}").contains("connection reset"), "{error:?}");
    assert_eq!((store.puts(), log.state()), (PUT_ATTEMPTS, &before));
}

#[tokio::test]
async fn a_put_that_took_effect_without_an_answer_is_not_made_twice() {
    let (store, mut log) = over(Failing { takes_effect: true, ..Failing::default() }).await;
    store.fail(1);
    commit(&mut log, publish("a", 0, 10)).await.unwrap();
    assert_eq!(store.puts(), 2);
    assert_eq!(&ManifestLog::read(Objects::Remote(store)).await.unwrap(), log.state());
    assert_eq!(log.state().next_number, 3);
}

#[tokio::test]
async fn a_store_without_conditional_put_is_found_out() {
    let store = Objects::Remote(Arc::new(Failing { overwrites: true, ..Failing::default() }));
    let error = ManifestLog::open(store).await.unwrap().claim_epoch(Slot::WHOLE, NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::NoConditionalPut), "{error:?}");
}
