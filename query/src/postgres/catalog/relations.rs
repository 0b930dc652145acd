//! Datasources as tables, those of `sys` as views, and their columns.

use datafusion::arrow::datatypes::{DataType, Field};

use super::rows::Row;
use super::{CatalogTable, PG_CATALOG, oids, types};
use crate::postgres::PUBLIC;
use crate::postgres::calls::OWNER;
use crate::system_tables::SystemSources;

pub(super) const TABLES: [CatalogTable; 4] = [
    CatalogTable {
        schema: PG_CATALOG,
        name: "pg_class",
        columns: "oid long, relname text, relnamespace long, reltype long 0, reloftype long 0, relowner long 10, \
            relam long 2, relfilenode long 0, reltablespace long 0, relpages long 0, reltuples long -1, \
            relallvisible long 0, reltoastrelid long 0, relhasindex flag false, relisshared flag false, \
            relpersistence text p, relkind text, relnatts long, relchecks long 0, relhasrules flag false, \
            relhastriggers flag false, relhassubclass flag false, relrowsecurity flag false, \
            relforcerowsecurity flag false, relispopulated flag true, relreplident text n, relispartition flag false, \
            relrewrite long 0, relfrozenxid long 0, relminmxid long 0, relacl text, reloptions text, relpartbound text, \
            relhasoids flag false",
        rows: classes,
    },
    CatalogTable {
        schema: PG_CATALOG,
        name: "pg_attribute",
        columns: "attrelid long, attname text, atttypid long, attstattarget long -1, attlen long, attnum long, \
            attndims long 0, attcacheoff long -1, atttypmod long -1, attbyval flag false, attalign text i, \
            attstorage text p, attcompression text '', attnotnull flag, atthasdef flag false, atthasmissing flag false, \
            attidentity text '', attgenerated text '', attisdropped flag false, attislocal flag true, \
            attinhcount long 0, attcollation long 0, attacl text, attoptions text, attfdwoptions text, attmissingval text",
        rows: attributes,
    },
    CatalogTable {
        schema: PG_CATALOG,
        name: "pg_tables",
        columns: "schemaname text, tablename text, tableowner text, tablespace text, hasindexes flag false, \
            hasrules flag false, hastriggers flag false, rowsecurity flag false",
        rows: |sources| named(sources, true, "tablename", "tableowner"),
    },
    CatalogTable {
        schema: PG_CATALOG,
        name: "pg_views",
        columns: "schemaname text, viewname text, viewowner text, definition text",
        rows: |sources| named(sources, false, "viewname", "viewowner"),
    },
];

/// A table as clients see it.
pub(super) struct Relation {
    pub schema: &'static str,
    pub schema_oid: i64,
    pub name: String,
    /// A datasource; else a view of what the server is doing.
    pub is_table: bool,
    pub columns: Vec<RelationColumn>,
}

pub(super) struct RelationColumn {
    pub name: String,
    pub type_oid: i64,
    pub is_nullable: bool,
}

impl RelationColumn {
    fn of(field: &Field) -> Self {
        let type_oid = types::oid_of_column(field.data_type());
        // The time of a row is never null.
        let is_nullable = field.is_nullable() && !matches!(field.data_type(), DataType::Timestamp(..));
        Self { name: field.name().clone(), type_oid, is_nullable }
    }
}

impl Relation {
    fn oid(&self) -> i64 {
        oids::of_table(&self.name)
    }
}

/// Those that the reader knows of: datasources, then views.
pub(super) fn relations(sources: &SystemSources<'_>) -> Vec<Relation> {
    let data_sources = sources.data_sources().into_iter().filter_map(|name| {
        let data_source = sources.store.data_source(name.as_str())?;
        let columns = data_source.schema().arrow().fields().iter().map(|field| RelationColumn::of(field)).collect();
        Some(Relation { schema: PUBLIC, schema_oid: oids::PUBLIC, name: name.to_string(), is_table: true, columns })
    });
    let views = sources.tables().filter(|(schema, ..)| *schema == "sys").map(|(schema, name, columns)| {
        let column = |&(name, kind): &(&str, crate::system_tables::ColumnKind)| RelationColumn {
            name: name.to_owned(),
            type_oid: types::oid_of_column(&kind.arrow()),
            is_nullable: true,
        };
        let columns = columns.iter().map(column).collect();
        Relation { schema, schema_oid: oids::SYS, name: name.to_owned(), is_table: false, columns }
    });
    data_sources.chain(views).collect()
}

fn classes(sources: &SystemSources<'_>) -> Vec<Row> {
    let row = |relation: &Relation| {
        Row::from([
            ("oid", relation.oid().into()),
            ("relname", relation.name.as_str().into()),
            ("relnamespace", relation.schema_oid.into()),
            ("relkind", if relation.is_table { "r" } else { "v" }.into()),
            ("relnatts", (relation.columns.len() as i64).into()),
        ])
    };
    relations(sources).iter().map(row).collect()
}

fn attributes(sources: &SystemSources<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for relation in relations(sources) {
        for (at, column) in relation.columns.iter().enumerate() {
            let (_, _, length) = types::names_of(column.type_oid);
            rows.push(Row::from([
                ("attrelid", relation.oid().into()),
                ("attname", column.name.as_str().into()),
                ("atttypid", column.type_oid.into()),
                ("attlen", length.into()),
                ("attnum", (at as i64 + 1).into()),
                ("attnotnull", (!column.is_nullable).into()),
            ]));
        }
    }
    rows
}

fn named(sources: &SystemSources<'_>, is_table: bool, name: &'static str, owner: &'static str) -> Vec<Row> {
    let row = |relation: &Relation| {
        Row::from([
            ("schemaname", relation.schema.into()),
            (name, relation.name.as_str().into()),
            (owner, OWNER.into()),
        ])
    };
    relations(sources).iter().filter(|relation| relation.is_table == is_table).map(row).collect()
}
