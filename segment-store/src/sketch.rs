//! Summaries of many values that merge: how many are different (HLL, theta), and which lie where in their order
//! (quantiles).
//!
//! Their bytes are those of Apache DataSketches, as other languages write and read them: compact HLL, compact ordered
//! theta, and KLL of doubles. Strings are hashed as UTF-8, longs as 8 bytes, doubles as DataSketches does; the empty string
//! is a value like any other.

mod hashed;
mod hll;
mod kind;
mod quantiles;
mod theta;

pub use self::hashed::{HashedValue, HllHash, SketchInput, ThetaHash, ThetaHasher};
pub use self::hll::Hll;
pub use self::kind::{SKETCH_TYPE_KEY, SketchKind};
pub use self::quantiles::Quantiles;
pub use self::theta::Theta;

/// Bytes or parameters that are no sketch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SketchError {
    #[error("{what} must lie between {least} and {greatest}, not {given}")]
    Parameter { what: &'static str, least: i64, greatest: i64, given: i64 },
    #[error("the bytes are no sketch that can be read: {0}")]
    Damaged(String),
    #[error("a {found} sketch stands where a {wanted} sketch is needed")]
    OtherKind { wanted: &'static str, found: &'static str },
    #[error("sketches cannot be merged: {0}")]
    Merge(String),
}

/// A sketch of one of the kinds.
#[derive(Debug, Clone)]
pub enum Sketch {
    Hll(Hll),
    Theta(Theta),
    Quantiles(Quantiles),
}

impl Sketch {
    /// Of no values.
    ///
    /// # Errors
    /// The parameters are out of bounds.
    pub fn new(kind: SketchKind) -> Result<Self, SketchError> {
        Ok(match kind {
            SketchKind::Hll { lg_k } => Self::Hll(Hll::new(lg_k)?),
            SketchKind::Theta { lg_k } => Self::Theta(Theta::new(lg_k)?),
            SketchKind::Quantiles { k } => Self::Quantiles(Quantiles::new(k)?),
        })
    }

    /// Reads the bytes of a sketch; which kind it is stands in them.
    ///
    /// # Errors
    /// The bytes are damaged, or of a family that is not known here.
    pub fn read(bytes: &[u8]) -> Result<Self, SketchError> {
        match bytes.get(2) {
            Some(&hll::FAMILY) => Hll::read(bytes).map(Self::Hll),
            Some(&theta::FAMILY) => Theta::read(bytes).map(Self::Theta),
            Some(&quantiles::FAMILY) => Quantiles::read(bytes).map(Self::Quantiles),
            Some(family) => Err(SketchError::Damaged(format!("its family {family} is neither HLL, theta nor KLL"))),
            None => Err(SketchError::Damaged(format!("{} bytes are too few", bytes.len()))),
        }
    }

    /// The bytes that DataSketches reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Hll(hll) => hll.to_bytes(),
            Self::Theta(theta) => theta.to_bytes(),
            Self::Quantiles(quantiles) => quantiles.to_bytes(),
        }
    }

    /// Adds a value.
    ///
    /// # Panics
    /// What is added is of another kind's.
    pub fn add(&mut self, input: SketchInput) {
        match (self, input) {
            (Self::Hll(hll), SketchInput::Hll(hash)) => hll.add(hash),
            (Self::Theta(theta), SketchInput::Theta(hash)) => theta.add(hash),
            (Self::Quantiles(quantiles), SketchInput::Quantile(value)) => quantiles.add(value),
            (sketch, input) => unreachable!("{input:?} for a {} sketch", sketch.family()),
        }
    }

    /// The same as large as `kind`, if it is larger, where the size of a sketch does not stand in its bytes.
    ///
    /// # Errors
    /// It is of another family.
    pub fn limited(self, kind: SketchKind) -> Result<Self, SketchError> {
        match (self, kind) {
            (Self::Theta(theta), SketchKind::Theta { lg_k }) => Ok(Self::Theta(theta.limited(lg_k))),
            (sketch @ Self::Hll(_), SketchKind::Hll { .. }) => Ok(sketch),
            (sketch @ Self::Quantiles(_), SketchKind::Quantiles { .. }) => Ok(sketch),
            (sketch, kind) => Err(SketchError::OtherKind { wanted: kind.family(), found: sketch.family() }),
        }
    }

    /// Reads the bytes of a sketch of this family, and takes it to be no larger than `kind`.
    ///
    /// # Errors
    /// The bytes are damaged, or those of another family.
    pub fn read_as(kind: SketchKind, bytes: &[u8]) -> Result<Self, SketchError> {
        Self::read(bytes)?.limited(kind)
    }

    /// Adds all that another sketch of the same kind has seen.
    ///
    /// # Errors
    /// The other is of another kind, or counts so many values that the sum leaves 64 bits.
    pub fn merge(&mut self, other: &Self) -> Result<(), SketchError> {
        match (self, other) {
            (Self::Hll(hll), Self::Hll(other)) => hll.merge(other),
            (Self::Theta(theta), Self::Theta(other)) => theta.merge(other),
            (Self::Quantiles(quantiles), Self::Quantiles(other)) => quantiles.merge(other)?,
            (sketch, other) => {
                return Err(SketchError::OtherKind { wanted: sketch.family(), found: other.family() });
            }
        }
        Ok(())
    }

    /// `HLL`, `theta` or `quantiles`.
    pub fn family(&self) -> &'static str {
        match self {
            Self::Hll(_) => "HLL",
            Self::Theta(_) => "theta",
            Self::Quantiles(_) => "quantiles",
        }
    }

    /// Memory taken outside of the value itself.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Hll(hll) => hll.bytes(),
            Self::Theta(theta) => theta.bytes(),
            Self::Quantiles(quantiles) => quantiles.bytes(),
        }
    }
}

#[cfg(test)]
mod tests;
