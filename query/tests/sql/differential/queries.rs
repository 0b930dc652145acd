//! The fixed set of queries, read from the `.sql` files beside this one.
//!
//! A query ends with `;` at the end of a line. The comment lines before it may say:
//! - `-- duckdb: SELECT ..`: how DuckDB is asked the same, in one line.
//! - `-- henge only: why`: DuckDB means something else by it.
//! - `-- by the hour`: rows that are rolled up to coarser times answer otherwise.
//! - `-- tolerance`: doubles are added in an order that nobody promises, so they may differ by parts in 2^40.
//!
//! Any other comment speaks to the reader.

use std::path::Path;

#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// File and line.
    pub place: String,
    pub sql: String,
    /// `None` where DuckDB is not asked.
    pub duckdb: Option<String>,
    pub has_tolerance: bool,
    pub is_by_the_hour: bool,
    /// Whether the order of the rows is part of the answer.
    pub is_ordered: bool,
}

impl Query {
    /// One that is not in the set.
    pub fn new(place: &str, sql: String) -> Self {
        let is_ordered = sql.contains("ORDER BY");
        Self { place: place.to_owned(), sql, duckdb: None, has_tolerance: false, is_by_the_hour: false, is_ordered }
    }
}

pub fn all() -> Vec<Query> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql/differential/queries");
    let files = std::fs::read_dir(&directory).expect("the queries lie beside this file");
    let mut files: Vec<_> = files.map(|file| file.expect("a readable directory").path()).collect();
    files.sort();
    files.iter().flat_map(|file| read(file)).collect()
}

fn read(file: &Path) -> Vec<Query> {
    let text = std::fs::read_to_string(file).expect("a file of queries");
    let name = file.file_stem().expect("files have names").to_string_lossy();
    let mut queries = Vec::new();
    let mut next = Pending::default();
    for (number, line) in text.lines().enumerate() {
        if let Some(comment) = line.strip_prefix("--") {
            next.take_comment(comment.trim());
        } else if let Some(end) = line.strip_suffix(';') {
            next.add(end);
            let place = format!("{name}.sql:{}", number + 1);
            queries.push(std::mem::take(&mut next).into_query(place));
        } else if !line.trim().is_empty() {
            next.add(line);
        }
    }
    assert!(next.sql.is_empty(), "{name}.sql ends within `{}`", next.sql);
    queries
}

#[derive(Default)]
struct Pending {
    sql: String,
    duckdb: Option<String>,
    is_henge_only: bool,
    has_tolerance: bool,
    is_by_the_hour: bool,
}

impl Pending {
    fn take_comment(&mut self, comment: &str) {
        if let Some(sql) = comment.strip_prefix("duckdb: ") {
            self.duckdb = Some(sql.to_owned());
        }
        self.is_henge_only |= comment.starts_with("henge only: ");
        self.has_tolerance |= comment == "tolerance";
        self.is_by_the_hour |= comment == "by the hour";
    }

    fn add(&mut self, line: &str) {
        if !self.sql.is_empty() {
            self.sql.push(' ');
        }
        self.sql.push_str(line.trim());
    }

    fn into_query(self, place: String) -> Query {
        let duckdb = (!self.is_henge_only).then(|| self.duckdb.unwrap_or_else(|| self.sql.clone()));
        let Self { sql, has_tolerance, is_by_the_hour, .. } = self;
        Query { duckdb, has_tolerance, is_by_the_hour, ..Query::new(&place, sql) }
    }
}
