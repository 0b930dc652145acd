//! The best of the rows seen so far.

/// At most `count` rows by their keys, which compare as bytes like the rows do, and more while they wait to be sorted
/// out. `T` says where a row is.
#[derive(Debug)]
pub(super) struct BestRows<T> {
    count: usize,
    rows: Vec<(Box<[u8]>, T)>,
    key_bytes: usize,
}

impl<T: Copy> BestRows<T> {
    pub fn new(count: usize) -> Self {
        Self { count, rows: Vec::new(), key_bytes: 0 }
    }

    /// Adds rows, and forgets those that are not among the best any more.
    pub fn add(&mut self, rows: impl IntoIterator<Item = (Box<[u8]>, T)>) {
        self.rows.extend(rows);
        if self.rows.len() > self.count {
            self.rows.select_nth_unstable_by(self.count - 1, |left, right| left.0.cmp(&right.0));
            self.rows.truncate(self.count);
        }
        self.key_bytes = self.rows.iter().map(|(key, _)| key.len()).sum();
    }

    /// The key that a row has to come before to be among the best; `None` while there are too few rows.
    pub fn last(&self) -> Option<&[u8]> {
        let is_full = self.rows.len() == self.count;
        let last = self.rows.iter().map(|(key, _)| key).max().filter(|_| is_full);
        last.map(|key| &**key)
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Memory taken, roughly.
    pub fn bytes(&self) -> usize {
        self.key_bytes + self.rows.capacity() * size_of::<(Box<[u8]>, T)>()
    }

    /// In no particular order.
    pub fn into_rows(self) -> Vec<(Box<[u8]>, T)> {
        self.rows
    }

    /// In the order of their keys.
    pub fn into_sorted(mut self) -> Vec<T> {
        self.rows.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        self.rows.into_iter().map(|(_, row)| row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_best_are_kept_and_the_last_of_them_is_the_bound() {
        let key = |number: u8| -> Box<[u8]> { Box::from([number]) };
        let mut best = BestRows::new(3);
        best.add([(key(7), 'a'), (key(3), 'b')]);
        assert_eq!(best.last(), None);
        best.add([(key(9), 'c')]);
        assert_eq!(best.last(), Some([9].as_slice()));
        best.add([(key(1), 'd'), (key(8), 'e')]);
        assert_eq!(best.last(), Some([7].as_slice()));
        assert_eq!(best.key_bytes, 3);
        assert_eq!(best.into_sorted(), ['d', 'b', 'a']);
    }
}
