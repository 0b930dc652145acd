use std::ops::Range;

use datasketches::hll::{HllSketch, HllType, HllUnion};

use super::{HllHash, SketchError};

pub(super) const FAMILY: u8 = 7;

// In the bytes: which form the sketch has in the two lowest bits, and the width of a register in the next two, 0 for 4 bits;
// and, of registers, what the order of values told, which is of no use where it is not known.
const MODE: usize = 7;
const MODE_MASK: u8 = 3;
const ORDERED_ESTIMATE: Range<usize> = 8..16;

/// How many values are different, in `2^lg_k` registers; the first few hundred of them are kept one by one.
///
/// Estimates and merges do not depend on the order of values and sketches.
#[derive(Debug, Clone)]
pub struct Hll {
    sketch: HllSketch,
}

impl Hll {
    /// # Errors
    /// `lg_k` is not from 4 to 21.
    pub fn new(lg_k: u8) -> Result<Self, SketchError> {
        super::SketchKind::hll(lg_k.into())?;
        Ok(Self { sketch: HllSketch::new(lg_k, HllType::Hll8).expect("lg_k was checked") })
    }

    pub fn add(&mut self, hash: HllHash) {
        self.sketch.update_with_coupon(hash.0);
    }

    /// Takes the coarser of the two sketches' sizes.
    pub fn merge(&mut self, other: &Self) {
        if self.sketch.is_empty() && self.sketch.lg_config_k() == other.sketch.lg_config_k() {
            self.sketch = other.sketch.clone();
            return;
        }
        let mut union = HllUnion::new(self.sketch.lg_config_k()).expect("a sketch has a possible size");
        union.update(&self.sketch);
        union.update(&other.sketch);
        self.sketch = union.to_sketch(HllType::Hll8);
    }

    /// 0 of no values.
    pub fn estimate(&self) -> f64 {
        if self.sketch.is_empty() { 0.0 } else { self.sketch.composite_estimate() }
    }

    /// # Errors
    /// The bytes are damaged.
    pub fn read(bytes: &[u8]) -> Result<Self, SketchError> {
        let sketch = HllSketch::deserialize(bytes).map_err(|error| SketchError::Damaged(error.to_string()))?;
        let mut union = HllUnion::new(sketch.lg_config_k()).expect("a sketch has a possible size");
        union.update(&sketch);
        Ok(Self { sketch: union.to_sketch(HllType::Hll8) })
    }

    /// In 4 bits a register, as Druid stores it. The same bytes whatever the order of values and sketches.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.sketch.serialize();
        if let Some(hashes) = hashes_in(&mut bytes) {
            hashes.sort_unstable();
            bytes[MODE] &= MODE_MASK;
            return bytes;
        }
        // A union with itself tells readers that no order of values is known: all of them estimate as is done here.
        let mut union = HllUnion::new(self.sketch.lg_config_k()).expect("a sketch has a possible size");
        union.update(&self.sketch);
        union.update(&self.sketch);
        let mut bytes = union.to_sketch(HllType::Hll4).serialize();
        bytes[ORDERED_ESTIMATE].fill(0);
        bytes
    }

    /// Memory taken outside of the value itself.
    pub fn bytes(&self) -> usize {
        self.sketch.estimated_size()
    }
}

/// The hashes of a sketch that keeps them one by one, each in four bytes; `None` of one with registers.
fn hashes_in(bytes: &mut [u8]) -> Option<&mut [[u8; 4]]> {
    const LIST: u8 = 0;
    const SET: u8 = 1;
    let preamble = match bytes[MODE] & MODE_MASK {
        LIST => 8,
        SET => 12,
        _ => return None,
    };
    Some(bytes[preamble..].as_chunks_mut().0)
}
