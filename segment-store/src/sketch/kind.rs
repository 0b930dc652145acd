use std::collections::HashMap;
use std::fmt;

use arrow::datatypes::{DataType, Field};
use serde::{Deserialize, Serialize};

use super::SketchError;

/// Where the metadata of an Arrow field says what sketches its bytes are, in Druid's words.
pub const SKETCH_TYPE_KEY: &str = "henge.sketch";

/// Which sketch, and how exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "WrittenKind")]
pub enum SketchKind {
    /// Counts different values in `2^lg_k` registers; the standard error is `1.04 / 2^(lg_k / 2)`.
    Hll { lg_k: u8 },
    /// Counts different values, and keeps `2^lg_k` of their hashes, so that sets can be intersected; the standard error
    /// is `1 / 2^(lg_k / 2)`.
    Theta { lg_k: u8 },
    /// Ranks doubles; the rank of an answer is off by at most `2.3 / k^0.97`, 99 times of 100.
    Quantiles { k: u16 },
}

impl SketchKind {
    /// As many registers as Druid takes where nothing is said: a standard error of 1.6 %.
    pub const HLL: Self = Self::Hll { lg_k: 12 };
    /// As many hashes as Druid keeps where nothing is said: a standard error of 0.8 %.
    pub const THETA: Self = Self::Theta { lg_k: 14 };
    /// Druid's 128 of its older sketch errs by 1.7 % of the ranks, KLL's 200 by 1.3 %.
    pub const QUANTILES: Self = Self::Quantiles { k: 200 };

    /// Registers of an HLL sketch as their binary logarithm.
    ///
    /// # Errors
    /// Not from 4 to 21.
    pub fn hll(lg_k: i64) -> Result<Self, SketchError> {
        bounded("lgK of an HLL sketch", 4, 21, lg_k).map(|lg_k| Self::Hll { lg_k: lg_k as u8 })
    }

    /// Hashes of a theta sketch; the next power of two is taken.
    ///
    /// # Errors
    /// Not from 32 to 2^20.
    pub fn theta(size: i64) -> Result<Self, SketchError> {
        let size = bounded("the size of a theta sketch", 32, 1 << 20, size)?;
        Ok(Self::Theta { lg_k: (size as u64).next_power_of_two().trailing_zeros() as u8 })
    }

    /// The parameter `k` of a quantiles sketch.
    ///
    /// # Errors
    /// Not from 8 to 65,535.
    pub fn quantiles(k: i64) -> Result<Self, SketchError> {
        bounded("k of a quantiles sketch", 8, 65_535, k).map(|k| Self::Quantiles { k: k as u16 })
    }

    /// The kind whose sketches those of both can be merged into: the coarser one; `None` where they are of different
    /// families.
    pub fn coarser(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Hll { lg_k }, Self::Hll { lg_k: other }) => Some(Self::Hll { lg_k: lg_k.min(other) }),
            (Self::Theta { lg_k }, Self::Theta { lg_k: other }) => Some(Self::Theta { lg_k: lg_k.min(other) }),
            (Self::Quantiles { k }, Self::Quantiles { k: other }) => Some(Self::Quantiles { k: k.min(other) }),
            _ => None,
        }
    }

    /// A column of such sketches: their bytes.
    pub fn field(self, name: &str, is_nullable: bool) -> Field {
        let metadata = HashMap::from([(SKETCH_TYPE_KEY.to_owned(), self.type_name().to_owned())]);
        Field::new(name, DataType::Binary, is_nullable).with_metadata(metadata)
    }

    /// `HLL`, `theta` or `quantiles`.
    pub fn family(self) -> &'static str {
        match self {
            Self::Hll { .. } => "HLL",
            Self::Theta { .. } => "theta",
            Self::Quantiles { .. } => "quantiles",
        }
    }

    /// Druid's name of the type.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Hll { .. } => "COMPLEX<HLLSketch>",
            Self::Theta { .. } => "COMPLEX<thetaSketch>",
            Self::Quantiles { .. } => "COMPLEX<KllDoublesSketch>",
        }
    }
}

/// A kind as it was written, whose parameter may be out of bounds.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenKind {
    Hll { lg_k: u8 },
    Theta { lg_k: u8 },
    Quantiles { k: u16 },
}

impl TryFrom<WrittenKind> for SketchKind {
    type Error = SketchError;

    fn try_from(written: WrittenKind) -> Result<Self, SketchError> {
        match written {
            WrittenKind::Hll { lg_k } => Self::hll(lg_k.into()),
            WrittenKind::Theta { lg_k } => Self::theta(1_i64.checked_shl(lg_k.into()).unwrap_or(0)),
            WrittenKind::Quantiles { k } => Self::quantiles(k.into()),
        }
    }
}

fn bounded(what: &'static str, least: i64, greatest: i64, given: i64) -> Result<i64, SketchError> {
    if (least..=greatest).contains(&given) {
        Ok(given)
    } else {
        Err(SketchError::Parameter { what, least, greatest, given })
    }
}

/// As `EXPLAIN` shows it.
impl fmt::Display for SketchKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hll { lg_k } => write!(out, "HLL({lg_k})"),
            Self::Theta { lg_k } => write!(out, "THETA({})", 1_u32 << lg_k),
            Self::Quantiles { k } => write!(out, "QUANTILES({k})"),
        }
    }
}
