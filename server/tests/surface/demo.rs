use tempfile::TempDir;

use crate::process::{Serving, run};

fn sum_of_events(demo: &Serving) -> i64 {
    let sql = "SELECT SUM(events) AS n FROM fleet";
    let (code, stdout, stderr) = run(&["sql", "--url", &demo.url, "--format", "csv", "-c", sql]);
    assert_eq!(code, 0, "{stderr}");
    // No row yet: the sum of nothing is null.
    stdout.lines().nth(1).unwrap().parse().unwrap_or(0)
}

fn published_events(data_dir: &TempDir) -> i64 {
    let directory = data_dir.path().display().to_string();
    let (code, stdout, stderr) = run(&["segments", "ls", "--format", "jsonl", "--data-dir", &directory]);
    assert_eq!(code, 0, "{stderr}");
    let segments = stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    segments.map(|segment| segment["events"].as_i64().unwrap()).sum()
}

#[test]
fn the_demo_answers_ends_by_ctrl_c_and_continues_on_the_same_directory() {
    let directory = TempDir::new().unwrap();
    let mut before = 0;
    for run_number in 0..2 {
        let mut demo = Serving::demo(directory.path());
        assert!(sum_of_events(&demo) >= before, "run {run_number}: what was published is still there");
        // Each line that ends with `"` is one to paste.
        let mut pasted = 0;
        while pasted < 3 {
            let line = demo.await_stdout(|line| Some(line.trim().to_owned()));
            if let Some((_, sql)) = line.split_once(" -c ") {
                let (code, _, stderr) = run(&["sql", "--url", &demo.url, "-c", sql.trim_matches('"')]);
                assert_eq!(code, 0, "{sql}: {stderr}");
                pasted += 1;
            }
        }
        demo.await_stdout(|line| line.contains("events/s").then_some(()));
        let seen = sum_of_events(&demo);
        assert!(seen > before, "run {run_number}: {seen} events after {before}");
        demo.signal("INT");
        assert_eq!(demo.wait(), 0);
        let published = published_events(&directory);
        assert!(published >= seen, "run {run_number}: {published} of {seen} events are published");
        before = published;
    }
}
