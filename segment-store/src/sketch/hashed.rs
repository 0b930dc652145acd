//! What sketches keep of a value.

use datasketches::hash::value::{canonical_float, raw_bytes};
use datasketches::hll::Coupon;
use datasketches::theta::{ThetaSketch, ThetaSketchBuilder};

use super::SketchKind;

/// A value to be hashed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HashedValue<'v> {
    /// UTF-8.
    Text(&'v [u8]),
    Long(i64),
    /// Both zeros are one value, and every NaN.
    Double(f64),
}

/// A register of an HLL sketch of any size, and a value for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HllHash(pub(super) Coupon);

/// 63 bits, never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ThetaHash(pub(super) u64);

/// What a value brings to a sketch of some kind, of any size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SketchInput {
    Hll(HllHash),
    Theta(ThetaHash),
    Quantile(f64),
}

impl HllHash {
    pub fn of(value: HashedValue<'_>) -> Self {
        Self(match value {
            HashedValue::Text(text) => Coupon::from_value(raw_bytes::from_slice(text)),
            HashedValue::Long(long) => Coupon::from_value(long),
            HashedValue::Double(double) => Coupon::from_value(canonical_float::from_f64(double)),
        })
    }
}

/// Hashes values for theta sketches.
#[derive(Debug)]
pub struct ThetaHasher {
    /// DataSketches tells a value's hash only by what a sketch retains of it.
    one: ThetaSketch,
}

impl Default for ThetaHasher {
    fn default() -> Self {
        let one = ThetaSketchBuilder::default().lg_k(5).build();
        Self { one: one.expect("32 hashes are as few as a theta sketch may keep") }
    }
}

impl ThetaHasher {
    /// `None` for the one value in 2^63 that no theta sketch retains, and for text that quantiles are asked of.
    pub fn input(&mut self, kind: SketchKind, value: HashedValue<'_>) -> Option<SketchInput> {
        match (kind, value) {
            (SketchKind::Hll { .. }, value) => Some(SketchInput::Hll(HllHash::of(value))),
            (SketchKind::Theta { .. }, value) => self.hash(value).map(SketchInput::Theta),
            (SketchKind::Quantiles { .. }, HashedValue::Long(long)) => Some(SketchInput::Quantile(long as f64)),
            (SketchKind::Quantiles { .. }, HashedValue::Double(double)) => Some(SketchInput::Quantile(double)),
            (SketchKind::Quantiles { .. }, HashedValue::Text(_)) => None,
        }
    }

    /// `None` for the one value in 2^63 that no theta sketch retains.
    pub fn hash(&mut self, value: HashedValue<'_>) -> Option<ThetaHash> {
        self.one.reset();
        match value {
            HashedValue::Text(text) => self.one.update(raw_bytes::from_slice(text)),
            HashedValue::Long(long) => self.one.update(long),
            HashedValue::Double(double) => self.one.update(canonical_float::from_f64(double)),
        }
        self.one.iter().next().map(|entry| ThetaHash(entry.hash()))
    }
}
