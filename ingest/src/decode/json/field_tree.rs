//! Which keys of a record lead to which slots of a row.

use rustc_hash::FxHashMap;

use super::scanner::{ScanError, Scanner};
use crate::decode::row_writer::SlotId;

/// An object whose keys matter, numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ObjectId(usize);

/// A key that matters, and whether its object had it before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    field: usize,
    is_repeated: bool,
}

/// Keys longer than this are not predicted, which bounds what is remembered of records.
const PREDICTED_BYTES_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct FieldTree {
    objects: Vec<Object>,
    fields: Vec<Field>,
    /// By slot: the record that last had the slot's whole path as one key.
    literal_seen: Vec<u64>,
    /// Counts records, so that nothing has to be reset between them.
    record: u64,
}

#[derive(Debug, Default)]
struct Object {
    keys: FxHashMap<Box<str>, usize>,
    /// By position in the object.
    predicted: Vec<Prediction>,
}

#[derive(Debug)]
struct Prediction {
    key_and_quote: String,
    field: Option<usize>,
}

#[derive(Debug, Default)]
struct Field {
    slots: Vec<Destination>,
    inner: Option<ObjectId>,
    /// Slots somewhere below `inner`.
    inner_slots: Vec<SlotId>,
    seen: u64,
}

#[derive(Debug, Clone, Copy)]
struct Destination {
    slot: SlotId,
    /// The key is a path of several keys, literally; it outranks the nested one.
    is_literal: bool,
}

impl FieldTree {
    pub(super) const ROOT: ObjectId = ObjectId(0);

    pub(super) fn new(slots: usize) -> Self {
        Self { objects: vec![Object::default()], fields: Vec::new(), literal_seen: vec![0; slots], record: 0 }
    }

    /// Leads `path` to `slot`. The path is not empty.
    pub(super) fn insert(&mut self, path: &[String], slot: SlotId) {
        let (last, outer) = path.split_last().expect("a path has a key");
        if !outer.is_empty() {
            let literal = self.field_of(Self::ROOT, &path.join("."));
            self.fields[literal].slots.push(Destination { slot, is_literal: true });
        }
        let mut object = Self::ROOT;
        for key in outer {
            let field = self.field_of(object, key);
            self.fields[field].inner_slots.push(slot);
            object = match self.fields[field].inner {
                Some(inner) => inner,
                None => {
                    self.objects.push(Object::default());
                    *self.fields[field].inner.insert(ObjectId(self.objects.len() - 1))
                }
            };
        }
        let field = self.field_of(object, last);
        self.fields[field].slots.push(Destination { slot, is_literal: false });
    }

    fn field_of(&mut self, object: ObjectId, key: &str) -> usize {
        let fields = &mut self.fields;
        *self.objects[object.0].keys.entry(key.into()).or_insert_with(|| {
            fields.push(Field::default());
            fields.len() - 1
        })
    }

    pub(super) fn start_record(&mut self) {
        self.record += 1;
    }

    /// Reads the key that was begun at `position` in `object`, with its colon. `None` for a key that does not matter.
    #[inline]
    pub(super) fn find(
        &mut self,
        object: ObjectId,
        position: usize,
        scanner: &mut Scanner<'_>,
        buffer: &mut String,
    ) -> Result<Option<Found>, ScanError> {
        let object = &mut self.objects[object.0];
        let field = match object.predicted.get(position) {
            Some(predicted) if scanner.take_key(&predicted.key_and_quote) => predicted.field,
            _ => {
                let key = scanner.string(buffer)?;
                let field = object.keys.get(key).copied();
                object.predict(position, key, field);
                field
            }
        };
        scanner.colon()?;
        let Some(field) = field else { return Ok(None) };
        let seen = std::mem::replace(&mut self.fields[field].seen, self.record);
        Ok(Some(Found { field, is_repeated: seen == self.record }))
    }

    /// Slots below a key that occurs again: its last value counts, so what the earlier ones held is void.
    pub(super) fn repeated_slots(&self, found: Found) -> impl Iterator<Item = SlotId> + use<'_> {
        let slots = if found.is_repeated { self.fields[found.field].inner_slots.as_slice() } else { &[] };
        slots.iter().copied().filter(|slot| self.literal_seen[usize::from(*slot)] != self.record)
    }

    /// Slots that the key's own value goes to.
    #[inline]
    pub(super) fn slots(&mut self, found: Found) -> impl Iterator<Item = SlotId> + use<'_> {
        let (literal_seen, record) = (&mut self.literal_seen, self.record);
        self.fields[found.field].slots.iter().filter_map(move |destination| {
            let seen = &mut literal_seen[usize::from(destination.slot)];
            if destination.is_literal {
                *seen = record;
            }
            (destination.is_literal || *seen != record).then_some(destination.slot)
        })
    }

    /// Slots that a plain value of a key of the record goes to, in a record of plain values whose keys all differ.
    pub(super) fn plain_slots(&self, key: &str) -> Box<[SlotId]> {
        let field = self.objects[Self::ROOT.0].keys.get(key);
        field.map_or(&[][..], |&field| &self.fields[field].slots).iter().map(|destination| destination.slot).collect()
    }

    /// Where the keys within the key's value are looked up.
    #[inline]
    pub(super) fn inner(&self, found: Found) -> Option<ObjectId> {
        self.fields[found.field].inner
    }
}

impl Object {
    /// Expects `key` here in the next record. A key with characters that JSON escapes is not expected: its text in a
    /// record may differ.
    fn predict(&mut self, position: usize, key: &str, field: Option<usize>) {
        let is_plain = |byte: u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
        let is_predictable = key.len() <= PREDICTED_BYTES_MAX && key.bytes().all(is_plain);
        if position > self.predicted.len() || (!is_predictable && position == self.predicted.len()) {
            return;
        }
        if position == self.predicted.len() {
            self.predicted.push(Prediction { key_and_quote: String::new(), field });
        }
        if is_predictable {
            let predicted = &mut self.predicted[position];
            predicted.field = field;
            predicted.key_and_quote.clear();
            predicted.key_and_quote.push_str(key);
            predicted.key_and_quote.push('"');
        }
    }
}
