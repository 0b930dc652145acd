//! Exponentially weighted rates over one, five and fifteen minutes, as `uptime` shows loads.

use std::time::Duration;

/// Rates are moved forward this often.
pub const TICK: Duration = Duration::from_secs(5);
const MINUTES: [f64; 3] = [1.0, 5.0, 15.0];

/// One counter's rate in units per second.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rate {
    total: u64,
    per_second: Option<[f64; 3]>,
}

impl Rate {
    /// Takes the counter's new value, one [`TICK`] after the last.
    pub fn tick(&mut self, total: u64) {
        let now = (total - self.total.min(total)) as f64 / TICK.as_secs_f64();
        self.total = total;
        let old = self.per_second.unwrap_or([now; 3]);
        let weights = MINUTES.map(|minutes| 1.0 - (-TICK.as_secs_f64() / (60.0 * minutes)).exp());
        self.per_second = Some(std::array::from_fn(|window| old[window] + weights[window] * (now - old[window])));
    }

    /// Over one, five and fifteen minutes.
    pub fn per_second(&self) -> [f64; 3] {
        self.per_second.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_counter_has_its_rate_at_once_and_an_ended_one_fades_fastest_in_the_short_window() {
        let mut rate = Rate::default();
        for tick in 1..=100 {
            rate.tick(tick * 500);
        }
        assert_eq!(rate.per_second(), [100.0; 3]);
        for _ in 0..12 {
            rate.tick(50_000);
        }
        let [one, five, fifteen] = rate.per_second();
        assert!(one < 40.0 && one < five && five < fifteen && fifteen < 100.0, "{one} {five} {fifteen}");
    }
}
