//! How far a statement has come, on a terminal only.

use std::future::Future;
use std::time::Duration;

use super::client::Client;
use crate::cli::progress::RowBar;

/// A statement that answers sooner shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);
const EVERY: Duration = Duration::from_millis(200);

/// Waits for the first rows, and shows how far the query of that id is meanwhile.
pub async fn watched<T>(client: &Client, query_id: &str, first_rows: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        rows = first_rows => rows,
        () = watch(client, query_id) => unreachable!("whoever watches goes on until the rows come"),
    }
}

async fn watch(client: &Client, query_id: &str) {
    let Some(bar) = RowBar::new() else { return std::future::pending().await };
    tokio::time::sleep(PATIENCE).await;
    loop {
        // It may have ended, or wait for its turn.
        if let Some(progress) = client.progress(query_id).await {
            bar.show(progress.rows_done, progress.rows_total, progress.segments);
        }
        tokio::time::sleep(EVERY).await;
    }
}
