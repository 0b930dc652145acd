//! Records that look like earlier ones: the same keys in the same order, and plain values between them.
//!
//! A shape is the text of a record without its values. Where a record's text between its values is that of a shape, byte
//! for byte, and each value is a whole JSON scalar, then the record is JSON with that shape's keys, and nothing of it has
//! to be looked up. Everything else is left to the [reader](super::Reading) of any record: other keys, nested values,
//! strings with escapes, values that are refused, and text that is no JSON.

use henge_segment_store::event::EventRow;
use rustc_hash::FxHashSet;

use super::field_tree::FieldTree;
use super::scanner::{ScanError, Scanner, Token, plain_length};
use crate::decode::FieldValue;
use crate::decode::number::{number_length, whole_digits};
use crate::decode::row_writer::{RowWriter, SlotId};

/// Shapes that are remembered: a topic has few kinds of producers.
const SHAPES_MAX: usize = 4;
/// Keys of a record whose shape is remembered.
const KEYS_MAX: usize = 256;
/// Text of a record whose shape is remembered, which bounds what the shapes hold.
const RECORD_BYTES_MAX: usize = 64 * 1024;
/// Records of unknown shape between two attempts to learn one, at the most.
const PAUSE_MAX: u32 = 1_024;

/// The shapes of recent records, the last one first.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    known: Vec<Shape>,
    /// Records of unknown shape until one is learned from. Doubles with each, so that a topic without shapes costs little.
    pause: u32,
    left: u32,
}

#[derive(Debug)]
struct Shape {
    fields: Vec<Field>,
    /// What follows the last value.
    end: Box<str>,
}

#[derive(Debug)]
struct Field {
    /// What stands between the value before and this one.
    before: Box<str>,
    slots: Box<[SlotId]>,
}

impl Shapes {
    /// Fills the row from a record of a known shape. `false` for other records and for those with a value that is refused:
    /// then the row and the writer have to be started anew.
    #[inline]
    pub(super) fn read(&mut self, text: &str, writer: &mut RowWriter, row: &mut EventRow) -> bool {
        for index in 0..self.known.len() {
            if index > 0 {
                writer.start(row);
            }
            if self.known[index].read(text, writer, row).is_some() {
                self.known[..=index].rotate_right(1);
                return true;
            }
        }
        false
    }

    /// Learns from a record of unknown shape that was accepted, from time to time.
    pub(super) fn learn(&mut self, text: &str, tree: &FieldTree) {
        if self.left > 0 {
            self.left -= 1;
            return;
        }
        self.pause = (self.pause * 2).clamp(1, PAUSE_MAX);
        self.left = self.pause;
        if let Ok(Some(shape)) = Shape::of(text, tree) {
            self.known.truncate(SHAPES_MAX - 1);
            self.known.insert(0, shape);
        }
    }
}

impl Shape {
    /// `None` where the record has more than plain values, or a key twice.
    fn of(text: &str, tree: &FieldTree) -> Result<Option<Self>, ScanError> {
        let (mut scanner, mut buffer) = (Scanner::new(text), String::new());
        if text.len() > RECORD_BYTES_MAX || scanner.begin()? != Token::Object || scanner.is_empty_object()? {
            return Ok(None);
        }
        let (mut fields, mut keys, mut end) = (Vec::new(), FxHashSet::default(), 0);
        loop {
            scanner.begin_key()?;
            let key = scanner.string(&mut buffer)?;
            if fields.len() == KEYS_MAX || !keys.insert(key.to_owned()) {
                return Ok(None);
            }
            let slots = tree.plain_slots(key);
            scanner.colon()?;
            let before = &text[end..scanner.next_value()];
            match scanner.begin_value()? {
                Token::Null | Token::Boolean(_) => {}
                Token::Number => _ = scanner.number()?,
                Token::String => _ = scanner.string(&mut buffer)?,
                Token::Array | Token::Object => return Ok(None),
            }
            end = scanner.byte_offset();
            fields.push(Field { before: before.into(), slots });
            if scanner.is_last_field()? {
                return Ok(Some(Self { fields, end: text[end..].into() }));
            }
        }
    }

    #[inline]
    fn read(&self, text: &str, writer: &mut RowWriter, row: &mut EventRow) -> Option<()> {
        let mut rest = text;
        for field in &self.fields {
            rest = rest.strip_prefix(&*field.before)?;
            let first = *rest.as_bytes().first()?;
            if first == b'"' {
                let end = 1 + plain_length(&rest.as_bytes()[1..]);
                if rest.as_bytes().get(end) != Some(&b'"') {
                    return None;
                }
                write(field, FieldValue::String(&rest[1..end]), writer, row);
                rest = &rest[end + 1..];
            } else if first.is_ascii_digit() || first == b'-' {
                rest = number(field, rest, writer, row)?;
            } else {
                rest = word(field, rest, writer, row)?;
            }
        }
        (rest == &*self.end && !writer.has_refusal()).then_some(())
    }
}

/// Reads the number that `rest` begins with; what follows it.
#[inline]
fn number<'a>(field: &Field, rest: &'a str, writer: &mut RowWriter, row: &mut EventRow) -> Option<&'a str> {
    if let Some((number, length)) = whole_digits(rest.as_bytes()) {
        let text = &rest[..length];
        for &slot in &field.slots {
            if !writer.write_whole(slot, number, row) {
                writer.write(slot, FieldValue::Number(text), row);
            }
        }
        return Some(&rest[length..]);
    }
    let length = number_length(rest.as_bytes())?;
    write(field, FieldValue::Number(&rest[..length]), writer, row);
    Some(&rest[length..])
}

/// Reads `null`, `true` or `false`; what follows it.
fn word<'a>(field: &Field, rest: &'a str, writer: &mut RowWriter, row: &mut EventRow) -> Option<&'a str> {
    let words =
        [("null", FieldValue::Null), ("true", FieldValue::Boolean(true)), ("false", FieldValue::Boolean(false))];
    let (rest, value) = words.into_iter().find_map(|(word, value)| Some((rest.strip_prefix(word)?, value)))?;
    write(field, value, writer, row);
    Some(rest)
}

#[inline]
fn write(field: &Field, value: FieldValue<'_>, writer: &mut RowWriter, row: &mut EventRow) {
    field.slots.iter().for_each(|&slot| writer.write(slot, value, row));
}
