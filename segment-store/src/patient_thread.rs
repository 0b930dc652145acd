//! Work that takes a core for seconds, on a thread of its own that lets others go first: what is read and asked meanwhile
//! does not wait for it.

use std::thread;

use tokio::sync::oneshot;

use crate::os_thread::{self, Rank};

/// What `work` returns. `name` is that of the thread.
///
/// # Panics
/// The work panics, or no thread can be started.
pub(crate) async fn run<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = oneshot::channel();
    let patient = move || {
        os_thread::step_back(Rank::Third);
        // Nobody waits any more where the process ends.
        let _ = done.send(work());
    };
    thread::Builder::new().name(name.to_owned()).spawn(patient).expect("a thread can be started");
    result.await.expect("the work does not panic")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_thread_is_nicer_and_the_one_that_waits_stays_as_it_is() {
        let before = os_thread::niceness();
        let patient = run("patient", || (os_thread::niceness(), thread::current().name().map(str::to_owned)));
        let (on_thread, name) = patient.await;
        assert_eq!((os_thread::niceness(), name.as_deref()), (before, Some("patient")));
        if cfg!(target_os = "linux") {
            assert_eq!(on_thread, Rank::Third.niceness(before));
        }
    }

    #[tokio::test]
    #[should_panic(expected = "the work does not panic")]
    async fn a_panic_reaches_who_waits() {
        run("patient", || panic!("of a test")).await
    }
}
