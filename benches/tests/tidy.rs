//! What the layout of the project promises, checked over `cargo metadata`, the manifests and the sources (invariant A1).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use toml::Table;

/// Each crate, and the crates of the workspace that it may use.
const ARROWS: [(&str, &[&str]); 9] = [
    ("henge-indexing", &[]),
    ("henge-indexing-fuzz", &["henge-indexing"]),
    ("henge-segment-store", &["henge-indexing"]),
    ("henge-segment-store-fuzz", &["henge-indexing-fuzz", "henge-segment-store"]),
    ("henge-ingest", &["henge-indexing", "henge-segment-store"]),
    ("henge-ingest-fuzz", &["henge-indexing-fuzz", "henge-ingest"]),
    ("henge-query", &["henge-indexing", "henge-segment-store"]),
    ("henge", &["henge-indexing", "henge-segment-store", "henge-ingest", "henge-query"]),
    ("henge-benches", &["henge-indexing", "henge-segment-store", "henge-ingest", "henge-query"]),
];

/// Families of outside libraries, by the start of their names, and the crates that may use them.
const HOMES: [(&str, &[&str]); 9] = [
    ("rdkafka", &["henge-ingest"]),
    ("datafusion", &["henge-query", "henge"]),
    ("axum", &["henge"]),
    ("hyper", &["henge"]),
    ("roaring", &["henge-indexing"]),
    ("datasketches", &["henge-segment-store"]),
    ("arrow", &["henge-segment-store", "henge-ingest", "henge-query", "henge", "henge-benches"]),
    ("parquet", &["henge-segment-store", "henge-ingest", "henge-query", "henge", "henge-benches"]),
    ("object_store", &["henge-segment-store", "henge-ingest", "henge-query", "henge", "henge-benches"]),
];

/// All that a visitor sees at the root.
const ROOT: [&str; 10] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "benches",
    "indexing",
    "ingest",
    "query",
    "segment-store",
    "server",
];

/// Lines of a source file before its tests; beyond that it holds a second concept.
const CODE_LINES_MAX: usize = 500;

/// Split so that this file does not find itself.
const LEFT_FOR_LATER: [&str; 5] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace").to_path_buf()
}

/// The workspace's packages as cargo sees them.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs this test, so it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    metadata["packages"].as_array().expect("cargo lists packages").clone()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("cargo's names are strings")
}

/// Every use of one package by another, by its tests too: (user, used).
fn uses(packages: &[Value]) -> Vec<(String, String)> {
    let dependencies = |package: &Value| package["dependencies"].as_array().cloned().unwrap_or_default();
    let names = |package: &Value, dependency: &Value| (text(package, "name").into(), text(dependency, "name").into());
    packages
        .iter()
        .flat_map(|package| dependencies(package).iter().map(|d| names(package, d)).collect::<Vec<_>>())
        .collect()
}

/// What is wrong with `user` using `used`, if anything is.
fn arrow_breach(user: &str, used: &str) -> Option<String> {
    if user == used {
        return None; // A crate turns its own features on for its tests.
    }
    if used.starts_with("henge") {
        let allowed = ARROWS.iter().find(|(name, _)| *name == user).map(|(_, allowed)| *allowed);
        return match allowed {
            None => Some(format!("{user} is not in the list of crates")),
            Some(allowed) if allowed.contains(&used) => None,
            Some(_) => Some(format!("{user} must not use {used}")),
        };
    }
    let (_, homes) = HOMES.iter().find(|(family, _)| used.starts_with(family))?;
    (!homes.contains(&user)).then(|| format!("{user} must not use {used}: it lives in {homes:?}"))
}

/// Dependencies that state a version or a path of their own, and lints that are not the workspace's.
fn manifest_breaches(manifest: &Table) -> Vec<String> {
    let mut breaches = Vec::new();
    let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(Table::values);
    let owners = std::iter::once(manifest).chain(targets.filter_map(toml::Value::as_table));
    for owner in owners {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(dependencies) = owner.get(section).and_then(toml::Value::as_table) else { continue };
            for (name, dependency) in dependencies {
                if dependency.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                    breaches.push(format!("{section}.{name} must say `workspace = true`"));
                }
            }
        }
    }
    if manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool) != Some(true) {
        breaches.push("lints must say `workspace = true`".into());
    }
    breaches
}

/// What is wrong with the source file `name`.
fn source_breaches(name: &str, source: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    let code_lines = source.lines().take_while(|line| line.trim() != "#[cfg(test)]").count();
    if code_lines > CODE_LINES_MAX && !is_test(name) {
        breaches.push(format!("{name} has {code_lines} lines before its tests"));
    }
    let is_root = name.ends_with("src/lib.rs") || name.ends_with("src/main.rs");
    if is_root && !source.starts_with("//! ") {
        breaches.push(format!("{name} does not open with what the crate does (`//! ...`)"));
    }
    for word in LEFT_FOR_LATER {
        if source.contains(word) {
            breaches.push(format!("{name} leaves something for later: {word}"));
        }
    }
    breaches
}

fn is_test(name: &str) -> bool {
    name.contains("/tests/") || name.ends_with("/tests.rs")
}

/// Visible names that are not `ROOT`'s, and those of `ROOT` that are missing. What git ignores does not count.
fn root_breaches(found: &BTreeSet<String>, ignored: &str) -> Vec<String> {
    let is_ignored = |name: &&String| ignored.lines().any(|line| line.trim_matches('/') == name.as_str());
    let is_hidden = |name: &&String| name.starts_with('.');
    let strangers = found
        .iter()
        .filter(|name| !is_hidden(name) && !is_ignored(name) && !ROOT.contains(&name.as_str()))
        .map(|name| format!("`{name}` has no place at the root"));
    let missing = ROOT.iter().filter(|name| !found.contains(**name)).map(|name| format!("`{name}` is missing"));
    strangers.chain(missing).collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the project is readable") {
        let path = entry.expect("a folder of the project is readable").path();
        if path.is_dir() && !path.ends_with("target") {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn members() -> impl Iterator<Item = PathBuf> {
    ROOT.iter().map(|name| root().join(name)).filter(|path| path.is_dir())
}

#[test]
fn crates_use_only_what_the_arrows_and_homes_allow() {
    let breaches: Vec<String> = uses(&packages()).iter().filter_map(|(user, used)| arrow_breach(user, used)).collect();
    assert_eq!(breaches, Vec::<String>::new());
}

#[test]
fn versions_and_lints_live_once_in_the_workspace() {
    for member in members() {
        let path = member.join("Cargo.toml");
        let manifest =
            fs::read_to_string(&path).expect("each member has a manifest").parse().expect("cargo read it too");
        assert_eq!(manifest_breaches(&manifest), Vec::<String>::new(), "{}", path.display());
    }
}

#[test]
fn the_visible_root_holds_the_agreed_names() {
    let found = fs::read_dir(root()).expect("the root is readable");
    let found = found.map(|entry| entry.expect("the root is readable").file_name().to_string_lossy().into_owned());
    let ignored = fs::read_to_string(root().join(".gitignore")).expect("the root has a .gitignore");
    assert_eq!(root_breaches(&found.collect(), &ignored), Vec::<String>::new());
}

#[test]
fn sources_hold_one_concept_say_what_they_are_and_leave_nothing_for_later() {
    let mut files = Vec::new();
    members().for_each(|member| rust_files(&member, &mut files));
    let breaches: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let source = fs::read_to_string(path).expect("sources are UTF-8");
            let name = path.strip_prefix(root()).expect("found below the root").to_string_lossy().into_owned();
            source_breaches(&name, &source)
        })
        .collect();
    assert_eq!(breaches, Vec::<String>::new());
}

#[test]
fn each_rule_catches_its_breach() {
    assert_eq!(arrow_breach("henge-query", "henge-ingest"), Some("henge-query must not use henge-ingest".into()));
    assert_eq!(arrow_breach("henge-utils", "henge-query"), Some("henge-utils is not in the list of crates".into()));
    assert_eq!(
        arrow_breach("henge", "rdkafka-sys"),
        Some(r#"henge must not use rdkafka-sys: it lives in ["henge-ingest"]"#.into())
    );
    assert_eq!(arrow_breach("henge-query", "serde"), None);

    let manifest =
        "[dependencies]\na.workspace = true\nb = \"1\"\n[target.'cfg(unix)'.dev-dependencies]\nc = { path = \"c\" }";
    assert_eq!(
        manifest_breaches(&manifest.parse().expect("is TOML")),
        [
            "dependencies.b must say `workspace = true`",
            "dev-dependencies.c must say `workspace = true`",
            "lints must say `workspace = true`"
        ]
    );

    let found = ROOT[1..].iter().chain(&["target", ".ci", "docs"]).map(ToString::to_string).collect();
    assert_eq!(root_breaches(&found, "/target\n"), ["`docs` has no place at the root", "`Cargo.lock` is missing"]);

    let long = "//! A crate.\n".repeat(CODE_LINES_MAX + 1);
    assert_eq!(source_breaches("x/src/lib.rs", &long), ["x/src/lib.rs has 501 lines before its tests"]);
    assert_eq!(source_breaches("x/tests/long.rs", &long), Vec::<String>::new());
    assert_eq!(
        source_breaches("x/src/lib.rs", &format!("fn f() {{ {})  }}", LEFT_FOR_LATER[0])),
        [
            "x/src/lib.rs does not open with what the crate does (`//! ...`)".to_string(),
            format!("x/src/lib.rs leaves something for later: {}", LEFT_FOR_LATER[0])
        ]
    );
}
