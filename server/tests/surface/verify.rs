use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::directory::published;
use crate::process::{Serving, run};

#[test]
fn a_sound_directory_is_verified_also_beside_its_server() {
    let directory = TempDir::new().unwrap();
    published(directory.path());
    let data_dir = directory.path().display().to_string();
    let _server = Serving::server(directory.path(), &[]);
    let (code, stdout, stderr) = run(&["verify", "--data-dir", &data_dir]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    let expected = format!(
        "{data_dir}\n✓ manifest  5 records, 0 snapshots\n✓ offsets   1 partition of 1 datasource\n✓ ledger    1 datasource\n"
    );
    assert!(stdout.starts_with(&expected), "{stdout}");
    let rest = "3 rows for 4 events\n✓ serving   2 forms in the cache, equal to their segments\n\
                ✓ files     every one has its record\n";
    assert!(stdout.ends_with(rest), "{stdout}");
}

#[test]
fn damage_ends_with_1_and_what_cannot_be_checked_with_2() {
    let directory = TempDir::new().unwrap();
    let metas = published(directory.path());
    let data_dir = directory.path().display().to_string();
    fs::remove_file(directory.path().join("store").join(&metas[1].path)).unwrap();
    let (code, stdout, _) = run(&["verify", "--json", "--data-dir", &data_dir]);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    let finding = json!({
        "severity": "error",
        "check": "segment_file",
        "object": metas[1].id.to_string(),
        "detail": format!("its file is not there (`{}`)", metas[1].path),
        "advice": "restore the file from a backup, or read its offsets again from Kafka after a reset",
    });
    assert_eq!((code, &report["findings"]), (1, &json!([finding])));
    assert_eq!((&report["checked"]["segments"], &report["checked"]["events"]), (&json!(2), &json!(3)));

    let (code, stdout, _) = run(&["segments", "verify", "--data-dir", &data_dir]);
    assert!(code == 1 && stdout.contains("✗ segments  2 files"), "{stdout}");
    let (code, stdout, stderr) = run(&["segments", "verify", &metas[0].id.to_string(), "--data-dir", &data_dir]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");

    let (code, stdout, stderr) = run(&["verify", "--data-dir", "no/such/directory"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert_eq!(stderr, "error: there is no data directory `no/such/directory`\n");
}
