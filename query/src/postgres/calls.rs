//! Functions about the session, about what may be seen, and about how names are written.

use datafusion::sql::sqlparser::ast::{
    Array, BinaryOperator, CaseWhen, Expr, Function, Ident, ObjectName, ObjectNamePart, Value,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::catalog::types;
use super::operators::items;
use super::{DATABASE, PUBLIC, SERVER_VERSION, SERVER_VERSION_NUMBER};
use crate::dialect::calls::{arguments_of, call, case, long, null, string, text_of};

/// Who owns everything.
pub(super) const OWNER: &str = "henge";

/// Those whose answers depend on the texts in their arguments, and those about the session.
const KNOWN: [&str; 10] = [
    "current_setting",
    "current_database",
    "current_schema",
    "current_schemas",
    "parse_ident",
    "string_to_array",
    "to_regclass",
    "format_type",
    "any",
    "all",
];

pub(super) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

pub(super) fn rewrite(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let Some(name) = plain_name(function) else { return };
    let arguments = arguments_of(function);
    let rewritten = of_session(&name, &arguments)
        .or_else(|| of_privileges(&name, &arguments))
        .or_else(|| of_names(&name, &arguments))
        .or_else(|| of_arrays(&name, &arguments));
    match rewritten {
        Some(rewritten) => *expr = rewritten,
        // Others are called by their plain names.
        None => function.name = ObjectName::from(vec![Ident::new(name)]),
    }
}

/// In lower case, without the schema; `None` of a name in another schema.
fn plain_name(function: &Function) -> Option<String> {
    let part = |part: &ObjectNamePart| part.as_ident().map(|name| name.value.to_ascii_lowercase());
    match function.name.0.as_slice() {
        [name] => part(name),
        [schema, name] if part(schema).as_deref() == Some("pg_catalog") => part(name),
        _ => None,
    }
}

fn flag(value: bool) -> Expr {
    Expr::Value(Value::Boolean(value).with_span(Span::empty()))
}

fn of_session(name: &str, arguments: &[&Expr]) -> Option<Expr> {
    Some(match (name, arguments) {
        ("version", []) => string(&format!("PostgreSQL {SERVER_VERSION} (Henge {})", env!("CARGO_PKG_VERSION"))),
        ("current_database" | "current_catalog", []) => string(DATABASE),
        ("current_schema", []) => string(PUBLIC),
        ("current_schemas", [_]) => Expr::Array(Array { elem: vec![string(PUBLIC)], named: true }),
        ("current_user" | "session_user" | "user" | "current_role", []) => string(OWNER),
        ("current_setting", [setting, ..]) => text_of(setting).and_then(setting_of).map_or_else(null, string),
        ("set_config", [_, value, _]) => (*value).clone(),
        ("pg_backend_pid" | "inet_server_port" | "txid_current", []) => long(0),
        ("pg_is_in_recovery" | "pg_is_wal_replay_paused", []) => flag(false),
        ("pg_advisory_unlock_all", []) => null(),
        ("pg_encoding_to_char", [_]) => string("UTF8"),
        ("pg_postmaster_start_time" | "pg_conf_load_time" | "transaction_timestamp" | "statement_timestamp", []) => {
            call("now", Vec::new())
        }
        _ => return None,
    })
}

/// What a setting is where nobody has set it; `None` where there is none of that name.
pub fn setting_of(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "server_version" => SERVER_VERSION,
        "server_version_num" => SERVER_VERSION_NUMBER,
        "search_path" => PUBLIC,
        "server_encoding" | "client_encoding" => "UTF8",
        "timezone" => "UTC",
        "datestyle" => "ISO, MDY",
        "intervalstyle" => "postgres",
        "integer_datetimes" | "standard_conforming_strings" => "on",
        "is_superuser" => "off",
        "max_index_keys" => "32",
        "max_identifier_length" => "63",
        "default_transaction_isolation" | "transaction_isolation" => "read committed",
        "default_transaction_read_only" | "transaction_read_only" => "on",
        "bytea_output" => "hex",
        "transaction_deferrable" | "row_security" => "off",
        "lc_collate" | "lc_ctype" => "C",
        "extra_float_digits" => "1",
        "statement_timeout" => "0",
        "application_name" => "",
        _ => return None,
    })
}

/// A table that its reader does not know of is in no table of the catalogue: whatever is there may be seen.
fn of_privileges(name: &str, arguments: &[&Expr]) -> Option<Expr> {
    let is_of_object = name.ends_with("_is_visible") && name.starts_with("pg_");
    match (name, arguments) {
        (_, [_]) if is_of_object => Some(flag(true)),
        (
            "has_table_privilege"
            | "has_schema_privilege"
            | "has_database_privilege"
            | "has_column_privilege"
            | "has_any_column_privilege"
            | "pg_has_role",
            [_, ..],
        ) => Some(flag(true)),
        ("pg_get_userbyid", [_]) => Some(string(OWNER)),
        _ => None,
    }
}

fn of_names(name: &str, arguments: &[&Expr]) -> Option<Expr> {
    Some(match (name, arguments) {
        ("quote_ident", [text]) => quoted(text),
        ("quote_literal", [text]) => concatenated(vec![string("'"), replaced(text, "'", "''"), string("'")]),
        ("format_type", [number, ..]) => types::name_of(number),
        ("to_regclass", [text]) => (*text).clone(),
        // Nothing has a comment, a default, a rule or a definition.
        (
            "obj_description"
            | "col_description"
            | "shobj_description"
            | "pg_table_size"
            | "pg_total_relation_size"
            | "pg_relation_size"
            | "pg_database_size"
            | "pg_size_pretty"
            | "pg_tablespace_location",
            _,
        ) => null(),
        (name, _) if name.starts_with("pg_get_") => null(),
        _ => return None,
    })
}

fn of_arrays(name: &str, arguments: &[&Expr]) -> Option<Expr> {
    let count = |array: &Expr| items(array).map(|items| long(items.len() as i64));
    match (name, arguments) {
        ("parse_ident", [text]) => text_of(text).map(|text| {
            let elem = text.split('.').map(|part| string(part.trim_matches('"'))).collect();
            Expr::Array(Array { elem, named: true })
        }),
        ("array_length" | "array_upper", [array, _]) => {
            Some(count(array).unwrap_or_else(|| call("array_length", vec![(*array).clone()])))
        }
        ("array_lower", [_, _]) => Some(long(1)),
        ("array_to_string", [array, separator]) => {
            Some(call("array_to_string", vec![(*array).clone(), (*separator).clone()]))
        }
        _ => None,
    }
}

/// A name in quotes where it needs them.
fn quoted(text: &Expr) -> Expr {
    let is_plain = Expr::BinaryOp {
        left: Box::new(text.clone()),
        op: BinaryOperator::PGRegexMatch,
        right: Box::new(string("^[a-z_][a-z0-9_$]*$")),
    };
    let in_quotes = concatenated(vec![string("\""), replaced(text, "\"", "\"\""), string("\"")]);
    case(None, vec![CaseWhen { condition: is_plain, result: text.clone() }], in_quotes)
}

fn replaced(text: &Expr, from: &str, to: &str) -> Expr {
    call("replace", vec![text.clone(), string(from), string(to)])
}

fn concatenated(texts: Vec<Expr>) -> Expr {
    call("concat", texts)
}
