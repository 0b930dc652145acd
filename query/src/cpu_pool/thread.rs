//! The calling thread, as the operating system sees it.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// By how much a long query's threads are nicer than others: Linux gives one of them a third of what it gives to a thread
/// of a short query, and lets that one on a core as soon as it wakes up.
const NICER: i32 = 5;
/// The system knows no nicer one.
const NICEST: i32 = 19;

thread_local! {
    static IS_BACK: Cell<bool> = const { Cell::new(false) };
}

/// What the thread has used of the CPU.
pub fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// Lets threads of short queries go first from now on, and for good: most processes may not take that back. Threads that
/// it starts from now on do the same.
pub fn step_back() {
    // Elsewhere a priority belongs to the whole process.
    if !cfg!(target_os = "linux") || IS_BACK.replace(true) {
        return;
    }
    // SAFETY: numbers in and out; 0 is the calling thread, the process's own number its first thread, which stays as it
    // was started. Where the system refuses, the thread goes on as it is.
    unsafe {
        let ordinary = libc::getpriority(libc::PRIO_PROCESS, std::process::id());
        libc::setpriority(libc::PRIO_PROCESS, 0, (ordinary + NICER).min(NICEST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn niceness() -> i32 {
        // SAFETY: numbers in and out; 0 is the calling thread.
        unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
    }

    #[test]
    fn a_thread_steps_back_once_with_those_that_it_starts_and_no_others() {
        let before = niceness();
        let stepped_back = std::thread::spawn(move || {
            step_back();
            step_back();
            let own = niceness();
            let started = std::thread::spawn(|| {
                step_back();
                niceness()
            });
            (own, started.join().unwrap())
        });
        let nicer = (before + NICER).min(NICEST);
        assert_eq!(stepped_back.join().unwrap(), (nicer, nicer));
        assert_eq!(niceness(), before);
    }

    #[test]
    fn a_thread_that_works_uses_the_cpu() {
        let start = cpu_time();
        while cpu_time() == start {
            std::hint::spin_loop();
        }
        assert!(cpu_time() > start);
    }
}
