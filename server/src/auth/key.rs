//! A credential: what its holder may do, and a hash by which its secret is known again.

use std::fmt;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use henge_query::reader::{Reader, Tenant};
use henge_segment_store::time::TimestampMs;
use serde::{Deserialize, Serialize};

/// Secrets begin with it, so that scanners for leaked ones find them.
const SECRET_PREFIX: &str = "henge_";
const SECRET_BYTES: usize = 32;

const ID_LENGTH: usize = 16;
/// RFC 4648, base32: 5 random bits a letter.
const ID_LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What a key is called; no secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(Box<str>);

/// 256 random bits, as text; shown once.
#[derive(PartialEq, Eq)]
pub struct Secret(String);

/// What the holder of a key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Admin,
    /// Ask for the rows of one organisation, by SQL and by the metrics API.
    MetricsViewer(Tenant),
}

impl Role {
    pub const NAMES: [&str; 2] = ["admin", "metrics-viewer"];

    pub fn name(&self) -> &'static str {
        match self {
            Self::Admin => Self::NAMES[0],
            Self::MetricsViewer(_) => Self::NAMES[1],
        }
    }

    pub fn organisation(&self) -> Option<&Tenant> {
        match self {
            Self::Admin => None,
            Self::MetricsViewer(tenant) => Some(tenant),
        }
    }

    pub fn reader(&self) -> Reader {
        self.organisation().map_or(Reader::Everything, |tenant| Reader::Tenant(tenant.clone()))
    }
}

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "KeyFile", into = "KeyFile")]
pub struct Key {
    pub id: KeyId,
    pub role: Role,
    pub created_at: TimestampMs,
    /// From then on it opens nothing.
    pub expires_at: Option<TimestampMs>,
    hash: blake3::Hash,
}

impl KeyId {
    /// `None` where no key can be called that.
    pub fn parse(text: &str) -> Option<Self> {
        let is_id = text.len() == ID_LENGTH && text.bytes().all(|letter| ID_LETTERS.contains(&letter));
        is_id.then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for KeyId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no id of a key"))
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.0.into()
    }
}

impl Secret {
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(..)")
    }
}

impl Key {
    /// A new key with its secret, which cannot be had again.
    pub fn generate(
        role: Role,
        created_at: TimestampMs,
        expires_at: Option<TimestampMs>,
    ) -> std::io::Result<(Self, Secret)> {
        let id: String = random::<ID_LENGTH>()?.iter().map(|byte| ID_LETTERS[usize::from(byte % 32)] as char).collect();
        let id = KeyId(id.into());
        let secret = format!("{SECRET_PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<SECRET_BYTES>()?));
        let hash = hash_of(&id, &secret);
        Ok((Self { id, role, created_at, expires_at, hash }, Secret(secret)))
    }

    /// Takes as long for a wrong secret as for the right one.
    pub fn has_secret(&self, secret: &str) -> bool {
        hash_of(&self.id, secret) == self.hash
    }

    pub fn is_expired(&self, now: TimestampMs) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// Secrets have 256 random bits, which nobody guesses however fast the hash is. It is bound to its key: copied into the
/// file of another, it opens nothing.
fn hash_of(id: &KeyId, secret: &str) -> blake3::Hash {
    let key = blake3::derive_key("henge 2026-11-21 secret of a key", id.as_str().as_bytes());
    blake3::keyed_hash(&key, secret.as_bytes())
}

fn random<const BYTES: usize>() -> std::io::Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The JSON of a key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    id: KeyId,
    role: String,
    org: Option<String>,
    created_at: TimestampMs,
    expires_at: Option<TimestampMs>,
    /// Of the secret, keyed by the id.
    blake3: String,
}

impl From<Key> for KeyFile {
    fn from(key: Key) -> Self {
        let org = key.role.organisation().map(ToString::to_string);
        let (role, blake3) = (key.role.name().to_owned(), key.hash.to_hex().to_string());
        Self { id: key.id, role, org, created_at: key.created_at, expires_at: key.expires_at, blake3 }
    }
}

impl TryFrom<KeyFile> for Key {
    type Error = String;

    fn try_from(file: KeyFile) -> Result<Self, String> {
        let role = role_of(&file.role, file.org.as_deref())?;
        let hash = blake3::Hash::from_hex(&file.blake3).map_err(|error| error.to_string())?;
        Ok(Self { id: file.id, role, created_at: file.created_at, expires_at: file.expires_at, hash })
    }
}

/// The role of that name, for an organisation where it needs one. The error is for whoever names it.
pub fn role_of(name: &str, organisation: Option<&str>) -> Result<Role, String> {
    match (name, organisation) {
        ("admin", None) => Ok(Role::Admin),
        ("admin", Some(_)) => Err("an admin belongs to no organisation: leave it out".to_owned()),
        ("metrics-viewer", Some(organisation)) => {
            Tenant::new(organisation).map(Role::MetricsViewer).map_err(|error| error.to_string())
        }
        ("metrics-viewer", None) => Err("a metrics-viewer sees the rows of one organisation: say which".to_owned()),
        _ => Err(format!("`{name}` is no role: use one of {}", Role::NAMES.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer() -> Role {
        Role::MetricsViewer(Tenant::new("acme").unwrap())
    }

    #[test]
    fn a_key_knows_its_own_secret_alone_and_does_not_keep_it() {
        let (key, secret) = Key::generate(viewer(), TimestampMs(5), None).unwrap();
        let (other, other_secret) = Key::generate(viewer(), TimestampMs(5), None).unwrap();
        assert!(key.has_secret(secret.reveal()) && !key.has_secret(other_secret.reveal()) && !key.has_secret(""));
        assert_ne!((key.id.clone(), secret.reveal()), (other.id.clone(), other_secret.reveal()));
        assert_eq!(secret.reveal().len(), SECRET_PREFIX.len() + 43, "256 bits in base64");
        let moved = Key { id: other.id, ..key.clone() };
        assert!(!moved.has_secret(secret.reveal()), "the hash is bound to the id");
        let json = serde_json::to_string(&key).unwrap();
        assert!(!json.contains(&secret.reveal()[SECRET_PREFIX.len()..]) && !format!("{secret:?}").contains("henge_"));
        assert_eq!(serde_json::from_str::<Key>(&json).unwrap(), key);
    }

    #[test]
    fn ids_are_names_of_files_and_nothing_else() {
        assert!(KeyId::parse("ABCDEFGHIJKLM234").is_some());
        for text in ["", "..", "ABCDEFGHIJKLM23", "ABCDEFGHIJKLM2345", "abcdefghijklm234", "ABCDEFGH/JKLM234"] {
            assert_eq!(KeyId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_role_has_an_organisation_or_needs_none() {
        assert_eq!(role_of("metrics-viewer", Some("acme")), Ok(viewer()));
        assert_eq!(role_of("admin", None), Ok(Role::Admin));
        for (name, organisation) in [("admin", Some("acme")), ("metrics-viewer", None), ("root", None)] {
            assert!(role_of(name, organisation).is_err(), "{name} {organisation:?}");
        }
    }
}
