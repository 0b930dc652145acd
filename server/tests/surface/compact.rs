use tempfile::TempDir;

use crate::directory::{published, republished};
use crate::process::{Serving, run};

#[test]
fn compacting_leaves_one_segment_a_chunk_the_same_answers_and_a_sound_directory() {
    let directory = TempDir::new().unwrap();
    published(directory.path());
    republished(directory.path());
    let data_dir = directory.path().display().to_string();
    let export = ["segments", "export", "--datasource", "usage", "--format", "csv", "--data-dir", &data_dir];
    let (_, before, _) = run(&export);
    assert_eq!(before.lines().count(), 1 + 6);

    let (code, stdout, stderr) = run(&["compact", "--data-dir", &data_dir, "--datasource", "usage"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(
        stdout.contains("│ usage      ┆ 1970-01-01T00:00:00.000Z/1970-01-01T01:00:00.000Z ┆    2 → 1 ┆ 4 → 2 ┆"),
        "{stdout}"
    );
    assert!(stdout.contains("│ total      ┆ 2 merges") && stdout.contains("┆    4 → 2 ┆ 6 → 3 ┆"), "{stdout}");
    let expected = "\
__time,org,shard,events,load
1970-01-01T00:05:00.000Z,,-3,2,
1970-01-01T00:00:00.000Z,\"eu, \"\"west\"\"\",-3,4,2.25
1970-01-01T01:01:00.000Z,,,2,
";
    let (_, after, _) = run(&export);
    assert_eq!(after, expected);

    let (code, stdout, _) = run(&["verify", "--data-dir", &data_dir]);
    assert!(code == 0 && stdout.contains("✓ segments  2 files") && stdout.contains("4 retired, "), "{stdout}");
    let (_, listed, _) = run(&["segments", "ls", "--format", "jsonl", "--data-dir", &data_dir]);
    let merged: serde_json::Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    let id = merged["id"].as_str().unwrap();
    let (code, inspected, _) = run(&["segments", "inspect", id, "--data-dir", &data_dir]);
    assert!(code == 0 && inspected.contains("\n  merged     2 segments; rows were merged once, "), "{inspected}");
    let again = run(&["compact", "--data-dir", &data_dir]);
    assert_eq!(again, (0, "nothing to merge\n".to_owned(), String::new()));
}

#[test]
fn a_directory_in_use_is_not_compacted() {
    let directory = TempDir::new().unwrap();
    let _server = Serving::server(directory.path(), &[]);
    let data_dir = directory.path().display().to_string();
    let (code, stdout, stderr) = run(&["compact", "--data-dir", &data_dir]);
    assert!(code == 1 && stdout.is_empty() && stderr.contains("is used by another henge process"), "{stderr}");
    let (code, _, stderr) = run(&["compact", "--data-dir", "no/such/directory"]);
    assert_eq!((code, stderr.as_str()), (1, "error: there is no data directory `no/such/directory`\n"));
}
