//! What a Grafana is given: every panel of every dashboard has something to show of the demo.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Serving, run};

/// The demo begins with nothing.
const PATIENCE: Duration = Duration::from_secs(90);

fn provisioned(directory: &Path, more: &[&str]) -> String {
    let directory = directory.display().to_string();
    let (code, stdout, stderr) = run(&[&["grafana", "provision", "--dir", &directory], more].concat());
    assert_eq!(code, 0, "{stderr}");
    stdout
}

fn dashboards(directory: &Path) -> Vec<Value> {
    let files = fs::read_dir(directory.join("dashboards/henge")).unwrap();
    let read = |file: fs::DirEntry| serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap();
    files.map(|file| read(file.unwrap())).collect()
}

#[test]
fn provisioning_writes_a_data_source_dashboards_and_alert_rules() {
    let directory = TempDir::new().unwrap();
    let stdout = provisioned(directory.path(), &["--url", "http://henge:1234/", "--with-key"]);
    assert_eq!(stdout.lines().count(), 8, "{stdout}");
    for _ in 0..2 {
        let read = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
        let source = read("datasources/henge.yaml");
        assert!(source.contains("    url: http://henge:1234\n") && source.contains("key: $HENGE_KEY"), "{source}");
        assert!(read("dashboards/henge.yaml").contains("/dashboards/henge\""));
        assert!(read("alerting/henge.yaml").contains("uid: henge-ingestion-lag"));
        provisioned(directory.path(), &["--url", "http://henge:1234/", "--with-key"]);
    }
    let mut titles: Vec<String> =
        dashboards(directory.path()).iter().map(|dashboard| dashboard["title"].as_str().unwrap().to_owned()).collect();
    titles.sort();
    let expected = ["fleet", "ingestion", "itself", "one cluster", "usage of tenants"];
    assert_eq!(titles, expected.map(|name| format!("Henge: {name}")));
    let (code, _, stderr) = run(&["grafana", "provision", "--dir", "x", "--url", "ftp://henge"]);
    assert!(code == 2 && stderr.contains("no scheme of HTTP"), "{stderr}");
}

/// The dashboards' variables as Grafana would send them: the first value, or all of them.
fn variables(demo: &Serving, dashboard: &Value) -> Value {
    let mut variables = json!({});
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if variable["type"] != "query" {
            continue;
        }
        let mut asked = variable["query"].clone();
        asked["datasource"] = asked["table"].clone();
        let (status, answer) = demo.post("/henge/v1/panel/variable", &asked);
        assert_eq!(status, 200, "{asked}: {answer}");
        let values: Vec<Value> =
            answer["options"].as_array().unwrap().iter().map(|option| option["value"].clone()).collect();
        let is_all = variable["includeAll"] == true;
        let values = if is_all { values } else { values.into_iter().take(1).collect() };
        variables[variable["name"].as_str().unwrap()] = json!({ "values": values, "isAll": is_all });
    }
    variables
}

#[test]
fn every_panel_of_every_dashboard_has_something_to_show_of_the_demo() {
    let (directory, data_dir) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    provisioned(directory.path(), &[]);
    let demo = Serving::demo(data_dir.path());
    let deadline = Instant::now() + PATIENCE;
    let mut shown = 0;
    for dashboard in dashboards(directory.path()) {
        for panel in dashboard["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().unwrap() {
                loop {
                    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
                    let body = json!({
                        "query": target["query"], "range": { "from": now - 900_000, "to": now }, "intervalMs": 1_000,
                        "includePartialBucket": target["includePartialBucket"], "variables": variables(&demo, &dashboard),
                    });
                    let (status, answer) = demo.post("/henge/v1/panel/query", &body);
                    assert_eq!(status, 200, "{} / {}: {answer}", dashboard["title"], panel["title"]);
                    assert_eq!(answer["meta"]["notices"], json!([]), "{} / {}", dashboard["title"], panel["title"]);
                    if answer["meta"]["rows"].as_u64().unwrap() > 0 {
                        break;
                    }
                    assert!(
                        Instant::now() < deadline,
                        "{} / {} is empty: {answer}",
                        dashboard["title"],
                        panel["title"]
                    );
                }
                shown += 1;
            }
        }
    }
    assert!(shown >= 40, "{shown} panels");
}
