use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::process::{Serving, henge, run, run_with_stdin};

#[test]
fn every_command_helps_with_examples() {
    for command in [
        "",
        "server",
        "sql",
        "demo",
        "verify",
        "compact",
        "openapi",
        "segments ls",
        "segments inspect",
        "segments export",
        "segments verify",
    ] {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let (code, stdout, _) = run(&arguments);
        let example = format!("Examples:\n  {}", format!("henge {command}").trim());
        assert!(code == 0 && stdout.contains(&example), "{stdout}");
    }
}

#[test]
fn a_command_that_is_used_wrongly_ends_with_2_and_says_how() {
    for arguments in
        [&["serve"][..], &["server", "--lisen", "x"], &["sql", "--format", "xml"], &["demo", "--rate", "0"]]
    {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(stderr.contains("--help") || stderr.contains("possible values"), "{stderr}");
    }
}

#[test]
fn a_configuration_that_is_wrong_is_one_line_and_ends_with_2() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("henge.toml");
    let name = file.display().to_string();
    let cases = [
        ("[server]\nlisten = 7", format!("error: {name}: `server.listen` must be an address such as")),
        ("[sever]", format!("error: {name}: `sever` is no setting; did you mean `server`?\n")),
        ("[server\n", format!("error: {name}:1:8: ")),
        ("[datasource.usage]\ntopik = \"x\"", format!("error: {name}: datasource.usage")),
    ];
    for (text, expected) in cases {
        fs::write(&file, text).unwrap();
        let (code, _, stderr) = run(&["server", "--config", &name]);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.starts_with(&expected) && stderr.matches('\n').count() == 1, "{stderr}");
    }
}

#[test]
fn a_port_in_use_is_named_together_with_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().display().to_string();
    let (code, _, stderr) = run(&["server", "--listen", &address, "--data-dir", &data_dir]);
    let expected = format!(
        "error: cannot listen on {address}: another process uses this port; stop it, or choose another with --listen\n"
    );
    assert_eq!((code, stderr), (1, expected));
}

#[test]
fn a_data_directory_in_use_is_refused() {
    let directory = TempDir::new().unwrap();
    let _first = Serving::server(directory.path(), &[]);
    let data_dir = directory.path().display().to_string();
    let (code, _, stderr) = run(&["server", "--listen", "127.0.0.1:0", "--data-dir", &data_dir]);
    let expected =
        format!("error: `{data_dir}` is used by another henge process: stop that one or choose another --data-dir\n");
    assert_eq!((code, stderr), (1, expected));
}

#[test]
fn statements_come_from_arguments_files_and_pipes_and_answers_in_every_format() {
    let directory = TempDir::new().unwrap();
    let server = Serving::server(directory.path(), &[]);
    let sql = "SELECT 1 AS one, 'a;b' AS text, CAST(NULL AS VARCHAR) AS nothing";
    let table = "\
┌─────┬──────┬─────────┐
│ one ┆ text ┆ nothing │
╞═════╪══════╪═════════╡
│   1 ┆ a;b  ┆ NULL    │
└─────┴──────┴─────────┘
";
    let formats = [
        ("table", table),
        ("json", "[{\"one\":1,\"text\":\"a;b\",\"nothing\":null}]\n"),
        ("jsonl", "{\"one\":1,\"text\":\"a;b\",\"nothing\":null}\n"),
        ("csv", "one,text,nothing\n1,a;b,\n"),
        ("tsv", "one\ttext\tnothing\n1\ta;b\t\n"),
    ];
    for (format, expected) in formats {
        let (code, stdout, stderr) = run(&["sql", "--url", &server.url, "--format", format, "-c", sql]);
        assert_eq!((code, stdout.as_str()), (0, expected), "{format}: {stderr}");
        assert_eq!(stderr.starts_with("1 row ("), format == "table", "{stderr}");
    }
    let two = "SELECT 1 AS a; -- and\nSELECT 2 AS a;\n";
    let file = directory.path().join("two.sql");
    fs::write(&file, two).unwrap();
    let arguments = ["sql", "--url", &server.url, "--format", "json"];
    let from_file = run(&[&arguments[..], &["-f", &file.display().to_string()]].concat());
    let from_pipe = run_with_stdin(&arguments, two);
    for (code, stdout, stderr) in [from_file, from_pipe] {
        assert_eq!((code, stdout.as_str()), (0, "[{\"a\":1}]\n[{\"a\":2}]\n"), "{stderr}");
    }
}

#[test]
fn commands_of_the_prompt_work_in_arguments_and_pipes() {
    let directory = TempDir::new().unwrap();
    crate::directory::published_many(directory.path(), 1);
    let server = Serving::server(directory.path(), &[]);
    let arguments = ["sql", "--url", &server.url, "--format", "csv"];
    let (code, tables, stderr) = run(&[&arguments[..], &["-c", "\\d"]].concat());
    assert_eq!(code, 0, "{stderr}");
    assert!(tables.starts_with("schema,table\ndruid,usage\nINFORMATION_SCHEMA,COLUMNS\n"), "{tables}");
    let script = "\\format json\nSELECT 1 AS a;\n\\format csv\n-- columns\n\\d usage\n\\q\nSELECT 2;";
    let (code, stdout, stderr) = run_with_stdin(&arguments, script);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.starts_with("[{\"a\":1}]\ncolumn,type\n__time,TIMESTAMP\n") && !stdout.contains('2'), "{stdout}");
    for (command, expected) in [
        ("\\d usages", "error: there is no table `usages`; \\d lists them\n"),
        ("\\list", "error: `\\list` is no command; \\? lists them\n"),
        ("\\format xml", "error: `xml` is no format: use csv, json, jsonl, table, tsv\n"),
    ] {
        let (code, _, stderr) = run(&[&arguments[..], &["-c", command]].concat());
        assert_eq!((code, stderr.as_str()), (1, expected));
    }
}

#[test]
fn a_failing_statement_ends_with_1_and_nothing_after_it_runs() {
    let directory = TempDir::new().unwrap();
    let server = Serving::server(directory.path(), &[]);
    let arguments = ["sql", "--url", &server.url, "--format", "csv", "-c", "SELECT 1 AS a; SELEC; SELECT 3 AS c"];
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!((code, stdout.as_str()), (1, "a\n1\n"), "{stderr}");
    assert!(stderr.starts_with("error: ") && stderr.contains("SELEC"), "{stderr}");
}

#[test]
fn ctrl_c_cancels_the_statement_on_the_server_and_ends_with_130() {
    let directory = TempDir::new().unwrap();
    crate::directory::published_many(directory.path(), 2_000);
    let server = Serving::server(directory.path(), &[]);
    let running = || {
        let count = "SELECT 1 AS one";
        let (code, _, _) = run(&["sql", "--url", &server.url, "--format", "csv", "-c", count]);
        assert_eq!(code, 0);
        server.get("/henge/v1/queries")
    };
    let endless = "SELECT COUNT(*) FROM usage a, usage b, usage c, usage d WHERE a.load + b.load + c.load + d.load = 1";
    let asking = henge(&["sql", "--url", &server.url, "-c", endless]).stderr(Stdio::piped()).spawn().unwrap();
    while !running().contains("usage a, usage b") {}
    assert!(Command::new("kill").args(["-INT", &asking.id().to_string()]).status().unwrap().success());
    let ended = asking.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!((ended.status.code(), said.as_str()), (Some(130), "error: interrupted\n"));
    while running().contains("usage a, usage b") {}
}

#[test]
fn the_document_of_the_interface_is_the_same_from_the_command_and_the_server() {
    let directory = TempDir::new().unwrap();
    let server = Serving::server(directory.path(), &[]);
    let (code, stdout, stderr) = run(&["openapi"]);
    assert_eq!(code, 0, "{stderr}");
    let printed: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let served: serde_json::Value = serde_json::from_str(&server.get("/openapi.json")).unwrap();
    assert_eq!(printed, served);
    assert!(server.get("/docs").starts_with("<!DOCTYPE html>"));
}

#[test]
fn a_server_that_is_not_there_is_said_so() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let (code, _, stderr) = run(&["sql", "--url", &url, "-c", "SELECT 1"]);
    assert_eq!(code, 1);
    assert!(stderr.starts_with(&format!("error: cannot reach {url}/: ")), "{stderr}");
    assert!(stderr.ends_with("; is `henge server` running there?\n"), "{stderr}");
    let (code, _, stderr) = run(&["sql", "--url", "localhost", "-c", "SELECT 1"]);
    assert_eq!(code, 2, "{stderr}");
    let (code, _, stderr) = run(&["sql", "--url", &url, "-c", " -- nothing"]);
    assert_eq!((code, stderr.as_str()), (2, "error: there is no statement to run\n"));
}

#[test]
fn segments_of_a_directory_that_is_not_there_are_an_error() {
    let (code, stdout, stderr) = run(&["segments", "ls", "--data-dir", "no/such/directory"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert_eq!(stderr, "error: there is no data directory `no/such/directory`\n");
}
