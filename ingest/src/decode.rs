//! Turns one Kafka record into one [`EventRow`](henge_segment_store::event::EventRow), or says why it cannot.
//!
//! | value in the record | string dimension | long | double | boolean |
//! |---|---|---|---|---|
//! | absent, `null` | null | null | null | null |
//! | `"text"` | as it is | the number in it | the number in it | `"true"`, `"false"` |
//! | number | its digits as written | if whole, also `3.0` and `1e3` | nearest double | refused |
//! | `true`, `false` | `"true"`, `"false"` | refused | refused | as it is |
//! | object, array | refused | refused | refused | refused |
//!
//! Measures are read like long or double dimensions. Whole numbers are read digit by digit and never pass through a
//! double; one beyond 64 bits is refused, and so is a double that would be infinite. A number in a string follows JSON's
//! grammar: no spaces, no `+`, no `NaN`, no leading zeros. A double has no negative zero. Of a key that occurs twice in
//! one object, the last value counts.
//!
//! Only what a column needs is looked at, but all of the record has to be valid JSON (RFC 8259) without a byte order
//! mark and without lone surrogates, within the limits below. A value is refused only if a column needs it.

mod event_time;
pub mod json;
#[cfg(feature = "test-support")]
pub mod naive;
mod number;
mod row_writer;

use std::fmt;

use henge_segment_store::ledger::Reason;

/// Levels of objects and arrays in a record. Deeper ones are attacks or accidents, and each level costs stack.
pub const NESTING_MAX: usize = 64;
/// Keys in all objects of a record together; as many as a datasource may have columns.
pub const FIELDS_MAX: usize = 2_000;
/// Bytes of a string that becomes a dimension's value.
pub const STRING_BYTES_MAX: usize = 64 * 1024;

/// A record as it came from Kafka.
#[derive(Debug, Clone, Copy)]
pub struct KafkaRecord<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    /// Milliseconds since 1970; `None` where the broker has none, and may be unless
    /// [`json::JsonDecoder::needs_timestamp`].
    pub timestamp: Option<i64>,
    pub key: Option<&'a [u8]>,
    /// In their order; may be left empty unless [`json::JsonDecoder::needs_headers`].
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
    /// `None`: a tombstone.
    pub payload: Option<&'a [u8]>,
}

/// Why a record does not become a row. Data, not an error: it is counted in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    /// What exactly is wrong, in words; holds at most a short piece of the record.
    pub detail: String,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.reason, self.detail)
    }
}

/// The whole number that a text holds, its fraction cut off; `None` for other texts, and beyond 64 bits.
pub(crate) fn truncated_long_of_text(text: &str) -> Option<i64> {
    let text = text.trim();
    let scaled = number::is_number(text).then(|| number::scaled(text, 0))??;
    Some(if scaled.floor < 0 && !scaled.is_exact { scaled.floor + 1 } else { scaled.floor })
}

/// The number that a text holds; `None` for other texts, and beyond what a double holds.
pub(crate) fn double_of_text(text: &str) -> Option<f64> {
    let text = text.trim();
    number::is_number(text).then(|| number::double(text).ok())?
}

/// A value in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldValue<'a> {
    Null,
    Boolean(bool),
    /// In JSON's grammar, as written.
    Number(&'a str),
    String(&'a str),
    Array,
    Object,
}

/// In messages: what is there, in few characters.
impl fmt::Display for FieldValue<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_CHARS: usize = 40;
        let short = |text: &str| match text.char_indices().nth(SHOWN_CHARS) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text.to_owned(),
        };
        match self {
            Self::Null => out.write_str("null"),
            Self::Boolean(flag) => write!(out, "{flag}"),
            Self::Number(text) => out.write_str(&short(text)),
            Self::String(text) => write!(out, "the string {:?}", short(text)),
            Self::Array => out.write_str("an array"),
            Self::Object => out.write_str("an object"),
        }
    }
}
