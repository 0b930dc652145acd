//! What values come to, whatever their order: longs in 128 bits, doubles without a loss before the one rounding at the end.

use henge_segment_store::dataset::SeriesFunction;

use super::{DIGITS, Numbers};
use crate::error::QueryError;
use crate::operator::aggregate::exact_double::{part_of, round};

/// Digits behind the point of a mean of whole numbers, half to even: a part in 10^9 of one.
pub(super) const MEAN_SCALE: i8 = 9;
const MEAN_UNIT: i128 = 1_000_000_000;

/// Some values of one kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    /// Decimals as multiples of 10^-`scale`.
    Longs {
        values: Vec<i128>,
        scale: i8,
    },
    Doubles(Vec<f64>),
}

/// A total for each place.
#[derive(Debug)]
pub(super) struct Totals {
    function: SeriesFunction,
    /// Digits behind the point of the values; `None` of doubles.
    scale: Option<i8>,
    counts: Vec<u64>,
    /// Sums or extremes.
    longs: Vec<i128>,
    /// Extremes.
    doubles: Vec<f64>,
    /// Sums, as parts of some bins.
    sums: Vec<Vec<(u8, i128)>>,
}

impl Totals {
    pub fn new(function: SeriesFunction, scale: Option<i8>) -> Self {
        Self { function, scale, counts: Vec::new(), longs: Vec::new(), doubles: Vec::new(), sums: Vec::new() }
    }

    /// Of values as they are stored.
    pub fn of_numbers(function: SeriesFunction, numbers: Numbers) -> Self {
        Self::new(function, (numbers == Numbers::Longs).then_some(0))
    }

    /// Of what another has come to.
    pub fn over(function: SeriesFunction, values: &Values) -> Self {
        let scale = match values {
            Values::Longs { scale, .. } => Some(*scale),
            Values::Doubles(_) => None,
        };
        Self::new(function, scale)
    }

    /// Adds the value of a row to the total at a place, which may be the next one.
    pub fn add(&mut self, place: usize, values: &Values, row: usize) -> Result<(), QueryError> {
        if place == self.counts.len() {
            self.counts.push(0);
        }
        let is_first = self.counts[place] == 0;
        self.counts[place] += 1;
        if self.function == SeriesFunction::Count {
            return Ok(());
        }
        match values {
            Values::Longs { values, .. } if is_first => self.longs.push(values[row]),
            Values::Longs { values, .. } => self.add_long(place, values[row])?,
            Values::Doubles(values) => self.add_double(place, values[row], is_first),
        }
        Ok(())
    }

    fn add_long(&mut self, place: usize, value: i128) -> Result<(), QueryError> {
        let total = &mut self.longs[place];
        *total = match self.function {
            SeriesFunction::Min => (*total).min(value),
            SeriesFunction::Max => (*total).max(value),
            _ => total.checked_add(value).ok_or_else(too_large)?,
        };
        Ok(())
    }

    fn add_double(&mut self, place: usize, value: f64, is_first: bool) {
        match self.function {
            SeriesFunction::Min | SeriesFunction::Max if is_first => self.doubles.push(value),
            SeriesFunction::Min => self.doubles[place] = self.doubles[place].min(value),
            SeriesFunction::Max => self.doubles[place] = self.doubles[place].max(value),
            _ => {
                if is_first {
                    self.sums.push(Vec::new());
                }
                let (bin, part) = part_of(value);
                let bins = &mut self.sums[place];
                match bins.iter_mut().find(|(known, _)| *known == bin) {
                    Some((_, sum)) => *sum += part,
                    None => bins.push((bin, part)),
                }
            }
        }
    }

    pub fn finish(self) -> Result<Values, QueryError> {
        let Self { function, scale, counts, longs, doubles, sums } = self;
        Ok(match (function, scale) {
            (SeriesFunction::Count, _) => {
                Values::Longs { values: counts.into_iter().map(i128::from).collect(), scale: 0 }
            }
            (SeriesFunction::Mean, Some(scale)) => {
                let means = longs.into_iter().zip(counts).map(|(sum, count)| mean(sum, count, scale));
                Values::Longs { values: means.collect::<Result<_, _>>()?, scale: MEAN_SCALE }
            }
            (SeriesFunction::Sum | SeriesFunction::Min | SeriesFunction::Max, Some(scale)) => {
                Values::Longs { values: longs, scale }
            }
            (SeriesFunction::Min | SeriesFunction::Max, None) => Values::Doubles(doubles),
            (SeriesFunction::Sum, None) => Values::Doubles(sums.iter().map(|bins| round(bins)).collect()),
            (SeriesFunction::Mean, None) => {
                let means = sums.iter().zip(counts).map(|(bins, count)| round(bins) / count as f64);
                Values::Doubles(means.collect())
            }
        })
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        // Most sums are of one or two bins.
        const BINS_BYTES: usize = 2 * size_of::<(u8, i128)>();
        self.counts.capacity() * size_of::<u64>()
            + self.longs.capacity() * size_of::<i128>()
            + self.doubles.capacity() * size_of::<f64>()
            + self.sums.capacity() * size_of::<Vec<(u8, i128)>>()
            + self.sums.len() * BINS_BYTES
    }
}

impl Values {
    /// The same with other digits behind the point, of which there are not fewer.
    pub fn at_scale(self, wanted: i8) -> Result<Self, QueryError> {
        match self {
            Self::Longs { values, scale } if scale < wanted => {
                let raised = values.into_iter().map(|value| value.checked_mul(MEAN_UNIT).ok_or_else(too_large));
                Ok(Self::Longs { values: raised.collect::<Result<_, _>>()?, scale: wanted })
            }
            other => Ok(other),
        }
    }

    /// # Errors
    /// A value has no form in an answer.
    pub fn check(&self) -> Result<(), QueryError> {
        let is_fine = match self {
            Self::Longs { values, .. } => {
                let end = 10_i128.pow(u32::from(DIGITS));
                values.iter().all(|value| (-end < *value) && (*value < end))
            }
            Self::Doubles(values) => values.iter().all(|value| value.is_finite()),
        };
        if is_fine { Ok(()) } else { Err(too_large()) }
    }
}

/// `sum` counts 10^-`scale`, which is 0 or that of a mean already.
fn mean(sum: i128, count: u64, scale: i8) -> Result<i128, QueryError> {
    let unit = if scale == MEAN_SCALE { 1 } else { MEAN_UNIT };
    let dividend = sum.checked_mul(unit).ok_or_else(too_large)?;
    let divisor = i128::from(count);
    let (quotient, rest) = (dividend.div_euclid(divisor), dividend.rem_euclid(divisor));
    // Half to even.
    let is_more = rest * 2 > divisor || (rest * 2 == divisor && quotient % 2 != 0);
    Ok(quotient + i128::from(is_more))
}

fn too_large() -> QueryError {
    QueryError::plan(
        "a value is larger than an answer can hold: ask for shorter intervals, or for fewer series at once",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(function: SeriesFunction, values: Values) -> Values {
        let mut totals = Totals::over(function, &values);
        let count = match &values {
            Values::Longs { values, .. } => values.len(),
            Values::Doubles(values) => values.len(),
        };
        (0..count).for_each(|row| totals.add(0, &values, row).unwrap());
        totals.finish().unwrap()
    }

    fn longs(values: &[i128]) -> Values {
        Values::Longs { values: values.to_vec(), scale: 0 }
    }

    fn decimal(value: i128) -> Values {
        Values::Longs { values: vec![value], scale: MEAN_SCALE }
    }

    #[test]
    fn means_of_longs_are_rounded_half_to_even_on_both_sides_of_zero() {
        let cases = [
            (vec![1, 2], 1_500_000_000),
            (vec![1, 1, 2], 1_333_333_333),
            (vec![1, 2, 2], 1_666_666_667),
            (vec![-1, -1, -2], -1_333_333_333),
            (vec![-1, -2, -2], -1_666_666_667),
            (vec![i64::MAX.into(), i64::MAX.into()], i128::from(i64::MAX) * MEAN_UNIT),
        ];
        for (values, expected) in cases {
            assert_eq!(of(SeriesFunction::Mean, longs(&values)), decimal(expected), "{values:?}");
        }
        // Of means, in units of their last digit: 0.5, 1.5 and -0.5 go to the even neighbour.
        for (values, expected) in [(vec![0, 1], 0), (vec![1, 2], 2), (vec![0, -1], 0), (vec![-1, -2], -2)] {
            let of_means = of(SeriesFunction::Mean, Values::Longs { values: values.clone(), scale: MEAN_SCALE });
            assert_eq!(of_means, decimal(expected), "{values:?}");
        }
    }

    #[test]
    fn sums_leave_64_bits_and_fail_where_they_leave_128() {
        let max = i128::from(i64::MAX);
        assert_eq!(of(SeriesFunction::Sum, longs(&[max, max])), longs(&[2 * max]));
        let mut totals = Totals::of_numbers(SeriesFunction::Sum, Numbers::Longs);
        totals.add(0, &longs(&[i128::MAX]), 0).unwrap();
        assert!(totals.add(0, &longs(&[1]), 0).is_err());
        assert!(longs(&[10_i128.pow(38)]).check().is_err());
        assert!(Values::Doubles(vec![f64::INFINITY]).check().is_err());
    }

    #[test]
    fn doubles_lose_nothing_before_the_end() {
        let doubles = Values::Doubles(vec![1e100, 1.0, -1e100]);
        assert_eq!(of(SeriesFunction::Sum, doubles.clone()), Values::Doubles(vec![1.0]));
        assert_eq!(of(SeriesFunction::Mean, doubles.clone()), Values::Doubles(vec![1.0 / 3.0]));
        assert_eq!(of(SeriesFunction::Min, doubles.clone()), Values::Doubles(vec![-1e100]));
        assert_eq!(of(SeriesFunction::Max, doubles.clone()), Values::Doubles(vec![1e100]));
        assert_eq!(of(SeriesFunction::Count, doubles), longs(&[3]));
    }
}
