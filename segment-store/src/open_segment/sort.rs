//! Freezing: sorts rows as the schema says and rolls up the ones that are equal.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, AsArray, PrimitiveArray};
use arrow::datatypes::{ArrowPrimitiveType, Float64Type};
use henge_indexing::{DictionaryPrefix, KeyField, RowKeys, order_of_double, order_of_long};

use super::open_rows::OpenRows;
use super::sealed_page::SealedColumn;
use crate::schema::{Aggregation, ColumnKind, DataSourceSchema, DimensionType, SortKey};
use crate::segment::{SketchBytes, SortedColumn, SortedRows, Strings, TextValues, Values};
use crate::sketch::{Sketch, SketchKind};

/// One column of all pages together, in the order of arrival.
enum Column {
    /// Ranks in the dictionary, 0 for null.
    Ranks(Vec<u32>),
    Longs(Values<i64>),
    Doubles(Values<f64>),
    Flags(Values<bool>),
    Sketches(SketchKind, Vec<Option<Arc<Sketch>>>),
}

/// Sorts frozen rows. Takes a while for many rows: call it on a thread that may be busy.
pub fn sort(rows: &OpenRows) -> SortedRows {
    let schema = rows.schema.clone();
    let times: Vec<i64> = rows.times();
    let ranks: Vec<Vec<u32>> = rows.dictionaries.iter().map(DictionaryPrefix::ranks).collect();
    let column = |column| whole_column(rows, column, ranks.get(column).map_or(&[], Vec::as_slice));
    let mut dimensions: Vec<Column> = (0..schema.dimensions.len() + schema.measures.len()).map(column).collect();
    let measures = dimensions.split_off(schema.dimensions.len());

    let mut fields = Vec::new();
    for key in schema.sort_keys() {
        match key {
            SortKey::Time => fields.push(KeyField::of(times.iter().map(|&time| order_of_long(time)))),
            SortKey::Dimension(index) => fields.extend(key_fields(&dimensions[index])),
        }
    }
    let keys = RowKeys::pack(&fields, times.len());
    drop(fields);
    let order = keys.sorted_rows();
    if !schema.rollup {
        let measures = measures.into_iter().map(|column| gather(column, &order)).collect();
        return arranged(schema, rows, &times, dimensions, &ranks, &order, measures);
    }
    let groups = equal_rows(&keys, &order, &measures, &schema);
    let merged = measures.iter().zip(&schema.measures);
    let merged = merged.map(|(column, measure)| merge_groups(column, measure.aggregation, &order, &groups)).collect();
    let firsts: Vec<u32> = groups.iter().map(|group| order[group.start]).collect();
    arranged(schema, rows, &times, dimensions, &ranks, &firsts, merged)
}

/// The rows in `order`, with measures that are in that order already.
fn arranged(
    schema: Arc<DataSourceSchema>,
    rows: &OpenRows,
    times: &[i64],
    dimensions: Vec<Column>,
    ranks: &[Vec<u32>],
    order: &[u32],
    measures: Vec<SortedColumn>,
) -> SortedRows {
    let times = order.iter().map(|&row| times[row as usize]).collect();
    let dimensions = dimensions.into_iter().zip(&rows.dictionaries).zip(ranks);
    let dimensions = dimensions.map(|((column, dictionary), ranks)| match column {
        Column::Ranks(of_rows) => SortedColumn::Text(TextValues {
            distinct: Strings::in_order_of_ranks(dictionary, ranks),
            codes: order.iter().map(|&row| of_rows[row as usize]).collect(),
        }),
        column => gather(column, order),
    });
    SortedRows { schema, times, dimensions: dimensions.collect(), measures }
}

fn gather(column: Column, order: &[u32]) -> SortedColumn {
    match column {
        Column::Ranks(_) => unreachable!("ranks are gathered with their dictionary"),
        Column::Longs(longs) => SortedColumn::Longs(gather_values(&longs, order)),
        Column::Doubles(doubles) => SortedColumn::Doubles(gather_values(&doubles, order)),
        Column::Flags(flags) => SortedColumn::Flags(gather_values(&flags, order)),
        Column::Sketches(kind, sketches) => {
            let in_order = order.iter().map(|&row| sketches[row as usize].as_ref().map(|sketch| sketch.to_bytes()));
            SortedColumn::Sketches(kind, in_order.collect())
        }
    }
}

fn gather_values<T: Copy>(column: &Values<T>, order: &[u32]) -> Values<T> {
    let validity = column.validity.as_ref();
    Values {
        values: order.iter().map(|&row| column.values[row as usize]).collect(),
        validity: validity.map(|validity| order.iter().map(|&row| validity[row as usize]).collect()),
    }
}

/// `ranks`: of the column's dictionary, for strings.
fn whole_column(rows: &OpenRows, column: usize, ranks: &[u32]) -> Column {
    let pages = || rows.pages.iter().map(|page| &page.columns[column]);
    let arrays = || pages().map(SealedColumn::values);
    match rows.schema.column_kind(column) {
        ColumnKind::Value(DimensionType::String) => {
            let mut of_rows = Vec::with_capacity(rows.row_count());
            pages()
                .for_each(|page| of_rows.extend(page.codes().of(&None).into_iter().map(|code| ranks[code as usize])));
            Column::Ranks(of_rows)
        }
        ColumnKind::Value(DimensionType::Long) => Column::Longs(primitives(pages().map(|page| page.longs().of(&None)))),
        ColumnKind::Value(DimensionType::Double) => {
            Column::Doubles(primitives(arrays().map(|array| array.as_primitive::<Float64Type>().clone())))
        }
        ColumnKind::Value(DimensionType::Boolean) => {
            Column::Flags(arrays().flat_map(|array| array.as_boolean().iter()).collect())
        }
        ColumnKind::Sketch(kind) => {
            Column::Sketches(kind, pages().flat_map(|page| page.sketches().iter().cloned()).collect())
        }
    }
}

/// A page's value is the default where it is null, and so is a column's.
fn primitives<T: ArrowPrimitiveType>(arrays: impl Iterator<Item = PrimitiveArray<T>>) -> Values<T::Native>
where
    T::Native: Copy + Default,
{
    let (mut values, mut validity) = (Vec::new(), None);
    for array in arrays {
        if let Some(nulls) = array.nulls() {
            validity.get_or_insert_with(|| vec![true; values.len()]).extend(nulls);
        } else if let Some(validity) = &mut validity {
            validity.resize(values.len() + array.len(), true);
        }
        values.extend_from_slice(array.values());
    }
    Values { values, validity }
}

/// A dimension's part of the key; nulls sort first.
fn key_fields(column: &Column) -> Vec<KeyField> {
    match column {
        Column::Ranks(ranks) => vec![KeyField::of(ranks.iter().map(|&rank| u64::from(rank)))],
        Column::Longs(longs) => nullable_key(longs, order_of_long),
        Column::Doubles(doubles) => nullable_key(doubles, order_of_double),
        Column::Flags(flags) => nullable_key(flags, u64::from),
        Column::Sketches(..) => unreachable!("no dimension is a sketch"),
    }
}

fn nullable_key<T: Copy + Default>(values: &Values<T>, order_of: impl Fn(T) -> u64) -> Vec<KeyField> {
    let rows = 0..values.values.len();
    let is_valid = KeyField::of(rows.clone().map(|row| u64::from(values.get(row).is_some())));
    vec![is_valid, KeyField::of(rows.map(|row| values.get(row).map_or(0, &order_of)))]
}

/// Runs of rows with equal keys; a run ends early where a sum of longs would leave 64 bits.
fn equal_rows(keys: &RowKeys, order: &[u32], measures: &[Column], schema: &DataSourceSchema) -> Vec<Range<usize>> {
    let sums: Vec<&Values<i64>> = measures
        .iter()
        .zip(&schema.measures)
        .filter(|(_, measure)| matches!(measure.aggregation, Aggregation::Count | Aggregation::LongSum))
        .map(|(column, _)| longs_of(column))
        .collect();
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut totals = vec![0_i64; sums.len()];
    for (at, &row) in order.iter().enumerate() {
        // A null's value is 0.
        let inputs = || sums.iter().map(|sum| sum.values[row as usize]);
        let is_equal = at > 0 && keys.of(order[at - 1]) == keys.of(row);
        let fits = || totals.iter().zip(inputs()).all(|(total, input)| total.checked_add(input).is_some());
        match groups.last_mut().filter(|_| is_equal && fits()) {
            Some(group) => {
                totals.iter_mut().zip(inputs()).for_each(|(total, input)| *total += input);
                group.end = at + 1;
            }
            None => {
                totals.iter_mut().zip(inputs()).for_each(|(total, input)| *total = input);
                groups.push(at..at + 1);
            }
        }
    }
    groups
}

fn longs_of(column: &Column) -> &Values<i64> {
    match column {
        Column::Longs(longs) => longs,
        _ => unreachable!("an aggregation of longs holds longs"),
    }
}

/// One value for each group; null where no row of the group has one.
fn merge_groups(column: &Column, aggregation: Aggregation, order: &[u32], groups: &[Range<usize>]) -> SortedColumn {
    let rows = |group: &Range<usize>| order[group.clone()].iter().map(|&row| row as usize);
    match column {
        Column::Longs(longs) => {
            let merge = |left, right| aggregation.merge_long(left, right).expect("groups end before a sum overflows");
            let merged = |group| rows(group).filter_map(|row| longs.get(row)).reduce(merge);
            SortedColumn::Longs(groups.iter().map(merged).collect())
        }
        Column::Doubles(doubles) => {
            let merge = |left, right| aggregation.merge_double(left, right);
            let merged = |group| rows(group).filter_map(|row| doubles.get(row)).reduce(merge);
            SortedColumn::Doubles(groups.iter().map(merged).collect())
        }
        Column::Sketches(kind, sketches) => {
            let merged = |group| merged(rows(group).filter_map(|row| sketches[row].as_ref()));
            SortedColumn::Sketches(*kind, groups.iter().map(merged).collect::<SketchBytes>())
        }
        Column::Ranks(_) | Column::Flags(_) => unreachable!("measures are numbers or sketches"),
    }
}

/// The bytes of several sketches of one kind merged, in this order; `None` of none.
fn merged<'s>(mut sketches: impl Iterator<Item = &'s Arc<Sketch>>) -> Option<Vec<u8>> {
    let (first, second) = (sketches.next()?, sketches.next());
    let Some(second) = second else { return Some(first.to_bytes()) };
    let mut whole = Sketch::clone(first);
    for sketch in std::iter::once(second).chain(sketches) {
        whole.merge(sketch).expect("rows of one segment hold fewer values than 64 bits count, in sketches of one kind");
    }
    Some(whole.to_bytes())
}
