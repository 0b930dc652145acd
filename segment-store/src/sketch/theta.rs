//! The `2^lg_k` least hashes of different values: how many values there are follows from how near to each other the
//! hashes lie.
//!
//! Bytes, little-endian, as DataSketches' compact ordered form, version 3:
//!
//! | at | what |
//! |---|---|
//! | 0 | preamble in words of 8 bytes: 1 if empty or of one exact hash, 2 if exact, 3 else |
//! | 1, 2 | 3, the version; 3, the family |
//! | 5 | flags: 2 read only, 4 empty, 8 compact, 16 ordered |
//! | 6..8 | hash of the seed |
//! | 8..12 | how many hashes, where the preamble has 2 words |
//! | 16..24 | the bound, where it has 3 |
//! | then | the hashes, 8 bytes each, ascending |

use datasketches::theta::{CompactThetaSketch, ThetaSketchBuilder};

use super::{SketchError, SketchKind, ThetaHash};

pub(super) const FAMILY: u8 = 3;

/// The bound while all hashes are kept.
const ALL: u64 = i64::MAX as u64;
/// The largest size, in which a sketch is read: its own does not stand in its bytes, see [`Theta::limited`].
const LARGEST: u8 = 20;
/// Hashes that are kept without being looked through.
const FEW: usize = 64;

const READ_ONLY: u8 = 1 << 1;
const EMPTY: u8 = 1 << 2;
const COMPACT: u8 = 1 << 3;
const ORDERED: u8 = 1 << 4;

/// How many values are different, by their least hashes.
///
/// Holds the same hashes whatever the order of values and merges.
#[derive(Debug, Clone)]
pub struct Theta {
    lg_k: u8,
    /// Of all hashes seen, those below are kept.
    bound: u64,
    /// Not sorted, and with repetitions.
    hashes: Vec<u64>,
    /// So many are looked through for repetitions.
    settle_at: usize,
}

impl Theta {
    /// # Errors
    /// `lg_k` is not from 5 to 20.
    pub fn new(lg_k: u8) -> Result<Self, SketchError> {
        SketchKind::theta(1_i64.checked_shl(lg_k.into()).unwrap_or(0))?;
        Ok(Self { lg_k, bound: ALL, hashes: Vec::new(), settle_at: FEW })
    }

    pub fn add(&mut self, ThetaHash(hash): ThetaHash) {
        if hash < self.bound {
            self.hashes.push(hash);
            if self.hashes.len() >= self.settle_at {
                self.settle();
            }
        }
    }

    /// Takes the coarser of the two sketches' sizes.
    pub fn merge(&mut self, other: &Self) {
        let is_coarser = other.lg_k < self.lg_k;
        self.lg_k = self.lg_k.min(other.lg_k);
        if other.bound < self.bound {
            self.bound = other.bound;
            self.hashes.retain(|hash| *hash < other.bound);
        }
        self.hashes.extend(other.hashes.iter().filter(|hash| **hash < self.bound));
        // Otherwise many small sketches would sort a large one again and again.
        if is_coarser || self.hashes.len() >= self.settle_at {
            self.settle();
        }
    }

    /// What both have seen.
    pub fn intersect(&self, other: &Self) -> Self {
        let other = other.settled();
        self.keep(other.bound, |hash| other.hashes.binary_search(&hash).is_ok())
    }

    /// What the other has not seen.
    pub fn without(&self, other: &Self) -> Self {
        let other = other.settled();
        self.keep(other.bound, |hash| other.hashes.binary_search(&hash).is_err())
    }

    fn keep(&self, bound: u64, is_kept: impl Fn(u64) -> bool) -> Self {
        let mut kept = self.settled();
        kept.bound = kept.bound.min(bound);
        kept.hashes.retain(|hash| *hash < kept.bound && is_kept(*hash));
        kept
    }

    /// 0 of no values.
    pub fn estimate(&self) -> f64 {
        let settled = self.settled();
        settled.hashes.len() as f64 / (settled.bound as f64 / ALL as f64)
    }

    /// # Errors
    /// The bytes are damaged, or of another seed than DataSketches' own.
    pub fn read(bytes: &[u8]) -> Result<Self, SketchError> {
        let sketch = CompactThetaSketch::deserialize(bytes).map_err(|error| SketchError::Damaged(error.to_string()))?;
        let hashes: Vec<u64> = sketch.iter().map(|entry| entry.hash()).collect();
        if hashes.len() > 1 << LARGEST {
            return Err(SketchError::Damaged(format!("a theta sketch of {} hashes is too large", hashes.len())));
        }
        let mut theta = Self { lg_k: LARGEST, bound: sketch.theta64(), hashes, settle_at: FEW };
        theta.settle();
        Ok(theta)
    }

    /// Keeps at most `2^lg_k` hashes from now on.
    pub fn limited(mut self, lg_k: u8) -> Self {
        self.lg_k = self.lg_k.min(lg_k);
        self.settle();
        self
    }

    /// See the table at the top of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let settled = self.settled();
        let is_exact = settled.bound == ALL;
        let is_empty = is_exact && settled.hashes.is_empty();
        let words = match settled.hashes.len() {
            _ if !is_exact => 3,
            0 | 1 => 1,
            _ => 2,
        };
        let mut bytes = Vec::with_capacity((words + settled.hashes.len()) * size_of::<u64>());
        let flags = READ_ONLY | COMPACT | ORDERED | if is_empty { EMPTY } else { 0 };
        bytes.extend([words as u8, 3, FAMILY, 0, 0, flags]);
        bytes.extend(if is_empty { 0 } else { seed_hash() }.to_le_bytes());
        if words > 1 {
            bytes.extend((settled.hashes.len() as u32).to_le_bytes());
            bytes.extend([0; 4]);
        }
        if words > 2 {
            bytes.extend(settled.bound.to_le_bytes());
        }
        settled.hashes.iter().for_each(|hash| bytes.extend(hash.to_le_bytes()));
        bytes
    }

    /// Memory taken outside of the value itself.
    pub fn bytes(&self) -> usize {
        self.hashes.capacity() * size_of::<u64>()
    }

    fn settled(&self) -> Self {
        let mut settled = self.clone();
        settled.settle();
        settled
    }

    /// Sorts the hashes, and lets go of repetitions and of those that are too many.
    fn settle(&mut self) {
        self.hashes.sort_unstable();
        self.hashes.dedup();
        let kept = 1 << self.lg_k;
        if self.hashes.len() > kept {
            self.bound = self.hashes[kept];
            self.hashes.truncate(kept);
        }
        self.settle_at = (self.hashes.len() * 2).max(FEW);
    }
}

/// What DataSketches puts into sketches of its own seed.
fn seed_hash() -> u16 {
    ThetaSketchBuilder::default().lg_k(5).build().expect("32 hashes are as few as a theta sketch may keep").seed_hash()
}
