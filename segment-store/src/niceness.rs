//! Threads that let others of the process go first.
#![allow(unsafe_code)]

/// By how much such a thread is nicer than others: Linux gives it a third of what it gives to one of them.
const NICER: i32 = 5;
/// The system knows no nicer one.
const NICEST: i32 = 19;

/// Lets other threads go first from now on, and for good: most processes may not take that back. Threads that it starts
/// from now on do the same.
pub fn step_back() {
    put_back(0);
}

/// The same for a thread that Linux knows by this number; 0 is the calling one.
pub fn put_back(thread: u32) {
    // Elsewhere a priority belongs to the whole process.
    if !cfg!(target_os = "linux") {
        return;
    }
    // SAFETY: numbers in and out; the process's own number is its first thread, which stays as it was started. Where the
    // system refuses, the thread goes on as it is.
    unsafe {
        let ordinary = libc::getpriority(libc::PRIO_PROCESS, std::process::id());
        libc::setpriority(libc::PRIO_PROCESS, thread, nicer_than(ordinary));
    }
}

/// The niceness of a thread that steps back from this one.
pub fn nicer_than(ordinary: i32) -> i32 {
    (ordinary + NICER).min(NICEST)
}

/// That of the calling thread.
#[cfg(any(test, feature = "test-support"))]
pub fn of_thread() -> i32 {
    // SAFETY: numbers in and out; 0 is the calling thread.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}
