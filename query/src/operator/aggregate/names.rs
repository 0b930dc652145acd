//! The values of one key of all groups, each with a number that all threads of a query share.

use std::cmp::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, StringViewBuilder, TimestampMillisecondArray,
};
use hashbrown::HashTable;
use henge_indexing::{text_of_double, text_of_flag, text_of_long};
use henge_segment_store::schema::DimensionType;
use henge_segment_store::sketch::{HashedValue, HllHash, ThetaHash, ThetaHasher};

use super::accumulator::Accumulator;
use super::cell_hash::hash_of_cell;
use super::kept_groups::Meaning;
use super::key::{KeyValue, SegmentKey};
use super::text_numbers::TextNumbers;
use super::{Aggregation, ColumnKind, GroupKey};
use crate::error::QueryError;

/// Gives each distinct value of a key a number from 1 on; 0 is null.
#[derive(Debug)]
pub(super) struct Names {
    kind: ColumnKind,
    known: Known,
}

#[derive(Debug)]
enum Known {
    Texts(Arc<TextNumbers>),
    Numbers(Mutex<Numbers>),
}

/// What the numbers of keys stand for, and those of the aggregates that keep values as numbers.
#[derive(Debug)]
pub(super) struct GroupNames {
    pub keys: Vec<Names>,
    pub values: Vec<Option<Names>>,
}

/// Longs, times and booleans as they are, doubles as their bits.
#[derive(Debug, Default)]
struct Numbers {
    numbers: HashTable<(u64, u32)>,
    values: Vec<u64>,
}

impl GroupNames {
    pub fn new(aggregation: &Aggregation, data_source: &str) -> Self {
        let keys = aggregation.keys.iter().map(|key| Names::new(key, data_source)).collect();
        let mut values = Vec::new();
        for aggregate in &aggregation.aggregates {
            let input = aggregate.function.input();
            let input =
                input.filter(|_| Accumulator::new(&aggregate.function).is_ok_and(|new| new.needs().takes_codes()));
            values.push(input.map(|input| Names::new(&GroupKey::Column(input.clone()), data_source)));
        }
        Self { keys, values }
    }

    /// Memory taken by this query alone.
    pub fn bytes(&self) -> usize {
        self.keys.iter().chain(self.values.iter().flatten()).map(Names::bytes).sum()
    }
}

impl Names {
    /// `data_source`: whose column the key is; numbers of strings are kept for later queries.
    pub fn new(key: &GroupKey, data_source: &str) -> Self {
        let numbers = || Known::Numbers(Mutex::default());
        let (kind, known) = match key {
            GroupKey::TimeBucket(_) => (ColumnKind::Time, numbers()),
            GroupKey::Column(column) => match column.kind {
                kind @ ColumnKind::Value(DimensionType::String) => {
                    (kind, Known::Texts(TextNumbers::of(data_source, &column.name)))
                }
                kind => (kind, numbers()),
            },
        };
        Self { kind, known }
    }

    /// The numbers of the values that codes of a segment stand for, in the order of the codes.
    ///
    /// # Errors
    /// The segment has values of a kind that is not promoted to the key's.
    pub fn numbers(&self, key: &SegmentKey<'_>, codes: &[u32]) -> Result<Vec<u32>, QueryError> {
        if let (Known::Texts(texts), Some(column)) = (&self.known, key.texts()) {
            return Ok(texts.numbers(column, codes));
        }
        let end = codes.iter().max().map_or(0, |code| *code as usize + 1);
        let mut number_of: Vec<Option<u32>> = vec![None; end];
        let mut buffer = Vec::new();
        let mut numbers = Vec::with_capacity(codes.len());
        for code in codes {
            let slot = &mut number_of[*code as usize];
            let number = match slot {
                Some(number) => *number,
                None => self.number(key.value(*code, &mut buffer))?,
            };
            *slot = Some(number);
            numbers.push(number);
        }
        Ok(numbers)
    }

    fn number(&self, value: KeyValue<'_>) -> Result<u32, QueryError> {
        let is_double = self.kind == ColumnKind::Value(DimensionType::Double);
        let of_bits = |numbers: &Mutex<Numbers>, bits| lock(numbers).number(bits);
        Ok(match (&self.known, value) {
            (_, KeyValue::Null) => 0,
            (Known::Texts(texts), KeyValue::Text(text)) => texts.number(text),
            (Known::Texts(texts), KeyValue::Flag(flag)) => texts.number(text_of_flag(flag).as_bytes()),
            (Known::Texts(texts), KeyValue::Long(long)) => texts.number(text_of_long(long).as_bytes()),
            (Known::Texts(texts), KeyValue::Double(double)) => texts.number(text_of_double(double).as_bytes()),
            (Known::Numbers(numbers), KeyValue::Long(long)) if is_double => of_bits(numbers, (long as f64).to_bits()),
            (Known::Numbers(numbers), KeyValue::Long(long)) => of_bits(numbers, long.cast_unsigned()),
            (Known::Numbers(numbers), KeyValue::Flag(flag)) => of_bits(numbers, flag.into()),
            (Known::Numbers(numbers), KeyValue::Double(double)) if is_double => of_bits(numbers, double.to_bits()),
            (_, value) => {
                return Err(QueryError::internal(format!("a key of {:?} has the value {value:?}", self.kind)));
            }
        })
    }

    /// Codes in the place of some numbers, that mean the same when the query is over.
    pub fn keep(&self, numbers: &[u32]) -> (Vec<u32>, Meaning) {
        let known = match &self.known {
            Known::Texts(texts) => return (numbers.to_vec(), Meaning::Texts(Arc::downgrade(texts))),
            Known::Numbers(known) => lock(known),
        };
        let mut distinct: Vec<u32> = numbers.iter().copied().filter(|number| *number > 0).collect();
        distinct.sort_unstable();
        distinct.dedup();
        // Null, which comes before all others, stays 0.
        let codes = numbers.iter().map(|number| distinct.partition_point(|other| other <= number) as u32).collect();
        let values = distinct.iter().map(|number| known.values[*number as usize - 1]).collect();
        (codes, Meaning::Values(values))
    }

    /// Whether codes mean something here.
    pub fn knows(&self, meaning: &Meaning) -> bool {
        match (&self.known, meaning) {
            (Known::Texts(texts), Meaning::Texts(kept)) => std::ptr::eq(Arc::as_ptr(texts), kept.as_ptr()),
            (Known::Numbers(_), Meaning::Values(_)) => true,
            _ => false,
        }
    }

    /// For each code its number; `None` where those are the same.
    pub fn numbers_of(&self, meaning: &Meaning) -> Option<Vec<u32>> {
        let (Known::Numbers(known), Meaning::Values(values)) = (&self.known, meaning) else { return None };
        let mut known = lock(known);
        Some(std::iter::once(0).chain(values.iter().map(|value| known.number(*value))).collect())
    }

    /// The order of the strings that two numbers stand for, neither of which is null's.
    pub fn compare_texts(&self, left: u32, right: u32) -> Ordering {
        match &self.known {
            Known::Texts(texts) => texts.compare(left, right),
            Known::Numbers(_) => left.cmp(&right),
        }
    }

    /// The hashes of the values of some numbers; `None` of null.
    pub fn hll_hashes(&self, numbers: &[u32]) -> Vec<Option<HllHash>> {
        match &self.known {
            Known::Texts(texts) => texts.hll_hashes(numbers),
            Known::Numbers(known) => self.hashes(known, numbers, |value| Some(HllHash::of(value))),
        }
    }

    /// The same for theta sketches; `None` too of a value that they do not retain.
    pub fn theta_hashes(&self, numbers: &[u32]) -> Vec<Option<ThetaHash>> {
        let mut hasher = ThetaHasher::default();
        match &self.known {
            Known::Texts(texts) => texts.theta_hashes(numbers),
            Known::Numbers(known) => self.hashes(known, numbers, |value| hasher.hash(value)),
        }
    }

    fn hashes<T>(
        &self,
        known: &Mutex<Numbers>,
        numbers: &[u32],
        mut hash: impl FnMut(HashedValue<'_>) -> Option<T>,
    ) -> Vec<Option<T>> {
        let is_double = self.kind == ColumnKind::Value(DimensionType::Double);
        let known = lock(known);
        let value = |bits: u64| match is_double {
            true => HashedValue::Double(f64::from_bits(bits)),
            false => HashedValue::Long(bits.cast_signed()),
        };
        numbers.iter().map(|number| known.value(*number).and_then(|bits| hash(value(bits)))).collect()
    }

    /// Memory taken by this query alone.
    pub fn bytes(&self) -> usize {
        match &self.known {
            Known::Texts(texts) => texts.bytes_beyond(),
            Known::Numbers(numbers) => {
                let numbers = lock(numbers);
                numbers.numbers.capacity() * (size_of::<(u64, u32)>() + 1)
                    + numbers.values.capacity() * size_of::<u64>()
            }
        }
    }

    /// The values of some numbers.
    pub fn array(&self, numbers: &[u32]) -> ArrayRef {
        match &self.known {
            Known::Texts(texts) => {
                let mut views = StringViewBuilder::with_capacity(numbers.len());
                texts.for_each(numbers, |text| views.append_option(text));
                Arc::new(views.finish())
            }
            Known::Numbers(known) => {
                let known = lock(known);
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
                    ColumnKind::Value(_) | ColumnKind::Sketches => {
                        Arc::new(values.map(|value| value.map(u64::cast_signed)).collect::<Int64Array>())
                    }
                }
            }
        }
    }
}

fn lock(numbers: &Mutex<Numbers>) -> MutexGuard<'_, Numbers> {
    numbers.lock().expect("no code panics while it holds the numbers")
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
