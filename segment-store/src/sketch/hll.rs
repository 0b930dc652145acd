use std::borrow::Cow;
use std::ops::Range;

use datasketches::hll::{HllSketch, HllType, HllUnion};

use super::{HllHash, SketchError};

pub(super) const FAMILY: u8 = 7;

// In the bytes: which form the sketch has in the two lowest bits, and the width of a register in the next two, 0 for 4 bits;
// and, of registers, what the order of values told, which is of no use where it is not known.
const MODE: usize = 7;
const MODE_MASK: u8 = 3;
const ORDERED_ESTIMATE: Range<usize> = 8..16;
const FORM_MASK: u8 = 0xf;
/// Registers, behind a preamble: what is added to each of them at first, in 4 bits a register, or in a byte.
const FORM_OF_4_BITS: u8 = 2;
const FORM_OF_BYTES: u8 = 2 | (2 << 2);
const LEAST: usize = 6;
const PREAMBLE_BYTES: usize = 40;
/// Hashes have 64 bits, of which a register counts the leading zeros.
const REGISTER_MAX: u8 = 63;

/// How many values are different, in `2^lg_k` registers; the first few hundred of them are kept one by one.
///
/// Estimates and merges do not depend on the order of values and sketches.
#[derive(Debug, Clone)]
pub struct Hll {
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    /// Values can be added.
    Sketch(HllSketch),
    /// Sketches can be merged into it, without copying its registers each time.
    Union(HllUnion),
}

impl Hll {
    /// # Errors
    /// `lg_k` is not from 4 to 21.
    pub fn new(lg_k: u8) -> Result<Self, SketchError> {
        super::SketchKind::hll(lg_k.into())?;
        Ok(Self { state: State::Sketch(HllSketch::new(lg_k, HllType::Hll8).expect("lg_k was checked")) })
    }

    pub fn add(&mut self, hash: HllHash) {
        if let State::Union(union) = &self.state {
            self.state = State::Sketch(union.to_sketch(HllType::Hll8));
        }
        if let State::Sketch(sketch) = &mut self.state {
            sketch.update_with_coupon(hash.0);
        }
    }

    /// Takes the coarser of the two sketches' sizes.
    pub fn merge(&mut self, other: &Self) {
        if self.is_empty() && self.lg_k() == other.lg_k() {
            self.state = other.state.clone();
            return;
        }
        if let State::Sketch(sketch) = &self.state {
            self.state = State::Union(union_of(sketch));
        }
        if let State::Union(union) = &mut self.state {
            match &other.state {
                State::Sketch(sketch) => union.update(sketch),
                State::Union(other) => union.update(&other.to_sketch(HllType::Hll8)),
            }
        }
    }

    /// 0 of no values.
    pub fn estimate(&self) -> f64 {
        match &self.state {
            _ if self.is_empty() => 0.0,
            State::Sketch(sketch) => sketch.composite_estimate(),
            State::Union(union) => union.composite_estimate(),
        }
    }

    /// # Errors
    /// The bytes are damaged.
    pub fn read(bytes: &[u8]) -> Result<Self, SketchError> {
        let sketch = HllSketch::deserialize(bytes).map_err(|error| SketchError::Damaged(error.to_string()))?;
        if greatest_register(bytes) > REGISTER_MAX {
            return Err(SketchError::Damaged(format!("a register may be greater than {REGISTER_MAX}")));
        }
        Ok(Self { state: State::Sketch(sketch) })
    }

    /// In 4 bits a register, as Druid stores it. The same bytes whatever the order of values and sketches.
    pub fn to_bytes(&self) -> Vec<u8> {
        let sketch = match &self.state {
            State::Sketch(sketch) => Cow::Borrowed(sketch),
            State::Union(union) => Cow::Owned(union.to_sketch(HllType::Hll8)),
        };
        let mut bytes = sketch.serialize();
        if let Some(hashes) = hashes_in(&mut bytes) {
            hashes.sort_unstable();
            bytes[MODE] &= MODE_MASK;
            return bytes;
        }
        // A union with itself tells readers that no order of values is known: all of them estimate as is done here.
        let mut union = union_of(&sketch);
        union.update(&sketch);
        let mut bytes = union.to_sketch(HllType::Hll4).serialize();
        bytes[ORDERED_ESTIMATE].fill(0);
        bytes
    }

    /// Memory taken outside of the value itself.
    pub fn bytes(&self) -> usize {
        match &self.state {
            State::Sketch(sketch) => sketch.estimated_size(),
            State::Union(union) => union.estimated_size(),
        }
    }

    fn is_empty(&self) -> bool {
        match &self.state {
            State::Sketch(sketch) => sketch.is_empty(),
            State::Union(union) => union.is_empty(),
        }
    }

    fn lg_k(&self) -> u8 {
        match &self.state {
            State::Sketch(sketch) => sketch.lg_config_k(),
            State::Union(union) => union.lg_config_k(),
        }
    }
}

/// What no register exceeds: those of a byte the library takes as they are, and of 4 bits what all of them begin at.
fn greatest_register(bytes: &[u8]) -> u8 {
    match bytes[MODE] & FORM_MASK {
        FORM_OF_BYTES => bytes[PREAMBLE_BYTES..].iter().copied().max().unwrap_or(0),
        FORM_OF_4_BITS => bytes[LEAST].saturating_add(15),
        _ => 0,
    }
}

fn union_of(sketch: &HllSketch) -> HllUnion {
    let mut union = HllUnion::new(sketch.lg_config_k()).expect("a sketch has a possible size");
    union.update(sketch);
    union
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
