//! CAST: a text that is no such value becomes null, as in queries; a number that does not fit fails.

use std::fmt::Write;

use henge_indexing::{text_of_double, text_of_flag};
use henge_segment_store::schema::DimensionType;

use super::arithmetic::each;
use super::column::{Cell, Column, Failure, Texts};
use crate::decode::{double_of_text, truncated_long_of_text};

/// The values of a column as another type.
pub(super) fn to(kind: DimensionType, column: &Column) -> Column {
    match kind {
        DimensionType::String => Column::Texts(texts(column)),
        DimensionType::Long => Column::Longs(longs(column)),
        DimensionType::Double => Column::Doubles(doubles(column)),
        DimensionType::Boolean => Column::Booleans(booleans(column)),
    }
}

fn texts(column: &Column) -> Texts {
    let mut texts = Texts::default();
    match column {
        Column::Booleans(cells) => {
            cells.iter().for_each(|cell| texts.push_copy(cell.map(|flag| flag.map(text_of_flag))));
        }
        Column::Longs(cells) => write_all(&mut texts, cells, |number, out| {
            write!(out, "{number}").expect("a String takes all text");
        }),
        Column::Doubles(cells) => write_all(&mut texts, cells, |number, out| out.push_str(&text_of_double(number))),
        Column::Texts(own) => return own.clone(),
    }
    texts
}

fn write_all<T: Copy>(texts: &mut Texts, cells: &[Cell<T>], write: impl Fn(T, &mut String)) {
    for cell in cells {
        texts.push(|out| cell.map(|value| value.map(|value| write(value, out))));
    }
}

fn longs(column: &Column) -> Vec<Cell<i64>> {
    match column {
        Column::Booleans(cells) => each(cells, |flag| Ok(i64::from(flag))),
        Column::Longs(cells) => cells.clone(),
        Column::Doubles(cells) => each(cells, truncated),
        Column::Texts(texts) => {
            texts.iter().map(|cell| cell.map(|text| text.and_then(truncated_long_of_text))).collect()
        }
    }
}

/// Both bounds are doubles; the greatest long is not.
fn truncated(number: f64) -> Result<i64, Failure> {
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number);
    if fits { Ok(number as i64) } else { Err(Failure::Overflow) }
}

fn doubles(column: &Column) -> Vec<Cell<f64>> {
    match column {
        Column::Booleans(cells) => each(cells, |flag| Ok(f64::from(u8::from(flag)))),
        Column::Longs(cells) => each(cells, |number| Ok(number as f64)),
        Column::Doubles(cells) => cells.clone(),
        Column::Texts(texts) => texts.iter().map(|cell| cell.map(|text| text.and_then(double_of_text))).collect(),
    }
}

fn booleans(column: &Column) -> Vec<Cell<bool>> {
    match column {
        Column::Booleans(cells) => cells.clone(),
        Column::Longs(cells) => each(cells, |number| Ok(number != 0)),
        Column::Doubles(cells) => each(cells, |number| Ok(number != 0.0)),
        Column::Texts(texts) => texts.iter().map(|cell| cell.map(|text| text.and_then(flag_of_text))).collect(),
    }
}

fn flag_of_text(text: &str) -> Option<bool> {
    let is = |word: &str| text.trim().eq_ignore_ascii_case(word);
    if is("true") { Some(true) } else { is("false").then_some(false) }
}
