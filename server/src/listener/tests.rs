use std::io;
use std::net::SocketAddr;

use axum::body::{Body, Bytes};
use axum::routing::get;
use futures::{StreamExt, stream};
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

/// A body of two pieces, the second of which comes once `go_on` is cancelled.
fn body_of(second: Result<&'static str, &'static str>, go_on: CancellationToken) -> Body {
    let second = second.map(Bytes::from).map_err(io::Error::other);
    let first = stream::iter([Ok(Bytes::from("[[1]"))]);
    Body::from_stream(first.chain(stream::once(async move {
        go_on.cancelled().await;
        second
    })))
}

#[tokio::test]
async fn a_failure_after_the_first_byte_breaks_the_framing() {
    let (whole, broken) = (CancellationToken::new(), CancellationToken::new());
    let (on_whole, on_broken) = (whole.clone(), broken.clone());
    let router = Router::new()
        .route("/whole", get(move || async { body_of(Ok("]\n"), on_whole) }))
        .route("/broken", get(move || async { body_of(Err("the disk is gone"), on_broken) }));
    let served = served(router, ConnectionLimits::default()).await;
    for (path, go_on, rest) in [("/whole", whole, "2\r\n]\n\r\n0\r\n\r\n"), ("/broken", broken, "")] {
        let mut socket = TcpStream::connect(served.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut begun = Vec::new();
        while !begun.ends_with(b"4\r\n[[1]\r\n") {
            assert_ne!(socket.read_buf(&mut begun).await.unwrap(), 0, "{path}");
        }
        assert!(begun.starts_with(b"HTTP/1.1 200 OK\r\n"), "{path}");
        go_on.cancel();
        let mut ending = String::new();
        socket.read_to_string(&mut ending).await.unwrap();
        assert_eq!(ending, rest, "{path}");
    }
    // Both tokens are cancelled now, so an ordinary client gets the pieces at once.
    let get = async |path| reqwest::get(format!("http://{}{path}", served.address)).await?.text().await;
    assert_eq!(get("/whole").await.unwrap(), "[[1]]\n");
    assert!(get("/broken").await.is_err());
}

#[tokio::test]
async fn a_header_that_never_ends_is_cut_off() {
    let limits = ConnectionLimits { header_timeout: Duration::from_millis(50), ..ConnectionLimits::default() };
    let served = served(Router::new(), limits).await;
    // `raw` returns only because the server closes the connection.
    assert_eq!(raw(served.address, "GET / HTTP/1.1\r\nHost: x\r\n").await, "");
    assert_eq!(raw(served.address, "").await, "");
}

#[tokio::test]
async fn a_connection_that_has_asked_before_may_idle_longer() {
    let (short, long) = (Duration::from_millis(50), Duration::from_millis(400));
    let limits = ConnectionLimits { header_timeout: short, idle_timeout: long, ..ConnectionLimits::default() };
    let served = served(Router::new().route("/", get(|| async { "served" })), limits).await;
    let mut socket = TcpStream::connect(served.address).await.unwrap();
    for _ in 0..2 {
        socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"served") {
            assert_ne!(socket.read_buf(&mut answer).await.unwrap(), 0, "the connection was closed");
        }
        tokio::time::sleep(short * 2).await;
    }
    // And then it is closed.
    assert_eq!(socket.read(&mut [0]).await.unwrap(), 0);
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
async fn a_connection_beyond_those_of_its_address_is_closed_at_once() {
    let limits = ConnectionLimits { per_address_max: 1, ..ConnectionLimits::default() };
    let served = served(Router::new().route("/", get(|| async { "served" })), limits).await;
    let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let first = TcpStream::connect(served.address).await.unwrap();
    // The server closes it without a byte, whatever is written meanwhile.
    let mut second = TcpStream::connect(served.address).await.unwrap();
    let closed = second.read(&mut [0]).await;
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
    drop(first);
    let third = loop {
        let mut socket = TcpStream::connect(served.address).await.unwrap();
        let mut answer = String::new();
        if socket.write_all(request.as_bytes()).await.is_ok()
            && socket.read_to_string(&mut answer).await.is_ok_and(|read| read > 0)
        {
            break answer;
        }
    };
    assert!(third.ends_with("served"), "the place of the first is free: {third}");
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
