//! Seeded rows in every form that they can be stored in.

use std::collections::BTreeSet;
use std::convert::Infallible;

use bytes::Bytes;

use crate::naive::{Columns, Value};
use crate::{
    BLOCK_ROWS, Bits, CodePage, CodeSetCache, Column, Dictionary, DictionaryPrefix, DimensionIndex, DoubleColumn,
    FlagColumn, FlagPage, FormatError, GrowingDictionary, LongColumn, LongPage, PackedCodes, PackedDoubles,
    PackedFlags, PackedLongs, Page, TextColumn,
};

/// Rows of a page; open segments have more, tests are quicker with fewer.
const PAGE_ROWS: usize = 2 * BLOCK_ROWS;

/// How the values of a column follow each other.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// One value in every row.
    Constant,
    /// A few values at random.
    Few,
    /// Hundreds of values at random.
    Many,
    /// A few values, each in one run.
    Sorted,
    /// Hundreds of values in ascending order.
    ManySorted,
    /// Null in every row.
    Null,
}

/// A column before it is filled.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub kind: Kind,
    pub shape: Shape,
    pub has_nulls: bool,
}

#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Text,
    Long,
    Double,
    Flag,
}

/// The texts that a few values are taken from.
pub const TEXTS: [&str; 12] = ["", "5", "-3", "0", "0.5", "NaN", "true", "ab", "abc", "aé", "b%", "éa"];
/// The longs that a few values are taken from.
pub const LONGS: [i64; 9] = [0, 1, 5, -3, 100, i64::MIN, i64::MAX, (1 << 53) + 1, 1 << 60];
/// The doubles that a few values are taken from.
pub const DOUBLES: [f64; 12] = [
    0.0,
    -0.0,
    5.0,
    -3.0,
    0.5,
    f64::NAN,
    -f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    1e300,
    9_007_199_254_740_992.0,
    5e-324,
];

/// SplitMix64: the same rows for the same seed, everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % end as u64) as usize
    }
}

/// Values of one column.
pub fn values(plan: Plan, row_count: usize, random: &mut Random) -> Vec<Option<Value>> {
    let picks = random.below(12);
    let choose = |row: usize, random: &mut Random| match plan.shape {
        Shape::Constant => picks,
        Shape::Few => random.below(12),
        Shape::Many => 12 + random.below(700),
        Shape::Sorted => row * 12 / row_count,
        Shape::ManySorted => 12 + row * 700 / row_count,
        Shape::Null => usize::MAX,
    };
    let value = |row: usize, random: &mut Random| {
        let choice = choose(row, random);
        if choice == usize::MAX || plan.has_nulls && random.below(5) == 0 {
            return None;
        }
        Some(match plan.kind {
            Kind::Text => {
                Value::Text(TEXTS.get(choice).map_or_else(|| format!("t{choice}"), |text| (*text).to_owned()))
            }
            Kind::Long => Value::Long(LONGS.get(choice).copied().unwrap_or(choice as i64 - 300)),
            Kind::Double => Value::Double(DOUBLES.get(choice).copied().unwrap_or((choice as f64 - 300.0) / 4.0)),
            Kind::Flag => Value::Flag(choice % 3 == 0),
        })
    };
    (0..row_count).map(|row| value(row, random)).collect()
}

/// One column as it is published and as it is while it grows.
pub enum Stored {
    Text { packed: PackedText, growing: GrowingText },
    Long { packed: PackedLongs, packed_pages: Vec<PackedLongs>, values: Vec<i64>, validity: Validity },
    Double { packed: PackedDoubles, values: Vec<f64>, validity: Validity },
    Flag { packed: PackedFlags, values: Vec<bool>, bits: Vec<Vec<u8>>, validity: Validity },
}

pub struct PackedText {
    dictionary: Dictionary,
    codes: PackedCodes,
    index: Option<DimensionIndex>,
}

pub struct GrowingText {
    dictionary: DictionaryPrefix,
    codes: Vec<u32>,
    packed_pages: Vec<PackedCodes>,
}

/// Bits of each page; `None` without nulls.
type Validity = Option<Vec<Vec<u8>>>;

/// The stored columns of a segment by name.
pub struct Segment {
    pub columns: Vec<(String, Stored)>,
    pub cache: CodeSetCache,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    Packed,
    Growing,
}

/// Encodes columns, and damages the bytes before they are opened again.
struct Encoder {
    random: Random,
    /// Bytes that are changed in each encoding.
    changes: usize,
}

impl Encoder {
    /// What does not open when it is damaged is opened as it was.
    fn reopen<T>(&mut self, bytes: Vec<u8>, decode: impl Fn(Bytes) -> Result<T, FormatError>) -> T {
        let mut damaged = bytes.clone();
        for _ in 0..self.changes {
            let place = self.random.below(damaged.len());
            damaged[place] = self.random.below(256) as u8;
        }
        decode(damaged.into()).unwrap_or_else(|_| decode(bytes.into()).expect("just encoded"))
    }
}

impl Segment {
    /// `changes` bytes of each packed encoding are damaged.
    pub fn new(plans: &[(String, Plan)], columns: &Columns, seed: u64, changes: usize) -> Self {
        let mut encoder = Encoder { random: Random(seed), changes };
        let stored =
            plans.iter().map(|(name, plan)| (name.clone(), Stored::new(plan.kind, &columns[name], &mut encoder)));
        Self { columns: stored.collect(), cache: CodeSetCache::new(1 << 20) }
    }

    /// A column by its name.
    pub fn column(&self, name: &str, form: Form) -> Result<Column<'_>, Infallible> {
        let Some(place) = self.columns.iter().position(|(column, _)| column == name) else {
            return Ok(Column::Missing);
        };
        // Both forms of a dictionary have their own codes.
        let cache = Some(self.cache.dictionary(place as u64 * 2 + u64::from(form == Form::Packed)));
        Ok(match (&self.columns[place].1, form) {
            (Stored::Text { packed: PackedText { dictionary, codes, index }, .. }, Form::Packed) => {
                Column::Text(TextColumn::Sorted { dictionary, codes, index: index.as_ref(), cache })
            }
            (Stored::Text { growing: GrowingText { dictionary, codes, packed_pages }, .. }, Form::Growing) => {
                let pages = codes.chunks(PAGE_ROWS).zip(packed_pages).enumerate();
                let pages = pages.map(|(page, (plain, packed))| match is_packed(page) {
                    true => CodePage::Packed(packed),
                    false => CodePage::Plain(plain),
                });
                Column::Text(TextColumn::Growing { dictionary, pages: pages.collect(), cache })
            }
            (Stored::Long { packed, .. }, Form::Packed) => Column::Longs(LongColumn::Packed(packed)),
            (Stored::Long { packed_pages, values, validity, .. }, Form::Growing) => {
                let pages = pages(values, validity).into_iter().zip(packed_pages).enumerate();
                let pages = pages.map(|(page, (plain, packed))| match is_packed(page) {
                    true => LongPage::Packed(packed),
                    false => LongPage::Plain(plain),
                });
                Column::Longs(LongColumn::Pages(pages.collect()))
            }
            (Stored::Double { packed, .. }, Form::Packed) => Column::Doubles(DoubleColumn::Packed(packed)),
            (Stored::Double { values, validity, .. }, Form::Growing) => {
                Column::Doubles(DoubleColumn::Pages(pages(values, validity)))
            }
            (Stored::Flag { packed, .. }, Form::Packed) => Column::Flags(FlagColumn::Packed(packed)),
            (Stored::Flag { values, bits, validity, .. }, Form::Growing) => {
                let pages = values.chunks(PAGE_ROWS).enumerate().map(|(page, values)| FlagPage {
                    rows: values.len(),
                    values: Bits(&bits[page]),
                    validity: validity.as_ref().map(|validity| Bits(&validity[page])),
                });
                Column::Flags(FlagColumn::Pages(pages.collect()))
            }
        })
    }
}

/// Pages of both kinds follow each other.
fn is_packed(page: usize) -> bool {
    page.is_multiple_of(2)
}

fn pages<'a, T>(values: &'a [T], validity: &'a Validity) -> Vec<Page<'a, T>> {
    let validity = |page: usize| validity.as_ref().map(|validity| Bits(&validity[page]));
    values.chunks(PAGE_ROWS).enumerate().map(|(page, values)| Page { values, validity: validity(page) }).collect()
}

/// Bits of each page, as Arrow packs them; the bits past the end are set, so that it shows if they are read.
fn page_bits(bits: &[bool]) -> Vec<Vec<u8>> {
    let byte = |bits: &[bool]| (0..8).fold(0, |byte, at| byte | u8::from(bits.get(at).copied().unwrap_or(true)) << at);
    bits.chunks(PAGE_ROWS).map(|page| page.chunks(8).map(byte).collect()).collect()
}

impl Stored {
    fn new(kind: Kind, values: &[Option<Value>], encoder: &mut Encoder) -> Self {
        let is_valid: Vec<bool> = values.iter().map(Option::is_some).collect();
        let has_nulls = is_valid.contains(&false);
        let packed_validity = has_nulls.then_some(&is_valid[..]);
        let validity = has_nulls.then(|| page_bits(&is_valid));
        match kind {
            Kind::Text => {
                let texts = values.iter().map(|value| match value {
                    Some(Value::Text(text)) => Some(text.as_str()),
                    _ => None,
                });
                let texts: Vec<Option<&str>> = texts.collect();
                Self::Text { packed: PackedText::new(&texts, encoder), growing: GrowingText::new(&texts) }
            }
            Kind::Long => {
                // What a null row holds is of no meaning.
                let longs = values.iter().map(|value| if let Some(Value::Long(long)) = value { *long } else { 5 });
                let values: Vec<i64> = longs.collect();
                let packed = encoder.reopen(PackedLongs::encode(&values, packed_validity), PackedLongs::decode);
                let page = |page: usize, values: &[i64]| {
                    let valid = packed_validity.map(|valid| &valid[page * PAGE_ROWS..][..values.len()]);
                    PackedLongs::decode(PackedLongs::encode(values, valid).into()).expect("just encoded")
                };
                let pages = values.chunks(PAGE_ROWS).enumerate().map(|(number, values)| page(number, values));
                Self::Long { packed, packed_pages: pages.collect(), values, validity }
            }
            Kind::Double => {
                let doubles =
                    values.iter().map(|value| if let Some(Value::Double(double)) = value { *double } else { 0.5 });
                let values: Vec<f64> = doubles.collect();
                let packed = encoder.reopen(PackedDoubles::encode(&values, packed_validity), PackedDoubles::decode);
                Self::Double { packed, values, validity }
            }
            Kind::Flag => {
                let flags =
                    values.iter().map(|value| if let Some(Value::Flag(flag)) = value { Some(*flag) } else { None });
                let flags: Vec<Option<bool>> = flags.collect();
                let packed = encoder.reopen(PackedFlags::encode(&flags), PackedFlags::decode);
                let values: Vec<bool> = flags.iter().map(|flag| flag.unwrap_or(true)).collect();
                Self::Flag { packed, bits: page_bits(&values), values, validity }
            }
        }
    }
}

impl PackedText {
    fn new(texts: &[Option<&str>], encoder: &mut Encoder) -> Self {
        let distinct: BTreeSet<&str> = texts.iter().flatten().copied().collect();
        let sorted: Vec<&str> = distinct.iter().copied().collect();
        let dictionary = Dictionary::encode(sorted.iter().map(|text| text.as_bytes()));
        let code = |text: &Option<&str>| text.map_or(0, |text| sorted.binary_search(&text).unwrap() as u32 + 1);
        let codes: Vec<u32> = texts.iter().map(code).collect();
        let count = sorted.len() as u32;
        // Whatever suits such a column best, each form must give the same rows.
        let mut indexes = DimensionIndex::encoded_in_every_form(&codes, count);
        let form = encoder.random.below(indexes.len() + 1);
        let index = (form < indexes.len()).then(|| indexes.swap_remove(form));
        let decode_index = |bytes| DimensionIndex::decode(bytes, codes.len() as u32, count);
        Self {
            dictionary: encoder.reopen(dictionary, Dictionary::decode),
            codes: encoder.reopen(PackedCodes::encode(&codes), PackedCodes::decode),
            index: index.map(|index| encoder.reopen(index, decode_index)),
        }
    }
}

impl GrowingText {
    fn new(texts: &[Option<&str>]) -> Self {
        let mut dictionary = GrowingDictionary::default();
        let codes: Vec<u32> = texts.iter().map(|text| text.map_or(0, |text| dictionary.intern(text))).collect();
        let page = |codes| PackedCodes::decode(PackedCodes::encode(codes).into()).expect("just encoded");
        let packed_pages = codes.chunks(PAGE_ROWS).map(page).collect();
        Self { dictionary: dictionary.prefix(), codes, packed_pages }
    }
}
