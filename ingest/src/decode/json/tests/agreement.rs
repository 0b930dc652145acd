//! The decoder agrees with a reference that parses with serde_json and then looks the values up.

use proptest::prelude::*;
use serde_json::{Number, Value};

use super::*;

/// JSON as it is written: keys may repeat, and every value has its text.
#[derive(Debug, Clone)]
enum Written {
    Scalar(String),
    Array(Vec<Written>),
    Object(Vec<(String, Written)>),
}

impl Written {
    fn write(&self, space: &str, out: &mut String) {
        match self {
            Self::Scalar(text) => out.push_str(text),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { space } else { "," });
                    item.write(space, out);
                }
                out.push(']');
            }
            Self::Object(fields) => {
                out.push('{');
                for (index, (key, value)) in fields.iter().enumerate() {
                    out.push_str(if index == 0 { space } else { "," });
                    out.push_str(&serde_json::to_string(key).expect("text is JSON"));
                    out.push_str(space);
                    out.push(':');
                    value.write(space, out);
                    out.push_str(space);
                }
                out.push('}');
            }
        }
    }
}

fn key() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] =
        &["ts", "s", "l", "d", "b", "user", "id", "user.id", "a", "a.b", "a.b.c", "c", "n", "x", "u", ""];
    prop_oneof![9 => proptest::sample::select(KNOWN).prop_map(str::to_owned), 1 => ".{0,5}"]
}

fn scalar() -> impl Strategy<Value = String> {
    // Doubles of at most 15 digits: their text is their exact value, and serde_json reads it exactly.
    let double = (-(1_i64 << 35)..1 << 35).prop_map(|units| units as f64 / 64.0);
    prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        (0_i64..3_000_000_000_000).prop_map(|number| number.to_string()),
        double.clone().prop_map(|number| Value::from(number).to_string()),
        double.prop_map(|number| format!("\"{number}\"")),
        (-1000_i64..1000).prop_map(|number| format!("\"{number}\"")),
        ".{0,12}".prop_map(|text| Value::from(text).to_string()),
        "[\"\\\\a-z\u{e9}\u{1f600}\u{1}]{0,30}".prop_map(|text| Value::from(text).to_string()),
        Just("\"2026-01-01T00:00:00.5Z\"".to_owned()),
        Just("\"true\"".to_owned()),
    ]
}

fn value() -> impl Strategy<Value = Written> {
    scalar().prop_map(Written::Scalar).prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Written::Array),
            3 => prop::collection::vec((key(), inner), 0..5).prop_map(Written::Object),
        ]
    })
}

fn document() -> impl Strategy<Value = String> {
    let fields = prop::collection::vec((key(), value()), 0..12);
    // Half of the documents surely have a time, so that the other columns are compared too.
    let time = prop_oneof![Just(None), (0_i64..2_000_000_000).prop_map(Some)];
    (fields, time, prop_oneof![Just(""), Just(" "), Just("\n\t ")]).prop_map(|(mut fields, time, space)| {
        fields.extend(time.map(|time| ("ts".to_owned(), Written::Scalar(time.to_string()))));
        let mut text = String::new();
        Written::Object(fields).write(space, &mut text);
        text
    })
}

/// Row by row and value by value, with the reason alone of a refusal.
mod naive {
    use super::*;

    type Read<T> = Result<Option<T>, Reason>;

    /// The literal key of the whole path, else the nested value.
    fn find<'v>(document: &'v Value, path: &str) -> &'v Value {
        let nested = || path.split('.').try_fold(document, |value, key| value.get(key)).unwrap_or(&Value::Null);
        document.get(path).unwrap_or_else(nested)
    }

    fn number_of(value: &Value, unreadable: Reason) -> Read<Number> {
        match value {
            Value::Null => Ok(None),
            Value::Number(number) => Ok(Some(number.clone())),
            Value::String(text) => match serde_json::from_str::<Number>(text) {
                Ok(number) if text.trim() == text => Ok(Some(number)),
                _ => Err(unreadable),
            },
            _ => Err(unreadable),
        }
    }

    fn long(value: &Value, unreadable: Reason) -> Read<i64> {
        let Some(number) = number_of(value, unreadable)? else { return Ok(None) };
        match number.as_f64() {
            _ if number.is_i64() => Ok(number.as_i64()),
            _ if number.is_u64() => Err(Reason::NumberOutOfRange),
            Some(double) if double.fract() != 0.0 => Err(unreadable),
            Some(double) if double.abs() < 9e18 => Ok(Some(double as i64)),
            _ => Err(Reason::NumberOutOfRange),
        }
    }

    fn double(value: &Value, unreadable: Reason) -> Read<f64> {
        Ok(number_of(value, unreadable)?.map(|number| number.as_f64().expect("numbers are finite") + 0.0))
    }

    fn string(value: &Value) -> Read<String> {
        match value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            Value::Number(_) | Value::Bool(_) => Ok(Some(value.to_string())),
            _ => Err(Reason::DimensionUnreadable),
        }
    }

    fn boolean(value: &Value) -> Read<bool> {
        match value.as_bool().or_else(|| value.as_str().and_then(|text| text.parse().ok())) {
            None if !value.is_null() => Err(Reason::DimensionUnreadable),
            flag => Ok(flag),
        }
    }

    fn time(value: &Value) -> Result<TimestampMs, Reason> {
        let number = match number_of(value, Reason::TimeUnreadable) {
            Ok(number) => number.ok_or(Reason::TimeMissing)?,
            Err(reason) => {
                let time = value.as_str().and_then(TimestampMs::parse_iso).ok_or(reason)?;
                return if time.is_storable() { Ok(time) } else { Err(Reason::TimeOutOfRange) };
            }
        };
        // Units of 1/64 have at most six decimals, so a fixed point of nanoseconds holds every number exactly.
        let nano_units: i128 = match number.as_f64() {
            _ if number.is_i64() => i128::from(number.as_i64().expect("checked")) * 1_000_000_000,
            _ if number.is_u64() => return Err(Reason::TimeOutOfRange),
            Some(double) => (double * 64.0) as i128 * 15_625_000,
            None => return Err(Reason::TimeOutOfRange),
        };
        let floor = nano_units.div_euclid(1_000_000_000).unsigned_abs();
        let divisor = match floor {
            0..100_000_000_000 => 1_000_000,
            100_000_000_000..100_000_000_000_000 => 1_000_000_000,
            100_000_000_000_000..100_000_000_000_000_000 => 1_000_000_000_000,
            _ => 1_000_000_000_000_000,
        };
        let time = TimestampMs(i64::try_from(nano_units.div_euclid(divisor)).map_err(|_| Reason::TimeOutOfRange)?);
        if time.is_storable() { Ok(time) } else { Err(Reason::TimeOutOfRange) }
    }

    pub(super) fn decode(text: &str) -> Result<String, Reason> {
        let document: Value = serde_json::from_str(text).map_err(|_| Reason::Malformed)?;
        let field = |path| find(&document, path);
        let (dimension, measure) = (Reason::DimensionUnreadable, Reason::MeasureUnreadable);
        let mut row = new_row();
        row.time = time(field("ts"))?;
        for (index, path) in [(0, "s"), (4, "user.id")] {
            if let Some(text) = string(field(path))? {
                row.set_dimension(index, DimensionValue::String(&text));
            }
            if index == 0 {
                let number = long(field("l"), dimension)?;
                row.set_dimension(1, number.map_or(DimensionValue::Null, DimensionValue::Long));
                let number = double(field("d"), dimension)?;
                row.set_dimension(2, number.map_or(DimensionValue::Null, DimensionValue::Double));
                let flag = boolean(field("b"))?;
                row.set_dimension(3, flag.map_or(DimensionValue::Null, DimensionValue::Boolean));
            }
        }
        let number = long(field("a.b.c"), dimension)?;
        row.set_dimension(5, number.map_or(DimensionValue::Null, DimensionValue::Long));
        let number = long(field("n"), measure)?.map_or(MeasureValue::Null, MeasureValue::Long);
        row.set_measure(1, number);
        row.set_measure(3, number);
        row.set_measure(2, double(field("x"), measure)?.map_or(MeasureValue::Null, MeasureValue::Double));
        Ok(shown(&row))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_decoder_agrees_with_a_parse_and_look_up(documents in prop::collection::vec(document(), 1..5)) {
        // One decoder for all, so that it predicts keys from documents of another shape.
        let mut decoder = JsonDecoder::new(&spec());
        for text in documents {
            let decoded = decode(&mut decoder, text.as_bytes()).map_err(|refusal| refusal.reason);
            prop_assert_eq!(decoded, naive::decode(&text), "{}", text);
        }
    }

    #[test]
    fn what_is_json_is_decided_as_serde_json_decides(
        text in document(),
        at in any::<prop::sample::Index>(),
        byte in prop_oneof![any::<u8>(), prop::sample::select(b"{}[]\",:\\0019.eE-+tfnu ".as_slice())],
        is_replaced in any::<bool>(),
    ) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        if is_replaced {
            bytes[at] = byte;
        } else {
            bytes.insert(at, byte);
        }
        let decoded = decode(&mut JsonDecoder::new(&spec()), &bytes);
        let is_malformed = decoded.is_err_and(|refusal| refusal.reason == Reason::Malformed);
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(_) => prop_assert!(!is_malformed),
            // Numbers have to fit into a double there, which is decided before the rest of the text is seen.
            Err(error) if error.to_string().contains("number out of range") => {}
            Err(error) => prop_assert!(is_malformed, "{}", error),
        }
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(decode(&mut JsonDecoder::new(&spec()), &bytes).is_err());
    }
}
