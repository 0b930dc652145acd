//! Values of `$1`, `$2`, .. as clients send them.

use bytes::{Buf, Bytes};
use henge_query::request::Parameter;
use henge_segment_store::time::TimestampMs;

use super::failure::Failure;
use super::message::Format;
use super::numeric;

/// 2000-01-01, from which PostgreSQL counts.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const EPOCH_DAYS: i32 = 10_957;

/// From PostgreSQL's `pg_type.dat`.
mod oid {
    pub const BOOL: u32 = 16;
    pub const CHAR: u32 = 18;
    pub const NAME: u32 = 19;
    pub const INT8: u32 = 20;
    pub const INT2: u32 = 21;
    pub const INT4: u32 = 23;
    pub const TEXT: u32 = 25;
    pub const OID: u32 = 26;
    pub const FLOAT4: u32 = 700;
    pub const FLOAT8: u32 = 701;
    pub const UNKNOWN: u32 = 705;
    pub const BPCHAR: u32 = 1042;
    pub const VARCHAR: u32 = 1043;
    pub const DATE: u32 = 1082;
    pub const TIMESTAMP: u32 = 1114;
    pub const TIMESTAMPTZ: u32 = 1184;
    pub const NUMERIC: u32 = 1700;
    pub const UUID: u32 = 2950;
    /// Arrays and their items.
    pub const ARRAYS: [(u32, u32); 12] = [
        (1000, BOOL),
        (1003, NAME),
        (1005, INT2),
        (1007, INT4),
        (1009, TEXT),
        (1014, BPCHAR),
        (1015, VARCHAR),
        (1016, INT8),
        (1021, FLOAT4),
        (1022, FLOAT8),
        (1115, TIMESTAMP),
        (1185, TIMESTAMPTZ),
    ];
}

/// Reads a value of a type; 0 is one that nobody has said. `number`: of the parameter, from 1.
pub fn read(value: Option<&Bytes>, kind: u32, format: Format, number: usize) -> Result<Parameter, Failure> {
    let Some(bytes) = value else { return Ok(Parameter::Null) };
    let read = match format {
        Format::Text => std::str::from_utf8(bytes).ok().and_then(|text| of_text(text, kind)),
        Format::Binary => of_binary(bytes.clone(), kind),
    };
    read.ok_or_else(|| {
        let form = if format == Format::Text { "text" } else { "binary" };
        Failure::new("22P02", format!("the {form} of ${number} is no value of its type (oid {kind})"))
    })
}

fn of_text(text: &str, kind: u32) -> Option<Parameter> {
    Some(match kind {
        oid::BOOL => Parameter::Boolean(match text.trim().to_ascii_lowercase().as_str() {
            "t" | "true" | "1" | "on" | "yes" => true,
            "f" | "false" | "0" | "off" | "no" => false,
            _ => return None,
        }),
        oid::INT2 | oid::INT4 | oid::INT8 | oid::OID => Parameter::Long(text.trim().parse().ok()?),
        oid::FLOAT4 | oid::FLOAT8 => Parameter::Double(text.trim().parse().ok()?),
        oid::NUMERIC => number(text.trim())?,
        // What a text means, a time for one, depends on what it is compared with.
        _ => match item_of(kind) {
            Some(item) => Parameter::Array(array_of_text(text, item)?),
            None => Parameter::String(text.to_owned()),
        },
    })
}

/// A whole number is a long, as far as it is one.
fn number(text: &str) -> Option<Parameter> {
    match text.parse() {
        Ok(whole) => Some(Parameter::Long(whole)),
        Err(_) => text.parse().ok().map(Parameter::Double),
    }
}

fn item_of(kind: u32) -> Option<u32> {
    oid::ARRAYS.iter().find(|(array, _)| *array == kind).map(|(_, item)| *item)
}

/// `{1,"a b",NULL}`; arrays within arrays are none that a parameter can be.
fn array_of_text(text: &str, kind: u32) -> Option<Vec<Parameter>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    if inner.trim().is_empty() {
        return Some(Vec::new());
    }
    let mut items = Vec::new();
    let (mut item, mut is_quoted, mut was_quoted) = (String::new(), false, false);
    let mut push = |item: &mut String, was_quoted: &mut bool| -> Option<()> {
        let text = std::mem::take(item);
        let is_null = !std::mem::take(was_quoted) && text.eq_ignore_ascii_case("null");
        items.push(if is_null { Parameter::Null } else { of_text(&text, kind)? });
        Some(())
    };
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => (is_quoted, was_quoted) = (!is_quoted, true),
            '\\' => item.push(characters.next()?),
            ',' if !is_quoted => push(&mut item, &mut was_quoted)?,
            '{' | '}' if !is_quoted => return None,
            other => item.push(other),
        }
    }
    push(&mut item, &mut was_quoted)?;
    (!is_quoted).then_some(items)
}

fn of_binary(mut bytes: Bytes, kind: u32) -> Option<Parameter> {
    let value = match kind {
        oid::BOOL => Parameter::Boolean(bytes.try_get_u8().ok()? != 0),
        oid::INT2 => Parameter::Long(bytes.try_get_i16().ok()?.into()),
        oid::INT4 => Parameter::Long(bytes.try_get_i32().ok()?.into()),
        oid::OID => Parameter::Long(bytes.try_get_u32().ok()?.into()),
        oid::INT8 => Parameter::Long(bytes.try_get_i64().ok()?),
        oid::FLOAT4 => Parameter::Double(bytes.try_get_f32().ok()?.into()),
        oid::FLOAT8 => Parameter::Double(bytes.try_get_f64().ok()?),
        oid::DATE => Parameter::Date(bytes.try_get_i32().ok()?.checked_add(EPOCH_DAYS)?),
        oid::TIMESTAMP | oid::TIMESTAMPTZ => {
            let micros = bytes.try_get_i64().ok()?.checked_add(EPOCH_MICROS)?;
            Parameter::Timestamp(TimestampMs(micros.div_euclid(1_000)))
        }
        oid::NUMERIC => number(&numeric::read(&std::mem::take(&mut bytes))?)?,
        oid::UUID => Parameter::String(uuid::Uuid::from_slice(&std::mem::take(&mut bytes)).ok()?.to_string()),
        oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME | oid::CHAR | oid::UNKNOWN | 0 => {
            Parameter::String(String::from_utf8(std::mem::take(&mut bytes).into()).ok()?)
        }
        _ => Parameter::Array(array_of_binary(&mut bytes, item_of(kind)?)?),
    };
    bytes.is_empty().then_some(value)
}

fn array_of_binary(bytes: &mut Bytes, kind: u32) -> Option<Vec<Parameter>> {
    let (dimensions, _has_nulls, _item) =
        (bytes.try_get_i32().ok()?, bytes.try_get_i32().ok()?, bytes.try_get_u32().ok()?);
    match dimensions {
        0 => return Some(Vec::new()),
        1 => {}
        _ => return None,
    }
    let (count, _first) = (bytes.try_get_u32().ok()?, bytes.try_get_i32().ok()?);
    let item = |_| {
        let length = bytes.try_get_i32().ok()?;
        let Ok(length) = usize::try_from(length) else { return Some(Parameter::Null) };
        if length > bytes.len() { None } else { of_binary(bytes.split_to(length), kind) }
    };
    (0..count).map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &'static str, kind: u32) -> Option<Parameter> {
        read(Some(&Bytes::from_static(value.as_bytes())), kind, Format::Text, 1).ok()
    }

    fn binary(value: &[u8], kind: u32) -> Option<Parameter> {
        read(Some(&Bytes::copy_from_slice(value)), kind, Format::Binary, 1).ok()
    }

    #[test]
    fn texts_become_values_of_their_types() {
        let string = |text: &str| Some(Parameter::String(text.into()));
        let array = |items: &[&str]| {
            Some(Parameter::Array(items.iter().map(|item| Parameter::String((*item).into())).collect()))
        };
        let cases = [
            ("t", oid::BOOL, Some(Parameter::Boolean(true))),
            ("maybe", oid::BOOL, None),
            ("-5", oid::INT4, Some(Parameter::Long(-5))),
            ("x", oid::INT8, None),
            ("1.5", oid::NUMERIC, Some(Parameter::Double(1.5))),
            ("15", oid::NUMERIC, Some(Parameter::Long(15))),
            ("2026-01-01", oid::TIMESTAMPTZ, string("2026-01-01")),
            ("it's", 0, string("it's")),
            ("{}", 1009, array(&[])),
            (r#"{a,"b,\"c"}"#, 1009, array(&["a", "b,\"c"])),
            ("{{a}}", 1009, None),
            ("{1,NULL}", 1016, Some(Parameter::Array(vec![Parameter::Long(1), Parameter::Null]))),
        ];
        for (value, kind, expected) in cases {
            assert_eq!(text(value, kind), expected, "{value}");
        }
        assert_eq!(read(None, oid::INT8, Format::Binary, 1), Ok(Parameter::Null));
    }

    #[test]
    fn bytes_become_values_of_their_types() {
        let list = [
            &1_i32.to_be_bytes()[..],
            &0_i32.to_be_bytes(),
            &23_u32.to_be_bytes(),
            &2_i32.to_be_bytes(),
            &1_i32.to_be_bytes(),
            &4_i32.to_be_bytes(),
            &9_i32.to_be_bytes(),
            &(-1_i32).to_be_bytes(),
        ];
        let cases = [
            (vec![1], oid::BOOL, Some(Parameter::Boolean(true))),
            (7_i16.to_be_bytes().into(), oid::INT2, Some(Parameter::Long(7))),
            (7_i32.to_be_bytes().into(), oid::INT8, None),
            (0.5_f64.to_be_bytes().into(), oid::FLOAT8, Some(Parameter::Double(0.5))),
            (
                1_999_i64.to_be_bytes().into(),
                oid::TIMESTAMPTZ,
                Some(Parameter::Timestamp(TimestampMs(946_684_800_001))),
            ),
            (0_i32.to_be_bytes().into(), oid::DATE, Some(Parameter::Date(EPOCH_DAYS))),
            (b"a".to_vec(), 0, Some(Parameter::String("a".into()))),
            (b"\xff".to_vec(), oid::TEXT, None),
            (list.concat(), 1007, Some(Parameter::Array(vec![Parameter::Long(9), Parameter::Null]))),
            (list.concat()[..30].to_vec(), 1007, None),
            (vec![0; 8], 600, None),
        ];
        for (value, kind, expected) in cases {
            assert_eq!(binary(&value, kind), expected, "{value:?}");
        }
    }
}
