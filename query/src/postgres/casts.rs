//! Casts to types that have other names here, or that name things by number.

use datafusion::sql::sqlparser::ast::{Array, CastKind, DataType, ExactNumberInfo, Expr, TimezoneInfo};

use super::catalog::{oids, types};
use super::operators;
use crate::dialect::calls::{cast, long, string, text_of};
use crate::error::QueryError;

pub(super) fn rewrite(expr: &mut Expr) -> Result<(), QueryError> {
    let Expr::Cast { kind, expr: inner, data_type, .. } = expr else { return Ok(()) };
    if *kind == CastKind::DoubleColon {
        *kind = CastKind::Cast;
    }
    let rewritten = match data_type {
        DataType::Regclass => Some(relation(inner)?),
        DataType::Array(_) => operators::items(inner).map(|elem| Expr::Array(Array { elem, named: true })),
        DataType::Timestamp(..) => {
            *data_type = DataType::Timestamp(None, TimezoneInfo::None);
            None
        }
        DataType::Custom(name, _) => {
            let name = name.0.last().and_then(|part| part.as_ident()).map(|name| name.value.to_ascii_lowercase());
            named(name.as_deref().unwrap_or_default(), inner)?
        }
        _ => {
            if let Some(wide) = widest(data_type) {
                *data_type = wide;
            }
            None
        }
    };
    if let Some(rewritten) = rewritten {
        *expr = rewritten;
    }
    Ok(())
}

/// Numbers are longs and doubles, and texts have no length.
fn widest(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Int2(_) | DataType::Int4(_) | DataType::Int8(_) => DataType::BigInt(None),
        DataType::Float4 | DataType::Float8 => DataType::Double(ExactNumberInfo::None),
        DataType::Text | DataType::Character(_) | DataType::Char(_) | DataType::CharacterVarying(_) => {
            DataType::Varchar(None)
        }
        _ => return None,
    })
}

/// A type that the parser knows no name for.
fn named(name: &str, inner: &Expr) -> Result<Option<Expr>, QueryError> {
    Ok(Some(match name {
        "oid" | "xid" | "cid" => cast(inner.clone(), DataType::BigInt(None)),
        "regclass" => relation(inner)?,
        "regtype" => match text_of(inner) {
            Some(text) => long(types::oid_of(text).unwrap_or_default()),
            None => types::name_of(inner),
        },
        "regproc" if text_of(inner).is_some() => {
            string(text_of(inner).unwrap_or_default().trim_start_matches("pg_catalog."))
        }
        "timestamptz" => cast(inner.clone(), DataType::Timestamp(None, TimezoneInfo::None)),
        "int2" | "int4" | "int8" => cast(inner.clone(), DataType::BigInt(None)),
        "float4" | "float8" => cast(inner.clone(), DataType::Double(ExactNumberInfo::None)),
        "bool" => cast(inner.clone(), DataType::Boolean),
        "text" | "varchar" | "name" | "char" | "bpchar" | "cstring" | "regproc" | "regnamespace" | "regrole"
        | "unknown" => cast(inner.clone(), DataType::Varchar(None)),
        _ => return Ok(None),
    }))
}

/// The number of a table by its name, or a number as it is.
fn relation(inner: &Expr) -> Result<Expr, QueryError> {
    let Some(text) = text_of(inner) else { return Ok(inner.clone()) };
    if let Ok(number) = text.parse() {
        return Ok(long(number));
    }
    let name = text.rsplit_once('.').map_or(text, |(_, name)| name).replace('"', "");
    if name.is_empty() {
        return Err(QueryError::plan(format!("'{text}' is not the name of a table")));
    }
    Ok(long(oids::of_table(&name)))
}
