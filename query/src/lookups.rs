//! Texts that stand for others: what `LOOKUP` reads, kept in memory for as long as the process lives.

use std::collections::{BTreeMap, HashMap};

use crate::error::QueryError;
use crate::suggestion::{did_you_mean, with_advice};

/// One value for each key.
pub type Lookup = HashMap<String, String>;

/// All lookups by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookups(pub BTreeMap<String, Lookup>);

impl Lookups {
    /// # Errors
    /// There is none of that name.
    pub(crate) fn named(&self, name: &str) -> Result<&Lookup, QueryError> {
        self.0.get(name).ok_or_else(|| {
            let suggestion = did_you_mean(name, self.0.keys().map(String::as_str));
            let advice = format!("lookups are declared as `[lookup.{name}]` in henge.toml");
            QueryError::plan(with_advice(&format!("there is no lookup '{name}'{suggestion}"), &advice))
        })
    }
}
