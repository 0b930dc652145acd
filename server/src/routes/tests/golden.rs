//! The files of `server/tests/wire` and `server/tests/clients/metrics`: requests, and the answers to them byte for byte.
//!
//! A record is a request line, headers, an empty line and a body; then `----`, and status, headers and body of the
//! answer, whose every LF is shown as `$` and a line end. `====` stands between records.

use std::fmt::Write;
use std::path::Path;

use super::*;

/// What of an answer's head is compared, in this order.
const HEADERS: [&str; 6] = [
    "content-type",
    "ratelimit-limit",
    "x-druid-sql-query-id",
    "x-druid-sql-header-included",
    "retry-after",
    "content-disposition",
];

async fn answered(fixture: &Fixture, request: &str) -> String {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut lines = head.lines();
    let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
    let mut built = Request::builder().method(method).uri(path);
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        built = built.header(name, value);
    }
    let request = built.body(Body::from(body.trim_end().to_owned())).unwrap();
    let response = fixture.router.clone().oneshot(request).await.unwrap();
    let mut shown = format!("{}\n", response.status().as_u16());
    for name in HEADERS {
        if let Some(value) = header(&response, name) {
            writeln!(shown, "{name}: {value}").unwrap();
        }
    }
    let body = text_of(response).await;
    write!(shown, "\n{}", body.replace('\n', "$\n")).unwrap();
    shown.trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_of_the_wire_files_is_the_same_byte_for_byte() {
    compare(&Fixture::new().await, "tests/wire", 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_metrics_and_bad_requests_are_answered_the_same_byte_for_byte() {
    compare(&super::metrics::fixture().await, "tests/clients/metrics", 60).await;
}

async fn compare(fixture: &Fixture, directory: &str, records_min: usize) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut names: Vec<_> = directory.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let (mut records, mut differences) = (0, String::new());
    for name in names {
        let text = std::fs::read_to_string(directory.join(&name)).unwrap();
        let mut found = Vec::new();
        for record in text.trim_end().split("\n====\n") {
            let (request, expected) = record.split_once("\n----").unwrap();
            let answer = answered(fixture, request.trim_start()).await;
            records += 1;
            if answer != expected.trim() {
                writeln!(differences, "{}:\n{request}\n----\n{answer}\n", name.display()).unwrap();
            }
            found.push(format!("{request}\n----\n{answer}"));
        }
        let found_file = std::env::temp_dir().join(format!("henge-wire-{}", name.display()));
        std::fs::write(&found_file, found.join("\n====\n") + "\n").unwrap();
    }
    assert!(
        differences.is_empty(),
        "what was found is in {}/henge-wire-*:\n{differences}",
        std::env::temp_dir().display()
    );
    assert!(records > records_min, "{records}");
}
