use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::directory::published;
use crate::process::run;

/// Stdout of `henge segments ...` on a directory; it has to succeed and say nothing else.
fn segments(data_dir: &Path, arguments: &[&str]) -> String {
    let data_dir = data_dir.display().to_string();
    let (code, stdout, stderr) = run(&[&["segments"], arguments, &["--data-dir", &data_dir]].concat());
    assert_eq!((code, stderr.as_str()), (0, ""), "{arguments:?}");
    stdout
}

fn failed(data_dir: &Path, arguments: &[&str]) -> (i32, String) {
    let data_dir = data_dir.display().to_string();
    let (code, stdout, stderr) = run(&[&["segments"], arguments, &["--data-dir", &data_dir]].concat());
    assert_eq!(stdout, "", "{arguments:?}");
    (code, stderr)
}

#[test]
fn segments_are_listed_with_the_offsets_that_they_come_from() {
    let directory = TempDir::new().unwrap();
    let metas = published(directory.path());
    let listed = segments(directory.path(), &["ls", "--format", "jsonl"]);
    let listed: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(listed.len(), 2);
    for (listed, meta) in listed.iter().zip(&metas) {
        assert_eq!(listed["id"], meta.id.to_string());
        assert_eq!(listed["offsets"], json!([{"topic": "requests", "partition": 2, "start": 0, "end": 6}]));
    }
    let table = segments(directory.path(), &["ls"]);
    assert!(table.contains("requests[2] [0, 6)") && table.lines().count() == 6, "{table}");
    fs::remove_file(directory.path().join("store").join(&metas[0].path)).unwrap();
    let listed = segments(directory.path(), &["ls", "--format", "jsonl", "--datasource", "usage"]);
    let first: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    assert_eq!((&first["offsets"], &first["rows"]), (&Value::Null, &json!(2)));
}

#[test]
fn an_inspected_segment_shows_rows_columns_and_provenance() {
    let directory = TempDir::new().unwrap();
    let metas = published(directory.path());
    let id = metas[0].id.to_string();
    let inspected: Value =
        serde_json::from_str(&segments(directory.path(), &["inspect", &id, "--format", "json"])).unwrap();
    assert_eq!((&inspected["id"], &inspected["rows"], &inspected["events"]), (&json!(id), &json!(2), &json!(3)));
    assert_eq!(inspected["rolled_up"], 1);
    assert_eq!(inspected["sort"], json!(["org", "shard", "__time"]));
    let source = json!({
        "merged_from": [], "records": 5, "accepted": 4, "rejected": 1, "filtered": 0,
        "partitions": [{
            "topic": "requests", "partition": 2, "topic_id": "000000000000000000000000000000ab",
            "range": {"start": 0, "end": 6}, "counts": {"accepted": 4, "refused": {"malformed": 1}},
        }],
    });
    assert_eq!(inspected["source"], source);
    let columns = inspected["file"]["columns"].as_array().unwrap();
    let names: Vec<_> = columns.iter().map(|column| (column["name"].as_str().unwrap(), &column["nulls"])).collect();
    let zero = json!(0);
    assert_eq!(names, [("__time", &zero), ("org", &zero), ("shard", &zero), ("events", &zero), ("load", &json!(1))]);
    assert!(columns.iter().all(|column| column["compressed_bytes"].as_u64() > Some(0)), "{columns:?}");

    let serving = &inspected["serving"];
    assert_eq!((&serving["is_cached"], &serving["columns"][1]["distinct"]), (&json!(true), &json!(2)));
    assert!(serving["columns"][1]["index_reason"].is_string(), "{serving}");
    assert_eq!(serving["columns"][2]["type"], "long");

    let table = segments(directory.path(), &["inspect", &id]);
    assert!(table.starts_with(&format!("{id}\n  time       1970-01-01T00:00:00.000Z to ")), "{table}");
    for expected in [
        "\n  rows       2 for 3 events; 1 rolled up\n",
        "\n  from       requests[2] [0, 6), 4 accepted, topic id 000000000000000000000000000000ab\n",
        "│ load   ┆ DOUBLE",
    ] {
        assert!(table.contains(expected), "{expected}: {table}");
    }
}

#[test]
fn rows_are_exported_as_csv_and_json_lines_and_cut_to_the_interval() {
    let directory = TempDir::new().unwrap();
    let metas = published(directory.path());
    let csv = segments(directory.path(), &["export", "--datasource", "usage", "--format", "csv"]);
    let expected = "\
__time,org,shard,events,load
1970-01-01T00:05:00.000Z,,-3,1,
1970-01-01T00:00:00.000Z,\"eu, \"\"west\"\"\",-3,2,2.25
1970-01-01T01:01:00.000Z,,,1,
";
    assert_eq!(csv, expected);
    let lines = [
        r#"{"__time":"1970-01-01T00:05:00.000Z","org":"","shard":-3,"events":1,"load":null}"#,
        r#"{"__time":"1970-01-01T00:00:00.000Z","org":"eu, \"west\"","shard":-3,"events":2,"load":2.25}"#,
        r#"{"__time":"1970-01-01T01:01:00.000Z","org":null,"shard":null,"events":1,"load":null}"#,
    ];
    let from_five = ["export", "--datasource", "usage", "--interval", "1970-01-01T00:05:00Z/1970-01-02"];
    let file = directory.path().join("rows.jsonl").display().to_string();
    let output = [&from_five[..], &["--format", "jsonl", "--output", &file]].concat();
    assert_eq!(segments(directory.path(), &output), "");
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{}\n{}\n", lines[0], lines[2]));
    let second = segments(directory.path(), &["export", &metas[1].id.to_string(), "--format", "jsonl"]);
    assert_eq!(second, format!("{}\n", lines[2]));
}

#[test]
fn parquet_is_exported_byte_for_byte_and_damage_is_not_exported() {
    let directory = TempDir::new().unwrap();
    let metas = published(directory.path());
    let stored = |at: usize| directory.path().join("store").join(&metas[at].path);
    let data_dir = directory.path().display().to_string();
    let copies = directory.path().join("copies");
    let export = |what: &[&str], to: &Path| {
        let to = to.display().to_string();
        run(&[&["segments", "export", "--data-dir", &data_dir, "--output", &to], what].concat())
    };
    let (code, _, stderr) = export(&["--datasource", "usage"], &copies);
    assert_eq!(code, 0, "{stderr}");
    let mut names: Vec<_> = fs::read_dir(&copies).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert_eq!(names.len(), 2);
    for (at, copy) in names.iter().enumerate() {
        assert_eq!(fs::read(copy).unwrap(), fs::read(stored(at)).unwrap());
    }
    let single = directory.path().join("single.parquet");
    let id = metas[1].id.to_string();
    assert_eq!(export(&[&id], &single).0, 0);
    assert_eq!(fs::read(&single).unwrap(), fs::read(stored(1)).unwrap());

    let mut bytes = fs::read(stored(1)).unwrap();
    bytes[9] ^= 1;
    fs::write(stored(1), bytes).unwrap();
    let (code, _, stderr) = export(&[&id], &copies.join("damaged.parquet"));
    assert_eq!((code, stderr), (1, format!("error: segment `{id}` is corrupt: its digest is not the manifest's\n")));
    assert!(!copies.join("damaged.parquet").exists());
    let (code, _, stderr) = export(&["--datasource", "usage", "--format", "csv"], &copies.join("damaged.csv"));
    assert!(code == 1 && stderr.contains("is corrupt"), "{stderr}");
    assert!(!copies.join("damaged.csv").exists());
}

#[test]
fn what_is_not_published_is_named_together_with_what_is() {
    let directory = TempDir::new().unwrap();
    let metas = published(directory.path());
    let gone = metas[0].id.to_string().replace("_0000", "_9000");
    let not_published =
        format!("error: segment `{gone}` is not published, or was replaced; `henge segments ls` lists what is\n");
    assert_eq!(failed(directory.path(), &["inspect", &gone]), (1, not_published.clone()));
    assert_eq!(failed(directory.path(), &["verify", &gone]), (2, not_published));
    let no_id = "error: `nonsense` is not a segment id\n".to_owned();
    assert_eq!(failed(directory.path(), &["export", "nonsense", "--format", "csv"]), (1, no_id));
    let unknown = "error: there is no datasource `usag`; there is usage\n".to_owned();
    assert_eq!(failed(directory.path(), &["export", "--datasource", "usag", "--format", "csv"]), (1, unknown.clone()));
    assert_eq!(failed(directory.path(), &["ls", "--datasource", "usag"]), (1, unknown));
    let (code, stderr) = failed(directory.path(), &["export", "--datasource", "usage"]);
    assert_eq!((code, stderr.as_str()), (1, "error: say where Parquet files go with --output\n"));
    let (code, stderr) = failed(directory.path(), &["export"]);
    assert!(code == 2 && stderr.contains("<ID|--datasource <NAME>>"), "{stderr}");
    let (code, stderr) = failed(directory.path(), &["export", "--datasource", "usage", "--interval", "2026"]);
    assert!(code == 2 && stderr.contains("an interval is START/END"), "{stderr}");
}
