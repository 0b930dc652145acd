//! Scrapers of metrics that other people have written, with a key of one organisation.

use std::io::Write;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::process::{Serving, run};

/// The organisation that sends most.
fn busiest(demo: &Serving) -> String {
    let sql = "SELECT org_id FROM fleet GROUP BY 1 ORDER BY SUM(events) DESC LIMIT 1";
    let (code, stdout, stderr) = run(&["sql", "--url", &demo.url, "--format", "csv", "-c", sql]);
    assert_eq!(code, 0, "{stderr}");
    stdout.lines().nth(1).expect("the fleet is at work").to_owned()
}

#[test]
#[ignore = "needs Debian's prometheus and victoria-metrics: run with --include-ignored (takes minutes)"]
fn prometheus_and_vmagent_scrape_what_sql_says() {
    let directory = TempDir::new().unwrap();
    let mut demo = Serving::demo(directory.path());
    demo.await_stdout(|line| line.contains("events/s").then_some(()));
    let data_dir = directory.path().display().to_string();
    let organisation = busiest(&demo);
    let create =
        ["keys", "create", "--role", "metrics-viewer", "--org", &organisation, "--data-dir", &data_dir, "--json"];
    let (code, key, stderr) = run(&create);
    assert_eq!(code, 0, "{stderr}");
    let key: serde_json::Value = serde_json::from_str(&key).unwrap();
    let input = [&demo.url, key["id"].as_str().unwrap(), key["secret"].as_str().unwrap()].join("\n");
    let mut python = Command::new("python3");
    python.args(["-c", include_str!("clients/scrapers.py")]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("the scrapers found what SQL says"), "{said}");
    print!("{said}");
}
