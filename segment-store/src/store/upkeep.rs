//! Changes to what is published already: retention rules and the segments that they retire.

use super::Store;
use crate::error::StoreError;
use crate::manifest::Change;
use crate::retention::Rule;
use crate::schema::DataSourceName;

impl Store {
    /// The retention rules that an operator has set; those of the supervisor's spec come after them.
    pub async fn rules(&self, name: &DataSourceName) -> Result<Vec<Rule>, StoreError> {
        Ok(self.manifest.lock().await.state().data_source(name)?.rules.clone())
    }

    /// Sets an operator's retention rules, in the order in which they are asked; none at all leaves the decision to the
    /// spec. They take effect with the next upkeep.
    pub async fn set_rules(&self, name: &DataSourceName, rules: Vec<Rule>) -> Result<(), StoreError> {
        self.change(Change::SetRules { data_source: name.clone(), rules }).await
    }
}
