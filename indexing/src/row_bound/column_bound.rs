//! The place of a value among those of one segment's column.

use std::cmp::Ordering;

use super::SortOrder;

/// A value that those of a column are held against.
#[derive(Debug)]
pub(super) enum ColumnBound {
    Null,
    /// Among numbers, flags, and codes of a sorted dictionary.
    Key(KeyBound),
    Text(TextBound),
}

/// Keys that come before `at` come before the value; those equal to it are the value's, or come after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyBound {
    pub at: i64,
    /// The value is one of the column's keys.
    pub is_exact: bool,
}

/// A text that is compared as such.
#[derive(Debug)]
pub(super) struct TextBound {
    pub text: Box<[u8]>,
    /// A bit for each code of a growing dictionary that is known to come after the text.
    pub later_codes: Vec<u64>,
}

impl KeyBound {
    /// How a key stands to the value.
    pub fn order(self, key: i64, is_descending: bool) -> Ordering {
        let order = if is_descending { self.at.cmp(&key) } else { key.cmp(&self.at) };
        if order.is_eq() && !self.is_exact { Ordering::Greater } else { order }
    }
}

impl TextBound {
    /// How a text stands to the value.
    pub fn order(&self, text: &[u8], is_descending: bool) -> Ordering {
        if is_descending { (*self.text).cmp(text) } else { text.cmp(&self.text) }
    }

    /// As [`order`](Self::order), of a code of a growing dictionary. Most codes come after, and most come again.
    pub fn order_of_code<'t>(&mut self, code: u32, is_descending: bool, text: impl FnOnce() -> &'t [u8]) -> Ordering {
        let (word, bit) = (code as usize / 64, code % 64);
        if self.later_codes[word] >> bit & 1 == 1 {
            return Ordering::Greater;
        }
        let order = self.order(text(), is_descending);
        self.later_codes[word] |= u64::from(order.is_gt()) << bit;
        order
    }
}

impl ColumnBound {
    /// How nulls stand to the value.
    pub fn order_of_nulls(&self, order: SortOrder) -> Ordering {
        match self {
            Self::Null => Ordering::Equal,
            _ if order.is_nulls_first => Ordering::Less,
            _ => Ordering::Greater,
        }
    }

    /// How values stand to it where it is null.
    pub fn order_of_values_to_null(order: SortOrder) -> Ordering {
        if order.is_nulls_first { Ordering::Greater } else { Ordering::Less }
    }
}
