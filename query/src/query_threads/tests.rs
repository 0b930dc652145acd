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
    let (mut first, second) = (all.take(&share, "SELECT 1"), all.take(&share, "SELECT 1"));
    assert_eq!((number(&first), number(&second)), (1, 2));
    first.end(true, &share);
    drop(first);
    drop(second);
    assert_eq!(number(&all.take(&share, "SELECT 1")), 1, "those of the second may be of no use any more");
    assert_eq!(number(&all.take(&share, "SELECT 1")), 3);
}

#[test]
fn tasks_that_a_query_left_behind_are_counted_until_they_go() {
    let all = threads();
    let own = all.take(&QueryShare::of_tests(), "SELECT 1");
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
    let mut own = all.take(&share, "SELECT 1");
    let before = os_thread::niceness();
    let (tell, told) = std::sync::mpsc::channel();
    // Ends by the other thread that looks, and by nothing else.
    own.runtime().spawn_blocking(move || {
        while os_thread::niceness() == before {
            std::hint::spin_loop();
        }
        tell.send(os_thread::niceness()).unwrap();
    });
    assert_eq!(told.recv().unwrap(), Rank::Fourth.niceness(before));
    assert!(share.is_long());
    own.end(true, &share);
    drop(own);
    assert_eq!(number(&all.take(&QueryShare::of_tests(), "SELECT a")), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_query_left_behind_steps_back() {
    use henge_segment_store::os_thread;

    let all = threads();
    let own = all.take(&QueryShare::of_tests(), "SELECT 1");
    let before = os_thread::niceness();
    let (started, start) = std::sync::mpsc::channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel();
    own.runtime().spawn_blocking(move || {
        started.send(()).unwrap();
        wait.recv().ok();
        // Ends by the other thread that looks, and by nothing else.
        while os_thread::niceness() == before {
            std::hint::spin_loop();
        }
        tell.send(os_thread::niceness()).unwrap();
    });
    start.recv().unwrap();
    drop(own);
    drop(go_on);
    assert_eq!(told.recv().unwrap(), Rank::Fourth.niceness(before));
}

#[cfg(target_os = "linux")]
#[test]
fn a_statement_begins_on_threads_of_the_rank_that_befits_what_it_used_before() {
    use henge_segment_store::os_thread;

    let all = threads();
    let before = os_thread::niceness();
    let ask = |sql: &str, used: Duration| {
        let share = QueryShare::of_tests();
        let mut own = all.take(&share, sql);
        let (tell, told) = std::sync::mpsc::channel();
        own.runtime().spawn(async move { tell.send(os_thread::niceness()).unwrap() });
        let niceness = told.recv().unwrap();
        share.has_used(used);
        own.end(true, &share);
        (number(&own), niceness)
    };
    let [light, short, long] = [1, 30, 60].map(Duration::from_millis);
    let [second, fourth] = [Rank::Second, Rank::Fourth].map(|rank| rank.niceness(before));
    assert_eq!(ask("SELECT 1 FROM t", short), (1, before));
    assert_eq!(ask("SELECT 2 FROM t", short), (2, second));
    assert_eq!(ask("SELECT 1 FROM u", light), (1, before));
    assert_eq!(ask("SELECT 3 FROM t", long), (2, second));
    assert_eq!(ask("SELECT 4 FROM t", long), (3, fourth));
    assert_eq!(ask("SELECT 5 FROM t", light), (3, fourth), "they can go no further back");
    assert_eq!(ask("SELECT 6 FROM t", light), (1, before));
    assert_eq!(ask("SELECT 1 FROM u", short), (1, before));
    assert_eq!(ask("SELECT 2 FROM u", light), (4, second), "those of a query that became long have gone");
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_long_query_uses_without_a_word_is_counted_when_it_is_asked_again() {
    let (all, long) = (threads(), Duration::from_millis(60));
    let first = QueryShare::of_tests();
    first.has_used(long);
    all.take(&first, "SELECT 1").end(true, &first);
    let again = QueryShare::of_tests();
    let own = all.take(&again, "SELECT 2");
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    own.runtime().spawn_blocking(move || {
        while wait.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            std::hint::spin_loop();
        }
    });
    // Ends by the other thread that looks, and by nothing else.
    while again.used() < long {
        std::thread::yield_now();
    }
    drop(go_on);
}
