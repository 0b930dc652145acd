use datasketches::common::SearchCriteria;
use datasketches::kll::{KllFloat, KllSketch};

use super::{SketchError, SketchKind};

pub(super) const FAMILY: u8 = 15;

/// A sketch that says to have seen more values is damaged: no stream is as long.
const VALUES_MAX: u64 = 1 << 62;

/// Which values lie where in the order of all.
///
/// The first values can be kept one by one: while there are no more, answers are exact. Beyond them a KLL sketch throws
/// coins, so that answers of two runs may differ within its bounds. NaN is no value, and both zeros are one.
#[derive(Debug, Clone)]
pub struct Quantiles {
    k: u16,
    /// So many values are kept one by one.
    exact_max: usize,
    /// Not sorted; empty once there is a sketch.
    exact: Vec<f64>,
    sketch: Option<Box<KllSketch<KllFloat<f64>>>>,
}

impl Quantiles {
    /// # Errors
    /// `k` is below 8.
    pub fn new(k: u16) -> Result<Self, SketchError> {
        Self::exact_up_to(0, k)
    }

    /// Keeps the first values one by one.
    ///
    /// # Errors
    /// `k` is below 8.
    pub fn exact_up_to(exact_max: usize, k: u16) -> Result<Self, SketchError> {
        SketchKind::quantiles(k.into())?;
        Ok(Self { k, exact_max, exact: Vec::new(), sketch: None })
    }

    /// From now on keeps at most so many values one by one.
    pub fn limit(&mut self, exact_max: usize) {
        self.exact_max = exact_max;
        if self.exact.len() > exact_max {
            self.sketch();
        }
    }

    #[inline]
    pub fn add(&mut self, value: f64) {
        if self.sketch.is_none() && self.exact.len() < self.exact_max && !value.is_nan() {
            self.exact.push(value + 0.0);
        } else {
            self.add_to_sketch(value + 0.0);
        }
    }

    #[inline(never)]
    fn add_to_sketch(&mut self, value: f64) {
        if let Ok(value) = KllFloat::<f64>::new(value) {
            self.sketch().update(value);
        }
    }

    /// The sketch, made of the values so far where there is none yet.
    fn sketch(&mut self) -> &mut KllSketch<KllFloat<f64>> {
        let (k, exact) = (self.k, &mut self.exact);
        self.sketch.get_or_insert_with(|| {
            let mut sketch = KllSketch::new(k).expect("k was checked");
            for value in std::mem::take(exact) {
                sketch.update(KllFloat::<f64>::new(value).expect("NaN is not kept"));
            }
            Box::new(sketch)
        })
    }

    /// # Errors
    /// Both together count more values than 64 bits can.
    pub fn merge(&mut self, other: &Self) -> Result<(), SketchError> {
        if let Some(sketch) = &other.sketch {
            self.sketch().merge(sketch).map_err(|error| SketchError::Merge(error.to_string()))?;
            return self.check();
        }
        if self.sketch.is_none() && self.exact.len() + other.exact.len() <= self.exact_max {
            self.exact.extend_from_slice(&other.exact);
        } else {
            other.exact.iter().for_each(|value| self.add(*value));
        }
        Ok(())
    }

    /// The values, while they are kept one by one.
    pub fn exact(&self) -> Option<&[f64]> {
        self.sketch.is_none().then_some(&self.exact)
    }

    /// How many values were seen.
    pub fn count(&self) -> u64 {
        self.sketch.as_ref().map_or(self.exact.len() as u64, |sketch| sketch.n())
    }

    /// The least value that at least the fraction `rank` of all values does not exceed; `None` of no values, and where
    /// `rank` is not from 0 to 1.
    pub fn quantile(&self, rank: f64) -> Option<f64> {
        if !(0.0..=1.0).contains(&rank) {
            return None;
        }
        if let Some(sketch) = &self.sketch {
            return sketch.quantile(rank, SearchCriteria::Inclusive).ok()?.map(KllFloat::into_inner);
        }
        let mut values = self.exact.clone();
        let place = ((rank * values.len() as f64).ceil() as usize).clamp(1, values.len().max(1)) - 1;
        (place < values.len()).then(|| *values.select_nth_unstable_by(place, f64::total_cmp).1)
    }

    /// The fraction of all values that do not exceed `value`; `None` of no values.
    pub fn rank(&self, value: f64) -> Option<f64> {
        if let Some(sketch) = &self.sketch {
            return sketch.rank(&KllFloat::<f64>::new(value).ok()?, SearchCriteria::Inclusive);
        }
        let below = self.exact.iter().filter(|known| **known <= value).count();
        (!self.exact.is_empty() && !value.is_nan()).then(|| below as f64 / self.exact.len() as f64)
    }

    pub fn least(&self) -> Option<f64> {
        self.quantile(0.0)
    }

    pub fn greatest(&self) -> Option<f64> {
        self.quantile(1.0)
    }

    /// # Errors
    /// The bytes are damaged.
    pub fn read(bytes: &[u8]) -> Result<Self, SketchError> {
        let sketch = KllSketch::deserialize(bytes).map_err(|error| SketchError::Damaged(error.to_string()))?;
        let read = Self { k: sketch.k(), exact_max: 0, exact: Vec::new(), sketch: Some(Box::new(sketch)) };
        read.check()?;
        Ok(read)
    }

    /// A KLL sketch of doubles.
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.sketch {
            Some(sketch) => sketch.serialize(),
            None => self.clone().sketch().serialize(),
        }
    }

    /// Memory taken outside of the value itself.
    pub fn bytes(&self) -> usize {
        let sketch = self
            .sketch
            .as_ref()
            .map_or(0, |sketch| size_of::<KllSketch<KllFloat<f64>>>() + sketch.num_retained() * size_of::<f64>());
        self.exact.capacity() * size_of::<f64>() + sketch
    }

    fn check(&self) -> Result<(), SketchError> {
        match self.count() {
            count if count > VALUES_MAX => Err(SketchError::Damaged(format!("it counts {count} values"))),
            _ => Ok(()),
        }
    }
}
