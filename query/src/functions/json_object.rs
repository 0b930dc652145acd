//! `JSON_OBJECT(KEY 'a' VALUE x, 'b': y)`: the text of an object.
//!
//! The dialect puts a text first that says of each value by a letter whether it is JSON itself, for JSON is text here.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Field, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType,
};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::row_function::{check_bytes, wrong_call};
use crate::dialect::{JSON_OBJECT, JSON_VALUE_LETTER};
use crate::error::QueryError;

/// Of one object: what it has of a name twice is looked for among all.
const MEMBERS_MAX: usize = 500;
const USAGE: &str = "JSON_OBJECT(KEY 'a' VALUE 1, 'b': topic), of texts, numbers, conditions, times and arrays";

pub(super) fn function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(JsonObject { signature: Signature::user_defined(Volatility::Immutable) }))
}

/// `(letters, name, value, name, value, ..)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct JsonObject {
    signature: Signature,
}

fn wrong() -> QueryError {
    wrong_call("json_object", USAGE)
}

impl ScalarUDFImpl for JsonObject {
    fn name(&self) -> &str {
        JSON_OBJECT
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if types.len().is_multiple_of(2) || types.len() > 2 * MEMBERS_MAX {
            return Err(wrong().into());
        }
        let coerced = types.iter().enumerate().map(|(at, given)| match at {
            0 => Some(DataType::Utf8View),
            at if at % 2 == 1 => (!given.is_nested()).then_some(DataType::Utf8View),
            _ => value_type(given),
        });
        coerced.collect::<Option<_>>().ok_or_else(|| wrong().into())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows };
        let (letters, members) = args.args.split_first().ok_or_else(wrong)?;
        let ColumnarValue::Scalar(letters) = letters else { return Err(wrong().into()) };
        let letters = letters.try_as_str().flatten().ok_or_else(wrong)?;
        let columns = members.iter().map(|member| member.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let (mut objects, mut bytes) = (StringViewBuilder::with_capacity(rows), 0);
        for row in 0..rows {
            let object = object(&columns, letters, row)?;
            bytes += object.len();
            check_bytes("json_object", bytes)?;
            objects.append_value(object);
        }
        let objects = objects.finish();
        Ok(match is_constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&objects, 0)?),
            false => ColumnarValue::Array(Arc::new(objects)),
        })
    }
}

/// `None` of what has no JSON.
fn value_type(given: &DataType) -> Option<DataType> {
    Some(match given {
        DataType::Null | DataType::Boolean | DataType::Decimal128(..) => given.clone(),
        DataType::List(item) => DataType::List(Arc::new(Field::new_list_field(value_type(item.data_type())?, true))),
        given if given.is_integer() => DataType::Int64,
        given if given.is_floating() => DataType::Float64,
        given if given.is_string() => DataType::Utf8View,
        given if given.is_temporal() => DataType::Timestamp(TimeUnit::Millisecond, None),
        _ => return None,
    })
}

fn object(columns: &[ArrayRef], letters: &str, row: usize) -> Result<String, QueryError> {
    let mut members: Vec<(&str, String)> = Vec::with_capacity(columns.len() / 2);
    for (pair, letter) in columns.chunks_exact(2).zip(letters.bytes()) {
        let [names, values] = pair else { return Err(wrong()) };
        if names.is_null(row) {
            return Err(QueryError::plan("a name in JSON_OBJECT is NULL: give it one by COALESCE"));
        }
        let (name, value) = (names.as_string_view().value(row), json(values, row, letter == JSON_VALUE_LETTER)?);
        // Of one name the last counts.
        match members.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => members.push((name, value)),
        }
    }
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
    Ok(format!("{{{}}}", members.join(",")))
}

/// One value as JSON.
fn json(values: &dyn Array, row: usize, is_json: bool) -> Result<String, QueryError> {
    if values.is_null(row) {
        return Ok("null".to_owned());
    }
    Ok(match values.data_type() {
        DataType::Utf8View if is_json => values.as_string_view().value(row).to_owned(),
        DataType::Utf8View => quoted(values.as_string_view().value(row)),
        DataType::Int64 => values.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => double(values.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) => values.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Boolean => values.as_boolean().value(row).to_string(),
        DataType::Timestamp(..) => values.as_primitive::<TimestampMillisecondType>().value(row).to_string(),
        DataType::List(_) => {
            let items = values.as_list::<i32>().value(row);
            let items: Result<Vec<String>, _> = (0..items.len()).map(|at| json(&items, at, false)).collect();
            format!("[{}]", items?.join(","))
        }
        DataType::Null => "null".to_owned(),
        other => return Err(QueryError::internal(format!("a value of JSON_OBJECT came as {other}"))),
    })
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What is no number in JSON is text, as in answers.
fn double(value: f64) -> String {
    match value.is_finite() {
        true => serde_json::Value::from(value).to_string(),
        false if value.is_nan() => "\"NaN\"".to_owned(),
        false if value > 0.0 => "\"Infinity\"".to_owned(),
        false => "\"-Infinity\"".to_owned(),
    }
}
