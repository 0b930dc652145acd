//! Lookups of the configuration: a map in the file, or a file of its own.
//!
//! ```toml
//! [lookup.regions]
//! map = { "eu-1" = "Frankfurt", "us-1" = "Oregon" }
//!
//! [lookup.customers]
//! file = "customers.csv"     # a key and its value a line, or a .json with an object of texts; read when the server starts
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use henge_query::lookups::{Lookup, Lookups};
use serde_json::Value;

use super::ConfigError;

/// Of one file: a lookup stays in memory.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// `tables`: those under `lookup`, by their names.
pub fn read(file: &str, tables: Vec<(String, Value)>) -> Result<Lookups, ConfigError> {
    let mut lookups = BTreeMap::new();
    for (name, table) in tables {
        let fail = |why| ConfigError::Lookup { file: file.to_owned(), name: name.clone(), why };
        let lookup = lookup(&table).map_err(fail)?;
        lookups.insert(name, lookup);
    }
    Ok(Lookups(lookups))
}

fn lookup(table: &Value) -> Result<Lookup, String> {
    let wanted = || "needs either a `map` of texts or a `file`, and nothing else".to_owned();
    let Value::Object(entries) = table else { return Err(wanted()) };
    if entries.len() != 1 {
        return Err(wanted());
    }
    match (entries.get("map"), entries.get("file")) {
        (Some(map), None) => texts(map),
        (None, Some(Value::String(path))) => of_file(Path::new(path)),
        _ => Err(wanted()),
    }
}

fn of_file(path: &Path) -> Result<Lookup, String> {
    let unreadable = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(format!("{} is larger than {} MiB", path.display(), FILE_BYTES_MAX >> 20));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let read = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => serde_json::from_str(&text).map_err(|error| error.to_string()).and_then(|json| texts(&json)),
        Some("csv") => of_csv(&text),
        _ => Err("its name must end with .csv or .json".to_owned()),
    };
    read.map_err(|why| format!("{}: {why}", path.display()))
}

/// An object's entries; numbers and truth values are texts as they are written.
fn texts(json: &Value) -> Result<Lookup, String> {
    let Value::Object(entries) = json else { return Err("must be an object of texts".to_owned()) };
    let text = |(key, value): (&String, &Value)| match value {
        Value::String(text) => Ok((key.clone(), text.clone())),
        Value::Number(_) | Value::Bool(_) => Ok((key.clone(), value.to_string())),
        _ => Err(format!("the value of `{key}` must be a text")),
    };
    entries.iter().map(text).collect()
}

/// A key and its value a line, without a header.
fn of_csv(text: &str) -> Result<Lookup, String> {
    let mut lookup = Lookup::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    while !rest.is_empty() {
        let wrong = || format!("line {line} must be a key, a comma and its value; quote what has a comma in it");
        let (key, after) = field(rest).ok_or_else(wrong)?;
        let (value, after) = after.strip_prefix(',').and_then(field).ok_or_else(wrong)?;
        let after = after.strip_prefix('\r').unwrap_or(after);
        if !after.is_empty() && !after.starts_with('\n') {
            return Err(wrong());
        }
        let after = after.strip_prefix('\n').unwrap_or(after);
        if lookup.insert(key.clone(), value).is_some() {
            return Err(format!("line {line}: the key `{key}` was there before"));
        }
        line += rest[..rest.len() - after.len()].matches('\n').count();
        rest = after;
    }
    Ok(lookup)
}

/// The field that a text begins with, and what follows it.
fn field(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find([',', '\n', '\r']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    loop {
        let end = rest.find('"')?;
        value.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(quoted) => {
                value.push('"');
                rest = quoted;
            }
            None => return Some((value, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(pairs: &[(&str, &str)]) -> Lookup {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_lookup_is_a_map_or_a_file_of_either_form() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let cases = [
            (json!({ "map": { "a": "A", "n": 7 } }), one(&[("a", "A"), ("n", "7")])),
            (json!({ "file": write("x.json", "{\"a\":\"A\"}") }), one(&[("a", "A")])),
            (
                json!({ "file": write("x.csv", "a,A\r\n\"b,\"\"c\",\"two\nlines\"\nempty,\n") }),
                one(&[("a", "A"), ("b,\"c", "two\nlines"), ("empty", "")]),
            ),
        ];
        for (table, expected) in cases {
            assert_eq!(lookup(&table), Ok(expected), "{table}");
        }
        for (table, why) in [
            (json!({}), "needs either a `map`"),
            (json!({ "map": {}, "file": "x.csv" }), "needs either a `map`"),
            (json!({ "map": { "a": [] } }), "the value of `a` must be a text"),
            (json!({ "file": write("x.tsv", "") }), "must end with .csv or .json"),
            (json!({ "file": write("y.csv", "a,A\nb\n") }), "line 2 must be a key, a comma and its value"),
            (json!({ "file": write("z.csv", "a,\"x\ny\"\na,B\n") }), "line 3: the key `a` was there before"),
            (json!({ "file": write("q.csv", "a,\"open\n") }), "line 1 must be"),
            (json!({ "file": "no/such.csv" }), "cannot read no/such.csv"),
        ] {
            let found = lookup(&table).unwrap_err();
            assert!(found.contains(why), "{table}: {found}");
        }
    }
}
