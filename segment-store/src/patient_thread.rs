//! Work that takes a core for seconds, on a thread of its own that lets others go first: what is read and asked meanwhile
//! does not wait for it.
#![allow(unsafe_code)]

use std::thread;

use tokio::sync::oneshot;

/// Added to the process's own niceness: a third of an ordinary thread's share of a core that both want.
#[cfg(target_os = "linux")]
const NICER: i32 = 5;

/// What `work` returns. `name` is that of the thread.
///
/// # Panics
/// The work panics, or no thread can be started.
pub(crate) async fn run<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = oneshot::channel();
    let patient = move || {
        // Elsewhere a priority belongs to the whole process. SAFETY: a number in, which on Linux is of the calling thread
        // alone; where the system refuses, the thread goes on as it is.
        #[cfg(target_os = "linux")]
        unsafe {
            libc::nice(NICER);
        }
        // Nobody waits any more where the process ends.
        let _ = done.send(work());
    };
    thread::Builder::new().name(name.to_owned()).spawn(patient).expect("a thread can be started");
    result.await.expect("the work does not panic")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the calling thread; the highest 19, the lowest -20.
    fn niceness() -> i32 {
        // SAFETY: numbers in and out; 0 is the calling thread.
        unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
    }

    #[tokio::test]
    async fn the_thread_is_nicer_and_the_one_that_waits_stays_as_it_is() {
        let before = niceness();
        let (on_thread, name) = run("patient", || (niceness(), thread::current().name().map(str::to_owned))).await;
        assert_eq!((niceness(), name.as_deref()), (before, Some("patient")));
        if cfg!(target_os = "linux") {
            assert_eq!(on_thread, (before + NICER).min(19));
        }
    }

    #[tokio::test]
    #[should_panic(expected = "the work does not panic")]
    async fn a_panic_reaches_who_waits() {
        run("patient", || panic!("of a test")).await
    }
}
