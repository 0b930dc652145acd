//! The row-by-row reference that the decoder is compared with: parses with serde_json, then looks every value up.
//!
//! It reads JSON payloads only; columns from other parts of a Kafka record are not its business.

use std::fmt;

use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::ledger::Reason;
use henge_segment_store::schema::{Aggregation, DimensionType};
use henge_segment_store::sketch::ThetaHasher;
use henge_segment_store::time::TimestampMs;
use serde_json::value::RawValue;

use super::{FIELDS_MAX, NESTING_MAX, STRING_BYTES_MAX};
use crate::spec::{FieldSource, SupervisorSpec, TimeFormat};

/// JSON with its numbers as written and every occurrence of a key.
#[derive(Debug)]
enum Tree {
    Null,
    Boolean(bool),
    Number(String),
    String(String),
    Array,
    Object(Vec<(String, Tree)>),
}

/// The row of a payload, or the reason for none.
pub fn decode(spec: &SupervisorSpec, payload: &[u8]) -> Result<EventRow, Reason> {
    if payload.len() > spec.record_bytes_max {
        return Err(Reason::RecordTooLarge);
    }
    let raw: &RawValue = serde_json::from_slice(payload).map_err(|_| Reason::Malformed)?;
    let document = Limits::default().tree(raw, 1)?;
    let Tree::Object(_) = document else { return Err(Reason::NotAnObject) };
    let mut row = EventRow::new(spec.schema.dimensions.len(), spec.schema.measures.len());
    let time = time(spec.input.time.format, find(&document, &spec.input.time.source))?;
    row.time = time.or(spec.input.time.missing).ok_or(Reason::TimeMissing)?;
    for (index, (dimension, source)) in spec.schema.dimensions.iter().zip(&spec.input.dimensions).enumerate() {
        let value = dimension_value(dimension.kind, find(&document, source), Reason::DimensionUnreadable)?;
        row.set_dimension(index, value);
    }
    for (index, (measure, source)) in spec.schema.measures.iter().zip(&spec.input.measures).enumerate() {
        let Some(source) = source else { continue };
        let (value, unreadable) = (find(&document, source), Reason::MeasureUnreadable);
        let value = match measure.aggregation {
            Aggregation::Sketch(sketch) => {
                let value = dimension_value(sketch.of, value, unreadable)?;
                Some(MeasureValue::sketched(sketch.kind, value, &mut ThetaHasher::default()))
            }
            aggregation if aggregation.is_long() => long(value, unreadable)?.map(MeasureValue::Long),
            _ => double(value, unreadable)?.map(MeasureValue::Double),
        };
        row.set_measure(index, value.unwrap_or(MeasureValue::Null));
    }
    Ok(row)
}

/// The first value of two rows that differs, in words; `None` for equal rows.
pub fn difference(left: &EventRow, right: &EventRow, spec: &SupervisorSpec) -> Option<String> {
    let differ =
        |what: &str, left: &dyn fmt::Debug, right: &dyn fmt::Debug| Some(format!("{what}: {left:?}, {right:?}"));
    if left.time != right.time {
        return differ("time", &left.time, &right.time);
    }
    let dimension = (0..spec.schema.dimensions.len()).find(|&index| left.dimension(index) != right.dimension(index));
    if let Some(index) = dimension {
        return differ(&spec.schema.dimensions[index].name, &left.dimension(index), &right.dimension(index));
    }
    let measure = (0..spec.schema.measures.len()).find(|&index| left.measure(index) != right.measure(index));
    measure.and_then(|index| differ(&spec.schema.measures[index].name, &left.measure(index), &right.measure(index)))
}

/// What of a record has been counted.
#[derive(Default)]
struct Limits {
    fields: usize,
}

impl Limits {
    fn tree(&mut self, raw: &RawValue, depth: usize) -> Result<Tree, Reason> {
        let text = raw.get();
        let is_nested = text.starts_with(['{', '[']);
        if is_nested && depth > NESTING_MAX {
            return Err(Reason::NestedTooDeep);
        }
        Ok(match text.as_bytes()[0] {
            b'{' => {
                let Fields(fields) = serde_json::from_str(text).map_err(|_| Reason::Malformed)?;
                let mut trees = Vec::new();
                for (key, value) in fields {
                    self.fields += 1;
                    if self.fields > FIELDS_MAX {
                        return Err(Reason::TooManyFields);
                    }
                    trees.push((key, self.tree(value, depth + 1)?));
                }
                Tree::Object(trees)
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| Reason::Malformed)?;
                items.into_iter().try_for_each(|item| self.tree(item, depth + 1).map(|_| ()))?;
                Tree::Array
            }
            b'"' => Tree::String(serde_json::from_str(text).map_err(|_| Reason::Malformed)?),
            b'n' => Tree::Null,
            b't' => Tree::Boolean(true),
            b'f' => Tree::Boolean(false),
            _ => Tree::Number(text.to_owned()),
        })
    }
}

/// An object's fields in their order.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Fields<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Fields<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// The literal key of the whole path, else the nested value; of a key that occurs again, the last.
fn find<'t>(document: &'t Tree, source: &FieldSource) -> &'t Tree {
    let FieldSource::Path(path) = source else { return &Tree::Null };
    let get = |tree: &'t Tree, key: &str| match tree {
        Tree::Object(fields) => fields.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value),
        _ => None,
    };
    let nested = || path.iter().try_fold(document, |tree, key| get(tree, key));
    get(document, &path.join(".")).or_else(nested).unwrap_or(&Tree::Null)
}

fn dimension_value(kind: DimensionType, value: &Tree, unreadable: Reason) -> Result<DimensionValue<'_>, Reason> {
    Ok(match (kind, value) {
        (_, Tree::Null) => DimensionValue::Null,
        (DimensionType::String, Tree::String(text) | Tree::Number(text)) if text.len() > STRING_BYTES_MAX => {
            return Err(Reason::StringTooLong);
        }
        (DimensionType::String, Tree::String(text) | Tree::Number(text)) => DimensionValue::String(text),
        (DimensionType::String, Tree::Boolean(flag)) => DimensionValue::String(if *flag { "true" } else { "false" }),
        (DimensionType::Long, value) => long(value, unreadable)?.map_or(DimensionValue::Null, DimensionValue::Long),
        (DimensionType::Double, value) => {
            double(value, unreadable)?.map_or(DimensionValue::Null, DimensionValue::Double)
        }
        (DimensionType::Boolean, Tree::Boolean(flag)) => DimensionValue::Boolean(*flag),
        (DimensionType::Boolean, Tree::String(text)) => DimensionValue::Boolean(text.parse().map_err(|_| unreadable)?),
        _ => return Err(unreadable),
    })
}

/// A number's text, also that of a string that holds one; `None` for null.
fn number(value: &Tree, unreadable: Reason) -> Result<Option<&str>, Reason> {
    match value {
        Tree::Null => Ok(None),
        Tree::Number(text) => Ok(Some(text)),
        Tree::String(text) if is_number(text) => Ok(Some(text)),
        _ => Err(unreadable),
    }
}

fn is_number(text: &str) -> bool {
    let is_json = serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| raw.get() == text);
    is_json && text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

fn long(value: &Tree, unreadable: Reason) -> Result<Option<i64>, Reason> {
    let Some(text) = number(value, unreadable)? else { return Ok(None) };
    match floor(text, 0) {
        None => Err(Reason::NumberOutOfRange),
        Some((_, false)) => Err(unreadable),
        Some((number, true)) => Ok(Some(number)),
    }
}

fn double(value: &Tree, unreadable: Reason) -> Result<Option<f64>, Reason> {
    let Some(text) = number(value, unreadable)? else { return Ok(None) };
    let number: f64 = text.parse().map_err(|_| unreadable)?;
    if number.is_finite() { Ok(Some(number + 0.0)) } else { Err(Reason::NumberOutOfRange) }
}

fn time(format: TimeFormat, value: &Tree) -> Result<Option<TimestampMs>, Reason> {
    let number =
        if format == TimeFormat::Iso { Err(Reason::TimeUnreadable) } else { number(value, Reason::TimeUnreadable) };
    let time = match (number, value) {
        (_, Tree::Null) => return Ok(None),
        (Ok(Some(text)), _) => from_number(format, text),
        (_, Tree::String(text)) if matches!(format, TimeFormat::Iso | TimeFormat::Auto) => {
            Some(TimestampMs::parse_iso(text).ok_or(Reason::TimeUnreadable)?)
        }
        _ => return Err(Reason::TimeUnreadable),
    };
    time.filter(|time| time.is_storable()).map(Some).ok_or(Reason::TimeOutOfRange)
}

fn from_number(format: TimeFormat, text: &str) -> Option<TimestampMs> {
    let power = match format {
        TimeFormat::Seconds => 3,
        TimeFormat::Millis | TimeFormat::Iso => 0,
        TimeFormat::Micros => -3,
        TimeFormat::Nanos => -6,
        TimeFormat::Auto => match floor(text, 0)?.0.unsigned_abs() {
            magnitude if magnitude < 100_000_000_000 => 3,
            magnitude if magnitude < 100_000_000_000_000 => 0,
            magnitude if magnitude < 100_000_000_000_000_000 => -3,
            _ => -6,
        },
    };
    Some(TimestampMs(floor(text, power)?.0))
}

/// A number times a power of ten, toward minus infinity, and whether nothing was cut off; `None` beyond 64 bits.
fn floor(text: &str, power: i64) -> Option<(i64, bool)> {
    let (is_negative, unsigned) = text.strip_prefix('-').map_or((false, text), |unsigned| (true, unsigned));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some((0, true));
    }
    let far = if exponent.starts_with('-') { -1_000_000_000 } else { 1_000_000_000 };
    let exponent: i64 = exponent.trim_start_matches('+').parse().unwrap_or(far).clamp(-1_000_000_000, 1_000_000_000);
    // The value is 0.SIGNIFICANT times ten to the power of `point`.
    let point = whole.len() as i64 - (digits.len() - significant.len()) as i64 + exponent + power;
    if point > 20 {
        return None;
    }
    let kept = point.max(0) as usize;
    let padded = format!("{significant:0<kept$}");
    let magnitude: i128 = format!("0{}", &padded[..kept]).parse().expect("at most twenty digits");
    let is_exact = padded[kept..].bytes().all(|digit| digit == b'0');
    let floor = if is_negative { -magnitude - i128::from(!is_exact) } else { magnitude };
    Some((floor.try_into().ok()?, is_exact))
}
