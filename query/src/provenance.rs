//! What an answer is made of.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use henge_segment_store::completeness::Completeness;
use henge_segment_store::data_source::DataSource;
use henge_segment_store::schema::DataSourceName;

/// A datasource of which an answer tells, and how complete its rows were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeOf {
    pub data_source: DataSourceName,
    pub completeness: Completeness,
}

/// Filled in while a statement is planned: its tables, each as it was just before its snapshot.
#[derive(Debug, Default)]
pub(crate) struct Provenance(Mutex<BTreeMap<DataSourceName, Completeness>>);

impl Provenance {
    /// To be called before the snapshot is taken, so that it holds at least what is told. What is planned again is told
    /// again.
    pub fn note(&self, data_source: &DataSource) {
        let (name, completeness) = (data_source.name().clone(), data_source.completeness());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, completeness);
    }

    pub fn told(&self) -> Vec<MadeOf> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        noted.into_iter().map(|(data_source, completeness)| MadeOf { data_source, completeness }).collect()
    }
}
