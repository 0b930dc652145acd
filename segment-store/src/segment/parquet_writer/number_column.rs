//! Columns of longs, doubles and flags.

use std::borrow::Cow;
use std::ops::Range;

use parquet::basic::Encoding;
use parquet::errors::Result;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescPtr;

use super::chunk::{Chunk, DictionaryPage, PageCompressor};
use super::number_dictionary::NumberDictionary;
use super::packing::append_differences;
use super::way::{Validity, Values, Way};
use crate::segment::sorted_rows::Values as ColumnValues;

/// The values of some rows that are not null, and where they are.
pub fn present<T: Copy>(column: &ColumnValues<T>, rows: Range<usize>) -> (Cow<'_, [T]>, Validity<'_>) {
    let values = &column.values[rows.clone()];
    match column.validity.as_ref().map(|validity| &validity[rows]) {
        Some(validity) if validity.contains(&false) => {
            let present = values.iter().zip(validity).filter(|(_, is_valid)| **is_valid).map(|(value, _)| *value);
            (present.collect(), Some(validity.into()))
        }
        _ => (values.into(), None),
    }
}

/// Encodes longs, or times.
pub fn encode_longs(
    longs: &[i64],
    validity: Validity<'_>,
    column: ColumnDescPtr,
    compressor: &mut PageCompressor,
) -> Result<Chunk> {
    let dictionary = NumberDictionary::of(longs);
    let page = dictionary.as_ref().map(|dictionary| page_of(dictionary, |long| long, compressor));
    let mut ways = vec![Way::plain(Encoding::DELTA_BINARY_PACKED, |range, out| append_differences(&longs[range], out))];
    if let (Some(dictionary), Some(page)) = (&dictionary, &page) {
        ways.extend(Way::of_dictionary(&dictionary.places, page));
    }
    let (least, greatest) = (longs.iter().min().copied(), longs.iter().max().copied());
    let statistics = |nulls| Statistics::int64(least, greatest, None, Some(nulls), false);
    Values { count: longs.len(), validity, ways }.write(statistics, column, compressor)
}

/// Encodes doubles, bit for bit.
pub fn encode_doubles(
    doubles: &[f64],
    validity: Validity<'_>,
    column: ColumnDescPtr,
    compressor: &mut PageCompressor,
) -> Result<Chunk> {
    let ordered: Vec<i64> = doubles.iter().map(|double| in_total_order(double.to_bits() as i64)).collect();
    let dictionary = NumberDictionary::of(&ordered);
    let page = dictionary.as_ref().map(|dictionary| page_of(dictionary, in_total_order, compressor));
    let mut ways = vec![Way::plain(Encoding::PLAIN, |range, out| {
        out.extend(doubles[range].iter().flat_map(|double| double.to_le_bytes()));
    })];
    if let (Some(dictionary), Some(page)) = (&dictionary, &page) {
        ways.extend(Way::of_dictionary(&dictionary.places, page));
    }
    let (least, greatest) = bounds_of_doubles(doubles);
    let statistics = |nulls| Statistics::double(least, greatest, None, Some(nulls), false);
    Values { count: doubles.len(), validity, ways }.write(statistics, column, compressor)
}

pub fn encode_flags(
    flags: &[bool],
    validity: Validity<'_>,
    column: ColumnDescPtr,
    compressor: &mut PageCompressor,
) -> Result<Chunk> {
    let byte_of = |flags: &[bool]| flags.iter().rev().fold(0, |byte, flag| byte << 1 | u8::from(*flag));
    let (least, greatest) = (flags.iter().min().copied(), flags.iter().max().copied());
    let statistics = |nulls| Statistics::boolean(least, greatest, None, Some(nulls), false);
    let ways = vec![Way::plain(Encoding::PLAIN, |range, out| out.extend(flags[range].chunks(8).map(byte_of)))];
    Values { count: flags.len(), validity, ways }.write(statistics, column, compressor)
}

/// `bits_of` makes the bits that are stored of a number.
fn page_of(dictionary: &NumberDictionary, bits_of: fn(i64) -> i64, compressor: &mut PageCompressor) -> DictionaryPage {
    let plain: Vec<u8> = dictionary.distinct.iter().flat_map(|number| bits_of(*number).to_le_bytes()).collect();
    DictionaryPage::new(&plain, dictionary.distinct.len(), compressor)
}

/// The bits of a double as a long that sorts as IEEE 754's total order does, and back again.
fn in_total_order(bits: i64) -> i64 {
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

/// As the format wants them: not NaN, and of the two zeros the one that includes the other.
fn bounds_of_doubles(doubles: &[f64]) -> (Option<f64>, Option<f64>) {
    let numbers = || doubles.iter().copied().filter(|double| !double.is_nan());
    let least = numbers().reduce(f64::min).map(|least| if least == 0.0 { -0.0 } else { least });
    let greatest = numbers().reduce(f64::max).map(|greatest| if greatest == 0.0 { 0.0 } else { greatest });
    (least, greatest)
}
