//! Clients of Druid that other people have written ask a server.

use tempfile::TempDir;

use crate::directory::published;
use crate::process::Serving;
use crate::python::Python;

const PYDRUID: Python = Python { name: "clients", requirements: include_str!("clients/requirements.txt") };

#[test]
#[ignore = "needs pydruid: run with --include-ignored (needs python3 with venv, and PyPI once)"]
fn pydruid_asks_by_its_db_api_and_by_sqlalchemy() {
    let directory = TempDir::new().unwrap();
    published(directory.path());
    let server = Serving::server(directory.path(), &[]);
    let script = include_str!("clients/pydruid_client.py");
    let (succeeded, output) = PYDRUID.run(script, &server.address.to_string());
    assert!(succeeded, "{output}");
    assert!(output.contains("pydruid found what it expected"), "{output}");
}
