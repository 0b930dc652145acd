//! Hashes of numbers that stand for keys.

/// Mixes all bits of `cell` into all bits of the hash: half of a 128-bit product is added to the other half.
pub(super) fn hash_of_cell(cell: u64) -> u64 {
    let product = u128::from(cell ^ 0x9E37_79B9_7F4A_7C15) * 0xD6E8_FEB8_6659_FD93_u128;
    (product as u64) ^ (product >> 64) as u64
}
