//! The keys that there are now, held in memory.
//!
//! A local folder is looked at with each request, which takes a microsecond: a key that was made or revoked a moment ago
//! counts at once. A bucket is listed every two seconds instead.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use henge_segment_store::clock;
use henge_segment_store::error::StoreError;
use henge_segment_store::objects::{KEYS, Objects};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::credentials::Credentials;
use super::denied::Denied;
use super::key::{Key, KeyId, Role};
use super::key_files;

/// Between two listings of a bucket.
const LIST_EVERY: Duration = Duration::from_secs(2);
/// The clock of a file system ticks so slowly at the most: a folder that changed less than this before it was listed may
/// have changed again without showing it.
const SETTLED: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct KeyRing {
    objects: Objects,
    known: RwLock<Arc<Known>>,
    /// Held by whoever lists the folder.
    listing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    /// Those that are not revoked.
    keys: HashMap<KeyId, Arc<Key>>,
    /// Whether a key was ever made.
    has_any: bool,
    /// When the folder changed, as it was then.
    changed_at: Option<SystemTime>,
    /// It has not changed since without showing it.
    is_settled: bool,
}

impl KeyRing {
    pub async fn open(objects: Objects) -> Result<Self, StoreError> {
        let ring = Self { objects, known: RwLock::default(), listing: Mutex::default() };
        ring.list().await?;
        Ok(ring)
    }

    /// Whether no key was ever made. One that was revoked was.
    pub fn is_empty(&self) -> bool {
        !self.known().has_any
    }

    /// Whose credentials these are; `None` where nobody needs any, for no key was ever made.
    pub async fn holder(&self, credentials: Result<Credentials, Denied>) -> Result<Option<Arc<Key>>, Denied> {
        self.refresh().await?;
        let known = self.known();
        if !known.has_any {
            return Ok(None);
        }
        let credentials = credentials?;
        let key = known.keys.get(&credentials.id).filter(|key| key.has_secret(&credentials.secret));
        match key {
            Some(key) if key.is_expired(clock::now()) => Err(Denied::Expired),
            Some(key) => Ok(Some(key.clone())),
            None => Err(Denied::Wrong),
        }
    }

    /// Lists a bucket now and then, until the process stops.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        if matches!(self.objects, Objects::Local(_)) {
            return;
        }
        loop {
            tokio::select! {
                () = tokio::time::sleep(LIST_EVERY) => {}
                () = stop.cancelled() => return,
            }
            if let Err(error) = self.list().await {
                warn!(%error, "the keys cannot be listed; those that were known stay");
            }
        }
    }

    /// How many keys open everything, neither revoked nor expired.
    pub fn admins(&self) -> usize {
        let now = clock::now();
        self.known().keys.values().filter(|key| key.role == Role::Admin && !key.is_expired(now)).count()
    }

    async fn refresh(&self) -> Result<(), Denied> {
        if !matches!(self.objects, Objects::Local(_)) || self.is_fresh()? {
            return Ok(());
        }
        let _listing = self.listing.lock().await;
        // Somebody else may have listed it meanwhile.
        if !self.is_fresh()? {
            self.list().await.map_err(|error| Denied::unreadable(&error))?;
        }
        Ok(())
    }

    fn is_fresh(&self) -> Result<bool, Denied> {
        let changed_at = self.objects.changed_at(KEYS).map_err(|error| Denied::unreadable(&error))?;
        let known = self.known();
        Ok(known.changed_at == changed_at && (changed_at.is_none() || known.is_settled))
    }

    /// Reads the files that are new.
    async fn list(&self) -> Result<(), StoreError> {
        let (changed_at, now) = (self.objects.changed_at(KEYS)?, SystemTime::now());
        let names = key_files::names(&self.objects).await?;
        let before = self.known();
        let mut keys = HashMap::new();
        for id in valid(&names.ids) {
            let key = match before.keys.get(id) {
                Some(key) => Some(key.clone()),
                None => key_files::read(&self.objects, id).await?.map(Arc::new),
            };
            keys.extend(key.map(|key| (id.clone(), key)));
        }
        let is_settled = changed_at.is_some_and(|at| now.duration_since(at).is_ok_and(|age| age > SETTLED));
        // A folder of keys that disappears opens nothing.
        let has_any = before.has_any || !names.ids.is_empty();
        let known = Known { keys, has_any, changed_at, is_settled };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
        Ok(())
    }

    fn known(&self) -> Arc<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn valid(ids: &BTreeMap<KeyId, bool>) -> impl Iterator<Item = &KeyId> {
    ids.iter().filter(|(_, is_revoked)| !**is_revoked).map(|(id, _)| id)
}

#[cfg(test)]
mod tests {
    use henge_query::reader::Tenant;
    use henge_segment_store::time::TimestampMs;

    use super::*;
    use crate::auth::key::Secret;

    fn viewer() -> Role {
        Role::MetricsViewer(Tenant::new("acme").unwrap())
    }

    fn credentials(id: &KeyId, secret: &Secret) -> Result<Credentials, Denied> {
        Ok(Credentials { id: id.clone(), secret: secret.reveal().to_owned() })
    }

    #[tokio::test]
    async fn a_key_counts_from_the_moment_it_is_made_to_that_in_which_it_is_revoked() {
        let directory = tempfile::tempdir().unwrap();
        let objects = Objects::Local(directory.path().to_owned());
        let ring = KeyRing::open(objects.clone()).await.unwrap();
        assert_eq!(ring.holder(Err(Denied::Missing)).await, Ok(None), "nobody needs a key");
        let (key, secret) = key_files::create(&objects, viewer(), None).await.unwrap();
        assert_eq!(ring.holder(Err(Denied::Missing)).await, Err(Denied::Missing));
        let (other, other_secret) = key_files::create(&objects, Role::Admin, None).await.unwrap();
        for (key, secret) in [(&key, &secret), (&other, &other_secret)] {
            let holder = ring.holder(credentials(&key.id, secret)).await.unwrap();
            assert_eq!(holder.as_deref(), Some(key));
        }
        assert_eq!(ring.holder(credentials(&key.id, &other_secret)).await, Err(Denied::Wrong));
        key_files::revoke(&objects, key.id.as_str()).await.unwrap();
        assert_eq!(ring.holder(credentials(&key.id, &secret)).await, Err(Denied::Wrong));
        assert_eq!(ring.holder(credentials(&other.id, &other_secret)).await.unwrap().as_deref(), Some(&other));
        key_files::revoke(&objects, other.id.as_str()).await.unwrap();
        assert_eq!(ring.holder(Err(Denied::Missing)).await, Err(Denied::Missing), "no key is no open door");
        let listed = key_files::list(&objects).await.unwrap();
        assert_eq!(listed.iter().map(|listed| listed.revoked_at.is_some()).collect::<Vec<_>>(), [true, true]);
    }

    #[tokio::test]
    async fn a_key_ends_when_it_expires() {
        let directory = tempfile::tempdir().unwrap();
        let objects = Objects::Local(directory.path().to_owned());
        let past = TimestampMs(clock::now().0 - 1);
        let (key, secret) = key_files::create(&objects, viewer(), Some(past)).await.unwrap();
        let ring = KeyRing::open(objects).await.unwrap();
        assert_eq!(ring.holder(credentials(&key.id, &secret)).await, Err(Denied::Expired));
    }

    #[tokio::test]
    async fn a_file_that_is_no_key_opens_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let objects = Objects::Local(directory.path().to_owned());
        let (key, secret) = key_files::create(&objects, viewer(), None).await.unwrap();
        let path = directory.path().join(format!("{KEYS}/{}.json", key.id));
        std::fs::write(&path, "{").unwrap();
        let ring = KeyRing::open(objects).await.unwrap();
        assert_eq!(ring.holder(credentials(&key.id, &secret)).await, Err(Denied::Wrong));
        assert!(!ring.is_empty(), "there is a key, though nobody knows it");
    }
}
