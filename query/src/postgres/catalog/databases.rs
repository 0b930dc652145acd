//! The one database, its schemas, its owner, and its settings.

use super::rows::Row;
use super::{CatalogTable, PG_CATALOG, oids};
use crate::postgres::calls::{OWNER, setting_of};
use crate::postgres::{DATABASE, PUBLIC};
use crate::reader::Reader;
use crate::system_tables::SystemSources;

pub(super) const TABLES: [CatalogTable; 6] = [
    CatalogTable {
        schema: PG_CATALOG,
        name: "pg_database",
        columns: "oid long, datname text, datdba long 10, encoding long 6, datlocprovider text c, \
            datistemplate flag false, datallowconn flag true, datconnlimit long -1, datfrozenxid long 0, \
            datminmxid long 0, dattablespace long 1663, datcollate text C, datctype text C, daticulocale text, \
            datcollversion text, datacl text",
        rows: |_| vec![Row::from([("oid", oids::DATABASE.into()), ("datname", DATABASE.into())])],
    },
    CatalogTable {
        schema: PG_CATALOG,
        name: "pg_namespace",
        columns: "oid long, nspname text, nspowner long 10, nspacl text",
        rows: namespaces,
    },
    CatalogTable {
        schema: PG_CATALOG,
        name: "pg_roles",
        columns: "oid long 10, rolname text, rolsuper flag false, rolinherit flag true, rolcreaterole flag false, \
            rolcreatedb flag false, rolcanlogin flag true, rolreplication flag false, rolconnlimit long -1, \
            rolpassword text, rolvaliduntil text, rolbypassrls flag false, rolconfig text",
        rows: |_| vec![Row::from([("rolname", OWNER.into())])],
    },
    CatalogTable {
        schema: PG_CATALOG,
        name: "pg_user",
        columns: "usename text, usesysid long 10, usecreatedb flag false, usesuper flag false, userepl flag false, \
            usebypassrls flag false, passwd text, valuntil text, useconfig text",
        rows: |_| vec![Row::from([("usename", OWNER.into())])],
    },
    CatalogTable {
        schema: PG_CATALOG,
        name: "pg_am",
        columns: "oid long 2, amname text heap, amhandler text, amtype text t",
        rows: |_| vec![Row::new()],
    },
    CatalogTable {
        schema: PG_CATALOG,
        name: "pg_settings",
        columns: "name text, setting text, unit text, category text, short_desc text, extra_desc text, context text user, \
            vartype text string, source text default, min_val text, max_val text, enumvals text, boot_val text, \
            reset_val text, sourcefile text, sourceline long, pending_restart flag false",
        rows: settings,
    },
];

const SETTINGS: [&str; 7] = [
    "max_index_keys",
    "max_identifier_length",
    "search_path",
    "server_encoding",
    "server_version",
    "server_version_num",
    "standard_conforming_strings",
];

fn settings(_: &SystemSources<'_>) -> Vec<Row> {
    let row = |name: &&'static str| Some(Row::from([("name", (*name).into()), ("setting", setting_of(name)?.into())]));
    SETTINGS.iter().filter_map(row).collect()
}

/// Number and name of each schema.
pub(super) fn schemas(sources: &SystemSources<'_>) -> Vec<(i64, &'static str)> {
    let mut schemas = vec![
        (oids::PG_CATALOG, PG_CATALOG),
        (oids::PUBLIC, PUBLIC),
        (oids::INFORMATION_SCHEMA, super::INFORMATION_SCHEMA),
    ];
    if *sources.reader == Reader::Everything {
        schemas.push((oids::SYS, "sys"));
    }
    schemas
}

fn namespaces(sources: &SystemSources<'_>) -> Vec<Row> {
    let row = |(oid, name): (i64, &str)| Row::from([("oid", oid.into()), ("nspname", name.into())]);
    schemas(sources).into_iter().map(row).collect()
}
