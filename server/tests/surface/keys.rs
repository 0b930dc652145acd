use tempfile::TempDir;

use crate::process::{Serving, run};

/// What `henge keys create` prints behind a word.
pub fn shown<'a>(created: &'a str, word: &str) -> &'a str {
    let line = created.lines().find_map(|line| line.strip_prefix(word));
    line.unwrap_or_else(|| panic!("no {word} in {created}")).trim()
}

#[test]
fn without_a_key_nobody_can_reach_the_server_from_elsewhere() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().display().to_string();
    let (code, _, error) = run(&["server", "--data-dir", &data_dir, "--listen", "0.0.0.0:0"]);
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("there are no keys") && error.contains("henge keys create --role admin"), "{error}");
    assert_eq!(run(&["keys", "create", "--role", "admin", "--data-dir", &data_dir]).0, 0);
    let server = Serving::server_at("0.0.0.0:0", directory.path(), &[]);
    server.signal("TERM");
    assert_eq!(server.wait(), 0);
}

#[test]
fn keys_are_made_listed_and_revoked_beside_a_running_server() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().display().to_string();
    let server = Serving::server(directory.path(), &[]);
    let ask =
        |key: &[&str]| run(&[&["sql", "--url", &server.url, "--format", "csv", "-c", "SELECT 7 AS a"], key].concat());
    assert_eq!(ask(&[]), (0, "a\n7\n".to_owned(), String::new()));
    let create = |arguments: &[&str]| {
        let (code, created, error) = run(&[&["keys", "create", "--data-dir", &data_dir], arguments].concat());
        assert_eq!(code, 0, "{error}");
        created
    };
    let viewer = create(&["--role", "metrics-viewer", "--org", "acme", "--expires", "90d"]);
    let (code, _, error) = ask(&[]);
    assert!(code == 1 && error.contains("a key is needed"), "{error}");
    let bearer = ["--key", shown(&viewer, "bearer")];
    assert_eq!(ask(&bearer).0, 0);
    let (_, listed, _) = run(&["keys", "list", "--json", "--data-dir", &data_dir]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let id = shown(&viewer, "key");
    let expected = serde_json::json!([id, "metrics-viewer", "acme", null]);
    let found = ["id", "role", "org", "revoked_at"].map(|field| listed[0][field].clone());
    assert_eq!(serde_json::Value::from(found.to_vec()), expected);
    assert!(!listed.to_string().contains("secret"), "{listed}");
    assert_eq!(run(&["keys", "revoke", id, "--data-dir", &data_dir]).0, 0);
    let (code, _, error) = ask(&bearer);
    assert!(code == 1 && error.contains("there is no such key"), "{error}");
    assert_eq!(run(&["keys", "revoke", "NOSUCHKEYNOSUCHK", "--data-dir", &data_dir]).0, 1);
    assert_eq!(run(&["keys", "create", "--role", "metrics-viewer", "--data-dir", &data_dir]).0, 2);
}
