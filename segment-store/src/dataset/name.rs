use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

const NAME_BYTES_MAX: usize = 64;

/// A dataset's name: it stands in paths.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatasetName(Arc<str>);

/// A name that no dataset can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot name a dataset: use 1 to {NAME_BYTES_MAX} letters, digits, `_` or `-`, and start with a letter or a digit"
)]
pub struct DatasetNameError(String);

impl DatasetName {
    pub fn new(name: &str) -> Result<Self, DatasetNameError> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !starts_well || name.len() > NAME_BYTES_MAX || !name.chars().all(is_word) {
            return Err(DatasetNameError(name.to_owned()));
        }
        Ok(Self(name.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for DatasetName {
    type Error = DatasetNameError;

    fn try_from(name: String) -> Result<Self, DatasetNameError> {
        Self::new(&name)
    }
}

impl From<DatasetName> for String {
    fn from(name: DatasetName) -> Self {
        name.0.as_ref().to_owned()
    }
}
