//! The values of one key of all groups, each with a number that all threads of a query share.

use std::sync::Mutex;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, StringViewBuilder, TimestampMillisecondArray,
};
use hashbrown::{DefaultHashBuilder, HashTable};
use henge_indexing::{TextColumn, text_of_double, text_of_flag, text_of_long};
use henge_segment_store::schema::DimensionType;
use std::hash::BuildHasher;
use std::sync::Arc;

use super::key::{KeyValue, SegmentKey};
use super::{ColumnKind, GroupKey};
use crate::error::QueryError;
use crate::operator::aggregate::cell_hash::hash_of_cell;

/// A code that has no number yet.
const UNKNOWN: u32 = u32::MAX;
/// Of more codes of a dictionary than one in so many, all are read.
const READ_ALL_FROM: usize = 8;

/// Gives each distinct value of a key a number from 1 on; 0 is null.
#[derive(Debug)]
pub(super) struct Names {
    kind: ColumnKind,
    known: Mutex<Known>,
}

#[derive(Debug)]
enum Known {
    Texts(Texts),
    Numbers(Numbers),
}

/// Strings, one after the other.
#[derive(Debug, Default)]
struct Texts {
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Longs, times and booleans as they are, doubles as their bits.
#[derive(Debug, Default)]
struct Numbers {
    numbers: HashTable<(u64, u32)>,
    values: Vec<u64>,
}

impl Names {
    pub fn new(key: &GroupKey) -> Self {
        let kind = match key {
            GroupKey::TimeBucket(_) => ColumnKind::Time,
            GroupKey::Column(column) => column.kind,
        };
        let known = match kind {
            ColumnKind::Value(DimensionType::String) => Known::Texts(Texts::default()),
            _ => Known::Numbers(Numbers::default()),
        };
        Self { kind, known: Mutex::new(known) }
    }

    /// The numbers of the values that codes of a segment stand for, in the order of the codes.
    ///
    /// # Errors
    /// The segment has values of a kind that is not promoted to the key's.
    pub fn numbers(&self, key: &SegmentKey<'_>, codes: &[u32]) -> Result<Vec<u32>, QueryError> {
        let mut known = self.known.lock().expect("no code panics while it holds the values");
        let end = codes.iter().max().map_or(0, |code| *code as usize + 1);
        let mut number_of = vec![UNKNOWN; end];
        if let (Known::Texts(texts), Some(column)) = (&mut *known, key.texts()) {
            texts.fill(column, codes, &mut number_of);
            return Ok(codes.iter().map(|code| number_of[*code as usize]).collect());
        }
        let mut buffer = Vec::new();
        let mut numbers = Vec::with_capacity(codes.len());
        for code in codes {
            let slot = &mut number_of[*code as usize];
            if *slot == UNKNOWN {
                *slot = self.number(&mut known, key.value(*code, &mut buffer))?;
            }
            numbers.push(*slot);
        }
        Ok(numbers)
    }

    fn number(&self, known: &mut Known, value: KeyValue<'_>) -> Result<u32, QueryError> {
        let is_double = self.kind == ColumnKind::Value(DimensionType::Double);
        Ok(match (known, value) {
            (_, KeyValue::Null) => 0,
            (Known::Texts(texts), KeyValue::Text(text)) => texts.number(text),
            (Known::Texts(texts), KeyValue::Flag(flag)) => texts.number(text_of_flag(flag).as_bytes()),
            (Known::Texts(texts), KeyValue::Long(long)) => texts.number(text_of_long(long).as_bytes()),
            (Known::Texts(texts), KeyValue::Double(double)) => texts.number(text_of_double(double).as_bytes()),
            (Known::Numbers(numbers), KeyValue::Long(long)) if is_double => numbers.number((long as f64).to_bits()),
            (Known::Numbers(numbers), KeyValue::Long(long)) => numbers.number(long.cast_unsigned()),
            (Known::Numbers(numbers), KeyValue::Flag(flag)) => numbers.number(flag.into()),
            (Known::Numbers(numbers), KeyValue::Double(double)) if is_double => numbers.number(double.to_bits()),
            (_, value) => {
                return Err(QueryError::internal(format!("a key of {:?} has the value {value:?}", self.kind)));
            }
        })
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        match &*self.known.lock().expect("no code panics while it holds the values") {
            Known::Texts(texts) => texts.taken(),
            Known::Numbers(numbers) => {
                numbers.numbers.capacity() * (size_of::<(u64, u32)>() + 1)
                    + numbers.values.capacity() * size_of::<u64>()
            }
        }
    }

    /// The values of some numbers.
    pub fn array(&self, numbers: &[u32]) -> ArrayRef {
        match &*self.known.lock().expect("no code panics while it holds the values") {
            Known::Texts(texts) => {
                let mut views = StringViewBuilder::with_capacity(numbers.len());
                for number in numbers {
                    views.append_option(texts.text(*number));
                }
                Arc::new(views.finish())
            }
            Known::Numbers(known) => {
                let values = numbers.iter().map(|number| known.value(*number));
                match self.kind {
                    ColumnKind::Time => {
                        Arc::new(values.map(|value| value.map(u64::cast_signed)).collect::<TimestampMillisecondArray>())
                    }
                    ColumnKind::Value(DimensionType::Double) => {
                        Arc::new(values.map(|value| value.map(f64::from_bits)).collect::<Float64Array>())
                    }
                    ColumnKind::Value(DimensionType::Boolean) => {
                        Arc::new(values.map(|value| value.map(|value| value == 1)).collect::<BooleanArray>())
                    }
                    ColumnKind::Value(_) => {
                        Arc::new(values.map(|value| value.map(u64::cast_signed)).collect::<Int64Array>())
                    }
                }
            }
        }
    }
}

impl Texts {
    fn number(&mut self, text: &[u8]) -> u32 {
        let hash = self.hasher.hash_one(text);
        let Self { numbers, hasher, bytes, ends } = self;
        let text_of = |number: u32| text_at(bytes, ends, number);
        let found = numbers.find(hash, |number| text_of(*number) == text);
        if let Some(number) = found {
            return *number;
        }
        bytes.extend_from_slice(text);
        ends.push(bytes.len());
        let number = ends.len() as u32;
        numbers.insert_unique(hash, number, |number| hasher.hash_one(text_at(bytes, ends, *number)));
        number
    }

    /// Fills in the numbers of some codes of a dictionary.
    fn fill(&mut self, column: &TextColumn<'_>, codes: &[u32], number_of: &mut [u32]) {
        const WANTED: u32 = UNKNOWN - 1;
        let mut wanted = 0;
        for code in codes {
            let slot = &mut number_of[*code as usize];
            wanted += usize::from(*slot == UNKNOWN);
            *slot = WANTED;
        }
        if let Some(null) = number_of.first_mut() {
            *null = 0;
        }
        match column {
            TextColumn::Sorted { dictionary, .. } if wanted * READ_ALL_FROM > number_of.len() => {
                dictionary.scan(1..number_of.len() as u32, |code, text| {
                    let slot = &mut number_of[code as usize];
                    if *slot == WANTED {
                        *slot = self.number(text);
                    }
                });
            }
            _ => {
                let mut buffer = Vec::new();
                for (code, slot) in number_of.iter_mut().enumerate() {
                    if *slot == WANTED {
                        *slot = self.number(column.text(code as u32, &mut buffer));
                    }
                }
            }
        }
    }

    fn text(&self, number: u32) -> Option<&str> {
        let text = (number > 0).then(|| text_at(&self.bytes, &self.ends, number))?;
        Some(std::str::from_utf8(text).expect("dictionaries hold strings"))
    }

    fn taken(&self) -> usize {
        self.bytes.capacity()
            + self.ends.capacity() * size_of::<usize>()
            + self.numbers.capacity() * (size_of::<u32>() + 1)
    }
}

fn text_at<'t>(bytes: &'t [u8], ends: &[usize], number: u32) -> &'t [u8] {
    let place = number as usize - 1;
    let start = place.checked_sub(1).map_or(0, |before| ends[before]);
    &bytes[start..ends[place]]
}

impl Numbers {
    fn number(&mut self, value: u64) -> u32 {
        let next = self.values.len() as u32 + 1;
        let entry = self.numbers.entry(hash_of_cell(value), |known| known.0 == value, |known| hash_of_cell(known.0));
        let (_, number) = *entry.or_insert((value, next)).get();
        if number == next {
            self.values.push(value);
        }
        number
    }

    fn value(&self, number: u32) -> Option<u64> {
        (number > 0).then(|| self.values[number as usize - 1])
    }
}
