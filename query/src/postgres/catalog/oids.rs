//! Numbers of what clients look up by number.

pub(super) const PG_CATALOG: i64 = 11;
pub(super) const PUBLIC: i64 = 2200;
pub(super) const INFORMATION_SCHEMA: i64 = 13_000;
pub(super) const SYS: i64 = 13_001;
pub(super) const DATABASE: i64 = 5;
/// Below are PostgreSQL's own.
const FIRST: u32 = 16_384;

/// A table keeps its number for as long as it has its name: FNV-1a, in 30 bits, so that what takes it for a signed number
/// finds it positive.
pub(crate) fn of_table(name: &str) -> i64 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    i64::from((hash >> 2) | FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_and_differ() {
        assert_eq!(of_table("usage"), of_table("usage"));
        assert_ne!(of_table("usage"), of_table("fleet"));
        assert!(of_table("") >= 16_384 && of_table("x") < i64::from(i32::MAX));
    }
}
