//! Clients of PostgreSQL ask a server.

use std::net::SocketAddr;
use std::process::Command;

use tempfile::TempDir;

use crate::directory::published;
use crate::keys::shown;
use crate::process::{Serving, run};
use crate::python::Python;

const CLIENTS: Python = Python { name: "postgres", requirements: include_str!("clients/postgres_requirements.txt") };

/// A server with datasource `usage` that speaks the protocol.
fn speaking(directory: &TempDir) -> (Serving, SocketAddr) {
    published(directory.path());
    let mut server = Serving::server(directory.path(), &["--pg-listen", "127.0.0.1:0"]);
    let address = server.await_pg_address();
    (server, address)
}

#[test]
fn nobody_without_a_key_can_reach_the_protocol_from_elsewhere() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().display().to_string();
    let arguments = ["server", "--data-dir", &data_dir, "--listen", "127.0.0.1:0", "--pg-listen", "0.0.0.0:0"];
    let (code, _, error) = run(&arguments);
    assert!(code == 1 && error.contains("there are no keys"), "{error}");
}

#[test]
#[ignore = "needs psycopg and asyncpg: run with --include-ignored (needs python3 with venv, and PyPI once)"]
fn psycopg_and_asyncpg_read_what_http_answers() {
    let directory = TempDir::new().unwrap();
    let (_server, address) = speaking(&directory);
    let data_dir = directory.path().display().to_string();
    let (code, key, error) = run(&["keys", "create", "--role", "admin", "--data-dir", &data_dir]);
    assert_eq!(code, 0, "{error}");
    let input = format!("{address} {} {}", shown(&key, "key"), shown(&key, "secret"));
    let (succeeded, output) = CLIENTS.run(include_str!("clients/postgres_clients.py"), &input);
    assert!(succeeded && output.contains("found what they expected"), "{output}");
}

#[test]
#[ignore = "needs psql: run with --include-ignored (needs the package postgresql-client)"]
fn psql_lists_and_describes_datasources() {
    let directory = TempDir::new().unwrap();
    let (_server, address) = speaking(&directory);
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let psql = |command: &str| {
        let connect = ["-X", "-A", "-t", "-h", &host, "-p", &port, "-U", "me", "-d", "henge", "-c", command];
        let output = Command::new("psql").args(connect).output().expect("psql starts: install postgresql-client");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    };
    let cases = [
        (r"\dt", "public|usage|table|henge\n", ""),
        (
            r"\d usage",
            "__time|timestamp with time zone||not null|\norg|text|||\nshard|bigint|||\nevents|bigint|||\n\
             load|double precision|||\n",
            "",
        ),
        (r"\dn", "public|henge\nsys|henge\n", ""),
        (r"\d nowhere", "", "Did not find any relation named \"nowhere\".\n"),
        (r"\l", "", ""),
        (r"\du", "", ""),
        (r"\df", "", ""),
        (r"\di", "", "Did not find any relations.\n"),
        (
            "SELECT org, SUM(events) FROM usage WHERE shard::int = -3 GROUP BY org ORDER BY 2",
            "|1\neu, \"west\"|2\n",
            "",
        ),
        (
            "SELECT ogr FROM usage",
            "",
            "ERROR:  Column 'ogr' not found in any table; did you mean 'org'? (line [1], column [8])\n\
             LINE 1: SELECT ogr FROM usage\n               ^\n",
        ),
    ];
    for (command, expected, error) in cases {
        let (found, said) = psql(command);
        assert_eq!(said, error, "{command}");
        if !expected.is_empty() {
            assert_eq!(found, expected, "{command}");
        }
    }
}
