use super::*;

fn threads() -> Arc<QueryThreads> {
    Arc::new(QueryThreads::new(&QueryLimits { threads: NonZeroUsize::MIN, ..QueryLimits::default() }))
}

fn number(own: &OwnThreads) -> u64 {
    own.own.as_ref().unwrap().number
}

#[test]
fn threads_are_one_querys_at_a_time_and_then_another_ones() {
    let (all, share) = (threads(), QueryShare::of_tests());
    let (mut first, second) = (all.take(&share), all.take(&share));
    assert_eq!((number(&first), number(&second)), (1, 2));
    first.set_reusable();
    drop(first);
    drop(second);
    assert_eq!(number(&all.take(&share)), 1, "those of the second may be of no use any more");
    assert_eq!(number(&all.take(&share)), 3);
}

#[test]
fn tasks_that_a_query_left_behind_are_counted_until_they_go() {
    let all = threads();
    let own = all.take(&QueryShare::of_tests());
    let (started, start) = std::sync::mpsc::channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    own.runtime().spawn(async move {
        started.send(()).unwrap();
        wait.recv().ok();
    });
    start.recv().unwrap();
    drop(own);
    assert_eq!(all.tasks(), 1);
    drop(go_on);
    while all.tasks() > 0 {
        std::thread::yield_now();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn threads_that_work_without_a_word_step_back_and_no_other_query_gets_them() {
    use henge_segment_store::os_thread;

    let (all, share) = (threads(), QueryShare::of_tests());
    let mut own = all.take(&share);
    own.set_reusable();
    let before = os_thread::niceness();
    let (tell, told) = std::sync::mpsc::channel();
    // Ends by the other thread that looks, and by nothing else.
    own.runtime().spawn_blocking(move || {
        while os_thread::niceness() == before {
            std::hint::spin_loop();
        }
        tell.send(os_thread::niceness()).unwrap();
    });
    assert_eq!(told.recv().unwrap(), os_thread::nicer_than(before));
    assert!(share.is_long());
    drop(own);
    assert_eq!(number(&all.take(&QueryShare::of_tests())), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_query_left_behind_steps_back() {
    use henge_segment_store::os_thread;

    let all = threads();
    let own = all.take(&QueryShare::of_tests());
    let before = os_thread::niceness();
    let (started, start) = std::sync::mpsc::channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel();
    own.runtime().spawn_blocking(move || {
        started.send(()).unwrap();
        wait.recv().ok();
        tell.send(os_thread::niceness()).unwrap();
    });
    start.recv().unwrap();
    drop(own);
    drop(go_on);
    assert_eq!(told.recv().unwrap(), os_thread::nicer_than(before));
}
