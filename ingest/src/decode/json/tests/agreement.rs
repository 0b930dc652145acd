//! The decoder agrees with a reference that parses with serde_json and then looks the values up.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::decode::naive;

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_decoder_agrees_with_a_parse_and_look_up(documents in prop::collection::vec(document(), 1..5)) {
        // One decoder for all, so that it predicts keys from documents of another shape.
        let mut decoder = JsonDecoder::new(&spec());
        for text in documents {
            let decoded = decode(&mut decoder, text.as_bytes()).map_err(|refusal| refusal.reason);
            let expected = naive::decode(&spec(), text.as_bytes()).map(|row| shown(&row));
            prop_assert_eq!(decoded, expected, "{}", text);
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
