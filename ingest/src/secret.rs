//! Where a secret is found. The secret itself is read when it is needed and kept nowhere.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::spec::Node;

/// Larger files are taken for a mistake, such as the path of a log.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// A reference to a secret; free to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// The file's text, without the line break at its end.
    File(PathBuf),
    /// An environment variable of the server process.
    Env(String),
}

/// Why a secret cannot be had. Names the place, never the content.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("failed to read the secret file `{}`", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the secret file `{}` is longer than {FILE_BYTES_MAX} bytes: it cannot be a secret", path.display())]
    TooLong { path: PathBuf },
    #[error("the environment variable `{0}` is not set, or is not UTF-8")]
    Env(String),
    #[error("the secret in {0} is empty, or has a NUL byte in it")]
    Unusable(String),
}

impl SecretRef {
    /// Reads the secret as it is now, so that a rotated one is found at the next connection.
    pub fn read(&self) -> Result<String, SecretError> {
        let secret = match self {
            Self::Env(name) => std::env::var(name).map_err(|_| SecretError::Env(name.clone()))?,
            Self::File(path) => {
                let failed = |source| SecretError::Read { path: path.clone(), source };
                if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
                    return Err(SecretError::TooLong { path: path.clone() });
                }
                let text = std::fs::read_to_string(path).map_err(failed)?;
                text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).unwrap_or(&text).to_owned()
            }
        };
        // A NUL cannot pass through librdkafka's C strings.
        if secret.is_empty() || secret.contains('\0') {
            return Err(SecretError::Unusable(match self {
                Self::Env(name) => format!("the environment variable `{name}`"),
                Self::File(path) => format!("the file `{}`", path.display()),
            }));
        }
        Ok(secret)
    }

    /// `{"file": "/path"}` or `{"env": "NAME"}`; also Druid's `{"type": "environment", "variable": "NAME"}`.
    ///
    /// A secret that was put where its place belongs is seldom an absolute path or a variable's name, and is not shown.
    pub(crate) fn read_spec(node: &Node<'_>) -> Option<Self> {
        let fields = node.fields(&["file", "env", "type", "variable", "password"])?;
        let text = |name| fields.get(name).and_then(|node| node.value().as_str());
        let reference = match (text("file"), text("env"), text("type"), text("variable")) {
            (Some(path), None, None, None) if Path::new(path).is_absolute() => Some(Self::File(path.into())),
            (None, Some(name), None, None) | (None, None, Some("environment"), Some(name)) => Self::env(name),
            _ => None,
        };
        if reference.is_none() {
            node.problem(r#"expected {"file": "/path"} with an absolute path, or {"env": "NAME"}"#);
        }
        reference
    }

    /// `None` if `name` is no name of a variable.
    pub(crate) fn env(name: &str) -> Option<Self> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_name = !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty() && name.chars().all(is_word);
        is_name.then(|| Self::Env(name.to_owned()))
    }

    pub(crate) fn write(&self) -> Value {
        match self {
            Self::File(path) => json!({ "file": path.to_string_lossy() }),
            Self::Env(name) => json!({ "env": name }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> (tempfile::TempDir, SecretRef) {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("password");
        std::fs::write(&path, content).expect("a file for the test");
        (folder, SecretRef::File(path))
    }

    #[test]
    fn a_line_break_at_the_end_is_not_part_of_the_secret() {
        for (content, secret) in
            [("pw", "pw"), ("pw\n", "pw"), ("pw\r\n", "pw"), ("pw\n\n", "pw\n"), (" p w ", " p w ")]
        {
            let (_folder, reference) = file(content.as_bytes());
            assert_eq!(reference.read().unwrap(), secret);
        }
    }

    #[test]
    fn a_secret_that_cannot_be_had_is_an_error_that_does_not_show_it() {
        let too_long = vec![b'x'; FILE_BYTES_MAX as usize + 1];
        for content in [b"".as_slice(), b"\n", b"canary\0", b"canary\xff", &too_long] {
            let (_folder, reference) = file(content);
            let error = reference.read().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
        let missing = SecretRef::Env("HENGE_TEST_NO_SUCH_VARIABLE".into()).read().unwrap_err();
        assert_eq!(
            missing.to_string(),
            "the environment variable `HENGE_TEST_NO_SUCH_VARIABLE` is not set, or is not UTF-8"
        );
    }

    #[test]
    fn the_environment_is_read() {
        assert_eq!(SecretRef::Env("CARGO_PKG_NAME".into()).read().unwrap(), "henge-ingest");
    }
}
