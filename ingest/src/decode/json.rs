//! Reads JSON records straight into rows: one pass, no tree of values, and no allocation for a record that is accepted.

mod field_tree;
mod scanner;
mod shape;

use std::fmt::Write;

use henge_segment_store::event::EventRow;
use henge_segment_store::ledger::Reason;

use self::field_tree::{FieldTree, Found, ObjectId};
use self::scanner::{ScanError, Scanner, Token};
use self::shape::Shapes;
use super::row_writer::{RowWriter, SlotId};
use super::{FIELDS_MAX, FieldValue, KafkaRecord, NESTING_MAX, Refusal};
use crate::spec::{FieldSource, KafkaField, SupervisorSpec};

/// Decodes the JSON records of one supervisor. Remembers what the last records looked like, to read those that look the
/// same sooner; what it decodes does not depend on it.
#[derive(Debug)]
pub struct JsonDecoder {
    tree: FieldTree,
    shapes: Shapes,
    /// Values that do not come from the payload.
    metadata: Vec<(SlotId, KafkaField)>,
    writer: RowWriter,
    record_bytes_max: usize,
    /// All of the last record was read, whether each value could be or not.
    is_read: bool,
    /// For strings with escapes and numbers of Kafka's.
    text: String,
}

impl JsonDecoder {
    pub fn new(spec: &SupervisorSpec) -> Self {
        let (writer, sources) = RowWriter::new(spec);
        let mut tree = FieldTree::new(sources.len());
        let mut metadata = Vec::new();
        for (slot, source) in (0..).zip(sources) {
            match source {
                FieldSource::Path(path) => tree.insert(&path, slot),
                FieldSource::Kafka(field) => metadata.push((slot, field)),
                // Computed from what other slots were filled with.
                FieldSource::Expression(_) => {}
            }
        }
        Self {
            tree,
            shapes: Shapes::default(),
            metadata,
            writer,
            record_bytes_max: spec.record_bytes_max,
            is_read: false,
            text: String::new(),
        }
    }

    /// Whether a column is read from a header, so that records have to bring theirs.
    pub fn needs_headers(&self) -> bool {
        self.metadata.iter().any(|(_, field)| matches!(field, KafkaField::Header(_)))
    }

    /// Whether a column is read from the record's own time, so that records have to bring theirs.
    pub fn needs_timestamp(&self) -> bool {
        self.metadata.iter().any(|(_, field)| *field == KafkaField::Timestamp)
    }

    /// Whether the row filter can decide on the last record, although it may have been refused.
    pub fn is_filter_readable(&self) -> bool {
        self.is_read && self.writer.is_filter_readable()
    }

    /// Fills `row`, which must have the dimensions and measures of the spec's schema, and a dimension more for each input
    /// of its transform. A count is left null: each row brings one. After a refusal the row's content has no meaning,
    /// except to a row filter that [can decide](Self::is_filter_readable).
    pub fn decode(&mut self, record: &KafkaRecord<'_>, row: &mut EventRow) -> Result<(), Refusal> {
        self.is_read = false;
        let Some(payload) = record.payload else {
            return Err(Refusal::new(Reason::Tombstone, "the record has no value"));
        };
        if payload.len() > self.record_bytes_max {
            let detail = format!("{} bytes; at most {} are allowed", payload.len(), self.record_bytes_max);
            return Err(Refusal::new(Reason::RecordTooLarge, detail));
        }
        let text = std::str::from_utf8(payload)
            .map_err(|error| Refusal::new(Reason::Malformed, format!("not UTF-8 at byte {}", error.valid_up_to())))?;
        self.writer.start(row);
        if !self.shapes.read(text, &mut self.writer, row) {
            self.writer.start(row);
            self.tree.start_record();
            let mut scanner = Scanner::new(text);
            let mut reading = Reading { tree: &mut self.tree, writer: &mut self.writer, text: &mut self.text, row };
            reading.document(&mut scanner).map_err(|error| refusal(error, &scanner))?;
            if !self.writer.has_refusal() {
                self.shapes.learn(text, &self.tree);
            }
        }
        for (slot, field) in &self.metadata {
            write_metadata(&mut self.writer, *slot, field, record, &mut self.text, row);
        }
        self.is_read = true;
        self.writer.finish(row)
    }
}

fn refusal(error: ScanError, scanner: &Scanner<'_>) -> Refusal {
    let at = scanner.byte_offset();
    match error {
        ScanError::Malformed(what) => Refusal::new(Reason::Malformed, format!("{what} at byte {at}")),
        ScanError::NotAnObject => Refusal::new(Reason::NotAnObject, "the record's value is JSON, but no object"),
        ScanError::NestedTooDeep => {
            Refusal::new(Reason::NestedTooDeep, format!("more than {NESTING_MAX} levels at byte {at}"))
        }
        ScanError::TooManyFields => {
            Refusal::new(Reason::TooManyFields, format!("more than {FIELDS_MAX} keys at byte {at}"))
        }
    }
}

fn write_metadata(
    writer: &mut RowWriter,
    slot: SlotId,
    field: &KafkaField,
    record: &KafkaRecord<'_>,
    text: &mut String,
    row: &mut EventRow,
) {
    let number = match field {
        KafkaField::Partition => Some(i64::from(record.partition)),
        KafkaField::Offset => Some(record.offset),
        KafkaField::Timestamp => record.timestamp,
        KafkaField::Topic => return writer.write(slot, FieldValue::String(record.topic), row),
        KafkaField::Key => return write_bytes(writer, slot, record.key, "the record's key", row),
        KafkaField::Header(name) => {
            let header = record.headers.iter().rev().find(|(header, _)| header == name).and_then(|(_, value)| *value);
            return write_bytes(writer, slot, header, "the header", row);
        }
    };
    let Some(number) = number else { return };
    text.clear();
    write!(text, "{number}").expect("a String takes all text");
    writer.write(slot, FieldValue::Number(text), row);
}

fn write_bytes(writer: &mut RowWriter, slot: SlotId, bytes: Option<&[u8]>, what: &str, row: &mut EventRow) {
    match bytes.map(std::str::from_utf8) {
        None => {}
        Some(Ok(text)) => writer.write(slot, FieldValue::String(text), row),
        Some(Err(_)) => writer.refuse_bytes(slot, what),
    }
}

/// What one record's reading writes to.
struct Reading<'r> {
    tree: &'r mut FieldTree,
    writer: &'r mut RowWriter,
    text: &'r mut String,
    row: &'r mut EventRow,
}

impl Reading<'_> {
    fn document(&mut self, scanner: &mut Scanner<'_>) -> Result<(), ScanError> {
        if scanner.begin()? == Token::Object {
            self.object(scanner, FieldTree::ROOT, 1)?;
            return scanner.end();
        }
        // What is wrong with the text comes before what is wrong with its kind.
        scanner.restart();
        scanner.skip_value(0, self.text)?;
        scanner.end()?;
        Err(ScanError::NotAnObject)
    }

    /// Reads an object whose brace has been read. `depth` counts it.
    fn object(&mut self, scanner: &mut Scanner<'_>, object: ObjectId, depth: usize) -> Result<(), ScanError> {
        if scanner.is_empty_object()? {
            return Ok(());
        }
        for position in 0.. {
            scanner.begin_key()?;
            match self.tree.find(object, position, scanner, self.text)? {
                None => scanner.skip_value(depth, self.text)?,
                Some(field) => self.field(scanner, field, depth)?,
            }
            if scanner.is_last_field()? {
                break;
            }
        }
        Ok(())
    }

    fn field(&mut self, scanner: &mut Scanner<'_>, field: Found, depth: usize) -> Result<(), ScanError> {
        for slot in self.tree.repeated_slots(field) {
            self.writer.erase(slot, self.row);
        }
        let token = scanner.begin_value()?;
        let value = match token {
            Token::Null => FieldValue::Null,
            Token::Boolean(flag) => FieldValue::Boolean(flag),
            Token::Number => FieldValue::Number(scanner.number()?),
            Token::String => FieldValue::String(scanner.string(self.text)?),
            Token::Array => FieldValue::Array,
            Token::Object => FieldValue::Object,
        };
        for slot in self.tree.slots(field) {
            self.writer.write(slot, value, self.row);
        }
        match (token, self.tree.inner(field)) {
            (Token::Object, Some(inner)) => {
                scanner.check_depth(depth + 1)?;
                self.object(scanner, inner, depth + 1)
            }
            (Token::Object | Token::Array, _) => scanner.skip_rest(token, depth + 1, self.text),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
