//! The calendar against Python's `zoneinfo`: a table of its answers, and as many random questions as one likes.

use std::process::Command;

use super::{CalendarStep, Granularity, TimePart, TimePattern, TimestampMs, months_between, time_zone};

/// Made by `zoneinfo_cases.py 600 1`.
const TABLE: &str = include_str!("reference/zoneinfo_cases.tsv");
const SCRIPT: &str = include_str!("reference/zoneinfo_cases.py");

/// Our answer to the question of a line, and the line's own.
fn answers(line: &str) -> (String, String) {
    let fields: Vec<&str> = line.split('\t').collect();
    let [kind, time, argument, number, zone, answer] = fields.as_slice() else { panic!("{line}") };
    let time = TimestampMs(time.parse().expect("milliseconds"));
    let number: i64 = number.parse().expect("a number");
    let zone = time_zone(zone).expect("a zone");
    let granularity = || Granularity::period(argument, None, zone.clone()).expect("a period");
    let ours = match *kind {
        "floor" => granularity().floor(time).0.to_string(),
        "ceil" => granularity().ceil(time).0.to_string(),
        "shift" => {
            let step = CalendarStep::parse(argument).expect("a period");
            step.after(time, number, &zone).map_or("none".to_owned(), |time| time.0.to_string())
        }
        "part" => TimePart::of_name(argument).expect("a part").at(time, &zone).expect("a date").to_string(),
        "months" => months_between(time, TimestampMs(number), &zone).expect("dates").to_string(),
        "text" => {
            let pattern = TimePattern::parse("dd MMM yy, DDD yyyy-MM-dd'T'HH:mm:ss.SSS").expect("a pattern");
            let mut text = String::new();
            pattern.write(time, &zone, &mut text).expect("a date");
            text
        }
        other => panic!("no question is called {other}"),
    };
    (ours, (*answer).to_owned())
}

/// How many questions there were; panics with those that are answered otherwise.
fn check(lines: &str) -> usize {
    let differ = |line: &&str| {
        let (ours, theirs) = answers(line);
        ours != theirs
    };
    let different: Vec<String> =
        lines.lines().filter(differ).take(20).map(|line| format!("{line}\tours: {}", answers(line).0)).collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
    lines.lines().count()
}

#[test]
fn the_calendar_agrees_with_a_table_made_by_pythons_zoneinfo() {
    assert_eq!(check(TABLE), 600);
}

#[test]
#[ignore = "needs python3 with zoneinfo: run with --include-ignored"]
fn the_calendar_agrees_with_pythons_zoneinfo_over_many_random_questions() {
    for seed in 0..4 {
        let script = Command::new("python3").args(["-c", SCRIPT, "30000", &seed.to_string()]).output();
        let output = script.expect("there is a python3");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(check(&String::from_utf8(output.stdout).expect("text")), 30_000);
    }
}
