use super::*;

const MILLI: Duration = Duration::from_millis(1);

/// Runs morsels one after another, each for as long as `took` says of its job, and lists whose they were.
fn run(schedule: &mut Schedule<&'static str>, morsels: usize, took: impl Fn(&str) -> Duration) -> Vec<&'static str> {
    let mut ran = Vec::new();
    while ran.len() < morsels {
        let Some((running, name)) = schedule.next() else { break };
        schedule.ended(running, took(name));
        ran.push(name);
    }
    ran
}

fn push(schedule: &mut Schedule<&'static str>, account: AccountId, name: &'static str, morsels: usize) {
    (0..morsels).for_each(|_| schedule.push(account, name));
}

fn count(ran: &[&str], name: &str) -> usize {
    ran.iter().filter(|job| **job == name).count()
}

/// A schedule with a query that has used much and has much to do.
fn with_heavy(threads: usize) -> Schedule<&'static str> {
    let mut schedule = Schedule::new(threads);
    let heavy = schedule.open();
    push(&mut schedule, heavy, "heavy", 100_000);
    assert_eq!(count(&run(&mut schedule, 1_000, |_| MILLI), "heavy"), 1_000);
    schedule
}

#[test]
fn equal_queries_take_turns() {
    let mut schedule = Schedule::new(1);
    for name in ["a", "b", "c"] {
        let account = schedule.open();
        push(&mut schedule, account, name, 1_000);
    }
    assert_eq!(run(&mut schedule, 6, |_| MILLI), ["a", "b", "c", "a", "b", "c"]);
    // Beyond their credits too.
    let ran = run(&mut schedule, 600, |_| MILLI);
    assert_eq!(["a", "b", "c"].map(|name| count(&ran, name)), [200; 3]);
}

#[test]
fn time_is_shared_evenly_and_not_the_number_of_morsels() {
    let mut schedule = Schedule::new(1);
    for name in ["slow", "fast"] {
        let account = schedule.open();
        push(&mut schedule, account, name, 10_000);
    }
    let ran = run(&mut schedule, 5_000, |name| if name == "slow" { 4 * MILLI } else { MILLI });
    assert!(count(&ran, "slow").abs_diff(1_000) <= 1, "{}", count(&ran, "slow"));
}

#[test]
fn a_short_query_runs_before_long_ones_between_its_waits_too() {
    let mut schedule = with_heavy(1);
    let light = schedule.open();
    push(&mut schedule, light, "first phase", 20);
    assert_eq!(run(&mut schedule, 20, |_| MILLI), ["first phase"; 20]);
    assert_eq!(run(&mut schedule, 5, |_| MILLI), ["heavy"; 5], "nothing else waits");
    push(&mut schedule, light, "second phase", 20);
    assert_eq!(run(&mut schedule, 20, |_| MILLI), ["second phase"; 20]);
}

#[test]
fn a_query_that_becomes_long_shares_evenly_with_those_that_were_long_before() {
    let mut schedule = with_heavy(1);
    let second = schedule.open();
    push(&mut schedule, second, "second", 100_000);
    let ran = run(&mut schedule, 55, |_| MILLI);
    assert_eq!(count(&ran, "second"), 50, "the burst, then two of three");
    let ran = run(&mut schedule, 1_000, |_| MILLI);
    assert_eq!(count(&ran, "second"), 500);
}

#[test]
fn an_endless_stream_of_short_queries_leaves_a_third_to_the_long_ones() {
    let mut schedule = with_heavy(1);
    let (mut first, mut heavy) = (None, 0);
    for number in 0..2_000 {
        let light = schedule.open();
        push(&mut schedule, light, "light", 1);
        // The next short one comes when this one is done.
        while let Some((running, name)) = schedule.next() {
            schedule.ended(running, MILLI);
            if name == "light" {
                schedule.close(light);
                break;
            }
            first.get_or_insert(number);
            heavy += 1;
        }
    }
    assert_eq!(first, Some(41), "40 ms are a burst");
    assert_eq!(heavy, 980, "one for two of the others");
}

#[test]
fn a_query_that_had_nothing_to_run_has_saved_nothing() {
    let mut schedule = with_heavy(1);
    let sleeper = schedule.open();
    push(&mut schedule, sleeper, "sleeper", 60);
    run(&mut schedule, 10_000, |_| MILLI);
    push(&mut schedule, sleeper, "sleeper", 1_000);
    let ran = run(&mut schedule, 100, |_| MILLI);
    assert_eq!(count(&ran, "sleeper"), 50);
}

#[test]
fn threads_that_are_free_at_once_turn_to_different_queries() {
    let mut schedule = Schedule::new(6);
    let (a, b) = (schedule.open(), schedule.open());
    push(&mut schedule, a, "a", 3);
    push(&mut schedule, b, "b", 3);
    let at_once: Vec<_> = std::iter::from_fn(|| schedule.next()).map(|(_, name)| name).collect();
    assert_eq!(at_once, ["a", "b", "a", "b", "a", "b"]);
}

#[test]
fn a_query_with_a_morsel_that_runs_lets_the_other_one_go_first() {
    let mut schedule = Schedule::new(3);
    let (a, b) = (schedule.open(), schedule.open());
    push(&mut schedule, a, "a", 2);
    push(&mut schedule, b, "b", 2);
    let (first, name) = schedule.next().unwrap();
    assert_eq!(name, "a");
    schedule.ended(first, MILLI / 2);
    let at_once: Vec<_> = std::iter::from_fn(|| schedule.next()).map(|(_, name)| name).collect();
    assert_eq!(at_once, ["b", "a", "b"], "half a millisecond is less than a morsel");
}

#[test]
fn a_long_query_has_its_third_while_short_ones_keep_all_cores_busy() {
    let mut schedule = with_heavy(2);
    assert_eq!(schedule.next().map(|(_, name)| name), Some("heavy"), "which goes on all the time");
    let name = "light";
    let mut light = schedule.open();
    for _ in 0..40 {
        push(&mut schedule, light, name, 1);
        let (running, _) = schedule.next().unwrap();
        assert_eq!(schedule.next(), None, "the cores are busy");
        schedule.ended(running, MILLI);
    }
    light = schedule.open();
    push(&mut schedule, light, name, 2);
    let (running, _) = schedule.next().unwrap();
    assert_eq!(schedule.next().map(|(_, name)| name), Some("light"));
    assert_eq!(schedule.next(), None);
    schedule.ended(running, MILLI);
    push(&mut schedule, light, name, 1);
    let at_once: Vec<_> = std::iter::from_fn(|| schedule.next()).map(|(_, name)| name).collect();
    assert_eq!(at_once, ["heavy", "light"], "after a burst of 40 ms");
}

#[test]
fn a_short_query_does_not_wait_for_the_morsels_of_a_long_one() {
    let mut schedule = with_heavy(2);
    let heavy: Vec<_> = std::iter::from_fn(|| schedule.next()).collect();
    assert_eq!(heavy.len(), 2, "a core each");
    let light = schedule.open();
    push(&mut schedule, light, "light", 3);
    let at_once: Vec<_> = std::iter::from_fn(|| schedule.next()).collect();
    assert_eq!(at_once.iter().map(|(_, name)| *name).collect::<Vec<_>>(), ["light"; 2]);
    schedule.ended(heavy[0].0, MILLI);
    assert_eq!(schedule.next(), None, "the long one waits for the short one");
    schedule.ended(at_once[0].0, MILLI);
    let (last, name) = schedule.next().expect("there is one more");
    assert_eq!(name, "light");
    schedule.ended(at_once[1].0, MILLI);
    schedule.ended(last, MILLI);
    assert_eq!(schedule.next().map(|(_, name)| name), Some("heavy"));
}

#[test]
fn a_light_query_waits_for_no_morsel_of_a_short_one() {
    let mut schedule = Schedule::new(2);
    let short = schedule.open();
    push(&mut schedule, short, "short", 10);
    schedule.expect(short, LIGHT_MAX + MILLI);
    assert_eq!(std::iter::from_fn(|| schedule.next()).count(), 2, "a core each");
    let light = schedule.open();
    push(&mut schedule, light, "light", 10);
    let at_once: Vec<_> = std::iter::from_fn(|| schedule.next()).collect();
    assert_eq!(at_once.iter().map(|(_, name)| *name).collect::<Vec<_>>(), ["light"; 2]);
    for (running, _) in at_once {
        schedule.ended(running, 2 * MILLI);
    }
    assert_eq!(schedule.class_of(light), Class::Short);
    assert_eq!(schedule.next(), None, "it waits like others once it has used as much");
}

#[test]
fn long_queries_leave_a_core_free_where_a_short_one_is_expected() {
    let mut schedule = with_heavy(2);
    let light = schedule.open();
    push(&mut schedule, light, "light", 1);
    assert_eq!(run(&mut schedule, 1, |_| MILLI), ["light"]);
    assert_eq!(started(&mut schedule), 2, "it may go on");
    schedule.close(light);
    assert_eq!(started(&mut schedule), 1);
    run(&mut schedule, 18, |_| MILLI);
    assert_eq!(started(&mut schedule), 1, "19 ms are over");
    assert_eq!(started(&mut schedule), 2, "nobody asked within 20 ms");
    let other = schedule.open();
    push(&mut schedule, other, "other", 1);
    schedule.charge(other, 60 * MILLI);
    schedule.discard(other);
    schedule.close(other);
    assert_eq!(started(&mut schedule), 2, "it was a long one");
    assert_eq!(started(&mut with_closed_light(1)), 1, "of one core there is none to leave");
}

/// Morsels that start at once, each of which takes a millisecond.
fn started(schedule: &mut Schedule<&'static str>) -> usize {
    let started: Vec<_> = std::iter::from_fn(|| schedule.next()).collect();
    started.iter().for_each(|(running, _)| schedule.ended(*running, MILLI));
    started.len()
}

fn with_closed_light(threads: usize) -> Schedule<&'static str> {
    let mut schedule = with_heavy(threads);
    let light = schedule.open();
    schedule.close(light);
    schedule
}

#[test]
fn a_query_is_long_by_what_it_used_without_turns_too() {
    let mut schedule = with_heavy(1);
    let elsewhere = schedule.open();
    push(&mut schedule, elsewhere, "elsewhere", 100);
    schedule.charge(elsewhere, 49 * MILLI);
    assert_eq!((schedule.class_of(elsewhere), run(&mut schedule, 1, |_| MILLI / 2)), (Class::Short, vec!["elsewhere"]));
    schedule.charge(elsewhere, MILLI);
    assert_eq!(schedule.class_of(elsewhere), Class::Long);
    let light = schedule.open();
    push(&mut schedule, light, "light", 1);
    assert_eq!(run(&mut schedule, 1, |_| MILLI), ["light"], "it goes before the one that used 50 ms");
    let ran = run(&mut schedule, 100, |_| MILLI);
    assert_eq!(count(&ran, "elsewhere"), 50, "which shares evenly with the other long one");
}

#[test]
fn a_query_that_will_use_much_is_long_from_the_start() {
    let mut schedule = Schedule::new(1);
    let heavy = schedule.open();
    schedule.expect(heavy, SHORT_MAX - MILLI);
    assert_eq!(schedule.class_of(heavy), Class::Short);
    schedule.expect(heavy, MILLI);
    assert_eq!(schedule.class_of(heavy), Class::Long);
    push(&mut schedule, heavy, "heavy", 10);
    let light = schedule.open();
    push(&mut schedule, light, "light", 10);
    assert_eq!(run(&mut schedule, 12, |_| MILLI / 10), [["light"; 10].as_slice(), &["heavy"; 2]].concat());
}

#[test]
fn an_account_is_kept_until_its_last_morsel_ends() {
    let mut schedule = Schedule::new(1);
    let (over, other) = (schedule.open(), schedule.open());
    push(&mut schedule, over, "over", 3);
    push(&mut schedule, other, "other", 2);
    let (running, name) = schedule.next().unwrap();
    assert_eq!(name, "over");
    assert_eq!(schedule.discard(over), ["over"; 2]);
    schedule.close(over);
    assert_eq!(schedule.discard_all(), ["other"; 2]);
    assert_eq!(schedule.next(), None);
    schedule.close(other);
    schedule.ended(running, MILLI);
    assert!(schedule.accounts.is_empty());
}
