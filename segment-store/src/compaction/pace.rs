use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Keeps background work within its share of a core: after each slice of work it sleeps in proportion.
#[derive(Debug)]
pub struct Pace {
    /// Of one core: 0.3 works three tenths of the time.
    share: f64,
    is_cancelled: Arc<AtomicBool>,
    slice_begun: Instant,
}

/// The process stops, or whoever asked has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was cancelled")]
pub struct Cancelled;

/// Work between two sleeps; queries wait for a core no longer than this.
const SLICE: Duration = Duration::from_millis(5);
/// The longest sleep before it looks whether it is cancelled.
const NAP_MAX: Duration = Duration::from_millis(50);

impl Pace {
    /// `share` above 1 never sleeps, and counts as at least a hundredth.
    pub fn new(share: f64, is_cancelled: Arc<AtomicBool>) -> Self {
        Self { share: share.clamp(0.01, 1.0), is_cancelled, slice_begun: Instant::now() }
    }

    /// Work begins after a wait that was none of ours.
    pub fn begin(&mut self) {
        self.slice_begun = Instant::now();
    }

    /// Called between steps of the work; sleeps when a slice is over.
    pub fn step(&mut self) -> Result<(), Cancelled> {
        let worked = self.slice_begun.elapsed();
        if worked < SLICE {
            return self.check();
        }
        let until = Instant::now() + worked.mul_f64((1.0 - self.share) / self.share);
        loop {
            self.check()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(NAP_MAX));
        }
        self.begin();
        Ok(())
    }

    fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(pace: &mut Pace, slices: u32) -> Duration {
        let begun = Instant::now();
        pace.begin();
        for _ in 0..slices {
            let slice = Instant::now();
            while slice.elapsed() < SLICE {
                std::hint::spin_loop();
            }
            pace.step().unwrap();
        }
        begun.elapsed()
    }

    #[test]
    fn it_sleeps_in_proportion_to_the_work() {
        let mut slow = Pace::new(0.2, Arc::default());
        assert!(work(&mut slow, 4) >= SLICE * 20);
        let mut whole = Pace::new(1.0, Arc::default());
        let begun = Instant::now();
        whole.begin();
        std::thread::sleep(SLICE);
        whole.step().unwrap();
        assert!(begun.elapsed() < NAP_MAX, "a whole core never sleeps");
    }

    #[test]
    fn it_ends_soon_after_it_was_cancelled_also_while_it_sleeps() {
        let is_cancelled = Arc::new(AtomicBool::new(false));
        let mut pace = Pace::new(0.01, is_cancelled.clone());
        std::thread::sleep(SLICE);
        let canceller = std::thread::spawn(move || {
            std::thread::sleep(SLICE);
            is_cancelled.store(true, Ordering::Relaxed);
        });
        assert_eq!(pace.step(), Err(Cancelled));
        canceller.join().unwrap();
    }
}
