use datafusion::arrow::datatypes::{DataType, Schema};
use henge_segment_store::sketch::SKETCH_TYPE_KEY;

use super::rows::{Cell, Rows};
use super::{ColumnKind, DRUID, INFORMATION_SCHEMA, SystemSources, SystemTable, arrow};

pub(super) const TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "COLUMNS",
    columns: &[
        ("TABLE_CATALOG", ColumnKind::Text),
        ("TABLE_SCHEMA", ColumnKind::Text),
        ("TABLE_NAME", ColumnKind::Text),
        ("COLUMN_NAME", ColumnKind::Text),
        ("ORDINAL_POSITION", ColumnKind::Long),
        ("COLUMN_DEFAULT", ColumnKind::Text),
        ("IS_NULLABLE", ColumnKind::Text),
        ("DATA_TYPE", ColumnKind::Text),
        ("CHARACTER_MAXIMUM_LENGTH", ColumnKind::Long),
        ("CHARACTER_OCTET_LENGTH", ColumnKind::Long),
        ("NUMERIC_PRECISION", ColumnKind::Long),
        ("NUMERIC_PRECISION_RADIX", ColumnKind::Long),
        ("NUMERIC_SCALE", ColumnKind::Long),
        ("DATETIME_PRECISION", ColumnKind::Long),
        ("CHARACTER_SET_NAME", ColumnKind::Text),
        ("COLLATION_NAME", ColumnKind::Text),
        ("JDBC_TYPE", ColumnKind::Long),
    ],
    fill,
};

fn fill(sources: &SystemSources<'_>, rows: &mut Rows) {
    for name in sources.data_sources() {
        if let Some(data_source) = sources.store.data_source(name.as_str()) {
            push(DRUID, name.as_str(), &data_source.schema().arrow(), rows);
        }
    }
    for (schema, name, columns) in sources.tables() {
        push(schema, name, &arrow(columns), rows);
    }
}

fn push(schema: &str, table: &str, columns: &Schema, rows: &mut Rows) {
    for (place, field) in columns.fields().iter().enumerate() {
        let described = SqlType::of(field.data_type());
        rows.push(&[
            DRUID.into(),
            schema.into(),
            table.into(),
            field.name().into(),
            // As Druid has it, from 0.
            (place as i64).into(),
            "".into(),
            if field.is_nullable() { "YES" } else { "NO" }.into(),
            field.metadata().get(SKETCH_TYPE_KEY).map_or(described.name, String::as_str).into(),
            Cell::Null,
            Cell::Null,
            described.numeric_precision.into(),
            described.numeric_precision.map(|_| 10_i64).into(),
            described.numeric_scale.into(),
            described.time_precision.into(),
            described.character_set.into(),
            described.character_set.map(|_| "binary").into(),
            described.jdbc_type.into(),
        ]);
    }
}

/// A column's type in words of SQL and JDBC.
struct SqlType {
    name: &'static str,
    /// Of `java.sql.Types`.
    jdbc_type: i64,
    /// Decimal digits.
    numeric_precision: Option<i64>,
    numeric_scale: Option<i64>,
    /// Digits of the second's fraction.
    time_precision: Option<i64>,
    character_set: Option<&'static str>,
}

impl SqlType {
    fn of(kind: &DataType) -> Self {
        let other = Self {
            name: "OTHER",
            jdbc_type: 1111,
            numeric_precision: None,
            numeric_scale: None,
            time_precision: None,
            character_set: None,
        };
        match kind {
            DataType::Int64 => {
                let (numeric_precision, numeric_scale) = (Some(19), Some(0));
                Self { name: "BIGINT", jdbc_type: -5, numeric_precision, numeric_scale, ..other }
            }
            DataType::Float64 => Self { name: "DOUBLE", jdbc_type: 8, numeric_precision: Some(15), ..other },
            DataType::Decimal128(precision, scale) => {
                let (precision, scale) = (i64::from(*precision), i64::from(*scale));
                let (numeric_precision, numeric_scale) = (Some(precision), Some(scale));
                Self { name: "DECIMAL", jdbc_type: 3, numeric_precision, numeric_scale, ..other }
            }
            DataType::Boolean => Self { name: "BOOLEAN", jdbc_type: 16, ..other },
            DataType::Timestamp(..) => Self { name: "TIMESTAMP", jdbc_type: 93, time_precision: Some(3), ..other },
            DataType::Utf8View => Self { name: "VARCHAR", jdbc_type: 12, character_set: Some("UTF-8"), ..other },
            _ => other,
        }
    }
}
