//! The tables of the schema `sys` that tell of ingestion: what is read, and what became of it.

mod gaps;
mod ledger;
mod partitions;
mod refused_records;
mod supervisors;

use std::sync::Arc;

use henge_ingest::spec::SupervisorSpec;
use henge_ingest::status::SupervisorStatus;
use henge_ingest::supervisors::Supervisors;
use henge_query::system_tables::{ColumnKind, ProvidedTable, Rows};
use henge_segment_store::data_source::DataSource;
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::store::Store;

/// Columns with their names.
type Columns = &'static [(&'static str, ColumnKind)];

/// Pushes the rows of one datasource.
type Fill = fn(&Ingested, &mut Rows);

/// A table's name, its columns, and what pushes the rows of one datasource.
const TABLES: [(&str, Columns, Fill); 5] = [
    ("supervisors", supervisors::COLUMNS, supervisors::fill),
    ("partitions", partitions::COLUMNS, partitions::fill),
    ("ledger", ledger::COLUMNS, ledger::fill),
    ("refused_records", refused_records::COLUMNS, refused_records::fill),
    ("gaps", gaps::COLUMNS, gaps::fill),
];

/// A datasource at one moment, whether it has a supervisor or not.
struct Ingested {
    name: DataSourceName,
    data_source: Arc<DataSource>,
    supervisor: Option<(Arc<SupervisorSpec>, SupervisorStatus)>,
}

/// All tables over one store and its supervisors.
pub fn of(store: &Arc<Store>, supervisors: &Arc<Supervisors>) -> Vec<ProvidedTable> {
    let tables = TABLES.map(|(name, columns, fill)| {
        let (store, supervisors) = (store.clone(), supervisors.clone());
        let fill = move |rows: &mut Rows| ingested(&store, &supervisors).for_each(|one| fill(&one, rows));
        ProvidedTable { name, columns, fill: Box::new(fill) }
    });
    tables.into()
}

fn ingested(store: &Store, supervisors: &Supervisors) -> impl Iterator<Item = Ingested> {
    store.data_sources().into_iter().filter_map(move |name| {
        let data_source = store.data_source(name.as_str())?;
        let supervisor = supervisors.spec(name.as_str()).zip(supervisors.status(name.as_str()));
        Some(Ingested { name, data_source, supervisor })
    })
}

fn outcome(is_filtered: bool) -> &'static str {
    if is_filtered { "filtered" } else { "rejected" }
}
