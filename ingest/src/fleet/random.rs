//! Random numbers that are a function of what they are for, so that any row can be made on its own.

/// SplitMix64's finaliser.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A hash of (seed, what it is for, which one).
pub fn hash(seed: u64, purpose: u64, index: u64) -> u64 {
    let stream = mix(seed ^ purpose.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mix(stream.wrapping_add(index.wrapping_mul(0xd134_2543_de82_ef95)))
}

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// In the open interval (0, 1).
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// In `0..bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    pub fn log_normal(&mut self, mu: f64, sigma: f64) -> f64 {
        (mu + sigma * self.normal()).exp()
    }

    /// A Zipf rank in `0..count` with exponent 1, by rejection from the integral of 1/x.
    pub fn zipf(&mut self, count: u64) -> u64 {
        let total = 1.0 + (count as f64).ln();
        loop {
            let p = self.unit() * total;
            let at = if p <= 1.0 { p } else { (p - 1.0).exp() };
            let rank = (at + 1.0).floor();
            let ratio = if rank > 1.0 { at / rank } else { 1.0 };
            if self.unit() < ratio {
                return (rank as u64).min(count) - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rank_of_a_zipf_distribution_is_twice_as_frequent_as_the_second() {
        let mut random = Random(7);
        let mut counts = [0u32; 100];
        for _ in 0..100_000 {
            counts[random.zipf(100) as usize] += 1;
        }
        let harmonic: f64 = (1..=100).map(|rank| 1.0 / f64::from(rank)).sum();
        for rank in [1u32, 2, 10] {
            let expected = 100_000.0 / harmonic / f64::from(rank);
            let found = f64::from(counts[rank as usize - 1]);
            assert!((found / expected - 1.0).abs() < 0.08, "rank {rank}: {found} of {expected}");
        }
    }
}
