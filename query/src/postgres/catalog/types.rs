//! The types that columns have, and those that parameters may have.

use datafusion::arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{CaseWhen, Expr};

use super::rows::Row;
use super::{CatalogTable, PG_CATALOG};
use crate::dialect::calls::{case, long, string};
use crate::system_tables::SystemSources;

pub(super) const TABLES: [CatalogTable; 1] = [CatalogTable {
    schema: PG_CATALOG,
    name: "pg_type",
    columns: "oid long, typname text, typnamespace long 11, typowner long 10, typlen long, typbyval flag true, \
        typtype text b, typcategory text, typispreferred flag false, typisdefined flag true, typdelim text, \
        typrelid long 0, typsubscript text -, typelem long 0, typarray long 0, typinput text, typoutput text, \
        typreceive text, typsend text, typmodin text -, typmodout text -, typanalyze text -, typalign text i, \
        typstorage text p, typnotnull flag false, typbasetype long 0, typtypmod long -1, typndims long 0, \
        typcollation long 0, typdefaultbin text, typdefault text, typacl text",
    rows,
}];

/// A type as PostgreSQL numbers and names it.
struct Type {
    oid: i64,
    name: &'static str,
    /// As people write it.
    said: &'static str,
    /// In bytes; -1 where values differ in length.
    length: i64,
    category: &'static str,
    array: i64,
}

const fn of(oid: i64, name: &'static str, said: &'static str, length: i64, category: &'static str, array: i64) -> Type {
    Type { oid, name, said, length, category, array }
}

/// The first ones of a column's type are those that answers come in.
const TYPES: [Type; 17] = [
    of(16, "bool", "boolean", 1, "B", 1000),
    of(18, "char", "\"char\"", 1, "Z", 1002),
    of(19, "name", "name", 64, "S", 1003),
    of(20, "int8", "bigint", 8, "N", 1016),
    of(21, "int2", "smallint", 2, "N", 1005),
    of(23, "int4", "integer", 4, "N", 1007),
    of(25, "text", "text", -1, "S", 1009),
    of(26, "oid", "oid", 4, "N", 1028),
    of(700, "float4", "real", 4, "N", 1021),
    of(701, "float8", "double precision", 8, "N", 1022),
    of(705, "unknown", "unknown", -2, "X", 0),
    of(1042, "bpchar", "character", -1, "S", 1014),
    of(1043, "varchar", "character varying", -1, "S", 1015),
    of(1082, "date", "date", 4, "D", 1182),
    of(1114, "timestamp", "timestamp without time zone", 8, "D", 1115),
    of(1184, "timestamptz", "timestamp with time zone", 8, "D", 1185),
    of(1700, "numeric", "numeric", -1, "N", 1231),
];

fn rows(_: &SystemSources<'_>) -> Vec<Row> {
    let own = |kind: &Type| {
        Row::from([
            ("oid", kind.oid.into()),
            ("typname", kind.name.into()),
            ("typlen", kind.length.into()),
            ("typcategory", kind.category.into()),
            ("typarray", kind.array.into()),
            ("typinput", format!("{}in", kind.name).as_str().into()),
            ("typoutput", format!("{}out", kind.name).as_str().into()),
        ])
    };
    let array = |kind: &Type| {
        Row::from([
            ("oid", kind.array.into()),
            ("typname", format!("_{}", kind.name).as_str().into()),
            ("typlen", (-1).into()),
            ("typcategory", "A".into()),
            ("typelem", kind.oid.into()),
            ("typinput", "array_in".into()),
            ("typoutput", "array_out".into()),
        ])
    };
    let arrays = TYPES.iter().filter(|kind| kind.array != 0).map(array);
    TYPES.iter().map(own).chain(arrays).collect()
}

/// What a column of a datasource is to PostgreSQL's clients.
pub(super) fn oid_of_column(kind: &DataType) -> i64 {
    match kind {
        DataType::Boolean => 16,
        DataType::Timestamp(..) => 1184,
        DataType::Date32 => 1082,
        kind if kind.is_integer() => 20,
        kind if kind.is_floating() => 701,
        _ => 25,
    }
}

/// Its name in PostgreSQL's tables, how people write it, and its length.
pub(super) fn names_of(oid: i64) -> (&'static str, &'static str, i64) {
    let known = TYPES.iter().find(|kind| kind.oid == oid);
    known.map_or(("text", "text", -1), |kind| (kind.name, kind.said, kind.length))
}

pub(in crate::postgres) fn oid_of(name: &str) -> Option<i64> {
    let name = name.trim_start_matches("pg_catalog.").to_ascii_lowercase();
    let element = name.strip_suffix("[]").or_else(|| name.strip_prefix('_'));
    let find = |name: &str| TYPES.iter().find(|kind| kind.name == name || kind.said == name);
    match element {
        Some(element) => find(element).map(|kind| kind.array),
        None => find(&name).map(|kind| kind.oid),
    }
}

/// How people write the type of a number: `format_type(..)`.
pub(in crate::postgres) fn name_of(number: &Expr) -> Expr {
    let when = |oid: i64, name: &str| CaseWhen { condition: long(oid), result: string(name) };
    let arrays = TYPES.iter().filter(|kind| kind.array != 0);
    let arrays = arrays.map(|kind| when(kind.array, &format!("{}[]", kind.said)));
    let names = TYPES.iter().map(|kind| when(kind.oid, kind.said)).chain(arrays).collect();
    case(Some(number.clone()), names, string("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_found_by_either_name() {
        assert_eq!(oid_of("BIGINT"), Some(20));
        assert_eq!(oid_of("pg_catalog.int8"), Some(20));
        assert_eq!(oid_of("text[]"), Some(1009));
        assert_eq!(oid_of("hstore"), None);
        assert_eq!(names_of(oid_of_column(&DataType::Int64)), ("int8", "bigint", 8));
    }
}
