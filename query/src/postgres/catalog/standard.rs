//! `information_schema`, with its names in small letters.

use super::relations::relations;
use super::rows::Row;
use super::{CatalogTable, INFORMATION_SCHEMA, databases, types};
use crate::postgres::DATABASE;
use crate::postgres::calls::OWNER;
use crate::system_tables::SystemSources;

pub(super) const TABLES: [CatalogTable; 7] = [
    CatalogTable {
        schema: INFORMATION_SCHEMA,
        name: "schemata",
        columns: "catalog_name text henge, schema_name text, schema_owner text henge, default_character_set_catalog text, \
            default_character_set_schema text, default_character_set_name text, sql_path text",
        rows: |sources| {
            let schemas = databases::schemas(sources).into_iter();
            schemas.map(|(_, name)| Row::from([("schema_name", name.into()), ("schema_owner", OWNER.into())])).collect()
        },
    },
    CatalogTable {
        schema: INFORMATION_SCHEMA,
        name: "tables",
        columns: "table_catalog text henge, table_schema text, table_name text, table_type text, \
            self_referencing_column_name text, reference_generation text, user_defined_type_catalog text, \
            user_defined_type_schema text, user_defined_type_name text, is_insertable_into text NO, is_typed text NO, \
            commit_action text",
        rows: tables,
    },
    CatalogTable {
        schema: INFORMATION_SCHEMA,
        name: "columns",
        columns: "table_catalog text henge, table_schema text, table_name text, column_name text, ordinal_position long, \
            column_default text, is_nullable text, data_type text, character_maximum_length long, \
            character_octet_length long, numeric_precision long, numeric_precision_radix long, numeric_scale long, \
            datetime_precision long, interval_type text, character_set_name text, collation_name text, \
            domain_name text, udt_catalog text henge, udt_schema text pg_catalog, udt_name text, is_identity text NO, \
            identity_generation text, is_generated text NEVER, generation_expression text, is_updatable text NO",
        rows: columns,
    },
    CatalogTable {
        schema: INFORMATION_SCHEMA,
        name: "views",
        columns: "table_catalog text henge, table_schema text, table_name text, view_definition text, \
            check_option text NONE, is_updatable text NO",
        rows: |_| Vec::new(),
    },
    CatalogTable {
        schema: INFORMATION_SCHEMA,
        name: "table_constraints",
        columns: "constraint_catalog text, constraint_schema text, constraint_name text, table_catalog text, \
            table_schema text, table_name text, constraint_type text, is_deferrable text, initially_deferred text",
        rows: |_| Vec::new(),
    },
    CatalogTable {
        schema: INFORMATION_SCHEMA,
        name: "key_column_usage",
        columns: "constraint_catalog text, constraint_schema text, constraint_name text, table_catalog text, \
            table_schema text, table_name text, column_name text, ordinal_position long, \
            position_in_unique_constraint long",
        rows: |_| Vec::new(),
    },
    CatalogTable {
        schema: INFORMATION_SCHEMA,
        name: "referential_constraints",
        columns: "constraint_catalog text, constraint_schema text, constraint_name text, \
            unique_constraint_catalog text, unique_constraint_schema text, unique_constraint_name text, \
            match_option text, update_rule text, delete_rule text",
        rows: |_| Vec::new(),
    },
];

fn tables(sources: &SystemSources<'_>) -> Vec<Row> {
    let rows = relations(sources).into_iter().map(|relation| {
        Row::from([
            ("table_catalog", DATABASE.into()),
            ("table_schema", relation.schema.into()),
            ("table_name", relation.name.as_str().into()),
            ("table_type", if relation.is_table { "BASE TABLE" } else { "VIEW" }.into()),
        ])
    });
    rows.collect()
}

fn columns(sources: &SystemSources<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for relation in relations(sources) {
        for (at, column) in relation.columns.iter().enumerate() {
            let (name, said, _) = types::names_of(column.type_oid);
            let mut row = Row::from([
                ("table_schema", relation.schema.into()),
                ("table_name", relation.name.as_str().into()),
                ("column_name", column.name.as_str().into()),
                ("ordinal_position", (at as i64 + 1).into()),
                ("is_nullable", if column.is_nullable { "YES" } else { "NO" }.into()),
                ("data_type", said.into()),
                ("udt_name", name.into()),
            ]);
            match name {
                "int8" => row.extend([
                    ("numeric_precision", 64.into()),
                    ("numeric_precision_radix", 2.into()),
                    ("numeric_scale", 0.into()),
                ]),
                "float8" => row.extend([("numeric_precision", 53.into()), ("numeric_precision_radix", 2.into())]),
                "timestamptz" => row.extend([("datetime_precision", 3.into())]),
                _ => {}
            }
            rows.push(row);
        }
    }
    rows
}
