use std::hash::{DefaultHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Dashboards have tens of statements.
const STATEMENTS: usize = 4_096;
/// Of a statement's text, at either end, as much as tells it from others.
const END_BYTES: usize = 1 << 10;
const UNIT: Duration = Duration::from_micros(100);
const UNITS_MAX: u64 = (1 << 16) - 1;

/// What statements used of the CPU when they were asked before. Bounded: one that is asked takes the place of another one.
#[derive(Debug)]
pub(super) struct UsedBefore {
    /// Above, what tells the statement from others that have their place here; below, units.
    places: Box<[AtomicU64]>,
}

/// A statement, whatever its numbers and texts in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StatementKind(u64);

impl StatementKind {
    pub fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let (head, rest) = bytes.split_at(bytes.len().min(END_BYTES));
        let (middle, tail) = rest.split_at(rest.len().saturating_sub(END_BYTES));
        let mut hasher = DefaultHasher::new();
        let mut is_quoted = false;
        let told: Vec<u8> = head
            .iter()
            .chain(tail)
            .copied()
            .filter(|byte| {
                is_quoted ^= *byte == b'\'';
                !is_quoted && !byte.is_ascii_digit()
            })
            .collect();
        hasher.write(&told);
        // Those of which only the middle differs differ in what they cost.
        hasher.write_u32(middle.len().checked_ilog2().unwrap_or_default());
        Self(hasher.finish())
    }
}

impl UsedBefore {
    pub fn new() -> Self {
        Self { places: (0..STATEMENTS).map(|_| AtomicU64::new(0)).collect() }
    }

    /// Zero where nothing is known.
    pub fn get(&self, kind: StatementKind) -> Duration {
        let known = self.place(kind).load(Ordering::Relaxed);
        if known & !UNITS_MAX == kind.0 & !UNITS_MAX { UNIT * (known & UNITS_MAX) as u32 } else { Duration::ZERO }
    }

    pub fn put(&self, kind: StatementKind, used: Duration) {
        let units = u64::try_from(used.as_nanos() / UNIT.as_nanos()).unwrap_or(UNITS_MAX).min(UNITS_MAX);
        self.place(kind).store(kind.0 & !UNITS_MAX | units, Ordering::Relaxed);
    }

    fn place(&self, kind: StatementKind) -> &AtomicU64 {
        &self.places[kind.0 as usize % STATEMENTS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQL: &str = "SELECT COUNT(*) FROM t WHERE org = 'o''1' AND shard = 7";

    #[test]
    fn a_statement_is_known_again_with_other_values() {
        let before = UsedBefore::new();
        assert_eq!(before.get(StatementKind::of(SQL)), Duration::ZERO);
        before.put(StatementKind::of(SQL), Duration::from_micros(7_390));
        let again = SQL.replace("o''1", "it''s another").replace('7', "1234");
        assert_eq!(before.get(StatementKind::of(&again)), Duration::from_micros(7_300));
        assert_eq!(before.get(StatementKind::of(&SQL.replace("shard", "org"))), Duration::ZERO);
        before.put(StatementKind::of(SQL), Duration::from_secs(3_600));
        assert_eq!(before.get(StatementKind::of(SQL)), UNIT * UNITS_MAX as u32);
    }

    #[test]
    fn long_statements_differ_by_their_ends_and_by_how_long_they_are() {
        let long = |head: &str, middle: usize, tail: &str| {
            StatementKind::of(&format!("SELECT {head}{}{tail}", " + a".repeat(middle)))
        };
        assert_eq!(long("b", 1_000, " FROM t"), long("b", 1_001, " FROM t"));
        assert_ne!(long("b", 1_000, " FROM t"), long("c", 1_000, " FROM t"));
        assert_ne!(long("b", 1_000, " FROM t"), long("b", 1_000, " FROM u"));
        assert_ne!(long("b", 1_000, " FROM t"), long("b", 100_000, " FROM t"));
    }

    #[test]
    fn more_statements_than_have_a_place_leave_the_newest() {
        let before = UsedBefore::new();
        let kinds = (0..3 * STATEMENTS as u64).map(|n| StatementKind(n.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        for kind in kinds {
            before.put(kind, UNIT);
            assert_eq!(before.get(kind), UNIT);
        }
    }
}
