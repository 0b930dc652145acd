//! Answers as bytes on the wire: packed, and with trailers.

use std::io::{Read, Write};

use flate2::read::GzDecoder;
use http_body_util::BodyExt;
use tokio::net::TcpListener;

use super::*;
use crate::config::Limits;
use crate::listener;

/// 1,000 rows with two columns.
const MANY: &str = "SELECT code, org FROM usage WHERE code < 1000 ORDER BY code";

async fn with_many_rows() -> Fixture {
    let fixture = Fixture::new().await;
    let rows: Vec<_> = (0..1_000).map(|at| event(at, Some("a text that is always the same"), at, at)).collect();
    fixture.app.services().unwrap().store.data_source("usage").unwrap().append(&rows);
    fixture
}

async fn asked(fixture: &Fixture, accepted: &str, query: &str) -> Response {
    let body = json!({ "query": query, "resultFormat": "csv" }).to_string();
    let request = Request::post("/druid/v2/sql").header("content-type", "application/json");
    let request = request.header("accept-encoding", accepted).body(Body::from(body)).unwrap();
    fixture.router.clone().oneshot(request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_packed_as_the_client_accepts_and_a_small_one_is_sent_as_it_is() {
    let fixture = with_many_rows().await;
    let plain = text_of(asked(&fixture, "identity", MANY).await).await;
    assert_eq!(plain.lines().count(), 1_002 + 1);
    for (accepted, encoding) in [("gzip", "gzip"), ("gzip, deflate, br, zstd", "zstd")] {
        let response = asked(&fixture, accepted, MANY).await;
        assert_eq!(header(&response, "content-encoding"), Some(encoding));
        assert_eq!(header(&response, "vary"), Some("accept-encoding"));
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        assert!(bytes.len() < plain.len() / 4, "{} bytes", bytes.len());
        let mut unpacked = String::new();
        match encoding {
            "gzip" => GzDecoder::new(&bytes[..]).read_to_string(&mut unpacked).unwrap(),
            _ => zstd::stream::read::Decoder::new(&bytes[..]).unwrap().read_to_string(&mut unpacked).unwrap(),
        };
        assert_eq!(unpacked, plain);
    }
    let small = asked(&fixture, "gzip, zstd", "SELECT 1").await;
    assert_eq!(header(&small, "content-encoding"), None);
    assert_eq!(text_of(small).await, "1\n\n");
}

/// What a server says to one request over TCP, up to the end of the connection.
async fn spoken(fixture: &Fixture, head: &str, body: &str) -> String {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (app, router) = (fixture.app.clone(), fixture.router.clone());
    let limits = Limits::default();
    let serving = listener::serve(socket, router, limits.connection, app.stop.clone(), limits.shutdown_timeout);
    let serving = tokio::spawn(serving);
    let request = format!(
        "POST /druid/v2/sql HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\n{head}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = tokio::task::spawn_blocking(move || {
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = answer.await.unwrap();
    serving.abort();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_word_of_an_answer_is_that_it_is_complete() {
    let fixture = Fixture::new().await;
    let answer = spoken(&fixture, "TE: trailers\r\n", "SELECT 1 AS n").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("\r\ntrailer: x-druid-response-complete\r\n"), "{head}");
    assert_eq!(body, "A\r\n[{\"n\":1}]\n\r\n0\r\nx-druid-response-complete: true\r\n\r\n");
    let answer = spoken(&fixture, "", "SELECT 1 AS n").await;
    assert!(answer.ends_with("\r\n\r\nA\r\n[{\"n\":1}]\n\r\n0\r\n\r\n"), "trailers are for those who ask: {answer}");
}
