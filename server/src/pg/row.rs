//! The values of rows, in text and in binary.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMillisecondType};
use arrow::error::ArrowError;
use bytes::{BufMut, BytesMut};

use super::kind::Kind;
use super::message::Format;
use super::numeric;
use super::reply::{framed, sized};
use crate::wire::cell::Cells;
use crate::wire::time_text::TimeText;

/// 2000-01-01, from which PostgreSQL counts.
const EPOCH_MS: i64 = 946_684_800_000;
const EPOCH_DAYS: i32 = 10_957;
/// What stands for an instant that its 64 bits of microseconds cannot hold.
const INFINITY: i64 = i64::MAX;

/// Rows of one batch, ready to be written.
pub struct Rows {
    columns: Vec<Values>,
    count: usize,
}

struct Values {
    kind: Kind,
    format: Format,
    array: ArrayRef,
    cells: Cells,
}

impl Rows {
    pub fn new(batch: &RecordBatch, kinds: &[Kind], formats: &[Format]) -> Result<Self, ArrowError> {
        let columns = batch
            .columns()
            .iter()
            .zip(kinds)
            .enumerate()
            .map(|(at, (array, kind))| Values::new(array, *kind, Format::at(formats, at)));
        Ok(Self { columns: columns.collect::<Result<_, _>>()?, count: batch.num_rows() })
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Writes the message of a row.
    pub fn write(&self, row: usize, time: &TimeText, out: &mut BytesMut) {
        framed(out, b'D', |out| {
            out.put_u16(self.columns.len() as u16);
            for column in &self.columns {
                column.write(row, time, out);
            }
        });
    }
}

impl Values {
    fn new(array: &ArrayRef, kind: Kind, format: Format) -> Result<Self, ArrowError> {
        Ok(Self { kind, format, array: array.clone(), cells: Cells::new(array)? })
    }

    /// Its length and itself; null has the length -1.
    fn write(&self, row: usize, time: &TimeText, out: &mut BytesMut) {
        if self.cells.is_null(row) {
            return out.put_i32(-1);
        }
        sized(out, false, |out| match self.format {
            Format::Text => self.write_text(row, time, out),
            Format::Binary => self.write_binary(row, time, out),
        });
    }

    fn write_text(&self, row: usize, time: &TimeText, out: &mut BytesMut) {
        match self.kind {
            Kind::Boolean => out.put_u8(if self.array.as_boolean().value(row) { b't' } else { b'f' }),
            Kind::Text => out.put_slice(self.array.as_string_view().value(row).as_bytes()),
            Kind::Time => write_instant(&self.plain(row, time), out),
            Kind::Date => {
                out.put_slice(self.plain(row, &TimeText::utc()).split(|byte| *byte == b'T').next().unwrap_or_default())
            }
            Kind::Double => {
                let text = self.plain(row, time);
                out.put_slice(text.strip_suffix(b".0").unwrap_or(&text));
            }
            Kind::Long | Kind::Numeric => out.put_slice(&self.plain(row, time)),
            Kind::LongArray | Kind::DoubleArray | Kind::TextArray => self.write_array_text(row, time, out),
        }
    }

    /// As the other formats have it.
    fn plain(&self, row: usize, time: &TimeText) -> Vec<u8> {
        let mut text = Vec::with_capacity(32);
        self.cells.write_csv(row, time, &mut text);
        text
    }

    fn write_binary(&self, row: usize, time: &TimeText, out: &mut BytesMut) {
        match self.kind {
            Kind::Boolean => out.put_u8(self.array.as_boolean().value(row).into()),
            Kind::Long => out.put_i64(self.array.as_primitive::<Int64Type>().value(row)),
            Kind::Double => out.put_f64(self.array.as_primitive::<Float64Type>().value(row)),
            Kind::Time => {
                let millis = self.array.as_primitive::<TimestampMillisecondType>().value(row);
                out.put_i64(
                    millis.checked_sub(EPOCH_MS).and_then(|millis| millis.checked_mul(1_000)).unwrap_or(INFINITY),
                );
            }
            Kind::Date => out.put_i32(self.array.as_primitive::<Date32Type>().value(row).saturating_sub(EPOCH_DAYS)),
            Kind::Numeric => {
                let DataType::Decimal128(_, scale) = self.array.data_type() else { return };
                numeric::write(self.array.as_primitive::<Decimal128Type>().value(row), *scale, out);
            }
            Kind::Text => self.write_text(row, time, out),
            Kind::LongArray | Kind::DoubleArray | Kind::TextArray => self.write_array_binary(row, time, out),
        }
    }

    /// `None` where Arrow cannot make an array of what is one.
    fn items(&self, row: usize, format: Format) -> Option<Self> {
        let items = self.array.as_list_opt::<i32>()?.value(row);
        Self::new(&items, self.kind.item(), format).ok()
    }

    /// `{1,2,NULL}`, texts in quotes.
    fn write_array_text(&self, row: usize, time: &TimeText, out: &mut BytesMut) {
        out.put_u8(b'{');
        if let Some(items) = self.items(row, Format::Text) {
            for item in 0..items.array.len() {
                if item > 0 {
                    out.put_u8(b',');
                }
                match (items.cells.is_null(item), items.kind) {
                    (true, _) => out.put_slice(b"NULL"),
                    (false, Kind::Text) => write_quoted(items.array.as_string_view().value(item), out),
                    (false, _) => items.write_text(item, time, out),
                }
            }
        }
        out.put_u8(b'}');
    }

    /// Dimensions, whether there are nulls, the type of the items, then for the one dimension its length and first number.
    fn write_array_binary(&self, row: usize, time: &TimeText, out: &mut BytesMut) {
        let Some(items) = self.items(row, Format::Binary) else { return };
        let count = items.array.len();
        out.put_i32(i32::from(count > 0));
        out.put_i32(i32::from(items.array.null_count() > 0));
        out.put_u32(items.kind.oid());
        if count > 0 {
            out.put_i32(count as i32);
            out.put_i32(1);
        }
        (0..count).for_each(|item| items.write(item, time, out));
    }
}

/// `2026-01-01T00:00:00.000Z` as `2026-01-01 00:00:00.000+00`.
fn write_instant(iso: &[u8], out: &mut BytesMut) {
    for byte in iso {
        match byte {
            b'T' => out.put_u8(b' '),
            b'Z' => out.put_slice(b"+00"),
            other => out.put_u8(*other),
        }
    }
}

fn write_quoted(text: &str, out: &mut BytesMut) {
    out.put_u8(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.put_u8(b'\\');
        }
        out.put_u8(byte);
    }
    out.put_u8(b'"');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListBuilder, StringViewArray,
        StringViewBuilder, TimestampMillisecondArray,
    };

    use super::*;

    fn written(array: ArrayRef, kind: Kind, format: Format) -> Vec<Vec<u8>> {
        let values = Values::new(&array, kind, format).unwrap();
        let value = |row| {
            let mut out = BytesMut::new();
            values.write(row, &TimeText::utc(), &mut out);
            out.to_vec()
        };
        (0..array.len()).map(value).collect()
    }

    /// With its length before it.
    fn of(value: &[u8]) -> Vec<u8> {
        [&(value.len() as i32).to_be_bytes(), value].concat()
    }

    #[test]
    fn each_kind_has_a_text_and_a_binary_form() {
        let mut lists = ListBuilder::new(StringViewBuilder::new());
        lists.append_value([Some("a\"b"), None]);
        let binary_list = [
            &1_i32.to_be_bytes()[..],
            &1_i32.to_be_bytes(),
            &25_u32.to_be_bytes(),
            &2_i32.to_be_bytes(),
            &1_i32.to_be_bytes(),
            &of(b"a\"b"),
            &(-1_i32).to_be_bytes(),
        ];
        let decimal = Decimal128Array::from(vec![15]).with_precision_and_scale(10, 1).unwrap();
        let cases: Vec<(ArrayRef, Kind, &[u8], Vec<u8>)> = vec![
            (Arc::new(BooleanArray::from(vec![true])), Kind::Boolean, b"t", vec![1]),
            (Arc::new(Int64Array::from(vec![-7])), Kind::Long, b"-7", (-7_i64).to_be_bytes().into()),
            (Arc::new(Float64Array::from(vec![2.0])), Kind::Double, b"2", 2.0_f64.to_be_bytes().into()),
            (Arc::new(StringViewArray::from(vec!["a,\"b"])), Kind::Text, b"a,\"b", b"a,\"b".into()),
            (
                Arc::new(TimestampMillisecondArray::from(vec![EPOCH_MS + 1])),
                Kind::Time,
                b"2000-01-01 00:00:00.001+00",
                1_000_i64.to_be_bytes().into(),
            ),
            (Arc::new(Date32Array::from(vec![EPOCH_DAYS + 1])), Kind::Date, b"2000-01-02", 1_i32.to_be_bytes().into()),
            (
                Arc::new(decimal),
                Kind::Numeric,
                b"1.5",
                [2_i16, 0, 0, 1, 1, 5000].iter().flat_map(|word| word.to_be_bytes()).collect(),
            ),
            (Arc::new(lists.finish()), Kind::TextArray, br#"{"a\"b",NULL}"#, binary_list.concat()),
        ];
        for (array, kind, text, binary) in cases {
            assert_eq!(written(array.clone(), kind, Format::Text), [of(text)], "{kind:?}");
            assert_eq!(written(array, kind, Format::Binary), [of(&binary)], "{kind:?}");
        }
    }

    #[test]
    fn nulls_have_no_length_in_either_form() {
        for format in [Format::Text, Format::Binary] {
            let nulls = written(Arc::new(Int64Array::from(vec![None])), Kind::Long, format);
            assert_eq!(nulls, [(-1_i32).to_be_bytes()]);
        }
    }
}
