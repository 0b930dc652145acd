//! Random numbers that depend on nothing but the seed, what they are for, and which one is asked for.

/// What a random number decides. The numbers are part of the workload: another one makes other events.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    Environment,
    Organization,
    PhysicalCluster,
    ClusterType,
    Region,
    TopicCount,
    PrincipalCount,
    DeadLetters,
    PartitionCount,
    Repeat,
    Event,
    HotKey,
    Broker,
    ManyClusters,
    Mix,
    Host,
    HostField,
    TsbsQuery,
    ClusterId { round: u64 },
}

impl Purpose {
    fn number(self) -> u64 {
        match self {
            Self::Environment => 1,
            Self::Organization => 2,
            Self::PhysicalCluster => 3,
            Self::ClusterType => 4,
            Self::Region => 5,
            Self::TopicCount => 6,
            Self::PrincipalCount => 7,
            Self::DeadLetters => 8,
            Self::PartitionCount => 9,
            Self::Repeat => 10,
            Self::Event => 11,
            Self::HotKey => 12,
            Self::Broker => 13,
            Self::ManyClusters => 15,
            Self::Mix => 16,
            Self::Host => 17,
            Self::HostField => 18,
            Self::TsbsQuery => 19,
            Self::ClusterId { round } => 100 + round,
        }
    }
}

/// The finalizer of SplitMix64.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Sixty-four bits for the `index`-th thing of its kind.
pub fn hash(seed: u64, purpose: Purpose, index: u64) -> u64 {
    let stream = mix(seed ^ purpose.number().wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mix(stream.wrapping_add(index.wrapping_mul(0xd134_2543_de82_ef95)))
}

/// In the open interval (0, 1).
pub fn unit(bits: u64) -> f64 {
    ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// A permutation of 0..2^24, by four Feistel rounds.
pub fn permuted_24_bits(seed: u64, value: u32) -> u32 {
    let (mut left, mut right) = (value >> 12, value & 0xfff);
    for round in 0..4 {
        let scrambled = hash(seed, Purpose::ClusterId { round }, u64::from(right)) as u32 & 0xfff;
        (left, right) = (right, left ^ scrambled);
    }
    left << 12 | right
}

/// A stream of random numbers: SplitMix64.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        Self(hash(seed, purpose, index))
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// In the open interval (0, 1).
    pub fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    /// In `0..bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// Of the standard normal distribution, by Box and Muller.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.unit().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// A rank in `1..=ranks` that falls with the power `exponent`: rejection under the integral of x^-exponent.
    pub fn zipf(&mut self, ranks: u64, exponent: f64) -> u64 {
        let is_harmonic = (exponent - 1.0).abs() < 1e-9;
        let inverse = if is_harmonic { 0.0 } else { 1.0 / (1.0 - exponent) };
        let total = match is_harmonic {
            true => 1.0 + (ranks as f64).ln(),
            false => ((ranks as f64).powf(1.0 - exponent) - exponent) * inverse,
        };
        loop {
            let area = self.unit() * total;
            let place = match area {
                area if area <= 1.0 => area,
                area if is_harmonic => (area - 1.0).exp(),
                area => (area * (1.0 - exponent) + exponent).powf(inverse),
            };
            let rank = (place + 1.0).floor();
            let mut ratio = rank.powf(-exponent);
            if rank > 1.0 {
                ratio *= place.powf(exponent);
            }
            if self.unit() < ratio {
                return (rank as u64).min(ranks);
            }
        }
    }
}
