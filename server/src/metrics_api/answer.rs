//! Points as JSON. Values are numbers, and once more exact as text; buckets without a sample are left out.

use std::io::Write;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, TimestampMillisecondType};
use henge_segment_store::time::TimestampMs;

use super::question::Format;
use crate::wire::json_text::write_string;
use crate::wire::time_text::TimeText;

/// How points are written.
#[derive(Debug)]
pub struct Layout<'a> {
    /// The names of the first columns.
    pub group_by: &'a [String],
    pub format: Format,
    /// Of answers of one bucket, which have no times.
    pub start: Option<TimestampMs>,
    /// Groups of a page; what comes behind them is another page's.
    pub groups_max: usize,
    /// Whether there are values.
    pub has_values: bool,
}

/// The array of an answer's `data`, and what there is to know of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Data {
    pub json: Vec<u8>,
    /// Of this page.
    pub groups: usize,
    /// The labels of its last group, where another page follows.
    pub next_after: Option<Vec<Option<String>>>,
}

/// Writes rows of labels, times and values, those of a group next to each other.
pub fn write(batches: &[RecordBatch], layout: &Layout<'_>) -> Data {
    let mut writer = Writer { layout, out: vec![b'['], groups: 0, last: None, times: TimeText::utc() };
    let mut is_more = false;
    'rows: for batch in batches {
        for row in 0..batch.num_rows() {
            if !writer.point(batch, row) {
                is_more = true;
                break 'rows;
            }
        }
    }
    writer.finish(is_more)
}

struct Writer<'a> {
    layout: &'a Layout<'a>,
    out: Vec<u8>,
    groups: usize,
    /// The labels of the row before.
    last: Option<Vec<Option<String>>>,
    times: TimeText,
}

impl Writer<'_> {
    /// `false`: the row is of a group of another page.
    fn point(&mut self, batch: &RecordBatch, row: usize) -> bool {
        let is_grouped = self.layout.format == Format::Grouped;
        let is_first = self.last.is_none();
        let is_new = !self.is_of_last(batch, row);
        if is_new {
            if self.groups == self.layout.groups_max {
                return false;
            }
            self.groups += 1;
            if is_grouped {
                self.out.extend_from_slice(if is_first { b"{" } else { b"]},{" });
            }
            self.last = Some(self.labels(batch, row));
            if is_grouped {
                self.write_labels();
                self.out.extend_from_slice(b"\"points\":[");
            }
        }
        let begins_list = if is_grouped { is_new } else { is_first };
        if !begins_list {
            self.out.push(b',');
        }
        self.out.push(b'{');
        self.write_time(batch, row);
        if !is_grouped {
            self.write_labels();
        }
        self.write_value(batch, row);
        // Each member ends with a comma.
        self.out.pop_if(|last| *last == b',');
        self.out.push(b'}');
        true
    }

    fn is_of_last(&self, batch: &RecordBatch, row: usize) -> bool {
        let Some(last) = &self.last else { return false };
        last.iter().zip(batch.columns()).all(|(label, column)| label.as_deref() == text(column, row))
    }

    fn labels(&self, batch: &RecordBatch, row: usize) -> Vec<Option<String>> {
        let columns = batch.columns().iter().take(self.layout.group_by.len());
        columns.map(|column| text(column, row).map(str::to_owned)).collect()
    }

    fn write_labels(&mut self) {
        for (field, label) in self.layout.group_by.iter().zip(self.last.iter().flatten()) {
            write_string(field, &mut self.out);
            self.out.push(b':');
            match label {
                Some(label) => write_string(label, &mut self.out),
                None => self.out.extend_from_slice(b"null"),
            }
            self.out.push(b',');
        }
    }

    fn write_time(&mut self, batch: &RecordBatch, row: usize) {
        let time = match self.layout.start {
            Some(start) => start.0,
            None if self.layout.has_values => {
                let times = batch.column(self.layout.group_by.len());
                times.as_primitive::<TimestampMillisecondType>().value(row)
            }
            None => return,
        };
        self.out.extend_from_slice(b"\"timestamp\":\"");
        self.times.write_instant(time, &mut self.out);
        self.out.extend_from_slice(b"\",");
    }

    fn write_value(&mut self, batch: &RecordBatch, row: usize) {
        if !self.layout.has_values {
            return;
        }
        let values = batch.columns().last().expect("points have values");
        let (number, exact) = value_texts(values, row);
        let written = write!(self.out, "\"value\":{number},\"value_exact\":\"{exact}\"");
        written.expect("writing to memory cannot fail");
    }

    fn finish(mut self, is_more: bool) -> Data {
        if self.layout.format == Format::Grouped && self.groups > 0 {
            self.out.extend_from_slice(b"]}");
        }
        self.out.push(b']');
        Data { json: self.out, groups: self.groups, next_after: self.last.filter(|_| is_more) }
    }
}

/// A value as a number of JSON, and in digits only.
pub fn value_texts(values: &dyn Array, row: usize) -> (String, String) {
    match values.data_type() {
        DataType::Decimal128(_, scale) => {
            let text = decimal_text(values.as_primitive::<Decimal128Type>().value(row), *scale);
            (text.clone(), text)
        }
        _ => double_texts(values.as_primitive::<Float64Type>().value(row)),
    }
}

fn text(column: &dyn Array, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.as_string_view().value(row))
}

/// `unscaled` x 10^-`scale`, without zeros at its end.
fn decimal_text(unscaled: i128, scale: i8) -> String {
    let unit = 10_i128.pow(scale.unsigned_abs().into());
    let (whole, part) = (unscaled / unit, (unscaled % unit).unsigned_abs());
    let sign = if unscaled < 0 && whole == 0 { "-" } else { "" };
    if part == 0 {
        return whole.to_string();
    }
    let digits = format!("{part:0width$}", width = usize::from(scale.unsigned_abs()));
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}

/// As a number of JSON, and in digits only.
fn double_texts(value: f64) -> (String, String) {
    // Of the two zeros one is enough.
    let value = value + 0.0;
    (ryu::Buffer::new().format(value).to_owned(), value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_written_as_they_are() {
        let cases = [
            (0, 0, "0"),
            (-7, 0, "-7"),
            (83_000_000_000, 9, "83"),
            (2_500_000_000, 9, "2.5"),
            (-500_000_000, 9, "-0.5"),
            (-1_000_000_001, 9, "-1.000000001"),
            (10_i128.pow(38) - 1, 0, "99999999999999999999999999999999999999"),
        ];
        for (unscaled, scale, expected) in cases {
            assert_eq!(decimal_text(unscaled, scale), expected);
        }
    }

    #[test]
    fn doubles_read_back_equal_in_both_forms() {
        for value in [0.0, 0.1, 1.0, -2.5, 1e100, 5e-324, f64::MAX, 123_456_789.125] {
            let (number, exact) = double_texts(value);
            assert_eq!(serde_json::from_str::<f64>(&number).unwrap(), value, "{number}");
            assert!(exact.parse() == Ok(value) && !exact.contains('e'), "{exact}");
        }
        assert_eq!(double_texts(-0.0), ("0.0".to_owned(), "0".to_owned()));
    }
}
