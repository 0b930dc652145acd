use std::net::SocketAddr;

use axum::body::{Body, Bytes};
use axum::routing::get;
use futures::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use super::*;

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn served(router: Router, limits: ConnectionLimits) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let task = tokio::spawn(serve(listener, router, limits, stop.clone(), Duration::from_secs(30)));
    Served { address, stop, task }
}

/// Everything that the server sends until it closes the connection.
async fn raw(address: SocketAddr, request: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

fn body_of(pieces: Vec<Result<&'static str, &'static str>>) -> Body {
    let pieces = pieces.into_iter().map(|piece| piece.map(Bytes::from).map_err(io::Error::other));
    Body::from_stream(stream::iter(pieces))
}

#[tokio::test]
async fn a_failure_after_the_first_byte_breaks_the_framing() {
    let router = Router::new()
        .route("/whole", get(|| async { body_of(vec![Ok("[[1]"), Ok("]\n")]) }))
        .route("/broken", get(|| async { body_of(vec![Ok("[[1]"), Err("the disk is gone")]) }));
    let served = served(router, ConnectionLimits::default()).await;
    let request = |path| format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let whole = raw(served.address, &request("/whole")).await;
    assert!(whole.starts_with("HTTP/1.1 200 ") && whole.ends_with("4\r\n[[1]\r\n2\r\n]\n\r\n0\r\n\r\n"), "{whole}");
    let broken = raw(served.address, &request("/broken")).await;
    assert!(broken.starts_with("HTTP/1.1 200 ") && broken.ends_with("4\r\n[[1]\r\n"), "{broken}");
    let client = reqwest::get(format!("http://{}/broken", served.address)).await.unwrap();
    assert!(client.bytes().await.is_err(), "an ordinary client must notice");
}

#[tokio::test]
async fn a_header_that_never_ends_is_cut_off() {
    let limits = ConnectionLimits { header_timeout: Duration::from_millis(50), ..ConnectionLimits::default() };
    let served = served(Router::new(), limits).await;
    // `raw` returns only because the server closes the connection.
    assert_eq!(raw(served.address, "GET / HTTP/1.1\r\nHost: x\r\n").await, "");
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_dropped_and_its_stream_ends() {
    struct DropSignal(CancellationToken);
    impl Drop for DropSignal {
        fn drop(&mut self) {
            self.0.cancel();
        }
    }
    let dropped = CancellationToken::new();
    let signal = dropped.clone();
    let endless = move || {
        let guard = DropSignal(signal.clone());
        let pieces = stream::unfold(guard, |guard| async {
            Some((Ok::<_, io::Error>(Bytes::from_static(&[b'x'; 65_536])), guard))
        });
        async move { Body::from_stream(pieces) }
    };
    let limits = ConnectionLimits { stall_timeout: Duration::from_millis(50), ..ConnectionLimits::default() };
    let served = served(Router::new().route("/", get(endless)), limits).await;
    let mut socket = TcpStream::connect(served.address).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    dropped.cancelled().await;
}

#[tokio::test]
async fn a_connection_beyond_the_cap_waits_for_its_turn() {
    let limits = ConnectionLimits { connections_max: 1, ..ConnectionLimits::default() };
    let served = served(Router::new().route("/", get(|| async { "served" })), limits).await;
    let first = TcpStream::connect(served.address).await.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let second = tokio::spawn(async move { raw(served.address, request).await });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!second.is_finished());
    drop(first);
    assert!(second.await.unwrap().ends_with("served"));
}

#[tokio::test]
async fn stopping_refuses_new_connections_and_finishes_the_running_answer() {
    let (entered, go_on) = (CancellationToken::new(), CancellationToken::new());
    let (inside, released) = (entered.clone(), go_on.clone());
    let slow = move || {
        let (inside, released) = (inside.clone(), released.clone());
        async move {
            inside.cancel();
            released.cancelled().await;
            "finished"
        }
    };
    let served = served(Router::new().route("/", get(slow)), ConnectionLimits::default()).await;
    let running = tokio::spawn(reqwest::get(format!("http://{}/", served.address)));
    entered.cancelled().await;
    served.stop.cancel();
    while TcpStream::connect(served.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!served.task.is_finished());
    go_on.cancel();
    assert_eq!(running.await.unwrap().unwrap().text().await.unwrap(), "finished");
    served.task.await.unwrap();
}
