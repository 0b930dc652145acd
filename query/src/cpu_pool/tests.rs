use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::*;
use crate::error::{QueryError, QueryErrorKind};

fn pool(threads: usize) -> CpuPool {
    CpuPool::start(NonZeroUsize::new(threads).unwrap(), 1 << 20)
}

/// A morsel that keeps its thread until the sender is dropped, and is begun when this returns.
fn hold(share: &Arc<QueryShare>) -> (mpsc::Sender<()>, impl Future<Output = Result<(), QueryError>>) {
    let (go_on, wait) = mpsc::channel::<()>();
    let (started, start) = mpsc::channel();
    let held = share.run(move || {
        started.send(()).unwrap();
        wait.recv().ok();
        Ok(())
    });
    start.recv().unwrap();
    (go_on, held)
}

fn until_waiting(pool: &CpuPool, morsels: usize) {
    while pool.shared.lock().schedule.waiting() < morsels {
        thread::yield_now();
    }
}

#[tokio::test]
async fn a_morsel_gives_its_result_or_its_error() {
    let pool = pool(1);
    let share = pool.share();
    assert_eq!(share.run(|| Ok(7)).await, Ok(7));
    assert_eq!(share.run(|| Err::<(), _>(QueryError::limit("no"))).await, Err(QueryError::limit("no")));
}

#[tokio::test]
async fn a_panic_is_an_error_of_its_query_alone_and_the_thread_survives() {
    let pool = pool(1);
    let panicked = pool.share().run(|| -> Result<(), QueryError> { panic!("of a test") }).await;
    assert_eq!(panicked.unwrap_err().kind, QueryErrorKind::Internal);
    assert_eq!(pool.share().run(|| Ok(7)).await, Ok(7));
}

#[tokio::test]
async fn a_cancelled_query_starts_nothing_more_and_others_go_on() {
    let pool = pool(1);
    let share = pool.share();
    let (go_on, running) = hold(&share);
    let waiting = share.run(|| -> Result<(), QueryError> { unreachable!("it was cancelled before") });
    share.cancel();
    assert_eq!(waiting.await.unwrap_err().kind, QueryErrorKind::Cancelled);
    assert_eq!(share.run(|| Ok(7)).await.unwrap_err().kind, QueryErrorKind::Cancelled);
    assert_eq!(share.turn().map(drop).unwrap_err().kind, QueryErrorKind::Cancelled);
    drop(go_on);
    assert_eq!(running.await, Ok(()));
    assert_eq!(pool.share().run(|| Ok(7)).await, Ok(7));
}

#[tokio::test]
async fn a_morsel_that_nobody_waits_for_is_left_out() {
    let pool = pool(1);
    let share = pool.share();
    let (go_on, running) = hold(&share);
    let is_run = Arc::new(AtomicBool::new(false));
    let ran = is_run.clone();
    drop(share.run(move || {
        ran.store(true, Ordering::Relaxed);
        Ok(())
    }));
    drop(go_on);
    assert_eq!(running.await, Ok(()));
    assert_eq!(share.run(|| Ok(7)).await, Ok(7));
    assert!(!is_run.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_query_that_is_dropped_in_the_middle_leaves_nothing_behind() {
    let pool = pool(1);
    let share = pool.share();
    let (go_on, running) = hold(&share);
    drop(running);
    drop(share);
    drop(go_on);
    assert_eq!(pool.share().run(|| Ok(7)).await, Ok(7));
}

#[tokio::test]
async fn a_pool_that_is_dropped_ends_its_queries_and_its_threads() {
    let pool = pool(1);
    let share = pool.share();
    let shared = Arc::downgrade(&pool.shared);
    let (go_on, running) = hold(&share);
    let waiting = share.run(|| Ok(7));
    drop(pool);
    assert_eq!(waiting.await.unwrap_err().kind, QueryErrorKind::Unavailable);
    assert_eq!(share.run(|| Ok(7)).await.unwrap_err().kind, QueryErrorKind::Unavailable);
    drop(go_on);
    assert_eq!(running.await, Ok(()));
    drop(share);
    while shared.upgrade().is_some() {
        thread::yield_now();
    }
}

#[test]
fn turns_and_morsels_together_keep_few_threads_busy() {
    let pool = pool(2);
    let (busy, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, counted_most) = (busy.clone(), most.clone());
    let work = Arc::new(move || {
        counted_most.fetch_max(counted.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        thread::yield_now();
        counted.fetch_sub(1, Ordering::Relaxed);
        Ok(())
    });
    thread::scope(|scope| {
        for _ in 0..4 {
            let (share, worked) = (pool.share(), work.clone());
            scope.spawn(move || {
                let mut turn = share.turn().unwrap();
                for _ in 0..100 {
                    worked().unwrap();
                    turn.pass().unwrap();
                }
            });
            let (share, work) = (pool.share(), work.clone());
            let morsels: Vec<_> = (0..100).map(|_| work.clone()).collect();
            scope.spawn(move || {
                let asked: Vec<_> = morsels.into_iter().map(|work| share.run(move || work())).collect();
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                asked.into_iter().for_each(|morsel| assert_eq!(runtime.block_on(morsel), Ok(())));
            });
        }
    });
    assert_eq!(busy.load(Ordering::Relaxed), 0);
    assert!((1..=4).contains(&most.load(Ordering::Relaxed)), "two of short and two of long queries: {most:?}");
    let state = pool.shared.lock();
    assert_eq!((state.schedule.waiting(), state.ready.iter().map(VecDeque::len).sum::<usize>()), (0, 0));
}

#[test]
fn a_turn_is_passed_to_whoever_waits() {
    let pool = pool(1);
    let (first, second) = (pool.share(), pool.share());
    let mut held = first.turn().unwrap();
    thread::scope(|scope| {
        let other = scope.spawn(|| drop(second.turn().unwrap()));
        // Ends by the other's turn and nothing else, for the only turn is never given up.
        while !other.is_finished() {
            held.pass().unwrap();
        }
    });
}

#[test]
fn a_paused_turn_lets_others_go_on() {
    let pool = pool(1);
    let (first, second) = (pool.share(), pool.share());
    let mut paused = first.turn().unwrap();
    paused.pause();
    drop(second.turn().unwrap());
    paused.pass().unwrap();
    drop(paused);
    drop(second.turn().unwrap());
}

#[test]
fn a_thread_that_waits_for_its_turn_is_told_that_its_query_is_over() {
    let pool = pool(1);
    let (first, second) = (pool.share(), pool.share());
    let mut held = first.turn().unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| second.turn().map(drop));
        until_waiting(&pool, 1);
        second.cancel();
        assert_eq!(waiting.join().unwrap().unwrap_err().kind, QueryErrorKind::Cancelled);
    });
    held.pass().expect("nobody else waits");
    drop(pool);
    assert_eq!(held.pass().unwrap_err().kind, QueryErrorKind::Unavailable);
    assert_eq!(first.turn().map(drop).unwrap_err().kind, QueryErrorKind::Unavailable);
}

#[test]
fn a_query_ends_while_another_never_stops_asking() {
    let pool = pool(1);
    let (heavy, light) = (pool.share(), pool.share());
    let is_enough = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = heavy.turn().unwrap();
            while !is_enough.load(Ordering::Relaxed) {
                turn.pass().unwrap();
            }
        });
        for _ in 0..100 {
            drop(light.turn().unwrap());
        }
        is_enough.store(true, Ordering::Relaxed);
    });
}
