//! What is known of a block's or a column's values without reading them.

/// Of longs that are not null. Where there are none, `least` is greater than `greatest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongZone {
    pub least: i64,
    pub greatest: i64,
    /// Rows that are null.
    pub null_count: u32,
    pub sum: i128,
}

impl LongZone {
    /// Of no rows.
    pub const EMPTY: Self = Self { least: i64::MAX, greatest: i64::MIN, null_count: 0, sum: 0 };

    /// Adds a row.
    pub fn add(&mut self, value: Option<i64>) {
        match value {
            None => self.null_count += 1,
            Some(value) => {
                self.least = self.least.min(value);
                self.greatest = self.greatest.max(value);
                self.sum += i128::from(value);
            }
        }
    }

    /// Adds the rows of another zone.
    pub fn merge(&mut self, other: &Self) {
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
        self.null_count = self.null_count.saturating_add(other.null_count);
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// Of doubles that are not null. Where there is none that is a number, `least` is greater than `greatest`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DoubleZone {
    /// In the order of IEEE 754: -0.0 is less than 0.0. NaN does not count.
    pub least: f64,
    /// As `least`.
    pub greatest: f64,
    /// Rows that are null.
    pub null_count: u32,
    pub has_nan: bool,
    /// Added in the order of the rows, NaN included.
    pub sum: f64,
}

impl DoubleZone {
    /// Of no rows.
    pub const EMPTY: Self =
        Self { least: f64::INFINITY, greatest: f64::NEG_INFINITY, null_count: 0, has_nan: false, sum: 0.0 };

    /// Adds a row.
    pub fn add(&mut self, value: Option<f64>) {
        let Some(value) = value else {
            self.null_count += 1;
            return;
        };
        self.sum += value;
        if value.is_nan() {
            self.has_nan = true;
        } else {
            self.least = std::cmp::min_by(self.least, value, f64::total_cmp);
            self.greatest = std::cmp::max_by(self.greatest, value, f64::total_cmp);
        }
    }

    /// Adds the rows of another zone.
    pub fn merge(&mut self, other: &Self) {
        self.least = std::cmp::min_by(self.least, other.least, f64::total_cmp);
        self.greatest = std::cmp::max_by(self.greatest, other.greatest, f64::total_cmp);
        self.null_count = self.null_count.saturating_add(other.null_count);
        self.has_nan |= other.has_nan;
        self.sum += other.sum;
    }
}
