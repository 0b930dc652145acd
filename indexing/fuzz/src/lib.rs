//! What a fuzz target's body may allocate: counted by the allocator, and a multiple of the input at the most.

mod counting;

use counting::held_at_most;

/// Live bytes for each byte of the input.
const BYTES_PER_BYTE_MAX: usize = 64;
/// What even the smallest input may take: blocks of 1,024 rows, and what is set up once.
const BYTES_FREE: usize = 1 << 20;

/// Runs a target's body, and panics where it held more bytes at once than the input allows.
pub fn within_limits(input: &[u8], body: impl Fn(&[u8]) -> bool) {
    let held = held_at_most(|| _ = body(input));
    let held_max = BYTES_FREE + BYTES_PER_BYTE_MAX * input.len();
    assert!(held <= held_max, "{held} bytes were held at once for an input of {} bytes", input.len());
}
