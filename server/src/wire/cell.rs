//! One column's values as text: the encoding that all result formats share.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int64Array,
    ListArray, StringViewArray, UInt64Array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::time_text::TimeText;
use super::{csv_text, json_text};

/// A column of one batch, ready to be written value by value.
pub struct Cells {
    nulls: Option<NullBuffer>,
    values: Values,
}

enum Values {
    Null,
    Boolean(BooleanArray),
    Long(Int64Array),
    UnsignedLong(UInt64Array),
    Float(Float32Array),
    Double(Float64Array),
    Decimal {
        unscaled: Decimal128Array,
        scale: i8,
    },
    Text(StringViewArray),
    /// Since the epoch, in the unit that the column came in.
    Instant {
        values: Int64Array,
        unit: TimeUnit,
    },
    Date(Date32Array),
    List {
        lists: ListArray,
        items: Box<Cells>,
    },
    /// A kind that Druid's formats have no rule for: Arrow's own text of it.
    Other(ArrayRef),
}

/// What arrays look like inside of JSON rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArrayStyle {
    /// A string that holds JSON; Druid's default.
    Stringified,
    /// A JSON array.
    Nested,
}

impl Cells {
    /// Fails only where Arrow cannot bring a column to its canonical width, which is a bug in whoever made the batch.
    pub fn new(array: &ArrayRef) -> Result<Self, ArrowError> {
        Ok(Self { nulls: array.logical_nulls(), values: Values::new(array)? })
    }

    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Writes one JSON value. NaN and the infinities are strings, as Jackson writes them.
    pub fn write_json(&self, row: usize, time: &TimeText, arrays: ArrayStyle, out: &mut Vec<u8>) {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
            return;
        }
        match &self.values {
            Values::Text(text) => json_text::write_string(text.value(row), out),
            Values::List { .. } if arrays == ArrayStyle::Stringified => {
                json_text::write_string(&self.nested_text(row, time), out);
            }
            Values::List { .. } => self.write_nested(row, time, out),
            Values::Other(array) => json_text::write_string(&other_text(array, row), out),
            Values::Instant { .. } | Values::Date(_) => quoted(out, |out| self.write_plain(row, time, out)),
            Values::Double(doubles) if !doubles.value(row).is_finite() => {
                quoted(out, |out| self.write_plain(row, time, out));
            }
            Values::Float(floats) if !floats.value(row).is_finite() => {
                quoted(out, |out| self.write_plain(row, time, out));
            }
            _ => self.write_plain(row, time, out),
        }
    }

    /// Writes one CSV field; nothing at all for null.
    pub fn write_csv(&self, row: usize, time: &TimeText, out: &mut Vec<u8>) {
        if self.is_null(row) {
            return;
        }
        match &self.values {
            Values::Text(text) => csv_text::write_field(text.value(row), out),
            Values::List { .. } => csv_text::write_field(&self.nested_text(row, time), out),
            Values::Other(array) => csv_text::write_field(&other_text(array, row), out),
            _ => self.write_plain(row, time, out),
        }
    }

    /// Values whose text is the same in every format and never needs escaping.
    fn write_plain(&self, row: usize, time: &TimeText, out: &mut Vec<u8>) {
        match &self.values {
            Values::Boolean(values) => out.extend_from_slice(if values.value(row) { b"true" } else { b"false" }),
            Values::Long(values) => write_integer(values.value(row), out),
            Values::UnsignedLong(values) => write_integer(values.value(row), out),
            Values::Float(values) => write_float(values.value(row), out),
            Values::Double(values) => write_float(values.value(row), out),
            Values::Decimal { unscaled, scale } => write_decimal(unscaled.value(row), *scale, out),
            Values::Instant { values, unit } => time.write_instant(to_millis(values.value(row), *unit), out),
            Values::Date(days) => time.write_date(days.value(row), out),
            Values::Null | Values::Text(_) | Values::List { .. } | Values::Other(_) => {
                unreachable!("nulls and escaped kinds were handled by the caller")
            }
        }
    }

    fn nested_text(&self, row: usize, time: &TimeText) -> String {
        let mut json = Vec::new();
        self.write_nested(row, time, &mut json);
        String::from_utf8(json).expect("JSON is written from strings")
    }

    fn write_nested(&self, row: usize, time: &TimeText, out: &mut Vec<u8>) {
        let Values::List { lists, items } = &self.values else {
            return self.write_json(row, time, ArrayStyle::Nested, out);
        };
        let (start, end) = (lists.value_offsets()[row] as usize, lists.value_offsets()[row + 1] as usize);
        out.push(b'[');
        for item in start..end {
            if item > start {
                out.push(b',');
            }
            items.write_json(item, time, ArrayStyle::Nested, out);
        }
        out.push(b']');
    }
}

impl Values {
    fn new(array: &ArrayRef) -> Result<Self, ArrowError> {
        use arrow::datatypes::{Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, UInt64Type};
        Ok(match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean(array.as_boolean().clone()),
            DataType::UInt64 => Self::UnsignedLong(array.as_primitive::<UInt64Type>().clone()),
            kind if kind.is_integer() => Self::Long(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            DataType::Float16 | DataType::Float32 => {
                Self::Float(cast(array, &DataType::Float32)?.as_primitive::<Float32Type>().clone())
            }
            DataType::Float64 => Self::Double(array.as_primitive::<Float64Type>().clone()),
            DataType::Decimal128(_, scale) => {
                Self::Decimal { unscaled: array.as_primitive::<Decimal128Type>().clone(), scale: *scale }
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Self::Text(cast(array, &DataType::Utf8View)?.as_string_view().clone())
            }
            DataType::Timestamp(unit, _) => {
                // The cast to the bare number drops the column's own zone: the answer is written in the query's.
                let values = cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone();
                Self::Instant { values, unit: *unit }
            }
            DataType::Date32 | DataType::Date64 => {
                Self::Date(cast(array, &DataType::Date32)?.as_primitive::<Date32Type>().clone())
            }
            DataType::Dictionary(_, values) => return Self::new(&cast(array, values)?),
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                let list = DataType::List(Field::clone(item).into());
                let lists = cast(array, &list)?.as_list::<i32>().clone();
                let items = Box::new(Cells::new(lists.values())?);
                Self::List { lists, items }
            }
            // Sketches, as in an answer.
            DataType::Binary => {
                let bytes = array.as_binary::<i32>().iter();
                Self::Text(bytes.map(|bytes| bytes.map(|bytes| STANDARD.encode(bytes))).collect())
            }
            _ => Self::Other(array.clone()),
        })
    }
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

fn write_integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// The shortest text that reads back to the same value; `Infinity` is Java's word, not Rust's.
fn write_float<F: ryu::Float + Into<f64> + Copy>(value: F, out: &mut Vec<u8>) {
    let wide: f64 = value.into();
    if wide.is_finite() {
        out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
    } else if wide.is_nan() {
        out.extend_from_slice(b"NaN");
    } else {
        out.extend_from_slice(if wide > 0.0 { b"Infinity" } else { b"-Infinity" });
    }
}

/// Every digit of a decimal, never through a double.
fn write_decimal(unscaled: i128, scale: i8, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(unscaled.unsigned_abs()).as_bytes();
    if unscaled < 0 {
        out.push(b'-');
    }
    let Ok(fraction) = usize::try_from(scale) else {
        out.extend_from_slice(digits);
        if unscaled != 0 {
            out.extend(std::iter::repeat_n(b'0', usize::from(scale.unsigned_abs())));
        }
        return;
    };
    if fraction == 0 {
        out.extend_from_slice(digits);
        return;
    }
    let whole = digits.len().saturating_sub(fraction);
    if whole == 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', fraction - digits.len()));
    } else {
        out.extend_from_slice(&digits[..whole]);
        out.push(b'.');
    }
    out.extend_from_slice(&digits[whole..]);
}

/// Rounds toward minus infinity, like every other place that turns finer units into milliseconds (invariant T1).
fn to_millis(value: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => value.saturating_mul(1_000),
        TimeUnit::Millisecond => value,
        TimeUnit::Microsecond => value.div_euclid(1_000),
        TimeUnit::Nanosecond => value.div_euclid(1_000_000),
    }
}

fn other_text(array: &ArrayRef, row: usize) -> String {
    match ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default()) {
        Ok(formatter) => formatter.value(row).to_string(),
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Date64Array, Int16Array, ListBuilder, StringArray, StringBuilder, TimestampMillisecondArray,
        TimestampNanosecondArray,
    };
    use arrow::datatypes::Int32Type;

    use super::*;

    /// Each row as JSON and as a CSV field.
    fn written(array: ArrayRef) -> Vec<(String, String)> {
        let cells = Cells::new(&array).unwrap();
        let text = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            write(&mut out);
            String::from_utf8(out).unwrap()
        };
        let time = TimeText::utc();
        (0..array.len())
            .map(|row| {
                let json = text(&|out| cells.write_json(row, &time, ArrayStyle::Stringified, out));
                (json, text(&|out| cells.write_csv(row, &time, out)))
            })
            .collect()
    }

    #[test]
    fn each_kind_of_value_has_one_exact_text_in_json_and_csv() {
        let decimal = |values: Vec<Option<i128>>, scale| {
            Arc::new(Decimal128Array::from(values).with_precision_and_scale(38, scale).unwrap()) as ArrayRef
        };
        let zoned = TimestampMillisecondArray::from(vec![0]).with_timezone("+02:00");
        let cases: Vec<(ArrayRef, Vec<(&str, &str)>)> = vec![
            (Arc::new(arrow::array::NullArray::new(1)), vec![("null", "")]),
            (
                Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
                vec![("true", "true"), ("false", "false"), ("null", "")],
            ),
            (
                Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None])),
                vec![
                    ("-9223372036854775808", "-9223372036854775808"),
                    ("9223372036854775807", "9223372036854775807"),
                    ("null", ""),
                ],
            ),
            (Arc::new(Int16Array::from(vec![-7])), vec![("-7", "-7")]),
            (Arc::new(UInt64Array::from(vec![u64::MAX])), vec![("18446744073709551615", "18446744073709551615")]),
            (
                Arc::new(Float64Array::from(vec![1.0, -0.5, 0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY])),
                vec![
                    ("1.0", "1.0"),
                    ("-0.5", "-0.5"),
                    ("0.1", "0.1"),
                    ("\"NaN\"", "NaN"),
                    ("\"Infinity\"", "Infinity"),
                    ("\"-Infinity\"", "-Infinity"),
                ],
            ),
            (Arc::new(Float32Array::from(vec![0.1, f32::NAN])), vec![("0.1", "0.1"), ("\"NaN\"", "NaN")]),
            (
                decimal(vec![Some(170_141_183_460_469_231_731_687_303_715_884_105), None], 0),
                vec![("170141183460469231731687303715884105", "170141183460469231731687303715884105"), ("null", "")],
            ),
            (
                decimal(vec![Some(-5), Some(12_345), Some(0)], 3),
                vec![("-0.005", "-0.005"), ("12.345", "12.345"), ("0.000", "0.000")],
            ),
            (decimal(vec![Some(12), Some(0)], -2), vec![("1200", "1200"), ("0", "0")]),
            (
                Arc::new(StringArray::from(vec![Some("plain"), Some(""), Some("a\"b,c\n"), None])),
                vec![("\"plain\"", "plain"), ("\"\"", ""), ("\"a\\\"b,c\\n\"", "\"a\"\"b,c\n\""), ("null", "")],
            ),
            (Arc::new(zoned), vec![("\"1970-01-01T00:00:00.000Z\"", "1970-01-01T00:00:00.000Z")]),
            (
                Arc::new(TimestampNanosecondArray::from(vec![Some(-1), None])),
                vec![("\"1969-12-31T23:59:59.999Z\"", "1969-12-31T23:59:59.999Z"), ("null", "")],
            ),
            (Arc::new(Date32Array::from(vec![1])), vec![("\"1970-01-02T00:00:00.000Z\"", "1970-01-02T00:00:00.000Z")]),
            (
                Arc::new(Date64Array::from(vec![86_400_000])),
                vec![("\"1970-01-02T00:00:00.000Z\"", "1970-01-02T00:00:00.000Z")],
            ),
        ];
        for (array, expected) in cases {
            let kind = array.data_type().clone();
            let written = written(array);
            let written: Vec<_> = written.iter().map(|(json, csv)| (json.as_str(), csv.as_str())).collect();
            assert_eq!(written, expected, "{kind}");
        }
    }

    #[test]
    fn dictionaries_are_written_as_what_they_stand_for_and_their_nulls_stay() {
        let array: arrow::array::DictionaryArray<Int32Type> = vec![Some("a"), None, Some("b")].into_iter().collect();
        let expected = [("\"a\"", "a"), ("null", ""), ("\"b\"", "b")];
        let written = written(Arc::new(array));
        assert_eq!(written.iter().map(|(json, csv)| (json.as_str(), csv.as_str())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn arrays_are_strings_that_hold_json_unless_asked_otherwise() {
        let mut lists = ListBuilder::new(StringBuilder::new());
        lists.append_value([Some("skipped")]);
        lists.append_value([Some("a\"b"), None]);
        lists.append_null();
        let array: ArrayRef = Arc::new(lists.finish().slice(1, 2));
        assert_eq!(
            written(array.clone()),
            [
                (r#""[\"a\\\"b\",null]""#.to_owned(), r#""[""a\""b"",null]""#.to_owned()),
                ("null".to_owned(), String::new())
            ]
        );
        let mut nested = Vec::new();
        Cells::new(&array).unwrap().write_json(0, &TimeText::utc(), ArrayStyle::Nested, &mut nested);
        assert_eq!(String::from_utf8(nested).unwrap(), r#"["a\"b",null]"#);
    }
}
