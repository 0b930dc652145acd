//! A column compared with values: what ad hoc filters and the filters of a builder consist of.

use henge_segment_store::schema::{ColumnKind, DimensionType};
use henge_segment_store::time::TimestampMs;

use super::sight::Column;
use super::sql_text;
use super::variable::Scalar;
use crate::error::ApiError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Matches,
    NotMatches,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    IsNull,
    IsNotNull,
}

impl Operator {
    pub fn of_name(name: &str) -> Result<Self, ApiError> {
        Ok(match name.trim().to_ascii_lowercase().as_str() {
            "=" | "=|" | "in" | "one-of" => Self::Equal,
            "!=" | "<>" | "!=|" | "not in" | "not-one-of" => Self::NotEqual,
            "=~" => Self::Matches,
            "!~" => Self::NotMatches,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            "is null" => Self::IsNull,
            "is not null" => Self::IsNotNull,
            _ => {
                return Err(ApiError::invalid(format!(
                    "`{name}` is no operator of a filter: use one of = != =~ !~ < > <= >= =| !=|"
                )));
            }
        })
    }
}

/// The comparison in SQL. As in SQL, a null passes none but `is null`.
pub fn comparison(column: &Column, operator: Operator, values: &[Scalar]) -> Result<String, ApiError> {
    let name = sql_text::name(&column.name);
    let literals = || values.iter().map(|value| literal(column, value)).collect::<Result<Vec<_>, _>>();
    let one = |sign: &str| match values {
        [value] => Ok(format!("{name} {sign} {}", literal(column, value)?)),
        _ => Err(wrong_count(column, values.len())),
    };
    match operator {
        Operator::IsNull => Ok(format!("{name} IS NULL")),
        Operator::IsNotNull => Ok(format!("{name} IS NOT NULL")),
        Operator::Equal => Ok(match literals()?.as_slice() {
            [] => "FALSE".to_owned(),
            [literal] => format!("{name} = {literal}"),
            literals => format!("{name} IN ({})", literals.join(", ")),
        }),
        Operator::NotEqual => Ok(match literals()?.as_slice() {
            [] => "TRUE".to_owned(),
            [literal] => format!("{name} <> {literal}"),
            literals => format!("{name} NOT IN ({})", literals.join(", ")),
        }),
        Operator::Less => one("<"),
        Operator::LessOrEqual => one("<="),
        Operator::Greater => one(">"),
        Operator::GreaterOrEqual => one(">="),
        Operator::Matches => matches(column, values),
        Operator::NotMatches => Ok(format!("NOT {}", matches(column, values)?)),
    }
}

/// Whether a pattern is found anywhere in the text of a column.
fn matches(column: &Column, values: &[Scalar]) -> Result<String, ApiError> {
    let [pattern] = values else { return Err(wrong_count(column, values.len())) };
    let name = sql_text::name(&column.name);
    let text = if column.is_text() { name } else { format!("CAST({name} AS VARCHAR)") };
    Ok(format!("REGEXP_LIKE({text}, {})", sql_text::text(&pattern.text())))
}

fn wrong_count(column: &Column, count: usize) -> ApiError {
    ApiError::invalid(format!("the filter of `{}` takes one value, not {count}", column.name))
}

/// A value as a literal of the column's type.
fn literal(column: &Column, value: &Scalar) -> Result<String, ApiError> {
    let text = value.text();
    let written = match column.kind {
        Some(ColumnKind::Value(DimensionType::String)) => Some(sql_text::text(&text)),
        Some(ColumnKind::Value(DimensionType::Long | DimensionType::Double)) => sql_text::as_number(text.trim()),
        Some(ColumnKind::Value(DimensionType::Boolean)) => match text.trim().to_ascii_lowercase().as_str() {
            "true" => Some("TRUE".to_owned()),
            "false" => Some("FALSE".to_owned()),
            _ => None,
        },
        Some(ColumnKind::Sketch(_)) => None,
        None => {
            let millis = text.trim().parse().ok().map(TimestampMs);
            let time = millis.or_else(|| TimestampMs::parse_iso(&text)).filter(|time| time.is_storable());
            time.map(sql_text::time)
        }
    };
    written.ok_or_else(|| {
        ApiError::invalid(format!(
            "column `{}` is of type {}, which `{text}` is no value of",
            column.name,
            column.type_name()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::sight::Role;

    #[test]
    fn values_are_literals_of_their_columns_type_and_nothing_else() {
        let column = |kind| Column { name: "a\"b".to_owned(), kind, role: Role::Dimension };
        let text = Some(ColumnKind::Value(DimensionType::String));
        let long = Some(ColumnKind::Value(DimensionType::Long));
        let flag = Some(ColumnKind::Value(DimensionType::Boolean));
        let cases = [
            (text, "=", vec!["it's"], Ok(r#""a""b" = 'it''s'"#)),
            (text, "!=", vec!["x"], Ok(r#""a""b" <> 'x'"#)),
            (text, "=|", vec!["x", "y"], Ok(r#""a""b" IN ('x', 'y')"#)),
            (text, "!=|", vec!["x", "y"], Ok(r#""a""b" NOT IN ('x', 'y')"#)),
            (text, "=|", vec![], Ok("FALSE")),
            (text, "=~", vec!["^a'"], Ok(r#"REGEXP_LIKE("a""b", '^a''')"#)),
            (long, "!~", vec!["5"], Ok(r#"NOT REGEXP_LIKE(CAST("a""b" AS VARCHAR), '5')"#)),
            (long, ">=", vec!["-5"], Ok(r#""a""b" >= (-5)"#)),
            (long, "=", vec!["5 OR 1=1"], Err("column `a\"b` is of type long, which `5 OR 1=1` is no value of")),
            (flag, "=", vec!["True"], Ok(r#""a""b" = TRUE"#)),
            (None, "<", vec!["1000"], Ok(r#""a""b" < TIMESTAMP '1970-01-01T00:00:01.000Z'"#)),
            (None, "<", vec!["1970-01-01T00:00:01Z"], Ok(r#""a""b" < TIMESTAMP '1970-01-01T00:00:01.000Z'"#)),
            (text, "<", vec!["a", "b"], Err("the filter of `a\"b` takes one value, not 2")),
        ];
        for (kind, operator, values, expected) in cases {
            let values: Vec<Scalar> = values.into_iter().map(|value| Scalar::Text(value.to_owned())).collect();
            let found = comparison(&column(kind), Operator::of_name(operator).unwrap(), &values);
            let found = found.map_err(|error| error.body.error_message);
            assert_eq!(found.as_deref().map_err(String::as_str), expected);
        }
        assert!(Operator::of_name("; DROP").is_err());
    }
}
