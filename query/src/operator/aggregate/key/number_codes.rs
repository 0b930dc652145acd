//! Codes for numbers that are not known beforehand.

use hashbrown::HashTable;

use crate::operator::aggregate::cell_hash::hash_of_cell;

/// Gives each distinct number a code from 1 on.
#[derive(Debug, Default)]
pub struct NumberCodes {
    codes: HashTable<(u64, u32)>,
    values: Vec<u64>,
    /// The last number and its code: neighbours are often equal.
    last: Option<(u64, u32)>,
}

impl NumberCodes {
    pub fn code(&mut self, value: u64) -> u32 {
        if let Some((last, code)) = self.last
            && last == value
        {
            return code;
        }
        let next = self.values.len() as u32 + 1;
        let entry = self.codes.entry(hash_of_cell(value), |known| known.0 == value, |known| hash_of_cell(known.0));
        let (_, code) = *entry.or_insert((value, next)).get();
        if code == next {
            self.values.push(value);
        }
        self.last = Some((value, code));
        code
    }

    /// The number whose code is `code`, which was given before.
    pub fn value(&self, code: u32) -> u64 {
        self.values[code as usize - 1]
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        self.codes.capacity() * (size_of::<(u64, u32)>() + 1) + self.values.capacity() * size_of::<u64>()
    }
}
