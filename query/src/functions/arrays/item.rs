//! Items of arrays: of one row as values, of many rows as an Arrow array.

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray, StringViewArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Float64Type, Int64Type};
use datafusion::common::Result;

/// What the items of an array are, the later the wider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ItemKind {
    Long,
    Double,
    Text,
}

impl ItemKind {
    /// Of a value, or of the items of an array; `None` of what says nothing, such as null. Booleans and times are longs.
    pub fn of(kind: &DataType) -> Option<Self> {
        match kind {
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                Self::of(item.data_type())
            }
            kind if kind.is_string() => Some(Self::Text),
            kind if kind.is_integer() || kind.is_temporal() || *kind == DataType::Boolean => Some(Self::Long),
            kind if kind.is_numeric() => Some(Self::Double),
            _ => None,
        }
    }

    /// The kind that holds all of these; texts where there are none.
    pub fn widest<'t>(types: impl IntoIterator<Item = &'t DataType>) -> Self {
        types.into_iter().filter_map(Self::of).max().unwrap_or(Self::Text)
    }

    pub fn arrow(self) -> DataType {
        match self {
            Self::Long => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Text => DataType::Utf8View,
        }
    }

    /// An array of such items.
    pub fn arrow_list(self) -> DataType {
        DataType::List(Arc::new(Field::new_list_field(self.arrow(), true)))
    }
}

/// Null first, then by value; doubles in their total order.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Null,
    Long(i64),
    Double(f64),
    Text(String),
}

impl Item {
    /// What it takes of a result.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            _ => size_of::<i64>(),
        }
    }

    /// As `CAST(item AS VARCHAR)` writes it.
    pub fn text(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Long(value) => value.to_string(),
            Self::Double(value) => format!("{value:?}"),
            Self::Text(text) => text.clone(),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Long(_) => 1,
            Self::Double(_) => 2,
            Self::Text(_) => 3,
        }
    }
}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Long(left), Self::Long(right)) => left.cmp(right),
            (Self::Double(left), Self::Double(right)) => left.total_cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Item {}

/// A column whose values, or the items of whose arrays, are of one kind.
#[derive(Debug)]
pub(super) struct Items {
    /// `None` of a column of values.
    lists: Option<ListArray>,
    values: ArrayRef,
}

impl Items {
    pub fn new(column: &ArrayRef, kind: ItemKind) -> Result<Self> {
        if !column.data_type().is_nested() {
            return Ok(Self { lists: None, values: cast(column, &kind.arrow())? });
        }
        let lists = cast(column, &kind.arrow_list())?.as_list::<i32>().clone();
        Ok(Self { values: lists.values().clone(), lists: Some(lists) })
    }

    pub fn is_null(&self, row: usize) -> bool {
        match &self.lists {
            Some(lists) => lists.is_null(row),
            None => self.values.is_null(row),
        }
    }

    /// The row's value.
    pub fn item(&self, row: usize) -> Item {
        let values = &self.values;
        if values.is_null(row) {
            return Item::Null;
        }
        match values.data_type() {
            DataType::Int64 => Item::Long(values.as_primitive::<Int64Type>().value(row)),
            DataType::Float64 => Item::Double(values.as_primitive::<Float64Type>().value(row)),
            _ => Item::Text(values.as_string_view().value(row).to_owned()),
        }
    }

    /// The row's array; a value is an array of itself.
    pub fn array(&self, row: usize) -> Vec<Item> {
        match &self.lists {
            None => vec![self.item(row)],
            Some(lists) => {
                let offsets = lists.value_offsets();
                (offsets[row] as usize..offsets[row + 1] as usize).map(|place| self.item(place)).collect()
            }
        }
    }
}

/// Items as a column.
pub(super) fn column_of(items: &[Item], kind: ItemKind) -> ArrayRef {
    let long = |item: &Item| if let Item::Long(value) = item { Some(*value) } else { None };
    let double = |item: &Item| if let Item::Double(value) = item { Some(*value) } else { None };
    match kind {
        ItemKind::Long => Arc::new(items.iter().map(long).collect::<Int64Array>()),
        ItemKind::Double => Arc::new(items.iter().map(double).collect::<Float64Array>()),
        ItemKind::Text => {
            let text = |item: &Item| if let Item::Text(text) = item { Some(text.clone()) } else { None };
            Arc::new(items.iter().map(text).collect::<StringViewArray>())
        }
    }
}

/// Arrays as a column.
pub(super) fn column_of_arrays(arrays: &[Option<Vec<Item>>], kind: ItemKind) -> ArrayRef {
    let items: Vec<Item> = arrays.iter().flatten().flatten().cloned().collect();
    let lengths = OffsetBuffer::from_lengths(arrays.iter().map(|array| array.as_ref().map_or(0, Vec::len)));
    let nulls = NullBuffer::from_iter(arrays.iter().map(Option::is_some));
    let field = Arc::new(Field::new_list_field(kind.arrow(), true));
    Arc::new(ListArray::new(field, lengths, column_of(&items, kind), Some(nulls)))
}
