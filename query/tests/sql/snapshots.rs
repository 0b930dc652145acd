use std::sync::mpsc::{TryRecvError, channel};

use crate::fixture::{Fixture, event};

/// Enough that queries, appends and publishes overlap, few enough to count in no time.
const PAIRS_MAX: i64 = 20_000;

/// Each append brings +x and -x together, and one more row of each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_names_a_table_twice_reads_one_snapshot() {
    let fixture = Fixture::new().await;
    let usage = fixture.usage.clone();
    let (stop, stopped) = channel::<()>();
    let appender = std::thread::spawn(move || {
        let mut appended: i64 = 0;
        while appended < PAIRS_MAX && stopped.try_recv() == Err(TryRecvError::Empty) {
            appended += 1;
            let pair = [appended, -appended].map(|bytes| event(appended % 180, Some("acme"), "t", 0, Some(bytes), 0.0));
            usage.append(&pair);
            std::thread::yield_now();
        }
        appended
    });
    let twice = "SELECT a.n - b.n, a.n - c.n, a.s FROM (SELECT COUNT(bytes) AS n, SUM(bytes) AS s FROM usage) a, \
                 (SELECT COUNT(*) AS n FROM druid.usage) b, (SELECT COUNT(org) AS n FROM \"usage\") c WHERE a.n > 0";
    let mut last = 0;
    for round in 0..60 {
        if round % 20 == 10 {
            fixture.publish().await;
        }
        let rows = fixture.rows(twice).await;
        assert!(rows.is_empty() || rows == ["0|0|0"], "{rows:?}");
        let count: i64 = fixture.rows("SELECT COUNT(*) FROM usage").await[0].parse().expect("a number");
        assert!(last <= count, "{count} rows after {last}");
        last = count;
    }
    drop(stop);
    let appended = appender.join().expect("the appender ends well");
    assert_eq!(fixture.rows("SELECT COUNT(*) FROM usage").await, [(2 * appended).to_string()]);
}
