//! Which share of every topic's partitions a process reads, when several share one manifest.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Processes that can share the partitions.
const SLOTS_MAX: u32 = 64;

/// Share `number` of `of`: partitions whose number leaves `number` when it is divided by `of`. So partitions that are added
/// to a topic belong to a slot already.
///
/// ```
/// # use henge_segment_store::slot::Slot;
/// let slot: Slot = "1/3".parse().unwrap();
/// assert_eq!((0..7).filter(|&partition| slot.owns(partition)).collect::<Vec<_>>(), [1, 4]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slot {
    number: u32,
    of: u32,
}

/// Why a text names no slot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no slot: write \"0/2\" for the first of two, of at most {SLOTS_MAX}")]
pub struct SlotError(String);

impl Slot {
    /// All partitions.
    pub const WHOLE: Self = Self { number: 0, of: 1 };

    /// `None` unless `number < of` and there are few enough.
    pub fn new(number: u32, of: u32) -> Option<Self> {
        (number < of && of <= SLOTS_MAX).then_some(Self { number, of })
    }

    pub fn owns(self, partition: i32) -> bool {
        // Kafka's partition numbers are not negative.
        partition.rem_euclid(self.of.cast_signed()) == self.number.cast_signed()
    }

    pub fn is_whole(&self) -> bool {
        self.of == 1
    }

    /// Whether it is the first one, whose process also merges and retires the segments of all.
    pub fn is_first(self) -> bool {
        self.number == 0
    }

    /// Whether some partition number belongs to both: the two congruences have a common solution.
    pub fn overlaps(self, other: Self) -> bool {
        let common = greatest_common_divisor(self.of, other.of);
        self.number % common == other.number % common
    }
}

impl Default for Slot {
    fn default() -> Self {
        Self::WHOLE
    }
}

fn greatest_common_divisor(left: u32, right: u32) -> u32 {
    if right == 0 { left } else { greatest_common_divisor(right, left % right) }
}

impl fmt::Display for Slot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Slot {
    type Err = SlotError;

    fn from_str(text: &str) -> Result<Self, SlotError> {
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        parts.and_then(|(number, of)| Self::new(number, of)).ok_or_else(|| SlotError(text.to_owned()))
    }
}

impl TryFrom<String> for Slot {
    type Error = SlotError;

    fn try_from(text: String) -> Result<Self, SlotError> {
        text.parse()
    }
}

impl From<Slot> for String {
    fn from(slot: Slot) -> Self {
        slot.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(slots_max: u32) -> impl Iterator<Item = Slot> {
        (1..=slots_max).flat_map(|of| (0..of).filter_map(move |number| Slot::new(number, of)))
    }

    #[test]
    fn each_partition_belongs_to_exactly_one_slot_of_a_count() {
        for of in 1..=SLOTS_MAX {
            for partition in 0..200 {
                let owners = (0..of).filter(|&number| Slot::new(number, of).unwrap().owns(partition)).count();
                assert_eq!(owners, 1, "partition {partition} of {of}");
            }
        }
    }

    #[test]
    fn slots_overlap_where_a_partition_belongs_to_both() {
        for left in all(12) {
            for right in all(12) {
                // Partitions repeat after the product of the counts.
                let is_shared = (0..144).any(|partition| left.owns(partition) && right.owns(partition));
                assert_eq!(left.overlaps(right), is_shared, "{left} and {right}");
            }
        }
    }

    #[test]
    fn a_slot_reads_back_equal_and_nonsense_is_refused() {
        for slot in all(SLOTS_MAX) {
            assert_eq!(slot.to_string().parse(), Ok(slot));
        }
        for text in ["", "0", "2/2", "-1/2", "0/0", "0/65", "0/2/3", "a/b", "0 of 2"] {
            let message = text.parse::<Slot>().unwrap_err().to_string();
            assert!(message.starts_with(&format!("`{text}` is no slot: write ")), "{message}");
        }
    }
}
