//! Keys among the durable objects: `keys/ID.json` is a key, `keys/ID.revoked` says when it ended. Neither ever changes.

use std::collections::BTreeMap;

use bytes::Bytes;
use henge_segment_store::clock;
use henge_segment_store::error::{StoreError, with_sources};
use henge_segment_store::objects::{KEYS, Objects};
use henge_segment_store::time::TimestampMs;
use tracing::error;

use super::key::{Key, KeyId, Role, Secret};

/// More keys than these are not made: each server holds all of them in memory.
const COUNT_MAX: usize = 10_000;

const KEY: &str = ".json";
const REVOKED: &str = ".revoked";

/// Why a key was not made, listed or revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there are {COUNT_MAX} keys already")]
    TooMany,
    #[error("there is no key `{0}`; `henge keys list` tells which there are")]
    Unknown(String),
    #[error("the system gives no random numbers")]
    Random(#[source] std::io::Error),
}

impl KeyError {
    pub fn in_words(&self) -> String {
        with_sources(self)
    }
}

/// A key, and when it was revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub key: Key,
    pub revoked_at: Option<TimestampMs>,
}

/// What a listing of the folder says: which keys there are, and which of them are revoked.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// By id, whether it is revoked.
    pub ids: BTreeMap<KeyId, bool>,
}

/// Makes a key that lasts, and its secret.
pub async fn create(objects: &Objects, role: Role, expires_at: Option<TimestampMs>) -> Result<(Key, Secret), KeyError> {
    if names(objects).await?.ids.len() >= COUNT_MAX {
        return Err(KeyError::TooMany);
    }
    loop {
        let (key, secret) = Key::generate(role.clone(), clock::now(), expires_at).map_err(KeyError::Random)?;
        let json = serde_json::to_vec(&key).expect("a key is plain data");
        // An id that is taken, which hardly ever happens, is not given again.
        if objects.put_if_absent(&path(&key.id, KEY), json.into()).await? {
            return Ok((key, secret));
        }
    }
}

/// Ends a key for good. Doing so again changes nothing.
pub async fn revoke(objects: &Objects, id: &str) -> Result<(), KeyError> {
    let unknown = || KeyError::Unknown(id.to_owned());
    let id = KeyId::parse(id).ok_or_else(unknown)?;
    if !names(objects).await?.ids.contains_key(&id) {
        return Err(unknown());
    }
    let at = serde_json::to_vec(&clock::now()).expect("a time is plain data");
    objects.put_if_absent(&path(&id, REVOKED), at.into()).await?;
    Ok(())
}

/// All keys, those that were revoked too, the oldest first.
pub async fn list(objects: &Objects) -> Result<Vec<Listed>, KeyError> {
    let mut listed = Vec::new();
    for (id, is_revoked) in names(objects).await?.ids {
        let Some(key) = read(objects, &id).await? else { continue };
        let revoked_at = match is_revoked {
            true => objects.get(&path(&id, REVOKED)).await?.and_then(|bytes| serde_json::from_slice(&bytes).ok()),
            false => None,
        };
        listed.push(Listed { key, revoked_at });
    }
    listed.sort_by_key(|listed| listed.key.created_at);
    Ok(listed)
}

pub async fn names(objects: &Objects) -> Result<Names, StoreError> {
    let files = objects.list(KEYS).await?;
    let with_ending =
        |ending: &'static str| files.iter().filter_map(move |name| KeyId::parse(name.strip_suffix(ending)?));
    let mut ids: BTreeMap<KeyId, bool> = with_ending(KEY).map(|id| (id, false)).collect();
    for id in with_ending(REVOKED) {
        ids.insert(id, true);
    }
    Ok(Names { ids })
}

/// `None` where the file is not a key: it opens nothing, and the log says so.
pub async fn read(objects: &Objects, id: &KeyId) -> Result<Option<Key>, StoreError> {
    let bytes: Bytes = objects.get(&path(id, KEY)).await?.unwrap_or_default();
    match serde_json::from_slice::<Key>(&bytes) {
        Ok(key) if key.id == *id => Ok(Some(key)),
        Ok(_) => {
            error!(key = %id, "the file of a key holds another one, and is left out");
            Ok(None)
        }
        Err(error) => {
            error!(key = %id, %error, "the file of a key cannot be read, and is left out");
            Ok(None)
        }
    }
}

fn path(id: &KeyId, ending: &str) -> String {
    format!("{KEYS}/{id}{ending}")
}
