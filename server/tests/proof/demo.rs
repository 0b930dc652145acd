//! The demo, as a newcomer meets it: no Kafka, no configuration.

use crate::henge::{Henge, rows, wait_for};

const EVENTS: &str = "SELECT SUM(events) FROM fleet";

/// Events that SQL sees; `None` before the first, for the demo makes its table when it already answers.
fn events(demo: &Henge) -> Option<i64> {
    let answer = demo.try_sql(EVENTS).filter(|answer| answer.status == 200)?;
    rows(EVENTS, &answer)[0][0].as_i64()
}

fn wait_for_more_than(demo: &Henge, floor: i64) -> i64 {
    wait_for("the demo's events can be asked for", || {
        let count = events(demo)?;
        assert!(count >= floor, "{count} events after {floor}");
        (count > floor).then_some(count)
    })
}

#[test]
fn the_demo_answers_and_goes_on_where_ctrl_c_stopped_it() {
    let mut demo = Henge::demo(&["--rate", "2000"]);
    demo.start();
    let early = wait_for_more_than(&demo, 0);
    let first = wait_for_more_than(&demo, early);
    assert!(demo.interrupt().success(), "Ctrl-C ends it well");

    demo.start();
    let second = wait_for_more_than(&demo, first);
    wait_for_more_than(&demo, second);
    assert!(demo.interrupt().success(), "Ctrl-C ends it well");
}
