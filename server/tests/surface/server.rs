use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use tempfile::TempDir;

use crate::process::Serving;

/// A request whose body never comes: it keeps a stopping server waiting.
fn unfinished_request(server: &Serving) -> TcpStream {
    let mut socket = TcpStream::connect(server.address).unwrap();
    let head = "POST /druid/v2/sql HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\n\
                Content-Length: 100\r\n\r\n";
    socket.write_all(head.as_bytes()).unwrap();
    // The server asks for the body, so the request is under way.
    let mut interim = [0; 25];
    socket.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    socket
}

#[test]
fn a_first_signal_ends_with_0() {
    for signal in ["TERM", "INT"] {
        let directory = TempDir::new().unwrap();
        let server = Serving::server(directory.path(), &[]);
        server.signal(signal);
        assert_eq!(server.wait(), 0, "{signal}");
    }
}

#[test]
fn a_stopping_server_finishes_the_request_under_way() {
    let directory = TempDir::new().unwrap();
    let mut server = Serving::server(directory.path(), &[]);
    let mut socket = unfinished_request(&server);
    server.signal("TERM");
    server.await_log("stopping");
    socket.write_all(format!("{:<100}", "SELECT 7 AS seven").as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("[{\"seven\":7}]\n"), "{answer}");
    assert_eq!(server.wait(), 0);
}

#[test]
fn a_second_signal_ends_at_once_with_130() {
    let directory = TempDir::new().unwrap();
    let mut server = Serving::server(directory.path(), &[]);
    let _unfinished = unfinished_request(&server);
    server.signal("TERM");
    server.await_log("stopping");
    server.signal("TERM");
    assert_eq!(server.wait(), 130);
}

#[test]
fn a_datasource_of_the_file_is_put_once_and_stays_as_an_operator_left_it() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("henge.toml");
    let spec = r#"
        [datasource.usage]
        topic = "usage"
        kafka = { "bootstrap.servers" = "127.0.0.1:1" }
        time = { column = "t", format = "millis" }
        dimensions = ["org"]
        measures = { events = "count" }
        segment = "1h"
        suspended = true
    "#;
    fs::write(&file, spec).unwrap();
    let data_dir = directory.path().join("data");
    let config = file.display().to_string();
    // Every change of anything durable is one file here.
    let records = || fs::read_dir(data_dir.join("store/manifest/records")).unwrap().count();
    let mut written = Vec::new();
    for (is_suspended, action) in [(true, None), (true, Some("resume")), (false, None)] {
        let server = Serving::server(&data_dir, &["--config", &config]);
        let (_, status) = http(&server, "GET", "/druid/indexer/v1/supervisor/usage/status");
        assert!(status.contains(&format!("\"suspended\":{is_suspended}")), "{status}");
        if let Some(action) = action {
            let (code, body) = http(&server, "POST", &format!("/druid/indexer/v1/supervisor/usage/{action}"));
            assert_eq!(code, 200, "{body}");
        }
        written.push(records());
        server.signal("TERM");
        assert_eq!(server.wait(), 0);
    }
    // Each start claims an epoch. The first one puts the spec too; during the second it is resumed.
    assert_eq!(written, [2, 4, 5]);
}

/// Status and body of a request without a body.
fn http(server: &Serving, method: &str, path: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(server.address).unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
