//! How fast this machine is, in three figures that most code depends on.

use std::hint::black_box;
use std::time::Instant;

/// 64 MiB: more than caches hold.
const WORDS: usize = 8 << 20;

/// Sequential sum, random gather and dependent multiply-add, best of five each.
pub fn line() -> String {
    let values: Vec<u64> = (0..WORDS as u64).collect();
    let sum_ns = best_of_five(|| values.iter().copied().fold(0, u64::wrapping_add));
    let places: Vec<u32> = (0..1 << 20).map(|place: u32| place.wrapping_mul(2_654_435_761) % WORDS as u32).collect();
    let gather_ns = best_of_five(|| places.iter().map(|place| values[*place as usize]).fold(0, u64::wrapping_add));
    let steps = 10_000_000;
    let chain_ns =
        best_of_five(|| (0..steps).fold(1.0, |sum: f64, _| black_box(sum.mul_add(1.000_000_1, 0.1))).to_bits());
    format!(
        "calibration: sequential sum {:.1} GB/s, 64 MiB gather {:.1} ns, dependent multiply-add {:.2} ns",
        (WORDS * 8) as f64 / sum_ns,
        gather_ns / places.len() as f64,
        chain_ns / f64::from(steps)
    )
}

fn best_of_five(mut work: impl FnMut() -> u64) -> f64 {
    let run = |_| {
        let started = Instant::now();
        black_box(work());
        started.elapsed().as_nanos() as f64
    };
    (0..5).map(run).fold(f64::INFINITY, f64::min)
}
